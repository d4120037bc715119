"""What the gradebook has of the whole class, read at most every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from nbcertify.scores import AllScores, read_scores
from nbjudge.course import Course

from nbhandin.texts import say

_SECONDS = 2.0
_SECONDS_TO_WAIT = 2.0


@dataclass(frozen=True)
class Points:
    """Points that are certain, late penalty taken off, and how many answers wait for a person."""

    certain: float
    waiting: int
    late_seconds: float


@dataclass(frozen=True)
class Standing:
    """Points and due times by assignment, and what each submission has.

    ``problem`` says why the gradebook could not be read; what is here is then older.
    """

    possible: Mapping[str, float] = field(default_factory=dict)
    due: Mapping[str, datetime] = field(default_factory=dict)
    points: Mapping[tuple[str, str], Points] = field(default_factory=dict)
    students: frozenset[str] = frozenset()
    problem: str = ""


class GradebookReader:
    """Reads the gradebook in a thread, once for all who ask at the same time.

    A gradebook that is locked holds no page back: what was read before is shown, and said to be so.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._thread = ThreadPoolExecutor(1, "gradebook")
        self._reading: Future[Standing] | None = None
        self._last: Standing | None = None
        self._read_at = -_SECONDS

    async def standing(self) -> Standing:
        """The class as it is now, or was a moment ago."""
        if self._reading is None:
            if self._last is not None and time.monotonic() - self._read_at < _SECONDS:
                return self._last
            self._reading = self._thread.submit(self._read)
        reading = self._reading
        patience = None if self._last is None else _SECONDS_TO_WAIT
        try:
            found = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(reading)), patience)
        except TimeoutError:
            assert self._last is not None
            return replace(self._last, problem=say("class.gradebook_busy"))
        if self._reading is reading:
            self._reading, self._last, self._read_at = None, found, time.monotonic()
        return found

    def forget(self) -> None:
        """Read again when somebody asks next."""
        self._read_at = -_SECONDS

    def _read(self) -> Standing:
        try:
            with self._course.gradebook() as gradebook:
                names = [one.name for one in gradebook.assignments]
                return _standing(read_scores(gradebook, names))
        except Exception as error:  # the gradebook is locked or gone: what was read stays
            words = f"The gradebook cannot be read now: {error}"
            return replace(self._last or Standing(), problem=words)


def _standing(found: AllScores) -> Standing:
    points = {
        pair: Points(
            sum(one.certain) - one.penalty,
            len(one.waiting),
            one.late_seconds,
        )
        for pair, one in found.of.items()
    }
    return Standing(found.possible, found.due, points, found.students)
