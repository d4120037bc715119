"""One change of a course's grades or certificates at a time."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from nbjudge.errors import CourseError, NbjudgeError

FILE = "grading.lock"
GRADING = "This course is being graded"


class CourseLocked(NbjudgeError):
    """Another process holds this course now."""


@contextmanager
def course_lock(gradebook_folder: Path, doing: str = GRADING) -> Iterator[None]:
    """Hold ``gradebook/grading.lock`` for a ``with`` block; it ends with the process, too.

    ``doing`` says what is done meanwhile; whoever has to wait is told.
    Raises ``CourseLocked``, which names who holds it.
    """
    gradebook_folder.mkdir(parents=True, exist_ok=True)
    path = gradebook_folder / FILE
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CourseLocked(
                f"{_holder(path)}. Wait for its end, or end it there (Ctrl-C finishes what is "
                "running)."
            ) from error
        try:
            file.truncate(0)
            json.dump(_me() | {"doing": doing}, file)
            file.flush()
        except OSError as error:
            raise CourseError(f"{path} cannot be written: {error}.") from error
        try:
            yield
        finally:
            file.truncate(0)


def _me() -> dict[str, str | int]:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return {"user": _user(), "host": platform.node(), "pid": os.getpid(), "since": now}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return str(os.getuid())


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        who_and_when = f"{who['user']} on {who['host']} since {who['since']}"
        return f"{who.get('doing', GRADING)} already, by {who_and_when} (process {who['pid']})"
    except (OSError, ValueError, LookupError, TypeError):
        return "This course is being changed already, by a process that has not said which"
