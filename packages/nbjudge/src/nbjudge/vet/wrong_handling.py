"""Mistakes that show only on some inputs: how many, which sizes, which types, how far apart.

What they change is right for most arguments. A test that does not ask for the others lets them
pass.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from nbjudge.vet.names import parameters, reads
from nbjudge.vet.tree import (
    Cell,
    Step,
    closed,
    expression,
    first_of_each,
    in_place_of,
    inserted,
    number,
)

# More than most examples have, fewer than real data.
_FEW = 9
# What is plural and a number all the same.
_COUNTS = ("inputs", "units", "filters", "rows", "columns", "classes", "channels", "epochs")
# Each takes the extreme of several numbers.
_EXTREMES = ("max", "min", "argmax", "argmin", "idxmax", "idxmin", "argsort")
_IN_PLACE: dict[type[cst.BaseBinaryOp], type[cst.BaseAugOp]] = {
    cst.Add: cst.AddAssign,
    cst.Subtract: cst.SubtractAssign,
    cst.Multiply: cst.MultiplyAssign,
    cst.Divide: cst.DivideAssign,
}
# Methods that give a table.
_GIVES_TABLE = ("DataFrame", "drop", "dropna", "assign", "rename", "get_dummies")


def only_few(cell: Cell) -> Iterator[Step]:
    """No more than nine: of what is asked for in a slice, and of what a loop goes through."""
    for node in cell.all(cst.Slice):
        if node.upper is not None and node.lower is None and isinstance(node.upper, cst.Name):
            yield cell.to(node.upper, expression(f"min({cell.code(node.upper)}, {_FEW})"))
    for loop in cell.all(cst.For, cst.CompFor):
        written = [number(part) for part in cell.all(cst.Integer, within=loop.iter)]
        if not isinstance(loop.iter, (cst.List, cst.Tuple)) and not written:
            some = expression(f"list({cell.code(loop.iter)})[:{_FEW}]")
            yield cell.to(loop.iter, in_place_of(loop.iter, some))


def squeezed(cell: Cell) -> Iterator[Step]:
    """Axes of length 1 taken for superfluous: `flatten()` as `squeeze()`, an array squeezed."""
    for call in cell.all(cst.Call):
        if _method(call) in ("flatten", "ravel") and not call.args:
            func = call.func.with_changes(attr=cst.Name("squeeze"))
            yield cell.to(call, call.with_changes(func=func))
    for name in _in_arithmetic(cell):
        yield cell.to(name, expression(f"{name.value}.squeeze()"))


def whole_numbers(cell: Cell) -> Iterator[Step]:
    """An array taken for one of whole numbers."""
    for name in _in_arithmetic(cell):
        yield cell.to(name, expression(f"{name.value}.astype(int)"))


def in_place(cell: Cell) -> Iterator[Step]:
    """A returned result written into the argument: right for a float array, and for one call."""
    for line in cell.all(cst.SimpleStatementLine):
        first = line.body[0]
        if len(line.body) > 1 or not isinstance(first, cst.Return):
            continue
        value, function = first.value, cell.function(line)
        if not isinstance(value, cst.BinaryOperation) or function is None:
            continue
        operator = _IN_PLACE.get(type(value.operator))
        left = value.left
        if operator is None or not isinstance(left, cst.Name):
            continue
        if left.value in parameters(function):
            change = cst.AugAssign(left, operator(), value.right)
            lines = [line.with_changes(body=[change]), cst.SimpleStatementLine([cst.Return(left)])]
            said = f"{cell.brief(left)} changed in place"
            yield cell.step(said, first, {line: cst.FlattenSentinel(lines)})


def without_sign(cell: Cell) -> Iterator[Step]:
    """The sign lost before the largest or smallest is looked for."""
    for call, value in _extremes(cell):
        if _method(call) in ("max", "min", "argmax", "argmin"):
            new = call.func.with_changes(value=expression(f"abs({cell.code(value)})"))
            yield cell.to(call, call.with_changes(func=new))


def rounded(cell: Cell) -> Iterator[Step]:
    """Rounded before the largest or smallest is looked for, so that close ones are the same."""
    for call, value in _extremes(cell):
        new = call.func.with_changes(value=expression(f"{cell.code(closed(value))}.round(1)"))
        yield cell.to(call, call.with_changes(func=new))


def one_more(cell: Cell) -> Iterator[Step]:
    """Something more in what is returned: an entry, an item, a column."""
    for node in cell.all(cst.Return):
        value = node.value
        if isinstance(value, cst.Dict) and value.elements:
            extra = cst.DictElement(cst.SimpleString('"extra"'), cst.Integer("0"))
            elements = inserted(value.elements, len(value.elements), extra)
            said = "an entry more in what is returned"
            yield cell.step(said, node, {value: value.with_changes(elements=elements)})
        elif isinstance(value, (cst.ListComp, cst.List)):
            new = expression(f"[*{cell.code(value)}, None]")
            yield cell.step("an item more in what is returned", node, {value: new})
        elif isinstance(value, cst.Call) and _method(value) in _GIVES_TABLE:
            new = expression(f"{cell.code(value)}.assign(extra=0)")
            yield cell.step("a column more in what is returned", node, {value: new})


def _in_arithmetic(cell: Cell) -> list[cst.Name]:
    """The first use of each parameter as an operand, where it may well be an array."""
    found: list[cst.Name] = []
    for function in cell.all(cst.FunctionDef):
        known = parameters(function)
        used = [
            node
            for node in reads(cell, function.body)
            if node.value in known
            and isinstance(cell.parents[node], cst.BinaryOperation)
            and _may_be_array(cell, function, node.value)
        ]
        found += first_of_each(used, lambda node: node.value)
    return found


def _may_be_array(cell: Cell, function: cst.FunctionDef, name: str) -> bool:
    """Whether a parameter is named or used like an array, and not like a number."""
    uses = [cell.parents[node] for node in reads(cell, function.body) if node.value == name]
    if any(isinstance(use, (cst.Attribute, cst.Subscript)) for use in uses):
        return True
    return (len(name) == 1 and name != "n") or (name.endswith("s") and name not in _COUNTS)


def _extremes(cell: Cell) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """The calls `values.max()` and the like, each with its values."""
    for call in cell.all(cst.Call):
        func = call.func
        if isinstance(func, cst.Attribute) and _method(call) in _EXTREMES and not _is_numpy(func):
            yield call, func.value


def _is_numpy(func: cst.Attribute) -> bool:
    return isinstance(func.value, cst.Name) and func.value.value == "np"


def _method(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""


OPERATORS = {
    "only a few": only_few,
    "squeezed": squeezed,
    "whole numbers only": whole_numbers,
    "in place": in_place,
    "sign lost": without_sign,
    "rounded before comparing": rounded,
    "one more than asked for": one_more,
}
