"""Which cells of a notebook a test's verdict rests on, so that nothing else has to be run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nbjudge.cells.flow import called_loads, free_names
from nbjudge.cells.names import SourceCell
from nbjudge.cells.parsing import bindings, parse

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def cells_for(cells: Sequence[SourceCell], grade_id: str) -> frozenset[int]:
    """The places of the cells before the test ``grade_id`` that it needs, told by their names.

    All cells that bind a name count, but for those before a definition that takes its place, and so
    do the cells that they need themselves; test cells are left out. What a cell does without a
    name, such as writing a file, is not seen. ``KeyError`` if there is no such cell.
    """
    places = {cell.grade_id: place for place, cell in enumerate(cells) if cell.grade_id}
    end = places[grade_id]
    binders = _binders(cells[:end])
    source = cells[end].source
    wanted = [(name, end, end) for name in _loaded(source) | _called(source)]
    found: set[int] = set()
    while wanted:
        for place in _in_effect(binders, *wanted.pop()):
            if place not in found:
                found.add(place)
                source = cells[place].source
                wanted += [(name, place, place) for name in _loaded(source)]
                # A function is called by any later cell.
                wanted += [(name, place, end) for name in _called(source)]
    return frozenset(found)


@dataclass(frozen=True)
class _Binder:
    place: int
    is_definition: bool


def _binders(cells: Sequence[SourceCell]) -> dict[str, list[_Binder]]:
    """For each name the cells that bind it, in order, test cells left out."""
    found: dict[str, list[_Binder]] = {}
    for place, cell in enumerate(cells):
        if cell.is_test:
            continue
        body = parse(cell.source).body
        for binding in bindings(cell.source):
            statement = body[binding.statement]
            is_definition = isinstance(statement, _DEFINITIONS) and statement.name == binding.name
            found.setdefault(binding.name, []).append(_Binder(place, is_definition))
    return found


def _in_effect(
    binders: dict[str, list[_Binder]], name: str, first: int, last: int
) -> Iterator[int]:
    """The cells that may have made ``name`` what it is when used in ``first`` up to ``last``."""
    for binder in reversed(binders.get(name, [])):
        if binder.place < last and binder.place != first:
            yield binder.place
            if binder.is_definition and binder.place < first:
                return


@lru_cache(1024)
def _loaded(source: str) -> frozenset[str]:
    """The names that running a cell takes from others."""
    return frozenset(free_names(parse(source)))


@lru_cache(1024)
def _called(source: str) -> frozenset[str]:
    """The names that its functions take from others once they are called."""
    own = {binding.name for binding in bindings(source)}
    return frozenset().union(*(called_loads(node) - own for node in parse(source).body))
