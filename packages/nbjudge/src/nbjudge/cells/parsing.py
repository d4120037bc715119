"""A cell's text as Python's syntax tree, and what it binds at top level."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbjudge.cells.scopes import bound_by, globals_bound_by

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

# Their cell is Python, run in the notebook's own namespace.
_PYTHON_MAGICS = {"time", "timeit", "capture", "prun"}
_LONGEST_CACHED = 512
# A line that IPython may take for a magic, and how many lines take it a second or two.
_MAGIC = re.compile(r"^[ \t]*[!%?]|=[ \t]*[!%]|\?[ \t]*$", re.MULTILINE)
_MOST_LINES = 300_000


@dataclass(frozen=True)
class Binding:
    """A name that a top-level statement binds; ``text`` is the import that does it, or empty.

    ``statement`` counts the top-level statements of the cell from 0.
    """

    name: str
    text: str
    statement: int


@functools.lru_cache(_LONGEST_CACHED)
def parse(source: str) -> ast.Module:
    """The syntax tree of a cell in IPython's syntax; of one with errors an empty tree."""
    if _lines_to_read(source) > _MOST_LINES:
        return ast.Module([], [])
    try:
        tree = ast.parse(_transformer().transform_cell(source))
    # IPython gives up with a RuntimeError.
    except (SyntaxError, ValueError, RuntimeError, MemoryError):
        return ast.Module([], [])
    body: list[ast.stmt] = []
    for statement in tree.body:
        inner = _code_in_magic(statement)
        body += [statement] if inner is None else parse(inner).body
    return ast.Module(body, [])


def _lines_to_read(source: str) -> int:
    """How many lines IPython reads to transform a cell: all of them again for each magic."""
    return (source.count("\n") + 1) * (len(_MAGIC.findall(source)) + 1)


@functools.lru_cache(1)
def _transformer() -> TransformerManager:
    # Heavy, and not needed to import this package.
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def _code_in_magic(statement: ast.stmt) -> str | None:
    """The Python inside ``%%time`` and its like, which IPython makes a call with a string."""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(attr=attr), arguments)):
            pass
        case _:
            return None
    texts = [getattr(argument, "value", None) for argument in arguments]
    if not all(isinstance(text, str) for text in texts) or not texts:
        return None
    name, rest = str(texts[0]), [str(text) for text in texts[1:]]
    if name not in _PYTHON_MAGICS or attr not in ("run_cell_magic", "run_line_magic"):
        return None
    if attr == "run_line_magic":
        return rest[0] if name in ("time", "timeit") and rest else ""
    first = rest[0].strip()
    if name == "capture":
        bound = [word for word in first.split() if word.isidentifier()]
        return "".join(f"{word} = None\n" for word in bound) + rest[1]
    return rest[1]


@functools.lru_cache(_LONGEST_CACHED)
def bindings(source: str) -> tuple[Binding, ...]:
    """What a cell binds at top level, in order; inside of ``if``, ``try`` and others as well."""
    return tuple(_bindings(parse(source)))


def star_imports(source: str) -> list[str]:
    """The statements ``from x import *`` of a cell."""
    return [
        ast.unparse(node)
        for node in ast.walk(parse(source))
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]


def future_imports(source: str) -> list[str]:
    """The statements ``from __future__ import …`` of a cell."""
    return [
        ast.unparse(node)
        for node in parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]


def _bindings(tree: ast.Module) -> Iterator[Binding]:
    for number, statement in enumerate(tree.body):
        found = [*bound_by([statement]), *((name, "") for name in globals_bound_by(statement))]
        for name, text in dict.fromkeys(found):
            yield Binding(name, text, number)
