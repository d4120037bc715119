"""What the grader tells the page, a line of JSON each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Ready:
    """The grader has started."""


@dataclass(frozen=True)
class Now:
    """These attempts are graded now; ``doing`` is said where something else comes first."""

    doing: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Done:
    """Something came of this attempt."""

    number: int


@dataclass(frozen=True)
class Came:
    """This attempt came from the exchange."""

    number: int


@dataclass(frozen=True)
class Exchanged:
    """What is wrong with the exchange now; nothing if nothing is."""

    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """Grading waits, and why; ``by_another`` says that another command holds the gradebook."""

    why: str
    by_another: bool = False


@dataclass(frozen=True)
class Idle:
    """There is nothing to grade."""


Event = Ready | Now | Done | Came | Exchanged | Held | Idle
_KINDS = {kind.__name__: kind for kind in (Ready, Now, Done, Came, Exchanged, Held, Idle)}


def as_line(event: Event) -> str:
    """The event as one line."""
    return json.dumps({"event": type(event).__name__} | asdict(event))


def read_line(line: str) -> Event | None:
    """The event of a line; ``None`` for a line that is none."""
    try:
        row = json.loads(line)
        kind = _KINDS[row.pop("event")]
        what: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        event: Event = kind(**what)
        return event
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
