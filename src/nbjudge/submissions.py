"""What students handed in: where it is, what it is made of, whether it can be graded at all."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbgrader.utils import parse_utc

from nbjudge.course import Course
from nbjudge.errors import CourseError, NotGraded

TIMESTAMP_FILE = "timestamp.txt"
PATTERN_LETTERS = frozenset("*?[")


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
    """The folders ``submitted/STUDENT/ASSIGNMENT``, sorted by assignment and student.

    ``assignments`` and ``students`` restrict what is found. A name of theirs that is not there
    finds nothing; an assignment that the course does not have raises ``CourseError``.
    """
    unknown = sorted(set(assignments or ()) - set(course.assignments()))
    if unknown:
        raise CourseError(
            f"There is no assignment {', '.join(unknown)} under {course.source}. "
            f"The assignments are: {', '.join(course.assignments()) or 'none'}."
        )
    found = [
        Submission(
            student.name,
            folder.name,
            folder,
            submission_digest(course, folder),
            read_timestamp(folder),
        )
        for student in _folders(course.submitted)
        if students is None or student.name in students
        for folder in _folders(student)
        if assignments is None or folder.name in assignments
    ]
    return sorted(found, key=lambda item: (item.assignment, item.student))


def submission_digest(course: Course, folder: Path) -> str:
    """The digest of a submission's folder; see ``Submission``."""
    return digest_folder(folder, course.coursedir().ignore, _file_limit(course))


def digest_folder(folder: Path, ignore: Sequence[str] = (), size_limit: int | None = None) -> str:
    """The sha256 (hex) of a folder's relative names and contents, links not followed.

    Files above ``size_limit`` bytes count with their size alone.
    """
    total = hashlib.sha256()
    for path in walk(folder, ignore):
        total.update(os.fsencode(path.relative_to(folder).as_posix()) + b"\0")
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            total.update(b"link\0" + os.fsencode(os.readlink(path)))
        elif not stat.S_ISREG(info.st_mode):
            total.update(b"special")
        elif size_limit is not None and info.st_size > size_limit:
            total.update(b"large\0%d" % info.st_size)
        else:
            with path.open("rb") as file:
                total.update(b"file\0" + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def read_timestamp(folder: Path) -> datetime | None:
    """When a submission was handed in (UTC, naive as in the gradebook); ``None`` if unknown."""
    file = folder / TIMESTAMP_FILE
    if file.is_symlink() or not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8") as text:
            return parse_utc(text.read(200).strip())
    except (ValueError, OverflowError):
        return None


def walk(folder: Path, ignore: Sequence[str] = ()) -> Iterator[Path]:
    """All that is in ``folder`` but folders themselves, sorted; links are not followed."""
    for path in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in ignore):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from walk(path, ignore)
        else:
            yield path


def check_files(course: Course, submission: Submission, notebooks: Sequence[str]) -> None:
    """Raise ``NotGraded`` when a submission's files cannot be graded.

    ``notebooks`` are the names, without ``.ipynb``, that the assignment's notebooks have.
    """
    folder = submission.path
    if PATTERN_LETTERS.intersection(submission.student):
        raise NotGraded(
            f"nbgrader takes the name of the folder {submission.student!r} for a pattern. The "
            "instructor can rename it: to a student id without *, ? and [."
        )
    size = 0
    for path in walk(folder, course.coursedir().ignore):
        name = path.relative_to(folder).as_posix()
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            target = Path(os.path.realpath(path))
            if not target.exists() or not target.is_relative_to(folder.resolve()):
                raise NotGraded(
                    f"{name} is a link to something outside the submission. "
                    "Hand in the file itself."
                )
        elif not stat.S_ISREG(info.st_mode):
            raise NotGraded(f"{name} is not a file. Take it out and hand in again.")
        elif info.st_size > _file_limit(course):
            raise NotGraded(
                f"{name} has {info.st_size / 1e6:.0f} MB; a file may have "
                f"{_file_limit(course) / 1e6:.0f} MB. Take it out and hand in again."
            )
        size += info.st_size
    if size > 1000 * course.coursedir().max_dir_size:
        raise NotGraded(
            f"The submission has {size / 1e6:.0f} MB in all; "
            f"{course.coursedir().max_dir_size / 1000:.0f} MB are allowed."
        )
    if (folder / TIMESTAMP_FILE).exists() and read_timestamp(folder) is None:
        text = (folder / TIMESTAMP_FILE).read_bytes()
        if text.strip():
            raise NotGraded(f"{TIMESTAMP_FILE} holds no date, so nobody can tell if it was late.")
    present = sorted(path.name for path in folder.glob("*.ipynb"))
    for notebook in notebooks:
        if f"{notebook}.ipynb" not in present:
            raise NotGraded(_missing(notebook, present))
        check_notebook_file(
            folder / f"{notebook}.ipynb", 1_000_000 * course.settings.max_notebook_megabytes
        )


def check_notebook_file(path: Path, size_limit: int) -> None:
    """Raise ``NotGraded`` when ``path`` is not a notebook that can be read; sizes in bytes."""
    again = "Open it in JupyterLab, save it, and hand in again."
    size = path.stat().st_size
    if size > size_limit:
        raise NotGraded(
            f"{path.name} has {size / 1e6:.0f} MB; a notebook may have {size_limit / 1e6:.0f} MB. "
            "Clear its outputs (Edit > Clear Outputs of All Cells), save it, and hand in again."
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotGraded(f"{path.name} is damaged: it is not valid JSON. {again}") from error
    try:
        notebook = nbformat.reads(json.dumps(raw), as_version=4)
        sound = isinstance(notebook.cells, list) and all(
            cell.cell_type in ("code", "markdown", "raw")
            and isinstance(cell.source, str)
            and isinstance(cell.metadata, dict)
            for cell in notebook.cells
        )
    except Exception as error:  # nbformat raises whatever a strange notebook makes it stumble on
        raise NotGraded(f"{path.name} is not a Jupyter notebook. {again}") from error
    if not sound:
        raise NotGraded(f"{path.name} is damaged: a cell has no text or no type. {again}")


def _missing(notebook: str, present: Sequence[str]) -> str:
    if not present:
        return f"{notebook}.ipynb is missing: the submission holds no notebook."
    return (
        f"{notebook}.ipynb is missing. The submission holds {', '.join(present[:5])}; "
        f"if that is it, rename it to {notebook}.ipynb and hand in again."
    )


def _file_limit(course: Course) -> int:
    return 1000 * course.coursedir().max_file_size


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
