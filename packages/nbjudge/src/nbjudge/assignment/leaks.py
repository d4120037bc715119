"""Does a student version still tell what was taken out of its source? Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbjudge.assignment.markers import markers, normalise, split

# Shorter lines (`else:`, `x = 1`, `return x`) say nothing about a solution.
SHORTEST_TELLING_LINE = 10
# In a file's name, these words say that it is not for students, even if a text has them too.
_SECRETIVE = frozenset(
    {"answer", "answers", "expected", "hidden", "instructor", "key", "private", "reference"}
    | {"secret", "solution", "solutions", "solved", "teacher", "test", "tests"}
)


@dataclass(frozen=True)
class Leak:
    """A line or picture of a solution or a hidden test, and the released file that shows it."""

    file: str
    place: str
    line: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: it shows {self.line!r}"


@dataclass(frozen=True)
class HiddenFile:
    """A released file that only a solution or a hidden test names, in the words of ``named_by``."""

    file: str
    named_by: str

    def __str__(self) -> str:
        return f"{self.file}: only {self.named_by} names it"


def taken_and_kept(notebook: Mapping[str, Any]) -> tuple[list[str], str]:
    """The lines that a release must take out of a source notebook, and the text it keeps.

    A solution cell without markers is replaced as a whole, as nbgrader does.
    """
    taken: list[str] = []
    kept: list[str] = []
    for cell in notebook["cells"]:
        stays, goes = _split_cell(cell)
        kept += stays
        taken += goes
    return taken, normalise("\n".join(kept))


def _split_cell(cell: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The lines of a source cell that a release keeps, and those that it takes out."""
    source: str = cell["source"]
    is_solution = cell["metadata"].get("nbgrader", {}).get("solution", False)
    if is_solution and not any(marker.kind == "SOLUTION" for marker in markers(source)):
        return [], source.split("\n")
    return split(source)


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
    sources = list(sources)
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
    pictures = {
        data: name
        for source in sources
        for name, data in _attachments(source, only_hidden=True)
        if data not in {data for _, data in _attachments(source, only_hidden=False)}
    }
    return [
        Leak(name, place, secret)
        for name, place, text in places
        for secret in sorted(secrets)
        if secret in text
    ] + [
        Leak(name, "its attachments", f"the picture {pictures[data]} of a solution")
        for name, notebook in released.items()
        for _, data in _attachments(notebook)
        if data in pictures
    ]


def find_hidden_files(
    sources: Iterable[Mapping[str, Any]], names: Iterable[str], public: Iterable[str] = ()
) -> list[HiddenFile]:
    """The files, by relative name, that a solution or a hidden test names, and nothing public.

    A file is public when a text that students get (also one of ``public``) has its name, or its
    name without ending where that is a word of its own.
    """
    texts = [taken_and_kept(source) for source in sources]
    kept = "\n".join([*(kept for _, kept in texts), *public]).lower()
    taken = "\n".join(line for lines, _ in texts for line in lines)
    return [
        HiddenFile(name, "a solution or a hidden test")
        for name in names
        if _names_file(taken, name) and not _speaks_of(kept, name)
    ]


def _names_file(text: str, name: str) -> bool:
    base = re.escape(name.rpartition("/")[2])
    return re.search(rf"(?<![\w.-]){base}(?![\w-])", text) is not None


def _speaks_of(text: str, name: str) -> bool:
    if _names_file(text, name.lower()):
        return True
    stem = re.split(r"[^a-z0-9]+", name.lower().rpartition("/")[2].rpartition(".")[0])
    words = [word for word in stem if len(word) > 2]
    if not words or _SECRETIVE.intersection(words):
        return False
    return all(re.search(rf"\b{word}", text) for word in words)


def _attachments(
    notebook: Mapping[str, Any], only_hidden: bool | None = None
) -> Iterator[tuple[str, str]]:
    """The attachments of a notebook's cells: names, and their data as one text.

    With ``only_hidden``, those that a release takes out; with ``False``, those that stay.
    """
    for cell in notebook["cells"]:
        attachments = cell.get("attachments")
        if not isinstance(attachments, Mapping):
            continue
        stays = "\n".join(_split_cell(cell)[0])
        for name, data in attachments.items():
            hidden = str(name) not in stays
            if only_hidden is None or hidden == only_hidden:
                yield str(name), "".join(_strings(data))


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
