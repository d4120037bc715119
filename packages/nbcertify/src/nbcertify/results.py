"""What every student has reached, from nbgrader's gradebook and from how grading went.

The gradebook alone is not enough: it cannot tell a submission that could not be graded from one
that earned nothing, nor from one that was never handed in.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nbjudge.admit.submissions import find_submissions
from nbjudge.course import Course
from nbjudge.record.records import read_record, record_path

from nbcertify.errors import CertificateError

if TYPE_CHECKING:
    from nbgrader.api import Gradebook, SubmittedAssignment


@dataclass(frozen=True)
class Result:
    """A student's points in one assignment: `low` for certain, `high` if all that is open is won.

    `why` says what is open, or that nothing was handed in; `waiting` is how many answers wait for a
    person, `late_seconds` how late it was handed in. Extra credit may take points above `possible`.
    ValueError unless 0 <= low <= high and possible > 0.
    """

    student: str
    assignment: str
    low: float
    high: float
    possible: float
    why: str = ""
    waiting: int = 0
    late_seconds: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high < math.inf and 0 < self.possible < math.inf):
            raise ValueError(f"impossible points: {self}")


def read_results(
    course: Course,
    assignments: Sequence[str],
    *,
    now: datetime,
    asked_by: str = "",
    students: Collection[str] = (),
) -> list[Result]:
    """A result for every known student and each of `assignments`, in their order.

    Known are the students in the gradebook, those who have a folder in `submitted/`, and
    `students`. What is not due yet at `now` (aware) may still be handed in. `CertificateError` if
    the gradebook has no points for one of the assignments; the message names `asked_by`, the file
    that asks for it.
    """
    digests = {(s.student, s.assignment): s.digest for s in find_submissions(course)}
    with course.gradebook() as gradebook:
        possible = {a.name: a.max_score for a in gradebook.assignments}
        due = {a.name: a.duedate.replace(tzinfo=UTC) for a in gradebook.assignments if a.duedate}
        for name in assignments:
            if not possible.get(name):
                raise CertificateError(
                    f"{asked_by}: assignments: the gradebook has no points for {name!r}; "
                    f"it has {', '.join(sorted(possible)) or 'no assignments'}"
                )
        everyone = {s.id for s in gradebook.students} | {student for student, _ in digests}
        everyone |= set(students)
        results = []
        for name in assignments:
            rows = _submissions(gradebook, name)
            for student in sorted(everyone):
                row, digest = rows.get(student), digests.get((student, name))
                recorded = record_path(course.gradebook_folder, name, student).exists()
                if row is None and digest is None and not recorded:
                    results.append(_missing(student, name, possible[name], due.get(name), now))
                elif why := reason_without_grade(course, name, student, row is not None, digest):
                    late = row.total_seconds_late if row is not None else 0.0
                    results.append(
                        Result(student, name, 0.0, possible[name], possible[name], why, 0, late)
                    )
                else:
                    results.append(_graded(row, student, name, possible[name]))
    return results


def _missing(
    student: str, assignment: str, possible: float, due: datetime | None, now: datetime
) -> Result:
    if due is not None and due > now:
        why = f"not submitted yet; it is due on {due:%Y-%m-%d at %H:%M} UTC"
        return Result(student, assignment, 0.0, possible, possible, why)
    return Result(student, assignment, 0.0, 0.0, possible, "not submitted")


def known_students(course: Course) -> frozenset[str]:
    """The ids in the gradebook and in `submitted/`."""
    handed_in = course.submitted.iterdir() if course.submitted.is_dir() else ()
    with course.gradebook() as gradebook:
        ids = {student.id for student in gradebook.students}
    return frozenset(ids | {path.name for path in handed_in if path.is_dir()})


def reason_without_grade(
    course: Course, assignment: str, student: str, in_gradebook: bool, digest: str | None
) -> str:
    """Why there is no grade to go by; empty if there is one.

    `digest` is that of the submission's folder, None where there is none any more.
    """
    if not record_path(course.gradebook_folder, assignment, student).exists():
        return "not graded: there is no record of its grading"
    record = read_record(course.gradebook_folder, assignment, student)
    if record is None:
        return "not graded: the record of its grading is damaged"
    if record.status != "graded":
        return f"not graded: {' '.join(record.reason.split()) or 'no reason is given'}"
    if not in_gradebook:
        return "not graded: it is not in the gradebook"
    if digest is not None and digest != record.inputs.submission:
        return "not graded: handed in again after it was graded"
    return ""


def _submissions(gradebook: Gradebook, assignment: str) -> dict[str, SubmittedAssignment]:
    """The gradebook's submissions by student, with all that is read of them below.

    Without the options, nbgrader's models ask the database anew for each grade of each student.
    """
    from nbgrader import api
    from sqlalchemy.orm import joinedload, selectinload

    notebooks = selectinload(api.SubmittedAssignment.notebooks)
    query = (
        gradebook.db.query(api.SubmittedAssignment)
        .join(api.Assignment)
        .filter(api.Assignment.name == assignment)
        .options(
            joinedload(api.SubmittedAssignment.student),
            joinedload(api.SubmittedAssignment.assignment),
            notebooks.selectinload(api.SubmittedNotebook.grades).joinedload(api.Grade.cell),
        )
    )
    return {row.student.id: row for row in query}


def _graded(row: SubmittedAssignment, student: str, assignment: str, possible: float) -> Result:
    """The points that are certain, those that are possible, and what the difference waits for."""
    certain, waiting = [], []
    for grade in (grade for notebook in row.notebooks for grade in notebook.grades):
        # A score that needs review is open, whatever an earlier version of the answer got.
        ungraded = grade.auto_score is None and grade.manual_score is None
        if grade.needs_manual_grade or ungraded:
            waiting.append(grade.cell.max_score + max(0.0, grade.extra_credit or 0.0))
        else:
            certain.append(grade.score)
    low, open_ = math.fsum(certain), math.fsum(waiting)
    penalty = math.fsum(notebook.late_submission_penalty or 0.0 for notebook in row.notebooks)
    why = ""
    if waiting:
        answers = "1 answer waits" if len(waiting) == 1 else f"{len(waiting)} answers wait"
        why = f"{answers} for hand-grading ({open_:g} points)"
    return Result(
        student,
        assignment,
        max(0.0, low - penalty),
        max(0.0, low + open_ - penalty),
        possible,
        why,
        len(waiting),
        row.total_seconds_late,
    )
