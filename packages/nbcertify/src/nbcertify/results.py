"""What every student has reached, from nbgrader's gradebook and from how grading went.

The gradebook alone is not enough: it cannot tell a submission that could not be graded from one
that earned nothing, nor from one that was never handed in.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from nbjudge.admit.submissions import find_submissions
from nbjudge.configure import AUTOGRADE
from nbjudge.course import Course
from nbjudge.record.records import read_record, record_path

from nbcertify.errors import CertificateError
from nbcertify.scores import Scores, read_scores

NOT_SUBMITTED = "not submitted"
HANDED_IN_AGAIN = "not graded: handed in again after it was graded"


@dataclass(frozen=True)
class Result:
    """A student's points in one assignment: `low` for certain, `high` if all that is open is won.

    `why` says what is open, or that nothing was handed in; `waiting` is how many answers wait for a
    person, `late_seconds` how late it was handed in. Extra credit may take points above `possible`.
    `is_open` says that somebody or something has still to look at the work: it is so where answers
    wait or the points are a range, and it stays so whatever is done to the points afterwards.
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
    is_open: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high < math.inf and 0 < self.possible < math.inf):
            raise ValueError(f"impossible points: {self}")
        if self.waiting or self.low < self.high:
            object.__setattr__(self, "is_open", True)


@dataclass(frozen=True)
class Class:
    """All students of a course, sorted, and a result for each of them and each assignment.

    `known` are those that the gradebook or the folder `submitted/` knows.
    """

    students: tuple[str, ...]
    known: frozenset[str]
    results: tuple[Result, ...]


def read_class(
    course: Course,
    assignments: Sequence[str],
    *,
    now: datetime,
    asked_by: str = "",
    roster: Collection[str] = (),
) -> Class:
    """Who there is, and what each has reached in each of `assignments`, in their order.

    A student of the course is whoever is in `roster`, in the gradebook, or has a folder in
    `submitted/`. What is not due yet at `now` (aware) may still be handed in. `CertificateError`
    if the gradebook has no points for one of the assignments; the message names `asked_by`, the
    file that asks for it.
    """
    found = find_submissions(course) if assignments else []
    digests = {(s.student, s.assignment): s.digest for s in found}
    with course.gradebook() as gradebook:
        scores = read_scores(gradebook, assignments)
    for name in assignments:
        if not scores.possible.get(name):
            raise CertificateError(
                f"{asked_by}: assignments: the gradebook has no points for {name!r}; "
                f"it has {', '.join(sorted(scores.possible)) or 'no assignments'}"
            )
    known = scores.students | _with_folder(course)
    students = tuple(sorted(known | set(roster)))
    results = []
    for name in assignments:
        possible = scores.possible[name]
        for student in students:
            row, digest = scores.of.get((student, name)), digests.get((student, name))
            recorded = record_path(course.gradebook_folder, name, student).exists()
            if row is None and digest is None and not recorded:
                results.append(_missing(student, name, possible, scores.due.get(name), now))
            elif why := reason_without_grade(course, name, student, row is not None, digest):
                # How late a newer submission is, the gradebook does not know.
                late = row.late_seconds if row is not None and why != HANDED_IN_AGAIN else 0.0
                results.append(
                    Result(student, name, 0.0, possible, possible, why, late_seconds=late)
                )
            else:
                assert row is not None
                results.append(_graded(row, student, name, possible))
    return Class(students, known, tuple(results))


def _missing(
    student: str, assignment: str, possible: float, due: datetime | None, now: datetime
) -> Result:
    if due is not None and due > now:
        why = f"not submitted yet; it is due on {due:%Y-%m-%d at %H:%M} UTC"
        return Result(student, assignment, 0.0, possible, possible, why)
    return Result(student, assignment, 0.0, 0.0, possible, NOT_SUBMITTED)


def _with_folder(course: Course) -> frozenset[str]:
    """The ids that have a folder in `submitted/`."""
    if not course.submitted.is_dir():
        return frozenset()
    excluded = course.coursedir().student_id_exclude.split(",")
    return frozenset(
        path.name
        for path in course.submitted.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in excluded
    )


def reason_without_grade(
    course: Course, assignment: str, student: str, in_gradebook: bool, digest: str | None
) -> str:
    """Why there is no grade to go by; empty if there is one.

    `digest` is that of the submission's folder, None where there is none any more.
    """
    if not _keeps_records(course):
        return _reason_of_stock(course, assignment, student, in_gradebook, digest)
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
        return HANDED_IN_AGAIN
    return ""


def _keeps_records(course: Course) -> bool:
    """Whether nbjudge grades this course; stock nbgrader keeps the gradebook alone."""
    configured = course.config.Autograde.get("autograde_preprocessors", ())
    return set(AUTOGRADE) <= set(configured) or (course.gradebook_folder / "records").is_dir()


def _reason_of_stock(
    course: Course, assignment: str, student: str, in_gradebook: bool, digest: str | None
) -> str:
    """The same for a course that stock nbgrader grades, by what it does with the folders.

    It removes what it could not grade from `autograded/`, and leaves the row in the gradebook.
    """
    if not in_gradebook:
        return "not graded: it is not in the gradebook"
    if digest is None:
        return ""
    graded = course.autograded / student / assignment
    if not graded.is_dir():
        return "not graded: nbgrader could not grade it, or has not yet"
    times = [
        file.read_bytes().strip() if file.is_file() else b""
        for file in (
            graded / "timestamp.txt",
            course.submitted / student / assignment / "timestamp.txt",
        )
    ]
    return "" if times[0] == times[1] else HANDED_IN_AGAIN


def _graded(row: Scores, student: str, assignment: str, possible: float) -> Result:
    """The points that are certain, those that are possible, and what the difference waits for."""
    low, open_ = math.fsum(row.certain), math.fsum(row.waiting)
    why = ""
    if row.waiting:
        count = len(row.waiting)
        answers = "1 answer waits" if count == 1 else f"{count} answers wait"
        why = f"{answers} for hand-grading ({open_:g} points)"
    return Result(
        student,
        assignment,
        max(0.0, low - row.penalty),
        max(0.0, low + open_ - row.penalty),
        possible,
        why,
        len(row.waiting),
        row.late_seconds,
    )
