"""Right answers that look different: a solved cell written another way, each by a rule."""

from __future__ import annotations

from collections.abc import Iterator

from nbjudge.vet import same_calls, same_layers, same_python, same_text
from nbjudge.vet.change import Change
from nbjudge.vet.tree import parse, runs, steps


def rewrite(source: str) -> Iterator[Change]:
    """Every rewrite of one solved cell, in an order that depends on the text alone.

    Each means the same as `source` by the way it is made; what a rule cannot be sure of it leaves
    alone. No two have the same text, none has the given text, and each compiles. Nothing comes of a
    cell that is not plain Python.

    The same is meant of results: a network has the same weights and function, though a functional
    model counts its input among its layers; annotations and variable names are not results.
    """
    cell = parse(source)
    if cell is None:
        return
    seen = {source}
    for module in (same_layers, same_calls, same_python, same_text):
        for name, operator in module.OPERATORS.items():
            for step in steps(operator, cell):
                if step.source not in seen and runs(step.source):
                    seen.add(step.source)
                    yield Change(name, step.said, step.source)
