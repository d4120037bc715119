"""Which cells of a notebook a test's verdict rests on, so that nothing else has to be run."""

from __future__ import annotations

from collections.abc import Sequence

from nbjudge.judge.cells import bindings, parse
from nbjudge.judge.flow import called_loads, free_names
from nbjudge.judge.names import SourceCell


def cells_for(cells: Sequence[SourceCell], grade_id: str) -> frozenset[int]:
    """The places of the cells before the test ``grade_id`` that it needs, told by their names.

    All cells that bind a name count, and so do those that they need themselves; test cells are left
    out. What a cell does without a name, such as writing a file, is not seen. ``KeyError`` if there
    is no such cell.
    """
    places = {cell.grade_id: place for place, cell in enumerate(cells) if cell.grade_id}
    before = [
        (place, cell) for place, cell in enumerate(cells[: places[grade_id]]) if not cell.is_test
    ]
    binders: dict[str, list[int]] = {}
    for place, cell in before:
        for binding in bindings(cell.source):
            binders.setdefault(binding.name, []).append(place)
    wanted, found = _names(cells[places[grade_id]].source), set()
    while wanted:
        for place in binders.pop(wanted.pop(), ()):
            if place not in found:
                found.add(place)
                wanted |= _names(cells[place].source)
    return frozenset(found)


def _names(source: str) -> set[str]:
    """The names that a cell takes from others, also in its functions, once they are called."""
    tree = parse(source)
    own = {binding.name for binding in bindings(source)}
    return free_names(tree).union(*(called_loads(node) - own for node in tree.body))
