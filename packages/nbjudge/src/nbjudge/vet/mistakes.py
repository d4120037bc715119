"""Planted mistakes: a solved cell with one small step wrong, each by a rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from nbjudge.vet import (
    wrong_equations,
    wrong_handling,
    wrong_layers,
    wrong_python,
    wrong_training,
)
from nbjudge.vet.change import Change
from nbjudge.vet.tree import Cell, Operator, parse, runs, steps

MOST = 12  # changes that one operator makes in one cell


def plant_mistakes(source: str, globals_: Collection[str] = ()) -> Iterator[Change]:
    """Every planted mistake of one solved cell, in an order that depends on the text alone.

    No two have the same text, none has the given text, and each compiles. Nothing comes of a cell
    that is not plain Python: one with a magic, or a syntax error. `globals_` are names that other
    cells bind; with them, an argument is replaced by a global of a similar name.

    Operators that know the field come first, so a step that two of them make has the name that says
    most. Each operator's docstring says which steps it makes; of more than MOST in one cell, MOST
    are taken, spread evenly from the first to the last.
    """
    cell = parse(source)
    if cell is None:
        return
    seen = {source}
    for name, operator in _operators(cell, globals_).items():
        found = []
        for step in steps(operator, cell):
            if step.source not in seen and runs(step.source):
                seen.add(step.source)
                found.append(Change(name, step.said, step.source))
        yield from _spread(found)


def _spread(found: list[Change]) -> list[Change]:
    if len(found) <= MOST:
        return found
    return [found[place * (len(found) - 1) // (MOST - 1)] for place in range(MOST)]


def _operators(cell: Cell, globals_: Collection[str]) -> dict[str, Operator]:
    sizes = wrong_layers.sizes(cell)
    return {
        **wrong_layers.OPERATORS,
        **wrong_training.OPERATORS,
        **wrong_equations.OPERATORS,
        **wrong_python.OPERATORS,
        **wrong_handling.OPERATORS,
        "number": partial(wrong_equations.numbers, elsewhere=sizes),
        "key or label": partial(wrong_python.strings, elsewhere=sizes),
        "global instead of argument": partial(wrong_equations.global_used, globals_=globals_),
    }
