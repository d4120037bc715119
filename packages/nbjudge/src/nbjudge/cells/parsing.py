"""A cell's text as Python's syntax tree, and what it binds at top level."""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbjudge.cells.scopes import bound_by, globals_bound_by

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

# What `%pylab` brings.
_PYLAB = """
import numpy
import numpy as np
import matplotlib
from matplotlib import pylab, mlab, pyplot
import matplotlib.pyplot as plt
from numpy import *
from matplotlib.pyplot import *
"""
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
        text = _transformer().transform_cell(source)
        tree = ast.parse(text)
    # IPython gives up with a RuntimeError.
    except (SyntaxError, ValueError, RuntimeError, MemoryError):
        return ast.Module([], [])
    return _Magics().visit(tree) if "get_ipython()" in text else tree


def _lines_to_read(source: str) -> int:
    """How many lines IPython reads to transform a cell: all of them again for each magic."""
    return (source.count("\n") + 1) * (len(_MAGIC.findall(source)) + 1)


@functools.lru_cache(1)
def _transformer() -> TransformerManager:
    # Heavy, and not needed to import this package.
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


class _Magics(ast.NodeTransformer):
    """Puts the Python that a magic runs, or what it binds, in the place of its call."""

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | list[ast.stmt]:
        """The statements in the place of one."""
        inner = _code_in_magic(node)
        return node if inner is None else parse(inner).body or [ast.Pass()]


def _code_in_magic(statement: ast.stmt) -> str | None:
    """Python for ``%%time`` and its like, which IPython makes a call with strings."""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(attr=attr), arguments)):
            pass
        case _:
            return None
    match [getattr(argument, "value", None) for argument in arguments]:
        case [str(name), str(line)] if attr == "run_line_magic":
            return _code_in_line_magic(name, line)
        case [str(name), str(line), str(body)] if attr == "run_cell_magic":
            return _code_in_cell_magic(name, line, body)
        case _:
            return None


def _code_in_line_magic(name: str, line: str) -> str | None:
    if name == "timeit":  # which keeps what it binds to itself
        return f"def _(): {_without_options(line)}\n_()"
    if name in ("time", "prun"):
        return _without_options(line)
    if name == "pylab":
        return _PYLAB
    if name == "store":
        words = line.split()
        return _binding(words[1:]) if words[:1] == ["-r"] else None
    if name == "sc":
        return _binding(re.findall(r"(\w+)\s*=", line)[:1])
    return _binding(_output_names(line)) or None


def _code_in_cell_magic(name: str, line: str, body: str) -> str | None:
    if name == "capture":
        return _binding(line.split()) + body
    if name == "timeit":
        return f"def _():\n    if True:\n{textwrap.indent(body, ' ' * 8)}\n_()"
    if name in ("time", "prun"):
        return body
    return _binding(_output_names(line)) or None


def _without_options(line: str) -> str:
    return re.sub(r"^\s*(-\w+\s+(\d+\s+)?)*", "", line)


def _output_names(line: str) -> list[str]:
    """``x`` of ``--out x``, ``-o x,y`` and ``x << select``, as programs in notebooks are used."""
    behind = re.findall(r"(?:^|\s)(?:-o|--(?:out|output|err|proc))[ =]([\w,]+)", line)
    before = re.findall(r"^\s*(\w+)\s*<<", line)
    return [name for text in behind + before for name in text.split(",")]


def _binding(names: Iterable[str]) -> str:
    return "".join(f"{name} = None\n" for name in names if name.isidentifier())


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
