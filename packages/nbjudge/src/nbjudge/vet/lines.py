"""Statements of functions that can be rewritten: found, read and made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import libcst as cst

from nbjudge.vet.tree import Cell, Statement

Small = TypeVar("Small", bound=cst.BaseSmallStatement)
# A function with one of these may see its own names or run out of order: it stays as it is.
_OPAQUE = (
    cst.Lambda,
    cst.ClassDef,
    cst.Global,
    cst.Nonlocal,
    cst.Match,
    cst.Yield,
    cst.Await,
    cst.Del,
)
# pandas' `query` and `eval` read local variables by the names in a text.
_LOOKING = frozenset({"locals", "vars", "eval", "exec", "dir", "globals", "super", "query"})


def functions(cell: Cell) -> Iterator[cst.FunctionDef]:
    """The functions at the left margin that can be rewritten."""
    for function in cell.module.body:
        if not isinstance(function, cst.FunctionDef) or function.asynchronous is not None:
            continue
        if not isinstance(function.body, cst.IndentedBlock) or function.decorators:
            continue
        inner = cell.all(cst.FunctionDef, *_OPAQUE, within=function.body)
        used = {node.value for node in cell.all(cst.Name, within=function)}
        if not inner and not used & _LOOKING:
            yield function


def line_of(node: cst.BaseSmallStatement) -> cst.SimpleStatementLine:
    """A line with this one statement."""
    return cst.SimpleStatementLine([node])


def assignment(name: str, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    """The line `name = value`."""
    return line_of(cst.Assign([cst.AssignTarget(cst.Name(name))], value))


def statements_of(function: cst.FunctionDef) -> list[Statement]:
    """The statements of a function's body, its lines; none where it is on the line of its head."""
    block = function.body
    lines = block.body if isinstance(block, cst.IndentedBlock) else ()
    return [line for line in lines if isinstance(line, Statement)]


def small(line: cst.CSTNode, kind: type[Small]) -> Small | None:
    """The only small statement of a line, when it is of this kind."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    only = line.body[0]
    return only if isinstance(only, kind) else None


def assigned(line: cst.CSTNode) -> tuple[cst.Name, cst.BaseExpression] | None:
    """The two sides of the line `name = value`; None for all else."""
    assign = small(line, cst.Assign)
    if assign is None or len(assign.targets) != 1:
        return None
    target = assign.targets[0].target
    return (target, assign.value) if isinstance(target, cst.Name) else None


def target_of(line: cst.CSTNode) -> str:
    """`name` in the line `name = value`; "" for all else."""
    sides = assigned(line)
    return sides[0].value if sides is not None else ""
