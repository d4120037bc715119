"""Mistakes in an equation: its numbers, terms, operators, bounds, and the arguments it uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import libcst as cst

from nbjudge.vet.keras_calls import COSMETIC
from nbjudge.vet.names import binds, parameters, reads
from nbjudge.vet.tree import GONE, Cell, Step, closed, expression, in_place_of, number

_OTHER_ARITHMETIC: dict[type[cst.BaseBinaryOp], Callable[[], cst.BaseBinaryOp]] = {
    cst.Add: cst.Subtract,
    cst.Subtract: cst.Add,
    cst.Multiply: cst.Add,
    cst.Divide: cst.Multiply,
    cst.FloorDivide: cst.Divide,
    cst.Modulo: cst.FloorDivide,
    cst.Power: cst.Multiply,
    cst.MatrixMultiply: cst.Multiply,
}
_OTHER_ASSIGNMENT: dict[type[cst.BaseAugOp], Callable[[], cst.BaseAugOp]] = {
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.DivideAssign,
    cst.DivideAssign: cst.MultiplyAssign,
}
_NOT_COMMUTATIVE = (cst.Subtract, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power)
_OTHER_COMPARISON = {
    cst.Equal: (cst.NotEqual,),
    cst.NotEqual: (cst.Equal,),
    cst.LessThan: (cst.LessThanEqual, cst.GreaterThan),
    cst.LessThanEqual: (cst.LessThan, cst.GreaterThanEqual),
    cst.GreaterThan: (cst.GreaterThanEqual, cst.LessThan),
    cst.GreaterThanEqual: (cst.GreaterThan, cst.LessThanEqual),
    cst.In: (cst.NotIn,),
    cst.NotIn: (cst.In,),
    cst.Is: (cst.IsNot,),
    cst.IsNot: (cst.Is,),
}
_COUNTS = ("count", "epochs", "rate", "size", "units", "filters", "number", "length", "n")


def cosmetic(cell: Cell, node: cst.CSTNode) -> bool:
    """Whether a node is in an argument that decides only how something is named or shown."""
    keywords = (up.keyword for up in cell.above(node) if isinstance(up, cst.Arg))
    return any(name is not None and name.value in COSMETIC for name in keywords)


def numbers(cell: Cell, elsewhere: Collection[cst.CSTNode]) -> Iterator[Step]:
    """Each number one more and one less; floats ten times as large and half. At most two a number.

    The sizes in layers, which are `elsewhere`, and the numbers in how a figure looks stay.
    """
    for node in cell.all(cst.Integer, cst.Float, cst.UnaryOperation):
        value = number(node)
        negative = isinstance(cell.parents.get(node), cst.UnaryOperation)
        if value is None or negative or node in elsewhere or cosmetic(cell, node):
            continue
        whole = isinstance(value, int)
        for other in (value + 1, value - 1) if whole else (value * 10, value / 2):
            new = expression(str(other) if whole else f"{other:g}")
            if number(new) != value:
                yield cell.to(node, new)


def terms(cell: Cell) -> Iterator[Step]:
    """Each of the two sides of an operator dropped: a term, a factor, a divisor."""
    for node in cell.all(cst.BinaryOperation):
        if _is_text(cell, node):
            continue
        for kept, dropped in ((node.left, node.right), (node.right, node.left)):
            said = f"{cell.brief(node)} without {cell.brief(dropped)}"
            yield cell.step(said, node, {node: in_place_of(node, kept)})


def _is_text(cell: Cell, node: cst.CSTNode) -> bool:
    kinds = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)
    return isinstance(node, cst.BinaryOperation) and isinstance(node.left, kinds)


def arithmetic(cell: Cell) -> Iterator[Step]:
    """Each arithmetic operator replaced by one other."""
    for node in cell.all(cst.BinaryOperation, cst.AugAssign):
        other: Callable[[], cst.CSTNode] | None
        if isinstance(node, cst.BinaryOperation):
            other = _OTHER_ARITHMETIC.get(type(node.operator))
        else:
            other = _OTHER_ASSIGNMENT.get(type(node.operator))
        if other is not None and not _is_text(cell, node):
            yield cell.to(node, node.with_changes(operator=other()))


def operands(cell: Cell) -> Iterator[Step]:
    """The two sides of a difference, quotient or power in the other order."""
    for node in cell.all(cst.BinaryOperation):
        if isinstance(node.operator, _NOT_COMMUTATIVE) and not _is_text(cell, node):
            right, left = closed(node.left), closed(node.right)
            if cell.code(node.left) != cell.code(node.right):
                yield cell.to(node, node.with_changes(left=left, right=right))


def comparisons(cell: Cell) -> Iterator[Step]:
    """Each comparison with its limit in or out, turned round, or made its opposite."""
    for node in cell.all(cst.ComparisonTarget):
        around = cell.parents[node]
        assert isinstance(around, cst.Comparison)
        for other in _OTHER_COMPARISON[type(node.operator)]:
            new = node.with_changes(operator=other())
            targets = [new if one is node else one for one in around.comparisons]
            yield cell.to(around, around.with_changes(comparisons=targets))


def bounds(cell: Cell) -> Iterator[Step]:
    """Each bound of a slice off by one, on the other side, and dropped; `range` off by one.

    Bounds that are written as numbers are among the numbers; they are dropped and moved here.
    """
    for node in cell.all(cst.Slice):
        for here, there in (("lower", "upper"), ("upper", "lower")):
            bound = getattr(node, here)
            if bound is None:
                continue
            if number(bound) is None:
                for sign in "+-":
                    yield cell.to(bound, expression(f"{cell.code(closed(bound))} {sign} 1"))
            if getattr(node, there) is None:
                moved = node.with_changes(**{here: None, there: bound})
                yield cell.to(node, moved)
            yield cell.to(node, node.with_changes(**{here: None}))
    for call in cell.all(cst.Call):
        if cell.code(call.func) == "range" and call.args and not any(a.star for a in call.args):
            last = call.args[min(len(call.args), 2) - 1].value
            if number(last) is None:
                yield cell.to(last, expression(f"{cell.code(closed(last))} - 1"))
            if len(call.args) == 1:
                comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
                begin = cst.Arg(cst.Integer("1"), comma=comma)
                yield cell.to(call, call.with_changes(args=[begin, *call.args]))


def argument_ignored(cell: Cell) -> Iterator[Step]:
    """Each parameter replaced, wherever the body reads it, by the next one and by a constant.

    The constant is 1 (0.5 for a rate), and only for what is used like a number. At most two for a
    parameter; `self` and `cls` stay.
    """
    for function in cell.all(cst.FunctionDef):
        known = [name for name in parameters(function) if name not in ("self", "cls")]
        for place, name in enumerate(known):
            used = [node for node in reads(cell, function.body) if node.value == name]
            if not used:
                continue
            others = [known[(place + 1) % len(known)]] if len(known) > 1 else []
            if _like_number(cell, name, used):
                others.append("0.5" if name.split("_")[-1] == "rate" else "1")
            for other in others:
                yield cell.step(
                    f"{name} ignored: {other} instead",
                    used[0],
                    {node: expression(other) for node in used},
                )


def _like_number(cell: Cell, name: str, used: list[cst.Name]) -> bool:
    kinds = (cst.BinaryOperation, cst.UnaryOperation, cst.ComparisonTarget, cst.Comparison)
    parents = [cell.parents[node] for node in used]
    if any(isinstance(parent, (cst.Attribute, cst.CompFor, cst.For)) for parent in parents):
        return False
    if any(isinstance(parent, (cst.Subscript, cst.Call)) for parent in parents):
        return False
    counted = name.split("_")[-1] in _COUNTS
    return counted or all(isinstance(parent, (*kinds, cst.Slice)) for parent in parents)


def global_used(cell: Cell, globals_: Collection[str]) -> Iterator[Step]:
    """Each parameter replaced in the body by the two names of other cells that are most like it.

    Names are alike that share a word: `images` and `train_images`.
    """
    for function in cell.all(cst.FunctionDef):
        taken = {node.value for node in cell.all(cst.Name, within=function)}
        for name in parameters(function):
            used = [node for node in reads(cell, function.body) if node.value == name]
            likely = [(_likeness(name, other), other) for other in set(globals_) - taken]
            likely = sorted((-alike, other) for alike, other in likely if alike)
            for _, other in likely[:2] if used else ():
                yield cell.step(
                    f"the global {other} instead of the argument {name}",
                    used[0],
                    {node: cst.Name(other) for node in used},
                )


def _likeness(one: str, two: str) -> float:
    words = [{word.rstrip("s") for word in name.lower().split("_") if word} for name in (one, two)]
    return len(words[0] & words[1]) / len(words[0] | words[1])


def lookups(cell: Cell) -> Iterator[Step]:
    """A lookup left out: `names[i]` gives `i`, `table.iloc[-1]` the table, `a.shape` gives `a`."""
    own = {param.name.value for param in cell.all(cst.Param)}
    own |= {node.value for node in binds(cell, cell.module)}
    for node in cell.all(cst.Subscript, cst.Attribute):
        if isinstance(node, cst.Attribute):
            plain = isinstance(node.value, cst.Name) and node.value.value in own
            stays = isinstance(cell.parents[node], (cst.Call, cst.AssignTarget, cst.Attribute))
            if plain and not stays:
                yield cell.to(node, node.value)
            continue
        if isinstance(cell.parents[node], (cst.AssignTarget, cst.AugAssign, cst.Del)):
            continue
        if isinstance(node.value, cst.Attribute) and node.value.attr.value in ("loc", "iloc"):
            yield cell.to(node, node.value.value)
        elif isinstance(index := node.slice[0].slice, cst.Index) and len(node.slice) == 1:
            written = number(index.value) is not None or isinstance(index.value, cst.SimpleString)
            if not written:
                yield cell.to(node, in_place_of(node, index.value))


def comprehensions(cell: Cell) -> Iterator[Step]:
    """A comprehension that keeps its items as they are, and one without its condition."""
    for node in cell.all(cst.ListComp, cst.SetComp, cst.GeneratorExp):
        target = node.for_in.target
        if (
            isinstance(target, cst.Name)
            and cell.code(node.elt) != target.value
            and not isinstance(node.elt, cst.Subscript)
        ):
            yield cell.to(node.elt, target)
        for condition in node.for_in.ifs:
            yield cell.step(f"no {cell.brief(condition)}", node, {condition: GONE})


OPERATORS = {
    "term dropped": terms,
    "arithmetic operator": arithmetic,
    "operands swapped": operands,
    "comparison": comparisons,
    "bounds": bounds,
    "argument ignored": argument_ignored,
    "lookup left out": lookups,
    "comprehension": comprehensions,
}
