"""The regions that nbgrader takes out of a source cell: solutions, hidden tests, mark schemes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["SOLUTION", "HIDDEN TESTS", "MARK SCHEME"]
KINDS: tuple[Kind, ...] = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_TELL = re.compile(r"^[ \t]*### TELL EXPECTED VALUES[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Marker:
    """A line such as ``### BEGIN SOLUTION``; ``line`` counts from 0."""

    line: int
    begins: bool
    kind: Kind

    def __str__(self) -> str:
        return f"{'BEGIN' if self.begins else 'END'} {self.kind}"


def markers(source: str) -> Iterator[Marker]:
    """The markers in a cell's source, found as nbgrader finds them: anywhere in a line."""
    for number, line in enumerate(source.split("\n")):
        for kind in KINDS:
            # nbgrader looks for BEGIN first, and for END only in a line without it.
            if f"BEGIN {kind}" in line:
                yield Marker(number, True, kind)
            elif f"END {kind}" in line:
                yield Marker(number, False, kind)


def split(source: str, kinds: tuple[Kind, ...] = KINDS) -> tuple[list[str], list[str]]:
    """The lines of ``source`` that stay and those inside regions of ``kinds``, markers in neither.

    A region without an end goes on to the end of the cell: rather too much hidden than too little.
    """
    marked = {m.line: m for m in markers(source) if m.kind in kinds}
    kept: list[str] = []
    taken: list[str] = []
    inside: Kind | None = None
    for number, line in enumerate(source.split("\n")):
        marker = marked.get(number)
        if marker is None:
            (kept if inside is None else taken).append(line)
        elif marker.begins:
            inside = marker.kind
        elif marker.kind == inside:
            inside = None
    return kept, taken


def withheld_lines(source: str) -> tuple[int, ...]:
    """The lines of a test, from 1, whose expected values are not told.

    They are those from its first hidden one on: what stands behind may ask of what a hidden line
    has made. A line ``### TELL EXPECTED VALUES`` anywhere in the cell says that its author wants
    them told.
    """
    begins = [marker.line for marker in markers(source) if str(marker) == "BEGIN HIDDEN TESTS"]
    if not begins or _TELL.search(source):
        return ()
    return tuple(range(begins[0] + 1, source.count("\n") + 2))


def is_cleared(source: str) -> bool:
    """Whether a release takes something out of a solution cell's text; without markers, all."""
    found = [marker.kind for marker in markers(source)]
    return "SOLUTION" not in found or bool(split(source, ("SOLUTION",))[1])


def solved(source: str) -> str:
    """A solution cell's text as a student who knows the answer would have written it."""
    marked = {marker.line for marker in markers(source) if marker.kind == "SOLUTION"}
    lines = source.split("\n")
    return "\n".join(line for number, line in enumerate(lines) if number not in marked).strip("\n")


def seen(source: str) -> str:
    """A test cell's text without what is hidden of it."""
    return "\n".join(split(source, ("HIDDEN TESTS",))[0])


def normalise(text: str) -> str:
    """``text`` with every run of white space made one blank."""
    return " ".join(text.split())
