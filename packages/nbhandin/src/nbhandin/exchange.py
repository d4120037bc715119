"""Nbgrader's exchange as another way in: what is submitted there becomes an attempt like any other.

Its feedback goes back by nbgrader's own release, so that Assignment List shows it. A folder in the
exchange is the student's own: nothing in it is believed, and no link is followed.
"""

from __future__ import annotations

import hashlib
import html
import os
import pwd
import re
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from nbjudge.admit.submissions import PATTERN_LETTERS, TIMESTAMP_FILE, name_problem, shown_name
from nbjudge.assignment import find_assignment
from nbjudge.course import Course
from nbjudge.digests import is_ignored

from nbhandin.attempts import (
    Attempt,
    Attempts,
    Graded,
    NotGraded,
    Receipt,
    UploadedFile,
    next_allowed,
    now_utc,
)
from nbhandin.errors import HandInError, NotStored
from nbhandin.places import FULL, HELD_BACK, Places
from nbhandin.settings import HandIn
from nbhandin.storing import Incoming, errors_told, write_durably
from nbhandin.texts import say

SECRET_FILE = "submission_secret.txt"
_SECONDS_TO_LOOK = 2.0
# Due times and released assignments are read again after so long.
_SECONDS_TO_KNOW = 20.0
# A submission is copied into the exchange within this time.
_SECONDS_TO_BE_WHOLE = 600.0
_MOST_FILES = 1_000
_CHUNK = 1 << 20
# USER+ASSIGNMENT+TIME, and mostly a random end: a user's name may have a + itself.
_NAME = re.compile(r"(?P<student>.+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-[^+]+?)(\+[^+]*)?")


@dataclass(frozen=True)
class Inbound:
    """A submission in the exchange, by the name of its folder; ``submitted`` is aware."""

    name: str
    student: str
    assignment: str
    submitted: datetime

    @property
    def pair(self) -> tuple[str, str]:
        """Student and assignment."""
        return self.student, self.assignment


class NotWhole(Exception):
    """A submission that is still copied into the exchange."""


class NotCopied(Exception):
    """A submission that cannot be taken over, for a reason in words."""


def read_name(name: str) -> Inbound | None:
    """What the name of a folder says; ``None`` where nobody could have this name."""
    from nbgrader.utils import parse_utc

    found = _NAME.fullmatch(name)
    if found is None:
        return None
    student, assignment = found["student"], found["assignment"]
    for part in (student, assignment):
        if part.startswith(".") or PATTERN_LETTERS.intersection(part) or name_problem(part):
            return None
    try:
        submitted = parse_utc(found["time"]).replace(tzinfo=UTC)
    except (ValueError, OverflowError, AttributeError):
        return None
    return Inbound(name, student, assignment, submitted)


def to_collect(
    there: Iterable[Inbound],
    attempts: Mapping[tuple[str, str], Sequence[Attempt]],
    limit: int,
    now: datetime,
) -> list[Inbound]:
    """What is to be collected now, the oldest first: as ``nbgrader collect``, the newest of each.

    It is later than what was collected before. ``limit`` is how many attempts a student has within
    24 hours (0: any number); what is above it waits in the exchange.
    """
    newest: dict[tuple[str, str], Inbound] = {}
    for one in there:
        known = newest.get(one.pair)
        if known is None or (one.submitted, one.name) > (known.submitted, known.name):
            newest[one.pair] = one
    found = []
    for pair, one in newest.items():
        own = attempts.get(pair, ())
        last = max((o.receipt.received for o in own if o.receipt.exchange), default=None)
        is_known = any(o.receipt.exchange == one.name for o in own)
        if is_known or (last is not None and one.submitted < last):
            continue
        if next_allowed(own, limit, now) <= now:
            found.append(one)
    return sorted(found, key=lambda one: (one.submitted, one.name))


