"""One run through a class: begun, handed to the workers, and recorded in order."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nbjudge.admit.submissions import Submission, check_files, submission_digest, submitted_files
from nbjudge.assignment import Assignment
from nbjudge.assignment.recognise import HandedIn, recognise
from nbjudge.cohort.dispatch import Dispatcher, WorkerRefused
from nbjudge.cohort.outcomes import GradingOutcome, Running, outcome
from nbjudge.cohort.planning import Planned, Refused, ToGrade
from nbjudge.cohort.recording import GO_ON, CannotRecord, Recorder, refuse
from nbjudge.cohort.task import Task, Worked
from nbjudge.cohort.workers import Workers
from nbjudge.content import Content
from nbjudge.errors import NbjudgeError, NotGraded
from nbjudge.extensions.preprocessors.take_trial import Replaced
from nbjudge.files import remove_folder
from nbjudge.record.marks import no_totals
from nbjudge.record.records import (
    BEGUN,
    Record,
    begin_record,
    read_record,
    record_path,
    write_record,
)
from nbjudge.trial import Conditions
from nbjudge.trial.judging import Judging
from nbjudge.trial.reference import ReferenceFailed, conclude, has_passed
from nbjudge.versions import packages

# So many that are done may wait for an earlier one, since all are recorded in their order.
_MOST_WAITING = 50
_REPLACED = 3
_REPLACED_TOO_OFTEN = (
    "The submission was replaced again and again while it was graded. Grade it again."
)


@dataclass(frozen=True)
class _Prepared:
    """An assignment with what all its tasks share."""

    assignment: Assignment
    conditions: Conditions
    contents: tuple[Content, ...]


@dataclass(eq=False)
class _Reference:
    """A reference solution on its way; ``worked`` is what came of it, once it is there."""

    prepared: _Prepared
    worked: Worked | None = None


@dataclass(eq=False)
class _Grading:
    """A submission on its way; ``worked`` is what came of it, once it is there.

    ``begun`` is the record that holds if the grader never comes back, ``previous`` the one that
    was there before; ``handed_in`` is what is graded, where that is not what lies in the folder;
    ``replaced`` counts how often the submission was another one in the end.
    """

    prepared: _Prepared
    submission: Submission
    begun: Record
    previous: Record | None
    handed_in: HandedIn | None = None
    worked: Worked | None = None
    replaced: int = 0


_Job = _Reference | _Grading


class Run:
    """One run; see ``nbjudge.cohort.grade`` for what ``watch`` and ``stopping`` are.

    ``more`` is asked for further work as long as a worker is free; with ``in_order`` all is
    recorded in the order in which it was begun, otherwise as it is done.
    """

    def __init__(
        self,
        judging: Judging,
        planned: Sequence[ToGrade],
        workers: Workers,
        *,
        force: bool,
        watch: Callable[[Running], object],
        stopping: Callable[[], bool],
        more: Callable[[], Sequence[Planned]] = tuple,
        in_order: bool = True,
    ) -> None:
        self._judging = judging
        self._course = judging.course
        self._folder = judging.course.gradebook_folder
        self._recorder = Recorder(judging)
        self._force, self._watch, self._stopping = force, watch, stopping
        self._more, self._in_order = more, in_order
        self._prepared: dict[str, _Prepared] = {}
        self._failed: dict[str, ReferenceFailed] = {}
        self._references: deque[_Prepared] = deque()
        self._submissions: deque[tuple[_Prepared, Submission]] = deque()
        self._refused: deque[GradingOutcome] = deque()
        self._line: deque[_Job] = deque()
        self._take_in(planned)
        self._dispatcher: Dispatcher[_Job] = Dispatcher(workers, judging.store)

    def outcomes(self) -> Iterator[GradingOutcome]:
        """Have all done, and yield each outcome when it is recorded.

        An assignment whose reference solution fails holds no other back: ``ReferenceFailed`` is
        raised when all others are done.
        """
        self._judging.store.prepare()
        nothing_graded = False
        try:
            while True:
                self._send()
                while self._refused:
                    yield self._refused.popleft()
                job = self._next_done()
                if job is not None and job.worked is not None:
                    if isinstance(job, _Reference):
                        self._conclude(job, job.worked)
                        self._line.remove(job)
                        continue
                    if job.submission.assignment in self._failed:
                        self._discard(job, job.worked)
                        self._line.remove(job)
                        continue
                    recorded = self._record(job, job.worked)
                    if recorded is not None:
                        self._line.remove(job)
                        yield recorded
                    continue
                if not self._dispatcher.jobs:
                    break
                self._tell()
                for done, worked in self._dispatcher.receive():
                    done.worked = worked
            if self._failed:
                raise ReferenceFailed("\n\n".join(map(str, self._failed.values())))
        except WorkerRefused:
            nothing_graded = True
            raise
        except CannotRecord:
            self._line.clear()  # their records say that they have begun
            raise
        except OSError as error:
            self._line.clear()
            raise CannotRecord(f"A file cannot be written or read: {error}. {GO_ON}") from error
        finally:
            self._leave(nothing_graded)

    def _next_done(self) -> _Job | None:
        """The job to record next, or to wait for; ``None`` where none is under way."""
        for job in self._line:
            # No grade counts before the reference solution has its full marks.
            if job.worked is not None or self._in_order or isinstance(job, _Reference):
                return job
        return None

    def _take_in(self, planned: Sequence[Planned]) -> None:
        """Put what is planned into the line; what cannot be graded is recorded at once."""
        for item in planned:
            if isinstance(item, Refused):
                self._refused.append(refused(self._judging, item))
                continue
            if not isinstance(item, ToGrade):
                continue
            name = item.assignment.name
            if name not in self._prepared:
                self._prepared[name] = self._prepare(item.assignment)
                try:
                    if not has_passed(self._judging, item.assignment):
                        self._references.append(self._prepared[name])
                except ReferenceFailed as error:
                    self._failed[name] = error
            if name not in self._failed:
                self._submissions.append((self._prepared[name], item.submission))

    def _prepare(self, assignment: Assignment) -> _Prepared:
        conditions = self._judging.conditions(assignment)
        if self._force:
            conditions.grading.reuse_executions = False
        data = self._judging.data.contents()
        return _Prepared(assignment, conditions, (assignment.files, *data.values()))

    def _send(self) -> None:
        """Keep the workers busy, unless the run is to stop."""
        if self._stopping():
            self._references.clear()
            self._submissions.clear()
            for job in self._dispatcher.take_back():
                self._put_back(job)
                self._line.remove(job)
            return
        if self._dispatcher.retry():
            return
        most = self._dispatcher.capacity()
        while len(self._dispatcher.jobs) < most and len(self._line) < most + _MOST_WAITING:
            if self._references:
                reference = _Reference(self._references.popleft())
                self._line.append(reference)
                self._dispatcher.send(reference, self._task(reference.prepared))
            elif self._submissions:
                self._begin(*self._submissions.popleft())
            elif further := self._more():
                self._take_in(further)
            else:
                return

    def _begin(self, prepared: _Prepared, submission: Submission) -> None:
        previous = read_record(self._folder, submission.assignment, submission.student)
        submission, begun = self._begin_record(prepared, submission)
        job = _Grading(prepared, submission, begun, previous)
        self._line.append(job)
        self._send_files(job)

    def _begin_record(
        self, prepared: _Prepared, submission: Submission
    ) -> tuple[Submission, Record]:
        """Leave a record that holds if the grader never comes back; the submission as it is now."""
        name, student = submission.assignment, submission.student
        digest = submission_digest(self._course, submission.path)
        inputs = self._judging.inputs(prepared.assignment, digest, student)
        return replace(submission, digest=digest), begin_record(self._folder, name, student, inputs)

    def _send_files(self, job: _Grading) -> None:
        try:
            check_files(self._course, job.submission)
            files = submitted_files(self._course, job.submission)
            limit = 1_000_000 * self._course.settings.max_notebook_megabytes
            handed_in = recognise(files, job.prepared.assignment.blueprints, limit)
        except NotGraded as error:
            job.worked = Worked(reason=str(error))
            return
        job.handed_in = handed_in if handed_in.changed else None
        self._dispatcher.send(job, self._task(job.prepared, handed_in))

    def _task(self, prepared: _Prepared, handed_in: HandedIn | None = None) -> Task:
        """The task to grade what was handed in, or the reference solution."""
        return Task(
            prepared.conditions,
            {item.path: item for item in prepared.contents},
            None if handed_in is None else handed_in.files,
            packages(),
            self._judging.store.folder,
            notes=() if handed_in is None else handed_in.notes,
        )

    def _conclude(self, job: _Reference, worked: Worked) -> None:
        """Go on with the assignment where its reference solution gets full marks."""
        name = job.prepared.assignment.name
        try:
            if worked.reason:
                raise ReferenceFailed(
                    f"The reference solution of {name} was not tried: {worked.reason}"
                )
            conclude(self._judging, job.prepared.assignment, worked.problems)
        except ReferenceFailed as error:
            self._discard(job, worked)
            self._failed[name] = error
            self._submissions = deque(one for one in self._submissions if one[1].assignment != name)

    def _record(self, job: _Grading, worked: Worked) -> GradingOutcome | None:
        """Record the job at the head of the line; ``None`` where it has to be done anew."""
        assignment = job.prepared.assignment
        if not worked.reason:
            try:
                totals = self._recorder.record(
                    job.submission, assignment, job.begun, worked, job.handed_in
                )
                return outcome(job.submission, totals, worked)
            except Replaced:
                if job.replaced < _REPLACED:
                    job.replaced, job.worked = job.replaced + 1, None
                    job.submission, job.begun = self._begin_record(job.prepared, job.submission)
                    self._send_files(job)
                    return None
                worked = replace(worked, reason=_REPLACED_TOO_OFTEN)
            except CannotRecord:
                raise
            except NbjudgeError as error:
                worked = replace(worked, reason=str(error))
            except Exception as error:
                reason = f"Its grade could not be recorded: {type(error).__name__}: {error}"
                worked = replace(worked, reason=reason)
        self._recorder.withdraw(job.begun, worked.reason, worked.seconds)
        return outcome(job.submission, no_totals(assignment.max_score), worked)

    def _discard(self, job: _Job, worked: Worked) -> None:
        """Leave nothing of a job whose reference solution failed: a broken sandbox may be why."""
        for digest in worked.executed:
            self._judging.store.remove(digest)
        self._put_back(job)

    def _put_back(self, job: _Job) -> None:
        """Leave everything of a submission as it was before this run."""
        if isinstance(job, _Reference):
            return
        if job.previous is not None:
            write_record(self._folder, job.previous)
        else:
            remove_folder(record_path(self._folder, job.begun.assignment, job.begun.student))

    def _leave(self, nothing_graded: bool) -> None:
        """See that what was begun and is not recorded does not look as if it were graded."""
        running = {id(job) for job in self._dispatcher.abandon()}
        for job in self._line:
            if isinstance(job, _Reference):
                continue
            if nothing_graded or (job.worked is None and id(job) not in running):
                self._put_back(job)
            else:
                # What stops the run is told already.
                with contextlib.suppress(CannotRecord, OSError):
                    self._recorder.withdraw(job.begun, BEGUN)

    def _tell(self) -> None:
        jobs, count = self._dispatcher.jobs, self._dispatcher.worker_count()
        names = [job.prepared.assignment.name for job in jobs if isinstance(job, _Reference)]
        doing = f"Trying the reference solution of {', '.join(names)}" if names else ""
        if not count:
            doing = "Waiting for the cluster's first worker"
        at_work = [job.submission for job in jobs[:count] if isinstance(job, _Grading)]
        waiting = len(self._references) + len(self._submissions)
        self._watch(Running(doing, tuple(at_work), waiting))


def refused(judging: Judging, item: Refused) -> GradingOutcome:
    """The outcome of a submission that cannot be graded at all; a record of it is kept."""
    if item.can_be_recorded:
        refuse(judging, item.submission, item.why)
    return outcome(item.submission, no_totals(item.max_score), reason=item.why)
