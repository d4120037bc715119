"""Attempts: what a student handed in, the receipt, and what came of it. Files, one folder each.

``attempts/000017/`` has ``receipt.json`` and ``files/``, both there before the student is told,
and later ``result.json`` and ``feedback/``. A file ``again/000017`` asks for it to be graded once
more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from nbjudge.files import write_atomically

from nbhandin.places import Places

Counts = Literal["last", "best"]
COUNTS: tuple[Counts, ...] = ("last", "best")
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class UploadedFile:
    """A file as it came: the student's name for it, its size in bytes, its sha256 (hex)."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What was handed in: ``received`` is the server's time (aware) when the upload began.

    ``exchange`` is the name of its folder in nbgrader's exchange, if it came from there; the time
    is then nbgrader's.
    """

    number: int
    student: str
    assignment: str
    received: datetime
    uploaded: tuple[UploadedFile, ...]
    notes: tuple[str, ...] = ()
    exchange: str = ""

    @property
    def content(self) -> frozenset[str]:
        """The digests of the files, whatever they were called."""
        return frozenset(file.sha256 for file in self.uploaded)


@dataclass(frozen=True)
class TaskResult:
    """One graded cell; ``score`` is ``None`` where a person gives the points.

    ``hidden`` says that its test has parts that students are not shown.
    """

    grade_id: str
    score: float | None
    max_score: float
    message: str
    hidden: bool = False


@dataclass(frozen=True)
class Waiting:
    """It is to be graded."""


@dataclass(frozen=True)
class Graded:
    """It was graded: points, late penalty taken off; ``finished`` is aware."""

    score: float
    max_score: float
    to_read: bool
    late_seconds: float
    finished: datetime
    tasks: tuple[TaskResult, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotGraded:
    """It could not be graded, for a reason in words."""

    reason: str
    finished: datetime


State = Waiting | Graded | NotGraded


@dataclass(frozen=True)
class Attempt:
    """A receipt and what came of it; ``again`` says that it is to be graded once more."""

    receipt: Receipt
    state: State = Waiting()
    again: bool = False

    @property
    def number(self) -> int:
        """The receipt's number."""
        return self.receipt.number

    @property
    def pair(self) -> tuple[str, str]:
        """Student and assignment."""
        return self.receipt.student, self.receipt.assignment

    @property
    def is_pending(self) -> bool:
        """Whether it is to be graded, or graded once more."""
        return self.again or isinstance(self.state, Waiting)


def counting(attempts: Sequence[Attempt], counts: Counts) -> Attempt | None:
    """Which of one student's attempts of one assignment counts; ``None`` if there is none.

    As long as none is graded, the last one does.
    """
    graded = [one for one in attempts if isinstance(one.state, Graded)]
    if counts == "best" and graded:
        return max(graded, key=lambda one: (_score(one), -one.number))
    return max(attempts, key=lambda one: one.number, default=None)


def _score(attempt: Attempt) -> float:
    return attempt.state.score if isinstance(attempt.state, Graded) else -1.0


def next_allowed(attempts: Iterable[Attempt], limit: int, now: datetime) -> datetime:
    """From when on another attempt is allowed; ``now`` or before if it is.

    Those that could not be graded do not count against the student, nor do those of a clock that
    was more than a day ahead.
    """
    times = sorted(
        one.receipt.received
        for one in attempts
        if not isinstance(one.state, NotGraded) and now - DAY < one.receipt.received < now + DAY
    )
    return now if not limit or len(times) < limit else times[-limit] + DAY


@dataclass(frozen=True)
class Job:
    """An attempt to put into ``submitted/`` and to grade there."""

    attempt: Attempt


def jobs(
    attempts: Mapping[tuple[str, str], Sequence[Attempt]],
    graded_now: Mapping[tuple[str, str], int],
    counts: Counts,
    busy: frozenset[tuple[str, str]] = frozenset(),
    deaths: Mapping[int, int] = MappingProxyType({}),
) -> list[Job]:
    """What is to be done now, the oldest first: one attempt of each student and assignment.

    Each attempt is graded in its turn. When all are, the one that counts has to be the one that
    the gradebook has. ``graded_now`` tells which that is; ``busy`` are under way. What graders died
    over (``deaths``, by number) comes last, so that it holds no other back.
    """
    found = []
    for pair, own in attempts.items():
        if pair in busy or not own:
            continue
        pending = [one for one in own if one.is_pending]
        if pending:
            found.append(min(pending, key=lambda one: one.number))
            continue
        wanted = counting(own, counts)
        if wanted is not None and graded_now.get(pair) != wanted.number:
            found.append(wanted)
    # What nobody has seen graded comes before what is only graded again.
    found.sort(
        key=lambda one: (
            deaths.get(one.number, 0),
            not isinstance(one.state, Waiting),
            one.number,
        )
    )
    return [Job(one) for one in found]