class Exchange:
    """The exchange of a course. Raises ``HandInError`` where there is none that can be watched."""

    def __init__(self, course: Course, settings: HandIn) -> None:
        from nbgrader.exchange.default import ExchangeCollect

        self._course, self._settings = course, settings
        self._places = Places(course.gradebook_folder)
        self._collect = self._factory.Collect(
            coursedir=course.coursedir(), authenticator=None, config=course.config
        )
        if not isinstance(self._collect, ExchangeCollect):
            raise HandInError(
                f"c.ExchangeFactory.collect is {type(self._collect).__name__}. --exchange watches "
                "nbgrader's own exchange, a folder."
            )
        name = course.coursedir().course_id
        if not name:
            raise HandInError(
                "The exchange goes by the course's name: set c.CourseDirectory.course_id."
            )
        root = Path(self._collect.root)
        if not root.is_dir():
            raise HandInError(
                f"There is no exchange at {root}. Make the folder, writable for everybody, or set "
                "c.Exchange.root."
            )
        self._inbound = root / name / "inbound"
        self._looked_at = -_SECONDS_TO_LOOK
        self._known: tuple[float, dict[str, datetime | None]] = (-_SECONDS_TO_KNOW, {})
        self._released: dict[int, str] = {}

    @cached_property
    def _factory(self) -> Any:
        from nbgrader.exchange import ExchangeFactory

        return ExchangeFactory(config=self._course.config)

    def look(self, attempts: Attempts) -> Look:
        """Collect what has arrived, and release what was graded; at most every two seconds."""
        if time.monotonic() - self._looked_at < _SECONDS_TO_LOOK:
            return Look()
        self._looked_at = time.monotonic()
        problems: list[str] = []
        came: dict[int, str] = {}
        try:
            for one in to_collect(
                self._there(problems), attempts.by_pair(), self._limit, now_utc()
            ):
                if one.assignment not in self._assignments():
                    problems.append(say("exchange.unknown", name=shown_name(one.name)))
                    continue
                try:
                    number, reason = self._take(one, attempts.last_number())
                except NotWhole:
                    continue
                except OSError as error:  # of theirs: an error of our disk is NotStored
                    name = shown_name(one.name)
                    problems.append(say("exchange.unreadable", name=name, error=error))
                    continue
                came[number] = reason
            self._release_all(attempts, problems)
        except (OSError, NotStored) as error:
            problems.append(say("exchange.trouble", error=error))
        return Look(came, tuple(problems))

    @property
    def _limit(self) -> int:
        return self._settings.attempts_a_day

    def _there(self, problems: list[str]) -> Iterator[Inbound]:
        """The submissions that are in the exchange, and by whom they say to be."""
        if not self._inbound.is_dir():  # nothing was released yet
            return
        for entry in os.scandir(self._inbound):
            one = read_name(entry.name)
            if one is None or not entry.is_dir(follow_symlinks=False):
                problems.append(say("exchange.strange", name=shown_name(entry.name)))
                continue
            owner = entry.stat(follow_symlinks=False).st_uid
            # An instructor may hand in for a student.
            if self._collect.check_owner and owner not in (os.getuid(), _user(one.student)):
                problems.append(say("exchange.owner", name=shown_name(entry.name), uid=owner))
                continue
            yield one

    def _assignments(self) -> dict[str, datetime | None]:
        """The due times of the assignments that are released."""
        if time.monotonic() - self._known[0] >= _SECONDS_TO_KNOW:
            names = [n for n in self._course.assignments() if find_assignment(self._course, n)]
            with self._course.gradebook() as gradebook:
                due = {one.name: one.duedate for one in gradebook.assignments if one.name in names}
            aware = {name: time and time.replace(tzinfo=UTC) for name, time in due.items()}
            self._known = (time.monotonic(), aware)
        return self._known[1]

    def _take(self, one: Inbound, last_number: int) -> tuple[int, str]:
        """Make an attempt of a submission: its number, and why it cannot be graded, or ""."""
        reason = ""
        with Incoming(self._places) as incoming:
            with errors_told():
                incoming.files.mkdir()
            try:
                copied = self._copy(one, incoming.files)
            except NotCopied as error:
                copied, reason = (), str(error)
            receipt = Receipt(
                0,
                one.student,
                one.assignment,
                one.submitted,
                copied,
                (reason,) if reason else (),
                exchange=one.name,
            )
            return incoming.keep(receipt, last_number).number, reason

    def _copy(self, one: Inbound, target: Path) -> tuple[UploadedFile, ...]:
        """Copy the files of a submission. Raises ``NotWhole`` and ``NotCopied``."""
        coursedir = self._course.coursedir()
        left = 1_000 * coursedir.max_dir_size
        copied: list[UploadedFile] = []
        folder = os.open(self._inbound / one.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # It is written last. What has none for long is taken as it is: somebody copied it.
            age = time.time() - os.fstat(folder).st_mtime
            if not _has_secret(folder) and age < _SECONDS_TO_BE_WHOLE:
                raise NotWhole
            for inner, folders, names, here in os.fwalk(".", dir_fd=folder):
                folders[:] = [name for name in folders if not is_ignored(name, coursedir.ignore)]
                for name in sorted(names):
                    if is_ignored(name, coursedir.ignore):
                        continue
                    if len(copied) == _MOST_FILES:
                        raise NotCopied(say("exchange.too_many", files=f"{_MOST_FILES:,}"))
                    path = Path(inner, name)
                    with errors_told():
                        (target / inner).mkdir(parents=True, exist_ok=True)
                    file = _copy_file(here, name, path.as_posix(), target / path, left)
                    left -= file.size
                    copied.append(file)
        finally:
            os.close(folder)
        return tuple(copied)

    def _release_all(self, attempts: Attempts, problems: list[str]) -> None:
        """Release the feedback of what was graded, and again where other pages are to be seen."""
        for one in attempts.all():
            if not one.receipt.exchange or one.is_pending:
                continue
            assert isinstance(one.state, Graded | NotGraded)
            part = FULL if self._shows_hidden(one.receipt.assignment) else HELD_BACK
            wanted = f"{part} {one.state.finished.isoformat()}"
            if self._was_released(one.number) == wanted:
                continue
            try:
                self._release(one, part)
            except Exception as error:  # what nbgrader raises here has no common kind
                problems.append(say("exchange.no_release", number=one.number, error=error))
                continue
            write_durably(self._places.released(one.number), wanted.encode())
            self._released[one.number] = wanted

    def _was_released(self, number: int) -> str:
        if number not in self._released:
            with suppress(OSError):
                text = self._places.released(number).read_text(encoding="utf-8")
                self._released[number] = text
        return self._released.get(number, "")

    def _shows_hidden(self, assignment: str) -> bool:
        match self._settings.hidden_messages:
            case "at once":
                return True
            case "after due":
                due = self._assignments().get(assignment)
                return due is not None and now_utc() > due
        return False

    def _release(self, attempt: Attempt, part: str) -> None:
        """Release one attempt's pages as nbgrader does, from a feedback folder of its own."""
        from nbgrader.auth import Authenticator

        student, assignment = attempt.pair
        files = self._places.attempt(attempt.number) / "files"
        try:
            secret = (files / SECRET_FILE).read_bytes()
        except FileNotFoundError:
            return  # nbgrader finds no feedback without it
        with tempfile.TemporaryDirectory(prefix="nbhandin-") as folder:
            target = Path(folder, student, assignment)
            target.mkdir(parents=True)
            (target / SECRET_FILE).write_bytes(secret)
            (target / TIMESTAMP_FILE).write_text(str(attempt.receipt.received), encoding="utf-8")
            for name, page in _pages(self._places.attempt(attempt.number), attempt, part).items():
                (target / f"{name}.html").write_text(page, encoding="utf-8", errors="replace")
            self._factory.ReleaseFeedback(
                coursedir=self._course.coursedir(
                    student_id=student, assignment_id=assignment, feedback_directory=folder
                ),
                authenticator=Authenticator(config=self._course.config),
                config=self._course.config,
            ).start()


@dataclass(frozen=True)
class Look:
    """What a look at the exchange found.

    ``came`` are new attempts, each with why it cannot be graded, or ""; ``problems`` are for the
    instructor.
    """

    came: Mapping[int, str] = field(default_factory=dict)
    problems: tuple[str, ...] | None = None


def _pages(folder: Path, attempt: Attempt, part: str) -> dict[str, str]:
    """A page for each notebook that was submitted: Assignment List waits for all of them."""
    found = {
        path.stem: path.read_text(encoding="utf-8", errors="replace")
        for path in (folder / part).glob("*.html")
    }
    match attempt.state:
        case NotGraded(reason):
            found, words = {}, say("exchange.not_graded", reason=reason)
        case Graded(score=score, max_score=most) if not found:
            points = say("attempt.total", points=f"{score:g}", possible=f"{most:g}")
            words = " ".join([points, *attempt.state.notes])
        case _:
            words = say("exchange.not_this", names=", ".join(sorted(found)))
    title = html.escape(attempt.receipt.assignment)
    page = f'<!DOCTYPE html><meta charset="utf-8"><title>{title}</title><p>{html.escape(words)}</p>'
    names = [path.stem for path in (folder / "files").glob("*.ipynb")]
    return {name: page for name in names if name not in found} | found


def _copy_file(folder: int, name: str, shown: str, target: Path, left: int) -> UploadedFile:
    """Copy one file of the folder that is open as ``folder``, of at most ``left`` bytes."""
    try:
        # Not to wait for somebody who writes into a pipe.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise NotCopied(say("exchange.no_file", name=shown_name(shown))) from error
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "rb") as source:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotCopied(say("exchange.no_file", name=shown_name(shown)))
        with errors_told(), target.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > left:
                    raise NotCopied(say("exchange.too_large"))
                digest.update(chunk)
                copy.write(chunk)
    return UploadedFile(shown, size, digest.hexdigest())


def _has_secret(folder: int) -> bool:
    with suppress(OSError):
        return os.stat(SECRET_FILE, dir_fd=folder, follow_symlinks=False).st_size > 0
    return False


def _user(name: str) -> int:
    """The number of an account; -1 where there is none."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return -1
