"""Removing a person from a course: what goes, what stays, and why it stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbjudge.course import Course
from nbjudge.execute.store import entry_path
from nbjudge.files import remove_folder, write_atomically
from nbjudge.record.records import read_record, record_path

from nbcertify.attendance.reading import ALIASES, read_attendance
from nbcertify.attendance.removal import without_lines
from nbcertify.attendance.review import COLUMNS
from nbcertify.errors import CertificateError
from nbcertify.issued import read_issued, write_issued
from nbcertify.ledger import require_whole
from nbcertify.log import append
from nbcertify.places import Places, is_file_name
from nbcertify.policy import read_policy
from nbcertify.roster import COLUMNS as ROSTER_COLUMNS
from nbcertify.roster import read_roster
from nbcertify.tables import read_records

if TYPE_CHECKING:
    from nbcertify.issued import Issued


@dataclass(frozen=True)
class Purge:
    """What removing a student takes: files and folders to delete, tables to rewrite."""

    student: str
    paths: tuple[Path, ...]
    tables: tuple[tuple[Path, bytes, int], ...]
    in_gradebook: bool
    removes: tuple[str, ...]
    remains: tuple[str, ...]


def plan_purge(course: Course, student: str) -> Purge:
    """What there is of a student. Changes nothing. `CertificateError` if there is nothing."""
    if not is_file_name(student):
        raise CertificateError(f"{student!r} is no student's id")
    places = Places(course.gradebook_folder)
    with course.gradebook() as gradebook:
        in_gradebook = student in {one.id for one in gradebook.students}
    paths = tuple(path for path in _paths(course, places, student) if path.exists())
    tables = tuple(_tables(course, places, student))
    issued = [one for one in read_issued(places.issued) if one.student == student]
    removes = [f"{path}" for path in paths]
    removes += [f"{path}: {count} of its lines" for path, _, count in tables]
    if in_gradebook:
        removes.append("the student with all submissions and grades in nbgrader's gradebook")
    if any(not one.is_purged for one in issued):
        removes.append(f"the salts in {places.issued}, which tie certificates to an address")
    if not removes:
        raise CertificateError(f"there is nothing of {student!r} in this course")
    remains = tuple(_remains(places, student, issued))
    return Purge(student, paths, tables, in_gradebook, tuple(removes), remains)


def carry_out(course: Course, purge: Purge, now: datetime) -> None:
    """Remove it. What an interruption leaves, the next purge removes."""
    places = Places(course.gradebook_folder)
    require_whole(places, read_issued(places.issued), now)
    append(places.log, "purged", now, student=purge.student)
    if purge.in_gradebook:
        with course.gradebook() as gradebook:
            gradebook.remove_student(purge.student)
    for path in purge.paths:
        remove_folder(path)
    for path, left, _ in purge.tables:
        write_atomically(path, left, 0o600)
    issued = read_issued(places.issued)
    if any(one.student == purge.student for one in issued):
        without = [
            replace(one, salt="", person="") if one.student == purge.student else one
            for one in issued
        ]
        write_issued(without, places.issued)


def _paths(course: Course, places: Places, student: str) -> Iterator[Path]:
    yield from (f / student for f in (course.submitted, course.autograded, course.feedback))
    yield places.people / student
    # They name everybody on the review list, and everybody's points; both are soon made again.
    yield places.attendance / "review.csv"
    yield places.decisions
    yield places.decisions.with_suffix(".csv")
    kept = set()
    for record in sorted((course.gradebook_folder / "records").glob("*/*.json")):
        read = read_record(course.gradebook_folder, record.parent.name, record.stem)
        executions = [run.execution for run in read.notebooks] if read else []
        if record.stem != student:
            kept.update(executions)
    for assignment in course.assignments():
        record = record_path(course.gradebook_folder, assignment, student)
        read = read_record(course.gradebook_folder, assignment, student)
        for run in read.notebooks if read else ():
            if run.execution not in kept:
                yield entry_path(course.gradebook_folder / "store", run.execution)
        yield record


def _tables(course: Course, places: Places, student: str) -> Iterator[tuple[Path, bytes, int]]:
    lines: dict[Path, tuple[int, ...]] = {}
    if places.roster.exists():
        roster = read_roster(places.roster)
        there = read_attendance(read_policy(places.policy).sessions, places.attendance, roster)
        for (whose, report), numbers in there.lines.items():
            if whose == student:
                lines[places.attendance / report] = numbers
    own = (
        (places.attendance / ALIASES, COLUMNS),
        (course.gradebook_folder / "submission_times.csv", ("student", "assignment", "time")),
        # The last to go: without it nobody is found in the others any more.
        (places.roster, ROSTER_COLUMNS),
    )
    for path, columns in own:
        if path.exists():
            records = read_records(path.read_bytes(), path, ("student",), columns)
            lines[path] = tuple(r.line for r in records if r.cells["student"] == student)
    for path, numbers in lines.items():
        if numbers:
            yield path, without_lines(path.read_bytes(), path, numbers), len(numbers)


def _remains(places: Places, student: str, issued: list[Issued]) -> Iterator[str]:
    for one in issued:
        state = "revoked" if one.revoked else "valid: revoke it first if it should not be"
        yield (
            f"{one.id} in {places.issued}, under the pseudonym: its place in the published status "
            f"list must not be given to another. It is {state}"
        )
    yield f"lines in {places.log}, under the pseudonym: without them the log could not be checked"
    if any(o.student == student for o in read_policy(places.policy).overrides):
        yield f"the override in {places.policy}: take it out, or nothing can be decided any more"
    yield "in Zoom's reports, rows of participants who were not recognised: you know who they are"
    yield "what left this folder: mails, backups, exports, the learning platform, Zoom's own copies"
    yield (
        "in gradebook/store/, what other runs of the notebooks yielded: the folder may be deleted "
        "at any time"
    )
