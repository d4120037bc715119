"""What one hostile, or only odd, submission is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hostile_course import RIGHT, WRONG, Notebook

if TYPE_CHECKING:
    from hostile_class import Graded


@dataclass(frozen=True)
class Threat:
    """``words`` say what is tried; ``score`` is the right outcome, ``None``: not graded.

    The reason for not being graded ``says`` why. ``check`` looks at what came of it. ``stock`` is
    the score that stock nbgrader gives, where that is worth showing; ``stock_shows`` a secret, by
    its name, that stock nbgrader shows the student.
    """

    words: str
    score: float | None
    answers: Mapping[str, str] = field(default_factory=lambda: RIGHT)
    first: str = ""
    last: str = ""
    change: Callable[[Notebook], None] | None = None
    after: Callable[[Path], None] | None = None
    says: str = ""
    check: Callable[[Graded], None] | None = None
    stock: float | None = None
    stock_shows: str = ""
    as_ordinary: bool = False


def right_but(**answers: str) -> dict[str, str]:
    return RIGHT | answers


def wrong_but(**answers: str) -> dict[str, str]:
    return WRONG | answers


def attack(words: str, first: str = "", last: str = "", **options: object) -> Threat:
    """A submission whose answers are wrong, and which gets nothing for what it tries."""
    options = {"score": 0.0, "answers": WRONG} | options
    return Threat(words, first=first, last=last, **options)


def harmless(words: str, first: str = "", last: str = "", **options: object) -> Threat:
    """A submission with right answers, whose attack costs and gains nothing."""
    return Threat(words, **({"score": 8.0, "first": first, "last": last} | options))


def ended(words: str, says: str, first: str = "", **options: object) -> Threat:
    """A submission that cannot be graded, for a reason that says so."""
    return Threat(words, **({"score": None, "first": first, "says": says} | options))
