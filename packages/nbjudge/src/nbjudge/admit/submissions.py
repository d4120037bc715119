"""What students handed in: where it is, what it is made of, whether it can be graded at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbjudge.course import Course
from nbjudge.digests import DEEPEST, digest_folder, walk
from nbjudge.errors import CourseError, NotGraded

TIMESTAMP_FILE = "timestamp.txt"
PATTERN_LETTERS = frozenset("*?[")
# What nbgrader's gradebook holds, in letters, and what a file system does, in bytes.
_LONGEST_NAME = 128
_LONGEST_FILE = 200
# nbgrader's search for what to leave out looks at each of them for each of them.
_MOST_FILES = 1_000


@dataclass(frozen=True)
class Submission:
    """One student's submission of one assignment.

    ``digest`` is a sha256 over the relative names and contents of its files; ``timestamp`` is
    the UTC time in its timestamp.txt, ``None`` without a readable one.
    """

    student: str
    assignment: str
    path: Path
    digest: str
    timestamp: datetime | None


def find_submissions(
    course: Course,
    assignments: Collection[str] | None = None,
    students: Collection[str] | None = None,
) -> list[Submission]:
    """The folders ``submitted/STUDENT/ASSIGNMENT``, in teaching order, then by student.

    ``assignments`` and ``students`` restrict what is found. A name of theirs that is not there
    finds nothing, nor do those in ``c.CourseDirectory.student_id_exclude``; an assignment that the
    course does not have raises ``CourseError``.
    """
    unknown = sorted(set(assignments or ()) - set(course.assignments()))
    if unknown:
        raise CourseError(
            f"There is no assignment {', '.join(unknown)} under {course.source}. "
            f"The assignments are: {', '.join(course.assignments()) or 'none'}."
        )
    # Once for all of them: nbgrader's own view of the folders takes a millisecond to make.
    folders = course.coursedir()
    ignore, limit = folders.ignore, _file_limit(course)
    excluded = folders.student_id_exclude.split(",")
    found = [
        Submission(
            student.name,
            folder.name,
            folder,
            digest_folder(folder, ignore, limit),
            read_timestamp(folder),
        )
        for student in _folders(course.submitted)
        if (students is None or student.name in students) and student.name not in excluded
        for folder in _folders(student)
        if assignments is None or folder.name in assignments
    ]
    order = course.in_teaching_order({item.assignment for item in found})
    return sorted(found, key=lambda item: (order.index(item.assignment), item.student))


def submission_digest(course: Course, folder: Path) -> str:
    """The digest of a submission's folder; see ``Submission``."""
    return digest_folder(folder, course.coursedir().ignore, _file_limit(course))


def read_timestamp(folder: Path) -> datetime | None:
    """When a submission was handed in (UTC, naive as in the gradebook); ``None`` if unknown."""
    from nbgrader.utils import parse_utc  # workers, who read no times, do without nbgrader

    file = folder / TIMESTAMP_FILE
    if file.is_symlink() or not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8") as text:
            time: datetime = parse_utc(text.read(200).strip())
    except (ValueError, OverflowError):
        return None
    return time


def check_files(course: Course, submission: Submission) -> None:
    """Raise ``NotGraded`` when a submission's files cannot be graded, whatever is in them."""
    folder = submission.path
    if PATTERN_LETTERS.intersection(submission.student):
        raise NotGraded(
            f"nbgrader takes the name of the folder {submission.student!r} for a pattern. The "
            "instructor can rename it: to a student id without *, ? and [."
        )
    size = 0
    for number, path in enumerate(walk(folder, course.coursedir().ignore), start=1):
        if number > _MOST_FILES:
            raise NotGraded(
                f"The submission has more than {_MOST_FILES:,} files. Hand in what you were asked "
                "for, and no more."
            )
        is_whole = path == folder
        name = "Its folder" if is_whole else shown_name(path.relative_to(folder).as_posix())
        info = _info(path, name)
        if stat.S_ISLNK(info.st_mode):
            target = Path(os.path.realpath(path))
            if not target.exists() or not target.is_relative_to(folder.resolve()):
                raise NotGraded(
                    f"{name} is a link to something outside the submission. "
                    "Hand in the file itself."
                )
        elif stat.S_ISDIR(info.st_mode):
            raise NotGraded(
                f"{name} cannot be opened, or is deeper than {DEEPEST} folders. Take it out and "
                "hand in again."
            )
        elif not stat.S_ISREG(info.st_mode):
            raise NotGraded(f"{name} is not a file. Take it out and hand in again.")
        elif info.st_size > _file_limit(course):
            raise NotGraded(
                f"{name} has {info.st_size / 1e6:.0f} MB; a file may have "
                f"{_file_limit(course) / 1e6:.0f} MB. Take it out and hand in again."
            )
        size += info.st_size
    # A kernel has the files beside it, with room for what it writes itself.
    most = min(1000 * course.coursedir().max_dir_size, 900_000 * course.settings.disk_megabytes)
    if size > most:
        raise NotGraded(
            f"The submission has {size / 1e6:.0f} MB in all; {most / 1e6:.0f} MB are allowed."
        )
    if (folder / TIMESTAMP_FILE).is_dir():
        raise NotGraded(f"{TIMESTAMP_FILE} is not a file. Take it out and hand in again.")
    if (folder / TIMESTAMP_FILE).exists() and read_timestamp(folder) is None:
        text = (folder / TIMESTAMP_FILE).read_bytes()
        if text.strip():
            raise NotGraded(f"{TIMESTAMP_FILE} holds no date, so nobody can tell if it was late.")


def submitted_files(course: Course, submission: Submission) -> dict[str, bytes]:
    """The files of a submission that passed ``check_files``, by their names relative to it.

    Of links, only notebooks are followed. Raises ``NotGraded`` where one is gone by now.
    """
    found = {}
    for path in walk(submission.path, course.coursedir().ignore):
        is_notebook = path.parent == submission.path and path.suffix == ".ipynb"
        if path.is_file() and (is_notebook or not path.is_symlink()):
            name = path.relative_to(submission.path).as_posix()
            try:
                found[name] = path.read_bytes()
            except OSError as error:
                reason = f"{shown_name(name)} cannot be read ({error.strerror}). Grade it again."
                raise NotGraded(reason) from error
    return found


def name_problem(student: str) -> str:
    """Why nobody can have this name, in words; empty if somebody can."""
    # A record's file is named like the student, and a little longer.
    fits = len(student) <= _LONGEST_NAME and len(os.fsencode(student)) <= _LONGEST_FILE
    if student.isprintable() and fits:
        return ""
    return (
        f"{shown_name(student)[:60]!r} cannot be a student's name: it has more than "
        f"{_LONGEST_NAME} letters or {_LONGEST_FILE} bytes, or letters that are none. The "
        "instructor can rename the folder."
    )


def _info(path: Path, name: str) -> os.stat_result:
    try:
        info = path.lstat()
        if stat.S_ISREG(info.st_mode):
            path.open("rb").close()
        return info
    except OSError as error:
        raise NotGraded(f"{name} cannot be read ({error.strerror}). Hand in again.") from error


def shown_name(name: str) -> str:
    """The name of a student's file, for a message: one line, no commands to a terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name
    )


def _file_limit(course: Course) -> int:
    kilobytes: int = course.coursedir().max_file_size
    return 1000 * kilobytes


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
