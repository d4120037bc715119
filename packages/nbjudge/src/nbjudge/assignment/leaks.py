"""Does a student version still tell what was taken out of its source? Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbjudge.assignment.markers import markers, normalise, split

# Shorter lines (`else:`, `x = 1`, `return x`) say nothing about a solution.
SHORTEST_TELLING_LINE = 10


@dataclass(frozen=True)
class Leak:
    """A line of a solution or a hidden test, and the released file (and cell) that shows it."""

    file: str
    place: str
    line: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: it shows {self.line!r}"




def taken_and_kept(notebook: Mapping[str, Any]) -> tuple[list[str], str]:
    """The lines that a release must take out of a source notebook, and the text it keeps.

    A solution cell without markers is replaced as a whole, as nbgrader does.
    """
    taken: list[str] = []
    kept: list[str] = []
    for cell in notebook["cells"]:
        source = cell["source"]
        is_solution = cell["metadata"].get("nbgrader", {}).get("solution", False)
        if is_solution and not any(marker.kind == "SOLUTION" for marker in markers(source)):
            taken += source.split("\n")
        else:
            stays, goes = split(source)
            kept += stays
            taken += goes
    return taken, normalise("\n".join(kept))


def is_telling(line: str) -> bool:
    """Whether a line, seen by a student, would give something away."""
    line = normalise(line)
    return (
        len(line) >= SHORTEST_TELLING_LINE
        and re.search(r"\w{2}", line) is not None
        and not re.match(r"(import|from) [\w.]+( import [\w, .*]+| as \w+)?$", line)
    )


def find_leaks(
    sources: Iterable[Mapping[str, Any]],
    released: Mapping[str, Mapping[str, Any]],
    other_files: Mapping[str, bytes],
    stubs: Iterable[str] = (),
) -> list[Leak]:
    """The telling lines of the ``sources`` that the release shows.

    ``released`` maps the names of released notebooks to their JSON, ``other_files`` those of
    the files beside them to their bytes, ``stubs`` are the texts put in a solution's place. A
    line that the kept part of a source also holds is no secret.
    """
    split_sources = [taken_and_kept(source) for source in sources]
    public = "\n".join([*(kept for _, kept in split_sources), *map(normalise, stubs)])
    secrets = {
        normalise(line)
        for taken, _ in split_sources
        for line in taken
        if is_telling(line) and normalise(line) not in public
    }
    places = [
        (name, place, normalise(text))
        for name, notebook in released.items()
        for place, text in _texts(notebook)
    ] + [
        (name, "its text", normalise(data.decode("utf-8", errors="replace")))
        for name, data in other_files.items()
    ]
    return [
        Leak(name, place, secret)
        for name, place, text in places
        for secret in sorted(secrets)
        if secret in text
    ]


def _texts(notebook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every string of a notebook, wherever it is, with the place it stands in."""
    for index, cell in enumerate(notebook["cells"], start=1):
        for key, value in cell.items():
            for text in _strings(value):
                yield f"cell {index} ({key})", text
    for key, value in notebook.items():
        if key != "cells":
            for text in _strings(value):
                yield f"the notebook's {key}", text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        if all(isinstance(item, str) for item in value):
            yield "".join(value)
        for item in value:
            yield from _strings(item)
