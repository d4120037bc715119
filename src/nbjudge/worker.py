"""Grading one submission with nbgrader's own converter: what a worker process does."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import InvalidEntry
from nbgrader.converters import Autograde
from sqlalchemy.exc import OperationalError, SAWarning

from nbjudge.converters import KeepsFailure
from nbjudge.course import Course, load_course
from nbjudge.errors import NotGraded
from nbjudge.scores import CellScore, cell_scores
from nbjudge.submissions import Submission, check_files

_ATTEMPTS = 3


@dataclass(frozen=True)
class Task:
    """A submission to grade in the course at ``root``.

    ``notebooks`` are the names, without ``.ipynb``, that its assignment's notebooks have;
    ``environment`` holds the kernels' environment variables.
    """

    root: Path
    submission: Submission
    notebooks: tuple[str, ...]
    environment: dict[str, str]


@dataclass(frozen=True)
class Worked:
    """What came of a task: a reason why it could not be graded, or else the cells' scores."""

    reason: str
    seconds: float
    cells: tuple[CellScore, ...] = ()


class _Autograde(KeepsFailure, Autograde):
    """Nbgrader's converter."""


def grade_one(task: Task) -> Worked:
    """Grade one submission into ``autograded/`` and the gradebook.

    Never raises for what is in a submission: the reason it could not be graded is returned.
    """
    # nbgrader's own use of SQLAlchemy warns for every submission.
    warnings.simplefilter("ignore", SAWarning)
    started = time.monotonic()
    reason, cells = "", ()
    try:
        course = load_course(task.root)
        course.config.Grading.kernel_environment = task.environment
        check_files(course, task.submission, task.notebooks)
        _autograde(course, task.submission)
        cells = _read_scores(course, task)
    except NotGraded as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason = "Grading was interrupted before this submission was done. Grade it again."
    except Exception as error:
        reason = (
            f"Grading stopped with an error that nobody foresaw: {type(error).__name__}: {error}. "
            "This is for the instructor to look into."
        )
    return Worked(reason, time.monotonic() - started, cells)


def _autograde(course: Course, submission: Submission) -> None:
    """Run nbgrader's converter; raises what stopped it."""
    for attempt in range(1, _ATTEMPTS + 1):
        converter = _Autograde(
            coursedir=course.coursedir(
                assignment_id=submission.assignment,
                student_id=submission.student,
            ),
            config=course.config,
            force=True,
        )
        try:
            converter.start()
            return
        except Exception as error:
            cause = converter.failure or error
            if attempt < _ATTEMPTS and _is_locked(cause):
                continue
            raise cause from error


def _is_locked(error: BaseException) -> bool:
    # SQLite lets one writer in at a time; the others wait for a minute, then this comes.
    return isinstance(error, OperationalError | InvalidEntry) and "locked" in str(error)


def _read_scores(course: Course, task: Task) -> tuple[CellScore, ...]:
    folder = course.autograded / task.submission.student / task.submission.assignment
    scores: list[CellScore] = []
    for name in task.notebooks:
        notebook: Any = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        scores += cell_scores(notebook, name)
    return tuple(scores)
