"""What the gradebook has of the whole class, read at most every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nbcertify.scores import AllScores, read_scores
from nbjudge.course import Course

_SECONDS = 2.0


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
    """Reads the gradebook in a thread, once for all who ask at the same time."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._last = Standing()
        self._read_at = -_SECONDS
        self._lock = asyncio.Lock()

    async def standing(self) -> Standing:
        """The class as it is now, or was a moment ago."""
        async with self._lock:
            if time.monotonic() - self._read_at >= _SECONDS:
                self._last = await asyncio.to_thread(self._read)
                self._read_at = time.monotonic()
        return self._last

    def forget(self) -> None:
        """Read again when somebody asks next."""
        self._read_at = -_SECONDS

    def _read(self) -> Standing:
        try:
            with self._course.gradebook() as gradebook:
                names = [one.name for one in gradebook.assignments]
                return _standing(read_scores(gradebook, names))
        except Exception as error:  # the gradebook is locked or gone: what was read stays
            last = self._last
            words = f"The gradebook cannot be read now: {error}"
            return Standing(last.possible, last.due, last.points, last.students, words)


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
