"""Mistakes in plain Python: returns, conditions, strings, arguments, calls, statements, loops."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import libcst as cst

from nbjudge.vet.keras_calls import COSMETIC, called, is_layer
from nbjudge.vet.names import binds, locals_of, parameters, reads
from nbjudge.vet.networks import functional
from nbjudge.vet.tree import (
    GONE,
    Cell,
    Step,
    closed,
    first_of_each,
    in_place_of,
    quoted,
    string,
    without,
)
from nbjudge.vet.wrong_equations import cosmetic

_METRIC_NAMES = ("loss", "accuracy", "acc", "mae", "mse")


def return_missing(cell: Cell) -> Iterator[Step]:
    """Each return left out: its value is computed and dropped, and the function gives None."""
    for node in cell.all(cst.Return):
        if node.value is not None:
            said = f"{cell.brief(node.value)} not returned"
            yield cell.step(said, node, {node: cst.Expr(node.value)})


def return_other(cell: Cell) -> Iterator[Step]:
    """Another value returned: the last other local variable, the first parameter; at most two."""
    for node in cell.all(cst.Return):
        function = cell.function(node)
        if node.value is None or function is None:
            continue
        before = [
            name
            for name in locals_of(cell, function)
            if name != cell.code(node.value) and _bound_before(cell, function, name, node)
        ]
        for other in (*before[-1:], *parameters(function)[:1]):
            if cell.code(node.value) != other and other not in ("self", "cls"):
                yield cell.to(node, cst.Return(cst.Name(other)))


def _bound_before(cell: Cell, function: cst.FunctionDef, name: str, node: cst.CSTNode) -> bool:
    bound = (one for one in binds(cell, function.body) if one.value == name)
    return any(cell.lines[one] < cell.lines[node] for one in bound)


def returned_values(cell: Cell) -> Iterator[Step]:
    """Each of several returned values, and each entry of a dictionary, left out."""
    for node in cell.all(cst.Tuple, cst.Dict):
        returned = isinstance(cell.parents[node], cst.Return) or isinstance(node, cst.Dict)
        if not returned or len(node.elements) < 2:
            continue
        for place, item in enumerate(node.elements):
            new = _shorter(node, place)
            yield cell.step(f"without {cell.brief(item).rstrip(', ')}", item, {node: new})


def _shorter(node: cst.Tuple | cst.Dict, place: int) -> cst.BaseExpression:
    """The tuple or dictionary without one of its elements; of a pair the other value."""
    if isinstance(node, cst.Dict):
        return node.with_changes(elements=without(node.elements, place))
    rest = without(node.elements, place)
    if len(rest) > 1:
        return node.with_changes(elements=rest)
    new = in_place_of(node, rest[0].value)
    return new.with_changes(lpar=node.lpar, rpar=node.rpar) if node.lpar else new


def conditions(cell: Cell) -> Iterator[Step]:
    """Each condition negated, unless turning one comparison round does the same."""
    for node in cell.all(cst.If, cst.While, cst.IfExp, cst.CompIf):
        turned = (cst.Equal, cst.NotEqual, cst.In, cst.NotIn, cst.Is, cst.IsNot)
        test = node.test
        if isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, turned):
            continue
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            continue
        yield cell.to(test, cst.UnaryOperation(cst.Not(), closed(test)))


def negations(cell: Cell) -> Iterator[Step]:
    """Each `not` dropped."""
    for node in cell.all(cst.UnaryOperation):
        if isinstance(node.operator, (cst.Not, cst.BitInvert)):
            yield cell.to(node, in_place_of(node, node.expression))


def booleans(cell: Cell) -> Iterator[Step]:
    """`and` for `or`, either side alone, and True for False."""
    for node in cell.all(cst.BooleanOperation):
        other = cst.Or() if isinstance(node.operator, cst.And) else cst.And()
        yield cell.to(node, node.with_changes(operator=other))
        for side in (node.left, node.right):
            yield cell.to(node, in_place_of(node, side))
    for mask in cell.all(cst.BinaryOperation):
        if isinstance(mask.operator, (cst.BitAnd, cst.BitOr)):
            operator = cst.BitOr() if isinstance(mask.operator, cst.BitAnd) else cst.BitAnd()
            yield cell.to(mask, mask.with_changes(operator=operator))
    for name in cell.all(cst.Name):
        if name.value in ("True", "False") and not cosmetic(cell, name):
            yield cell.to(name, cst.Name(str(name.value == "False")))


def strings(cell: Cell, elsewhere: Collection[cst.CSTNode]) -> Iterator[Step]:
    """Each key or label replaced by another of its kind in the cell, or else spelled another way.

    The history's `loss` becomes `val_loss` and the other way round. Strings that are `elsewhere`
    (activations, padding, losses) or name something stay. At most one for each string.
    """
    found = [node for node in cell.all(cst.SimpleString) if _is_key(cell, node, elsewhere)]
    keys = [(node, text) for node in found if (text := string(node)) is not None]
    for node, text in keys:
        alike = (other for key, other in keys if _role(cell, key) == _role(cell, node))
        texts = list(dict.fromkeys(alike))
        if text.removeprefix("val_") in _METRIC_NAMES and isinstance(cell.parents[node], cst.Index):
            other = text.removeprefix("val_") if text.startswith("val_") else f"val_{text}"
        elif len(texts) > 1 and not isinstance(cell.parents[node], cst.DictElement):
            other = texts[(texts.index(text) + 1) % len(texts)]
        else:
            other = text.swapcase() if text[:1].isalpha() else f"{text} "
        yield cell.to(node, quoted(other, node))


def _role(cell: Cell, node: cst.SimpleString) -> tuple[type, str]:
    parent = cell.parents[node]
    keyword = parent.keyword if isinstance(parent, cst.Arg) else None
    return type(parent), keyword.value if keyword is not None else ""


def _is_key(cell: Cell, node: cst.SimpleString, elsewhere: Collection[cst.CSTNode]) -> bool:
    text, parent = string(node), cell.parents[node]
    if not text or node in elsewhere or cosmetic(cell, node):
        return False
    if isinstance(parent, cst.Arg):
        settings = ("activation", "padding", "loss", "optimizer", "metrics")
        return not (parent.keyword is not None and parent.keyword.value in settings)
    if isinstance(parent, cst.DictElement):
        return parent.key is node
    return not isinstance(parent, (cst.Expr, cst.Element, cst.ConcatenatedString))


def keywords(cell: Cell) -> Iterator[Step]:
    """Each keyword argument dropped, but not one that a model needs, names or shows something."""
    stay = COSMETIC | {"shape", "inputs", "outputs"}
    for call in cell.all(cst.Call):
        for place, arg in enumerate(call.args):
            if arg.keyword is not None and arg.keyword.value not in stay:
                said = f"{called(call)} without {cell.brief(arg).rstrip(', ')}"
                yield cell.step(
                    said, arg, {call: call.with_changes(args=without(call.args, place))}
                )


def call_left_out(cell: Cell) -> Iterator[Step]:
    """A call left out: `f(x)` gives `x`, and `x.method()` gives `x`; each text once."""
    calls = [call for call in cell.all(cst.Call) if not isinstance(cell.parents[call], cst.Expr)]
    for call in first_of_each(calls, cell.code):
        if is_layer(call) or functional(cell.statement(call)) is not None:
            continue
        if isinstance(parent := cell.parents[call], cst.Call) and parent.func is call:
            continue
        positional = len(call.args) == 1 and not call.args[0].star and not call.args[0].keyword
        if positional and not isinstance(call.args[0].value, (cst.SimpleString, cst.GeneratorExp)):
            value = call.args[0].value
        elif not call.args and isinstance(call.func, cst.Attribute):
            value = call.func.value
        else:
            continue
        said = f"{cell.brief(call)} → {cell.brief(value)}"
        yield cell.step(said, call, {call: in_place_of(call, closed(value))})


def branches(cell: Cell) -> Iterator[Step]:
    """The two sides of a choice alone: always the one, always the other; an else left out."""
    for node in cell.all(cst.IfExp):
        for side in (node.body, node.orelse):
            yield cell.to(node, in_place_of(node, side))
    for statement in cell.all(cst.If):
        if statement.orelse is not None:
            shorter = statement.with_changes(orelse=None)
            yield cell.step("no else", statement, {statement: shorter})


def statements(cell: Cell) -> Iterator[Step]:
    """Each simple statement deleted, unless a name that is read would then never be bound.

    Docstrings, imports and returns stay; a deleted `return` is a missing return.
    """
    stay = (cst.Return, cst.Import, cst.ImportFrom, cst.Pass, cst.Global, cst.Nonlocal)
    for line in cell.all(cst.SimpleStatementLine):
        first = line.body[0]
        docstring = isinstance(first, cst.Expr) and isinstance(first.value, cst.BaseString)
        if len(line.body) > 1 or docstring or isinstance(first, stay) or _needed(cell, line):
            continue
        yield cell.step(f"without {cell.brief(first)}", first, {line: GONE})


def _needed(cell: Cell, line: cst.SimpleStatementLine) -> bool:
    here = set(binds(cell, line))
    inside = cell.function(line) or cell.module
    others = {node.value for node in binds(cell, inside) if node not in here}
    others |= set(parameters(inside)) if isinstance(inside, cst.FunctionDef) else set()
    read = {node.value for node in reads(cell, inside)}
    return any(node.value in read and node.value not in others for node in here)


def loops(cell: Cell) -> Iterator[Step]:
    """Each loop broken after its first round."""
    for node in cell.all(cst.For, cst.While):
        if isinstance(node.body, cst.IndentedBlock):
            end = cst.SimpleStatementLine([cst.Break()])
            body = node.body.with_changes(body=[*node.body.body, end])
            yield cell.step("the loop ends after its first round", node, {node.body: body})


OPERATORS = {
    "return missing": return_missing,
    "return of something else": return_other,
    "returned value left out": returned_values,
    "condition negated": conditions,
    "not dropped": negations,
    "boolean": booleans,
    "keyword argument dropped": keywords,
    "call left out": call_left_out,
    "branch": branches,
    "statement deleted": statements,
    "loop broken off": loops,
}