def write_state(folder: Path, state: Graded | NotGraded) -> None:
    """Write what came of the attempt in ``folder``, atomically."""
    kind = "graded" if isinstance(state, Graded) else "not graded"
    row = asdict(state) | {"status": kind, "finished": state.finished.isoformat()}
    data = json.dumps(row, indent=1, ensure_ascii=False)
    write_atomically(folder / "result.json", data.encode("utf-8", "replace"), 0o600)


def receipt_bytes(receipt: Receipt) -> bytes:
    """The receipt as its file holds it."""
    row = asdict(receipt) | {"received": receipt.received.isoformat()}
    return json.dumps(row, indent=1, ensure_ascii=False).encode("utf-8", "replace")


def read_receipt(folder: Path) -> Receipt | None:
    """The receipt in an attempt's folder; ``None`` where it cannot be read."""
    try:
        row: dict[str, Any] = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
        row["received"] = datetime.fromisoformat(row["received"])
        row["uploaded"] = tuple(UploadedFile(**file) for file in row["uploaded"])
        row["notes"] = tuple(row["notes"])
        return Receipt(**row)
    except (OSError, ValueError, TypeError, LookupError):
        return None


def read_state(folder: Path) -> State:
    """What came of the attempt in ``folder``; a result that cannot be read is none."""
    try:
        row: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        kind, finished = row.pop("status"), datetime.fromisoformat(row.pop("finished"))
        if kind == "not graded":
            return NotGraded(row["reason"], finished)
        row["tasks"] = tuple(TaskResult(**task) for task in row["tasks"])
        row["notes"] = tuple(row["notes"])
        return Graded(finished=finished, **row)
    except (OSError, ValueError, TypeError, LookupError):
        return Waiting()


class Attempts:
    """All attempts of a course, as this process knows them; ``refresh`` looks for new ones."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._all: dict[int, Attempt] = {}
        self._pairs: dict[tuple[str, str], list[int]] = {}

    def refresh(self) -> None:
        """Read what is new, and what came of those that were pending."""
        numbers = _numbers(self._places.attempts)
        for number in sorted(numbers - set(self._all)):
            receipt = read_receipt(self._places.attempt(number))
            if receipt is not None:
                self.add(Attempt(receipt))
        for number in set(self._all) - numbers:  # a person was removed
            self._pairs[self._all.pop(number).pair].remove(number)
        asked = _numbers(self._places.again)
        for number, one in list(self._all.items()):
            if one.is_pending or number in asked:
                self.reread(number)

    def add(self, attempt: Attempt) -> None:
        """Take an attempt in that was just stored."""
        if attempt.number not in self._all:
            self._all[attempt.number] = attempt
            self._pairs.setdefault(attempt.pair, []).append(attempt.number)

    def reread(self, number: int) -> None:
        """Read again what came of one attempt."""
        if number in self._all:
            folder = self._places.attempt(number)
            again = self._places.asked_again(number).exists()
            self._all[number] = replace(self._all[number], state=read_state(folder), again=again)

    def ask_again(self, number: int) -> None:
        """Ask for an attempt to be graded once more."""
        self._places.asked_again(number).touch(mode=0o600)
        self.reread(number)

    def find(self, number: int) -> Attempt | None:
        """The attempt of this number; ``None`` if there is none."""
        return self._all.get(number)

    def all(self) -> list[Attempt]:
        """All, by number."""
        return [self._all[number] for number in sorted(self._all)]

    def of(self, student: str, assignment: str) -> list[Attempt]:
        """One student's attempts of one assignment, by number."""
        return [self._all[number] for number in self._pairs.get((student, assignment), ())]

    def by_pair(self) -> dict[tuple[str, str], list[Attempt]]:
        """All attempts by student and assignment."""
        return {pair: self.of(*pair) for pair in self._pairs}

    def last_number(self) -> int:
        """The highest number given so far, 0 before the first."""
        return max(_numbers(self._places.attempts), default=0)


def _numbers(folder: Path) -> set[int]:
    try:
        return {int(path.name) for path in folder.iterdir() if path.name.isdecimal()}
    except FileNotFoundError:
        return set()


def read_graded_now(places: Places) -> dict[tuple[str, str], int]:
    """Which attempt the gradebook has, by student and assignment."""
    found = {}
    for path in places.graded_now.glob("*/*"):
        text = path.read_text(encoding="utf-8").strip()
        if text.isdecimal():
            found[path.parent.name, path.name] = int(text)
    return found


def read_deaths(places: Places) -> dict[int, int]:
    """How often a grader died over each attempt, by number."""
    found = {}
    for number in _numbers(places.deaths):
        text = places.deaths_of(number).read_text(encoding="utf-8")
        found[number] = int(text) if text.isdecimal() else 1
    return found


def now_utc() -> datetime:
    """The server's time."""
    return datetime.now(UTC)
