"""What an instructor writes beside an assignment for its tests to be tried on: `vet.toml`.

[[misconceptions]]                 # an error that students make
about = "Normalises twice."
task = "normalise_both"            # the solution cell, by grade id
answer = '''…'''                   # its whole text
caught_by = "test_normalise_both"  # the test that has to take points
says = "twice"                     # words that the student has to be told

[[right_answers]]                  # an answer that has to get full marks
about = "With a loop."
task = "label_names"
answer = '''…'''

[[equivalents]]                    # a planted mistake that is none
task = "show_images"
said = "\\"off\\" → \\"OFF\\", line 7"   # as the report tells it
reason = "matplotlib reads both alike."
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from nbjudge.errors import CourseError

FILE = "vet.toml"


@dataclass(frozen=True)
class Misconception:
    """A known error: ``caught_by`` has to take points, and to say ``says`` (in any case)."""

    about: str
    task: str
    answer: str
    caught_by: str
    says: str


@dataclass(frozen=True)
class RightAnswer:
    """An answer that is right, whatever it looks like."""

    about: str
    task: str
    answer: str


@dataclass(frozen=True)
class Equivalent:
    """A planted mistake that changes nothing a test should see, and why."""

    task: str
    said: str
    reason: str


Entry = TypeVar("Entry", Misconception, RightAnswer, Equivalent)


@dataclass(frozen=True)
class ByHand:
    """What stands in a `vet.toml`."""

    misconceptions: tuple[Misconception, ...] = ()
    right_answers: tuple[RightAnswer, ...] = ()
    equivalents: tuple[Equivalent, ...] = ()


def read_by_hand(folder: Path) -> ByHand:
    """What is written in the assignment's source folder; nothing if there is no such file.

    Raises ``CourseError`` naming file, entry and key for what cannot be read.
    """
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ByHand()
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error
    known = [field.name for field in fields(ByHand)]
    if unknown := set(content) - set(known):
        raise CourseError(f"{path}: there is no [[{min(unknown)}]]; there are {', '.join(known)}")
    return ByHand(
        _entries(path, "misconceptions", content, Misconception),
        _entries(path, "right_answers", content, RightAnswer),
        _entries(path, "equivalents", content, Equivalent),
    )


def _entries(
    path: Path, name: str, content: Mapping[str, Any], kind: type[Entry]
) -> tuple[Entry, ...]:
    entries = content.get(name, [])
    keys = {field.name for field in fields(kind)}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or set(entry) != keys:
            raise CourseError(
                f"{path}: [[{name}]], entry {number}: has to have the keys "
                f"{', '.join(sorted(keys))}, and no others"
            )
        if not all(isinstance(value, str) and value.strip() for value in entry.values()):
            raise CourseError(f"{path}: [[{name}]], entry {number}: every value has to be a text")
    return tuple(kind(**entry) for entry in entries)
