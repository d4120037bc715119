"""Grading one submission with nbgrader's own converter: what a worker process does."""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import InvalidEntry
from nbgrader.converters import Autograde
from sqlalchemy.exc import OperationalError, SAWarning

from nbjudge.converters import KeepsFailure
from nbjudge.course import Course, load_course
from nbjudge.engines import keep_engines
from nbjudge.errors import NbjudgeError
from nbjudge.judging import judging_here, read_assignment
from nbjudge.reference import ReferenceFailed, check_reference
from nbjudge.submissions import Submission, check_files
from nbjudge.warm.client import ADDRESS

_ATTEMPTS = 3


@dataclass(frozen=True)
class Trust:
    """What all tasks share: the course, the warm server's address, whether to run all anew."""

    root: Path
    server: str
    anew: bool


@dataclass(frozen=True)
class Task:
    """A submission to grade; ``notebooks`` are the names, without ``.ipynb``, that it must have."""

    trust: Trust
    submission: Submission
    notebooks: tuple[str, ...]


@dataclass(frozen=True)
class Worked:
    """What came of a task: a reason why it could not be graded, or none, and how long it took."""

    reason: str
    seconds: float


class _Autograde(KeepsFailure, Autograde):
    """Nbgrader's converter."""


def grade_one(task: Task) -> Worked:
    """Grade one submission into ``autograded/``, the gradebook and its record.

    Never raises for what is in a submission: the reason it could not be graded is returned.
    """
    # nbgrader's own use of SQLAlchemy warns for every submission.
    warnings.simplefilter("ignore", SAWarning)
    started = time.monotonic()
    reason = ""
    try:
        course = _course(task.trust)
        check_files(course, task.submission, task.notebooks)
        _autograde(course, task.submission)
    except NbjudgeError as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason = "Grading was interrupted before this submission was done. Grade it again."
    except Exception as error:
        reason = (
            f"Grading stopped with an error that nobody foresaw: {type(error).__name__}: {error}. "
            "This is for the instructor to look into."
        )
    return Worked(reason, time.monotonic() - started)


def try_reference(task: tuple[Trust, str]) -> str:
    """Try the reference solution of an assignment; returns why nothing can be graded, or ""."""
    trust, name = task
    course = _course(trust)
    try:
        check_reference(judging_here(course), read_assignment(course, name), trust.server)
    except ReferenceFailed as error:
        return str(error)
    return ""


def _course(trust: Trust) -> Course:
    keep_engines()
    os.environ[ADDRESS] = trust.server
    course = load_course(trust.root)
    course.config.Grading.reuse_executions = not trust.anew
    return course


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
