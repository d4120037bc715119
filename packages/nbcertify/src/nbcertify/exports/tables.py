"""Who has how many points, and the CSV files that hold it."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbjudge.course import Course
from nbjudge.files import write_atomically

from nbcertify.errors import CertificateError
from nbcertify.results import read_class

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


@dataclass(frozen=True)
class Item:
    """An assignment and the points that can be had in it."""

    name: str
    possible: float


@dataclass(frozen=True)
class Row:
    """A student as the gradebook knows them ("" for what it does not), and their points.

    `points` has a number for each item, late penalties subtracted, or None: nothing was handed in,
    or it is not graded to its end.
    """

    id: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    points: tuple[float | None, ...]


@dataclass(frozen=True)
class Grades:
    """All that is exported. `remarks` say in sentences what was left blank or out, and why."""

    items: tuple[Item, ...]
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]


def read_grades(
    course: Course,
    gradebook: Gradebook,
    assignments: Sequence[str] = (),
    students: Sequence[str] = (),
) -> Grades:
    """The points of the gradebook's students, all or `students`, in all or in `assignments`.

    Assignments are in the order asked for, or in teaching order; students in the gradebook's.
    `CertificateError` for a name that the gradebook does not have.
    """
    possible = {one.name: one.max_score for one in gradebook.assignments}
    known = list(gradebook.students)
    _check_names("assignment", assignments, possible)
    _check_names("student", students, [one.id for one in known])
    names = list(dict.fromkeys(assignments or course.in_teaching_order(possible)))
    remarks = [f"{name}: left out: it has no points" for name in names if not possible[name]]
    names = [name for name in names if possible[name]]
    points: dict[str, dict[str, float]] = defaultdict(dict)
    everyone = read_class(course, names, now=datetime.now(UTC), asked_by="the export")
    for result in everyone.results:
        if students and result.student not in students:
            continue
        # With answers still to be read, the points so far are no grade.
        if not result.why:
            points[result.student][result.assignment] = result.low
        elif not result.why.startswith("not submitted"):
            remarks.append(f"{result.assignment}: left blank for {result.student}: {result.why}")
    rows = [
        Row(
            one.id,
            _one_line(one.first_name),
            _one_line(one.last_name),
            _one_line(one.email),
            _one_line(one.lms_user_id),
            tuple(points[one.id].get(name) for name in names),
        )
        for one in known
        if not students or one.id in students
    ]
    items = tuple(Item(name, float(possible[name])) for name in names)
    return Grades(items, tuple(rows), tuple(remarks))


def number(points: float) -> str:
    """Points as platforms read them: no exponent, no zeros at the end, to four decimals."""
    return f"{float(points):.4f}".rstrip("0").rstrip(".")


def write_table(rows: Iterable[Sequence[str]], path: Path) -> None:
    """Write a CSV file (RFC 4180: CRLF; UTF-8 without a mark), all or nothing, mode 0600."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    try:
        write_atomically(path, text.getvalue().encode("utf-8"), 0o600)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise CertificateError(f"{path}: cannot be written: {reason}") from error


def _check_names(what: str, asked: Sequence[str], known: Iterable[str]) -> None:
    if unknown := [name for name in asked if name not in known]:
        raise CertificateError(
            f"The gradebook has no {what} {', '.join(unknown)}; it has "
            f"{', '.join(sorted(known)) or 'none'}."
        )


def _one_line(text: str | None) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
