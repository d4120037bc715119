"""Grading many submissions: one bad one never stops the others, nor looks like a zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from nbjudge.course import Course
from nbjudge.engines import keep_engines
from nbjudge.files import remove_folder
from nbjudge.judging import Assignment, Judging, judging_of, read_assignment
from nbjudge.marks import (
    KeptMarks,
    Totals,
    drop_void_extension,
    read_totals,
    remove_submission,
    restore_marks,
)
from nbjudge.pool import Failure, each
from nbjudge.records import (
    BEGUN,
    Inputs,
    Record,
    Status,
    begin_record,
    read_record,
    write_record,
)
from nbjudge.reference import ReferenceFailed
from nbjudge.submissions import Submission, name_problem
from nbjudge.warm.client import LastingServer
from nbjudge.worker import Task, Trust, Worked, grade_one, try_reference

WORKER_DIED = (
    "The process that graded this submission was ended while it ran: somebody ended it, or the "
    "notebook sent more than can be received. Grade it again."
)


@dataclass(frozen=True)
class GradingOutcome:
    """What came of one submission.

    Scores are in points, late penalty taken off; 0 of ``max_score`` for one that is not
    graded, whose ``reason`` says why. ``reused`` means nothing had changed since it was graded.
    """

    student: str
    assignment: str
    status: Status
    reason: str
    score: float
    max_score: float
    needs_manual_grade: bool
    late_seconds: float
    seconds: float
    reused: bool


def grade(
    course: Course,
    submissions: Iterable[Submission],
    *,
    jobs: int | None = None,
    force: bool = False,
    tell: Callable[[str], object] = lambda text: None,
) -> Iterator[GradingOutcome]:
    """Grade submissions through nbgrader, and yield each outcome as soon as it is there.

    ``jobs`` are graded at a time (by default ``c.Grading.jobs``). A submission whose record shows
    that nothing changed since it was graded is not graded again; one whose execution is stored is
    judged again without running it. With ``force``, both are done anew. ``tell`` hears what is
    done before the first outcome, in words.

    Closing the iterator, or Ctrl-C, ends the workers; what they were at is then not graded.
    Raises ``IsolationError`` where the sandbox is weaker than the course asks for, and
    ``ReferenceFailed`` where a reference solution does not get full marks; nothing is graded then.
    """
    keep_engines()
    submissions = list(submissions)
    judging = judging_of(course)
    names = sorted({item.assignment for item in submissions})
    assignments = {name: read_assignment(course, name) for name in names}
    fresh: dict[Submission, Inputs] = {}
    for item in submissions:
        assignment = assignments[item.assignment]
        if problem := name_problem(item.student):
            # Neither a record nor the gradebook can have such a name.
            unknown = Totals(0.0, assignment.max_score if assignment else 0.0, False, 0.0)
            yield _outcome(item, "not graded", problem, unknown, seconds=0.0, reused=False)
            continue
        if assignment is None:
            yield _refuse(judging, item)
            continue
        inputs = judging.inputs(assignment, item.digest, item.student)
        totals = None if force else _reusable(course, item, inputs)
        if totals is not None:
            yield _outcome(item, "graded", "", totals, seconds=0.0, reused=True)
        else:
            fresh[item] = inputs
    if fresh:
        with LastingServer(judging.preload) as server:
            trust = Trust(course.root, server.address, anew=force)
            count = max(1, min(jobs or course.settings.worker_count(), len(fresh)))
            needed = [assignments[name] for name in names if assignments[name] is not None]
            used = {item.assignment for item in fresh}
            tell(f"Trying the reference solution of {', '.join(sorted(used))}")
            _try_references(trust, [item for item in needed if item.name in used], count)
            yield from _grade(course, fresh, assignments, trust, server, count)


def _try_references(trust: Trust, assignments: list[Assignment], jobs: int) -> None:
    tasks = [(trust, assignment.name) for assignment in assignments]
    with closing(each(try_reference, tasks, jobs=min(jobs, len(tasks)))) as results:
        for (_, name), result in results:
            if isinstance(result, Failure):
                reason = result.error or "the process that tried it was ended"
                raise ReferenceFailed(f"The reference solution of {name} was not tried: {reason}")
            if result:
                raise ReferenceFailed(result)


def _grade(
    course: Course,
    fresh: dict[Submission, Inputs],
    assignments: dict[str, Assignment | None],
    trust: Trust,
    server: LastingServer,
    jobs: int,
) -> Iterator[GradingOutcome]:
    begun: dict[Submission, Record] = {}

    def tasks() -> Iterator[Task]:
        for item, inputs in fresh.items():
            begun[item] = _begin(course, item, inputs)
            current = replace(trust, server=server.address)
            yield Task(current, item, assignments[item.assignment].notebooks)

    results = each(grade_one, tasks(), jobs=jobs)
    try:
        with closing(results):
            for task, result in results:
                item = task.submission
                worked = _worked(result)
                totals = _finish(course, begun.pop(item), worked)
                status: Status = "not graded" if worked.reason else "graded"
                unknown = Totals(0.0, assignments[item.assignment].max_score, False, 0.0)
                yield _outcome(
                    item, status, worked.reason, totals or unknown, worked.seconds, reused=False
                )
    finally:
        for record in begun.values():
            _finish(course, record, Worked(BEGUN, 0.0))


def _reusable(course: Course, item: Submission, inputs: Inputs) -> Totals | None:
    """The totals of a submission that was graded from just these inputs, if it still is."""
    record = read_record(course.gradebook_folder, item.assignment, item.student)
    if record is None or record.status != "graded" or record.inputs != inputs:
        return None
    if not (course.autograded / item.student / item.assignment).is_dir():
        return None
    with course.gradebook() as gradebook:
        return read_totals(gradebook, item.assignment, item.student)


def _begin(course: Course, item: Submission, inputs: Inputs) -> Record:
    """Prepare the gradebook, and leave a record that holds if the grader never comes back."""
    record = begin_record(course.gradebook_folder, item.assignment, item.student, inputs)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(item.student)
        restore_marks(gradebook, item.assignment, item.student, record.kept)
        drop_void_extension(gradebook, item.assignment, item.student)
    return record


def _worked(result: Worked | Failure) -> Worked:
    if isinstance(result, Worked):
        return result
    reason = WORKER_DIED if result.error is None else f"The grader failed: {result.error}"
    return Worked(reason, 0.0)


def _finish(course: Course, begun: Record, worked: Worked) -> Totals | None:
    """Of what was not graded, write why, and take away whatever shows a score."""
    if not worked.reason:
        with course.gradebook() as gradebook:
            return read_totals(gradebook, begun.assignment, begun.student)
    record = replace(
        begun,
        status="not graded",
        reason=worked.reason,
        seconds=round(worked.seconds, 3),
        kept=_withdraw(course, begun),
    )
    write_record(course.gradebook_folder, record)
    return None


def _withdraw(course: Course, record: Record) -> KeptMarks:
    """Take a submission's scores, graded notebooks and feedback away; keep a person's marks."""
    with course.gradebook() as gradebook:
        kept = remove_submission(gradebook, record.assignment, record.student)
    for folder in (course.autograded, course.feedback):
        remove_folder(folder / record.student / record.assignment)
    return kept if kept != KeptMarks() else record.kept


def _refuse(judging: Judging, item: Submission) -> GradingOutcome:
    """The outcome for a folder that is not an assignment of the gradebook."""
    course = judging.course
    released = [name for name in course.assignments() if read_assignment(course, name) is not None]
    if item.assignment in course.assignments():
        reason = f"{item.assignment} has not been released yet, so nothing can be graded in it."
    else:
        reason = (
            f"{item.assignment} is not an assignment of this course. "
            f"Its assignments are: {', '.join(released) or 'none'}."
        )
    inputs = judging.inputs(Assignment(item.assignment, (), course.source, ""), item.digest)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    record = Record(item.student, item.assignment, "not graded", reason, inputs, started, 0.0)
    write_record(course.gradebook_folder, record)
    return _outcome(item, "not graded", reason, Totals(0.0, 0.0, False, 0.0), 0.0, reused=False)


def _outcome(
    item: Submission, status: Status, reason: str, totals: Totals, seconds: float, *, reused: bool
) -> GradingOutcome:
    return GradingOutcome(
        item.student,
        item.assignment,
        status,
        reason,
        totals.score,
        totals.max_score,
        totals.needs_manual_grade,
        totals.late_seconds,
        seconds,
        reused,
    )
