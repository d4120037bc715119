"""The same meaning in another text: operands, quotes, line breaks, comments, annotations."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from nbjudge.vet.lines import statements_of
from nbjudge.vet.names import names
from nbjudge.vet.tree import Cell, Statement, Step, closed, number, string

_PLAIN = (cst.Name, cst.Integer, cst.Float)
_TURNED = {
    cst.Equal: cst.Equal,
    cst.NotEqual: cst.NotEqual,
    cst.LessThan: cst.GreaterThan,
    cst.GreaterThan: cst.LessThan,
    cst.LessThanEqual: cst.GreaterThanEqual,
    cst.GreaterThanEqual: cst.LessThanEqual,
}


def _calm(node: cst.BaseExpression) -> bool:
    """Whether an expression is names, numbers and arithmetic: it can be worked out at any time."""
    if isinstance(node, cst.BinaryOperation):
        return _calm(node.left) and _calm(node.right)
    if isinstance(node, cst.Attribute):
        return _calm(node.value)
    return isinstance(node, _PLAIN) or number(node) is not None


def turned_products(cell: Cell) -> Iterator[Step]:
    """`a * b` as `b * a`, and `a + 1` as `1 + a`: the same for numbers and arrays, one at a time.

    Other sums stay: texts and lists may be added too.
    """
    for node in cell.all(cst.BinaryOperation):
        if not (_calm(node.left) and _calm(node.right)):
            continue
        times = isinstance(node.operator, cst.Multiply)
        plus = isinstance(node.operator, cst.Add)
        lone_number = (number(node.left) is None) != (number(node.right) is None)
        if times or (plus and lone_number):
            left, right = closed(node.right), closed(node.left)
            if cell.code(left) != cell.code(right):
                yield cell.to(node, node.with_changes(left=left, right=right))


def float_divisors(cell: Cell) -> Iterator[Step]:
    """`x / 255` as `x / 255.0`, for whole divisors that a float holds exactly."""
    found = {}
    for node in cell.all(cst.BinaryOperation):
        value = number(node.right)
        if isinstance(node.operator, cst.Divide) and isinstance(value, int) and 0 < value < 2**31:
            found[node.right] = cst.Float(f"{value}.0")
    for old, new in found.items():
        yield cell.to(old, new)


def turned_comparisons(cell: Cell) -> Iterator[Step]:
    """`a < b` as `b > a`, where both are names, numbers, texts or arithmetic of these.

    It is the same for numbers, texts, arrays and tables; a class of its own could tell.
    """
    for node in cell.all(cst.Comparison):
        if len(node.comparisons) != 1:
            continue
        target = node.comparisons[0]
        sides = (node.left, target.comparator)
        other = _TURNED.get(type(target.operator))
        if other is None or not all(_calm(s) or string(s) is not None for s in sides):
            continue
        right = target.with_changes(operator=other(), comparator=node.left)
        yield cell.to(node, node.with_changes(left=target.comparator, comparisons=[right]))


def other_quotes(cell: Cell) -> Iterator[Step]:
    """All plain strings in the other quotes; those with quotes or backslashes inside stay."""
    changes = {}
    for node in cell.all(cst.SimpleString):
        if node.prefix or len(node.quote) != 1 or cell.inside(node, cst.FormattedString):
            continue
        inside = node.value[1:-1]
        if not any(mark in inside for mark in "'\"\\"):
            other = "'" if node.quote == '"' else '"'
            changes[node] = node.with_changes(value=f"{other}{inside}{other}")
    if changes:
        yield cell.step("other quotes", next(iter(changes)), changes)


def over_several_lines(cell: Cell) -> Iterator[Step]:
    """The arguments of the first call with several of them, each on a line of its own."""
    for call in cell.all(cst.Call):
        if len(call.args) < 2 or "\n" in cell.code(call) or cell.inside(call, cst.FormattedString):
            continue
        inner, outer = (
            cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace(space))
            for space in ("    ", "")
        )
        comma = cst.Comma(whitespace_after=inner)
        args = [arg.with_changes(comma=comma) for arg in call.args[:-1]]
        # No comma after the last one: a lone generator may not have one.
        last = call.args[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=outer
        )
        changed = call.with_changes(args=[*args, last], whitespace_before_args=inner)
        yield cell.step("one argument to a line", call, {call: changed})
        return


def commented(cell: Cell) -> Iterator[Step]:
    """Each statement of a function, but its docstring, under a comment and a blank line."""
    changes: dict[Statement, Statement] = {}
    for function in cell.module.body:
        if not isinstance(function, cst.FunctionDef):
            continue
        lines = statements_of(function)[function.get_docstring() is not None :]
        for count, line in enumerate(lines, start=1):
            note = cst.EmptyLine(comment=cst.Comment(f"# Step {count}."))
            blank = cst.EmptyLine(indent=False)
            changes[line] = line.with_changes(leading_lines=[blank, note, *line.leading_lines])
    if changes:
        yield cell.step("comments", next(iter(changes)), changes)


def annotated(cell: Cell) -> Iterator[Step]:
    """Parameters and results of functions without decorators annotated, as `object`."""
    if "object" in names(cell):
        return
    changes = {}
    for function in cell.module.body:
        if not isinstance(function, cst.FunctionDef) or function.decorators:
            continue
        hint = cst.Annotation(cst.Name("object"))
        changed = function.with_changes(params=_hinted(function.params, hint))
        if function.returns is None:
            changed = changed.with_changes(returns=hint)
        changes[function] = changed
    if changes:
        yield cell.step("annotations", next(iter(changes)), changes)


def _hinted(params: cst.Parameters, hint: cst.Annotation) -> cst.Parameters:
    kinds = ("posonly_params", "params", "kwonly_params")
    hinted = {
        kind: [one if one.annotation else one.with_changes(annotation=hint) for one in given]
        for kind in kinds
        if (given := getattr(params, kind))
    }
    return params.with_changes(**hinted)


OPERATORS = {
    "factors the other way round": turned_products,
    "float divisor": float_divisors,
    "comparison turned round": turned_comparisons,
    "other quotes": other_quotes,
    "other line breaks": over_several_lines,
    "comments": commented,
    "annotations": annotated,
}
