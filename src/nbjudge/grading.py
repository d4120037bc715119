"""Grading many submissions: one bad one never stops the others, nor looks like a zero."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

from nbgrader.api import MissingEntry

from nbjudge.course import Course
from nbjudge.files import remove_folder
from nbjudge.marks import (
    KeptMarks,
    Totals,
    drop_void_extension,
    read_totals,
    remove_submission,
    restore_marks,
)
from nbjudge.masters import masters_digest, read_masters
from nbjudge.pool import Failure, each
from nbjudge.records import Inputs, Record, Status, read_record, write_record
from nbjudge.submissions import Submission, digest_folder
from nbjudge.worker import Task, Worked, grade_one

BEGUN = "Grading has begun and has not come to an end. Grade it again."
WORKER_DIED = (
    "The process that graded this submission was ended while it ran: the memory ran out, or the "
    "code ended processes that are not its own."
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


@dataclass(frozen=True)
class _Assignment:
    notebooks: tuple[str, ...]
    digest: str
    max_score: float


def grade(
    course: Course,
    submissions: Iterable[Submission],
    *,
    jobs: int | None = None,
    force: bool = False,
    environment: Mapping[str, str] | None = None,
    context: Mapping[str, str] | None = None,
    seed: int | None = None,
) -> Iterator[GradingOutcome]:
    """Grade submissions through nbgrader, and yield each outcome as soon as it is there.

    ``jobs`` are graded at a time (by default ``c.Grading.jobs``). ``environment`` goes to the
    kernels, over ``c.Grading.kernel_environment``; ``context`` (the data source, package
    versions) and ``seed`` go into the records. A submission whose record shows that nothing
    changed since it was graded is not run again, unless ``force``.

    Closing the iterator, or Ctrl-C, ends the workers; what they were at is then not graded.
    """
    submissions = list(submissions)
    assignments = {name: _read(course, name) for name in {item.assignment for item in submissions}}
    common = _common_inputs(course, environment or {}, context or {}, seed)
    fresh: dict[Submission, Inputs] = {}
    for item in submissions:
        assignment = assignments[item.assignment]
        if assignment is None:
            yield _refuse(course, item, common)
            continue
        inputs = replace(
            common,
            submission=item.digest,
            source=assignment.digest,
            limits={"cell_seconds": course.settings.seconds_for(item.assignment)},
        )
        totals = None if force else _reusable(course, item, inputs)
        if totals is not None:
            yield _outcome(item, "graded", "", totals, seconds=0.0, reused=True)
        else:
            fresh[item] = inputs

    begun: dict[Submission, Record] = {}

    def tasks() -> Iterator[Task]:
        for item, inputs in fresh.items():
            begun[item] = _begin(course, item, inputs)
            notebooks = assignments[item.assignment].notebooks
            yield Task(course.root, item, notebooks, common.environment)

    count = max(1, min(jobs or course.settings.worker_count(), len(fresh)))
    results = each(grade_one, tasks(), jobs=count)
    try:
        with closing(results):
            for task, result in results:
                item = task.submission
                worked = _worked(result)
                totals = _finish(course, begun[item], worked)
                del begun[item]
                status: Status = "not graded" if worked.reason else "graded"
                unknown = Totals(0.0, assignments[item.assignment].max_score, False, 0.0)
                yield _outcome(
                    item, status, worked.reason, totals or unknown, worked.seconds, reused=False
                )
    finally:
        for record in begun.values():
            _finish(course, record, Worked(BEGUN, 0.0))


def _read(course: Course, name: str) -> _Assignment | None:
    """An assignment as the gradebook has it; ``None`` if it was not released."""
    with course.gradebook() as gradebook:
        try:
            notebooks = [notebook.name for notebook in gradebook.find_assignment(name).notebooks]
        except MissingEntry:
            return None
        masters = {notebook: read_masters(gradebook, name, notebook) for notebook in notebooks}
    if not masters:
        return None
    points = sum(cell.points or 0.0 for cells in masters.values() for cell in cells)
    ignore = [*course.coursedir().ignore, "*.ipynb"]
    folder = course.source / name
    files = digest_folder(folder, ignore) if folder.is_dir() else ""
    return _Assignment(tuple(notebooks), f"{masters_digest(masters)}-{files}", points)


def _common_inputs(
    course: Course, environment: Mapping[str, str], context: Mapping[str, str], seed: int | None
) -> Inputs:
    return Inputs(
        submission="",
        source="",
        versions={"python": platform.python_version(), "nbgrader": version("nbgrader")},
        context=dict(context),
        limits={},
        environment={**course.settings.kernel_environment, **environment},
        seed=seed,
    )


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
    old = read_record(course.gradebook_folder, item.assignment, item.student)
    kept = old.kept if old is not None else KeptMarks()
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(item.student)
        restore_marks(gradebook, item.assignment, item.student, kept)
        drop_void_extension(gradebook, item.assignment, item.student)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    record = Record(
        item.student, item.assignment, "not graded", BEGUN, inputs, started, 0.0, kept=kept
    )
    write_record(course.gradebook_folder, record)
    return record


def _worked(result: Worked | Failure) -> Worked:
    if isinstance(result, Worked):
        return result
    reason = WORKER_DIED if result.error is None else f"The grader failed: {result.error}"
    return Worked(reason, 0.0)


def _finish(course: Course, begun: Record, worked: Worked) -> Totals | None:
    """Write the record; of what was not graded, take away whatever shows a score."""
    record = replace(
        begun,
        status="not graded" if worked.reason else "graded",
        reason=worked.reason,
        seconds=round(worked.seconds, 3),
        cells=() if worked.reason else worked.cells,
        kept=_withdraw(course, begun) if worked.reason else KeptMarks(),
    )
    write_record(course.gradebook_folder, record)
    if worked.reason:
        return None
    with course.gradebook() as gradebook:
        return read_totals(gradebook, record.assignment, record.student)


def _withdraw(course: Course, record: Record) -> KeptMarks:
    """Take a submission's scores, graded notebooks and feedback away; keep a person's marks."""
    with course.gradebook() as gradebook:
        kept = remove_submission(gradebook, record.assignment, record.student)
    for folder in (course.autograded, course.feedback):
        remove_folder(folder / record.student / record.assignment)
    return kept if kept != KeptMarks() else record.kept


def _refuse(course: Course, item: Submission, common: Inputs) -> GradingOutcome:
    """The outcome for a folder that is not an assignment of the gradebook."""
    released = [name for name in course.assignments() if _read(course, name) is not None]
    if item.assignment in course.assignments():
        reason = f"{item.assignment} has not been released yet, so nothing can be graded in it."
    else:
        reason = (
            f"{item.assignment} is not an assignment of this course. "
            f"Its assignments are: {', '.join(released) or 'none'}."
        )
    inputs = replace(common, submission=item.digest)
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
