"""One run through a class: what is sent to the workers, taken back, and recorded in order."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace

from nbjudge.admit.submissions import Submission, check_files, submission_digest, submitted_files
from nbjudge.assignment import Assignment
from nbjudge.assignment.recognise import HandedIn, recognise
from nbjudge.cohort.outcomes import GradingOutcome, Running, outcome
from nbjudge.cohort.planning import Planned
from nbjudge.cohort.recording import GO_ON, CannotRecord, Recorder
from nbjudge.cohort.task import Supplied, Task, Worked
from nbjudge.cohort.work import work
from nbjudge.cohort.workers import Workers, WorkersLost
from nbjudge.content import Content, read_content
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
from nbjudge.warm.client import WarmServerError

# Each worker has one task waiting, so that none waits while a grade is recorded.
_TASKS_FOR_EACH_WORKER = 2
# So many that are done may wait for an earlier one, since all are recorded in their order.
_MOST_WAITING = 50
# A worker that ends takes its task along: once more, in case it was not the task's fault.
_TRIES = 2
_REPLACED = 3
_SECONDS_TO_LOOK = 0.5

WORKER_DIED = (
    "The process that graded this submission was ended while it ran, twice: somebody ended it, or "
    "the notebook sent more than can be received. Grade it again."
)
_REPLACED_TOO_OFTEN = (
    "The submission was replaced again and again while it was graded. Grade it again."
)


class WorkerRefused(NbjudgeError):
    """A worker may not do the work: other packages, or a weaker isolation."""


@dataclass(frozen=True)
class _Prepared:
    """An assignment with what all its tasks share."""

    assignment: Assignment
    conditions: Conditions
    contents: tuple[Content, ...]


@dataclass(eq=False)
class _Job:
    """A submission on its way, or a reference solution (``submission`` is ``None``)."""

    prepared: _Prepared
    submission: Submission | None
    task: Task | None = None
    handed_in: HandedIn | None = None
    previous: Record | None = None
    begun: Record | None = None
    worked: Worked | None = None
    deaths: int = 0
    replaced: int = 0


class Run:
    """One run; see ``nbjudge.cohort.grade`` for what ``watch`` and ``stopping`` are."""

    def __init__(
        self,
        judging: Judging,
        planned: Sequence[Planned],
        workers: Workers,
        *,
        force: bool,
        watch: Callable[[Running], object],
        stopping: Callable[[], bool],
    ) -> None:
        self._judging = judging
        self._course = judging.course
        self._folder = judging.course.gradebook_folder
        self._workers = workers
        self._recorder = Recorder(judging)
        self._force, self._watch, self._stopping = force, watch, stopping
        prepared: dict[str, _Prepared] = {}
        for item in planned:
            if item.assignment.name not in prepared:
                prepared[item.assignment.name] = self._prepare(item.assignment)
        references = [
            _Job(item, None)
            for item in prepared.values()
            if not has_passed(judging, item.assignment)
        ]
        submissions = [_Job(prepared[item.assignment.name], item.submission) for item in planned]
        self._waiting = deque([*references, *submissions])
        self._line: deque[_Job] = deque()
        self._sent: dict[Future[Worked], _Job] = {}
        self._suspects: deque[_Job] = deque()
        self._something_done = False

    def outcomes(self) -> Iterator[GradingOutcome]:
        """Have all done, and yield each outcome when it is recorded."""
        self._judging.store.prepare()
        nothing_graded = False
        try:
            while True:
                self._send()
                if self._line and self._line[0].worked is not None:
                    recorded = self._record(self._line[0])
                    if recorded is not None or self._line[0].submission is None:
                        self._line.popleft()
                    if recorded is not None:
                        yield recorded
                    continue
                if not self._sent:
                    return
                self._tell()
                self._receive()
        except (ReferenceFailed, WorkerRefused):
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

    def _prepare(self, assignment: Assignment) -> _Prepared:
        conditions = self._judging.conditions(assignment)
        if self._force:
            conditions.grading.reuse_executions = False
        data = self._judging.data.contents()
        return _Prepared(assignment, conditions, (assignment.files, *data.values()))

    def _send(self) -> None:
        """Keep the workers busy, unless the run is to stop."""
        if self._stopping():
            self._waiting.clear()
            while self._suspects:
                job = self._suspects.popleft()
                self._put_back(job)
                self._line.remove(job)
            # The oldest are running; an executor may let those be cancelled, too.
            for future, job in list(self._sent.items())[self._workers.count() :]:
                if future.cancel():
                    self._put_back(job)
                    del self._sent[future]
                    self._line.remove(job)
            return
        if self._suspects:
            # A worker's death is blamed on all that it had: alone, none is blamed for another.
            if not self._sent:
                self._submit(self._suspects.popleft())
            return
        # Until something has come back, a worker may still have to ask for what all need.
        each = _TASKS_FOR_EACH_WORKER if self._something_done else 1
        most = each * max(1, self._workers.count())
        while self._waiting and len(self._sent) < most and len(self._line) < most + _MOST_WAITING:
            job = self._waiting.popleft()
            self._line.append(job)
            self._begin(job)

    def _begin(self, job: _Job) -> None:
        """Leave a record that holds if the grader never comes back, and send the task."""
        job.handed_in = None
        if job.submission is not None:
            name, student = job.submission.assignment, job.submission.student
            digest = submission_digest(self._course, job.submission.path)
            job.submission = replace(job.submission, digest=digest)
            inputs = self._judging.inputs(job.prepared.assignment, digest, student)
            if job.begun is None:
                job.previous = read_record(self._folder, name, student)
            job.begun = begin_record(self._folder, name, student, inputs)
            try:
                check_files(self._course, job.submission)
                files = submitted_files(self._course, job.submission)
                limit = 1_000_000 * self._course.settings.max_notebook_megabytes
                job.handed_in = recognise(files, job.prepared.assignment.blueprints, limit)
            except NotGraded as error:
                job.worked = Worked(reason=str(error))
                return
        job.task = Task(
            job.prepared.conditions,
            {item.path: item for item in job.prepared.contents},
            None if job.handed_in is None else job.handed_in.files,
            packages(),
            self._judging.store.folder,
            notes=() if job.handed_in is None else job.handed_in.notes,
        )
        if job.handed_in is not None and not job.handed_in.changed:
            job.handed_in = None  # nothing that is not in the folder
        self._submit(job)

    def _submit(self, job: _Job) -> None:
        job.task = replace(job.task, server=self._workers.server())
        self._sent[self._workers.executor.submit(work, job.task)] = job

    def _receive(self) -> None:
        # No future outlives this: a cluster would do again what a lost worker had done.
        done, _ = wait(self._sent, timeout=_SECONDS_TO_LOOK, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(self._sent.pop(future), future)

    def _take(self, job: _Job, future: Future[Worked]) -> None:
        """Take back what came of a task; it may have to be sent again."""
        try:
            worked = future.result()
        except (WarmServerError, *self._workers.deaths) as error:
            job.deaths += 1
            if job.deaths < _TRIES:
                self._suspects.append(job)
                return
            server_gone = isinstance(error, WarmServerError)
            worked = Worked(reason=str(error) if server_gone else WORKER_DIED)
        except ImportError as error:
            raise WorkerRefused(
                f"A worker cannot import what grading needs ({error}). Install the same lock file "
                "there: uv sync --frozen --extra grading --extra cluster."
            ) from error
        except CancelledError as error:
            raise WorkersLost(f"The workers are gone. {GO_ON}") from error
        except Exception as error:
            worked = Worked(reason=f"The grader failed: {type(error).__name__}: {error}")
        if worked.refused:
            raise WorkerRefused(worked.refused)
        self._keep(worked)
        if worked.is_to_be_tried_again and job.deaths + 1 < _TRIES:
            job.deaths += 1
            self._suspects.append(job)  # these are tried alone
            return
        if worked.missing:
            job.task = replace(job.task, supplied=self._supply(job, worked.missing))
            self._submit(job)
            return
        job.worked, job.task = replace(worked, executions={}), None
        self._something_done = True

    def _keep(self, worked: Worked) -> None:
        for digest, execution in worked.executions.items():
            self._judging.store.put_bytes(digest, execution)

    def _supply(self, job: _Job, missing: frozenset[str]) -> Supplied:
        """What a worker asked for, and the executions for which it had asked before."""
        known = {item.digest: item for item in job.prepared.contents}
        executions = {*missing, *job.task.supplied.executions} - set(known)
        return Supplied(
            {digest: read_content(known[digest]) for digest in missing & set(known)},
            {digest: self._judging.store.get_bytes(digest) for digest in executions},
        )

    def _record(self, job: _Job) -> GradingOutcome | None:
        """Record the job at the head of the line; ``None`` where nothing came to its end."""
        if job.submission is None:
            if job.worked.reason:
                raise ReferenceFailed(
                    f"The reference solution of {job.prepared.assignment.name} was not tried: "
                    f"{job.worked.reason}"
                )
            conclude(self._judging, job.prepared.assignment, job.worked.problems)
            return None
        assignment = job.prepared.assignment
        if not job.worked.reason:
            try:
                totals = self._recorder.record(
                    job.submission, assignment, job.begun, job.worked, job.handed_in
                )
                return outcome(job.submission, totals, job.worked)
            except Replaced:
                if job.replaced < _REPLACED:
                    job.replaced, job.worked = job.replaced + 1, None
                    self._begin(job)
                    return None
                job.worked = replace(job.worked, reason=_REPLACED_TOO_OFTEN)
            except CannotRecord:
                raise
            except NbjudgeError as error:
                job.worked = replace(job.worked, reason=str(error))
            except Exception as error:
                reason = f"Its grade could not be recorded: {type(error).__name__}: {error}"
                job.worked = replace(job.worked, reason=reason)
        self._recorder.withdraw(job.begun, job.worked.reason, job.worked.seconds)
        return outcome(job.submission, no_totals(assignment.max_score), job.worked)

    def _put_back(self, job: _Job) -> None:
        """Leave everything of a submission as it was before this run."""
        if job.previous is not None:
            write_record(self._folder, job.previous)
        elif job.begun is not None:
            remove_folder(record_path(self._folder, job.begun.assignment, job.begun.student))

    def _leave(self, nothing_graded: bool) -> None:
        """See that what was begun and is not recorded does not look as if it were graded."""
        running = {id(job) for future, job in self._sent.items() if not future.cancel()}
        with contextlib.suppress(OSError):
            for future in self._sent:
                if future.done() and not future.cancelled() and not future.exception():
                    self._keep(future.result())
        for job in self._line:
            if job.begun is None:
                continue
            if nothing_graded or (job.worked is None and id(job) not in running):
                self._put_back(job)
            else:
                # What stops the run is told already.
                with contextlib.suppress(CannotRecord, OSError):
                    self._recorder.withdraw(job.begun, BEGUN)

    def _tell(self) -> None:
        names = [job.prepared.assignment.name for job in self._sent.values() if not job.submission]
        doing = f"Trying the reference solution of {', '.join(names)}" if names else ""
        count = self._workers.count()
        if not count:
            doing = "Waiting for the cluster's first worker"
        at_work = [job.submission for job in list(self._sent.values())[:count] if job.submission]
        self._watch(Running(doing, tuple(at_work), len(self._waiting)))
