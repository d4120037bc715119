"""Comprehensions as loops that append, and such loops as comprehensions."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from nbjudge.vet.lines import (
    assigned,
    assignment,
    functions,
    line_of,
    small,
    statements_of,
    target_of,
)
from nbjudge.vet.names import COMPREHENSIONS, binds, fresh, parameters, variables
from nbjudge.vet.tree import GONE, Cell, Replacement, Step, walk


def comprehension_to_loop(cell: Cell) -> Iterator[Step]:
    """A list comprehension that is returned or named, as a loop that appends.

    There is one `for`, and its variables have no other use in the function: a loop leaves them
    behind, a comprehension does not.
    """
    for function in functions(cell):
        for line in statements_of(function):
            node = small(line, cst.Return) or small(line, cst.Assign)
            if node is None:
                continue
            value = node.value
            if not isinstance(value, cst.ListComp) or not _alone(cell, function, value):
                continue
            target = target_of(line) or fresh(cell, "found", "collected")
            if isinstance(node, cst.Assign) and not target_of(line):
                continue
            if target in {name.value for name in variables(cell, value)}:
                continue
            lines: list[cst.BaseStatement] = [
                assignment(target, cst.List([])).with_changes(leading_lines=line.leading_lines),
                _loop(value, target),
            ]
            if isinstance(node, cst.Return):
                lines.append(line_of(cst.Return(cst.Name(target))))
            yield cell.step("a loop that appends", node, {line: cst.FlattenSentinel(lines)})


def _alone(cell: Cell, function: cst.FunctionDef, value: cst.ListComp) -> bool:
    first = value.for_in
    if first.inner_for_in is not None or first.asynchronous is not None:
        return False
    inner = [value.elt, *(condition.test for condition in first.ifs)]
    if any(cell.all(*COMPREHENSIONS, cst.NamedExpr, within=node) for node in inner):
        return False
    own = {node.value for node in binds(cell, first.target)}
    if not _names_only(first.target) or own & set(parameters(function)):
        return False
    around = set(walk(value)) - set(walk(first.iter))
    uses = [node for node in variables(cell, function) if node.value in own]
    return all(node in around for node in uses)


def _names_only(target: cst.BaseExpression) -> bool:
    if isinstance(target, cst.Tuple):
        return all(isinstance(item.value, cst.Name) for item in target.elements)
    return isinstance(target, cst.Name)


def _loop(value: cst.ListComp, target: str) -> cst.For:
    append = cst.Call(cst.Attribute(cst.Name(target), cst.Name("append")), [cst.Arg(value.elt)])
    inside: cst.BaseStatement = line_of(cst.Expr(append))
    for condition in reversed(value.for_in.ifs):
        inside = cst.If(condition.test, cst.IndentedBlock([inside]))
    first = value.for_in
    return cst.For(target=first.target, iter=first.iter, body=cst.IndentedBlock([inside]))


def loop_to_comprehension(cell: Cell) -> Iterator[Step]:
    """`names = []` and a loop that only appends to it, perhaps under a condition, as one."""
    for function in functions(cell):
        body = statements_of(function)
        for one, two in zip(body, body[1:], strict=False):
            sides = assigned(one)
            if sides is None or not isinstance(two, cst.For) or cell.code(sides[1]) != "[]":
                continue
            name = sides[0].value
            found = _appended(two, name)
            if found is None or not _loops_alone(cell, function, two, name):
                continue
            element, tests = found
            inner = cst.CompFor(
                target=two.target,
                iter=_closed(two.iter),
                ifs=[cst.CompIf(_closed(test)) for test in tests],
            )
            made = assignment(name, cst.ListComp(_closed(element), inner))
            made = made.with_changes(leading_lines=one.leading_lines)
            changes: dict[cst.CSTNode, Replacement] = {one: made, two: GONE}
            yield cell.step(f"{name} as a comprehension", one, changes)


def _closed(value: cst.BaseExpression) -> cst.BaseExpression:
    kinds = (cst.Tuple, cst.IfExp)
    if not isinstance(value, kinds) or value.lpar:
        return value
    return value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _appended(
    loop: cst.For, name: str
) -> tuple[cst.BaseExpression, list[cst.BaseExpression]] | None:
    tests: list[cst.BaseExpression] = []
    block = loop.body
    while True:
        if not isinstance(block, cst.IndentedBlock) or len(block.body) != 1:
            return None
        inside = block.body[0]
        if not isinstance(inside, cst.If) or inside.orelse is not None:
            break
        tests.append(inside.test)
        block = inside.body
    match small(inside, cst.Expr):
        case cst.Expr(
            value=cst.Call(
                func=cst.Attribute(value=cst.Name(value=target), attr=cst.Name(value="append")),
                args=[cst.Arg(value=element, keyword=None, star="")],
            )
        ) if target == name and loop.orelse is None and loop.asynchronous is None:
            return element, tests
    return None


def _loops_alone(cell: Cell, function: cst.FunctionDef, loop: cst.For, name: str) -> bool:
    own = {node.value for node in binds(cell, loop.target)}
    if not _names_only(loop.target) or own & set(parameters(function)):
        return False
    if cell.all(*COMPREHENSIONS, cst.NamedExpr, within=loop):
        return False
    within = set(walk(loop)) - set(walk(loop.iter))
    uses = [node for node in variables(cell, function) if node.value in own]
    listed = [node for node in variables(cell, loop) if node.value == name]
    return all(node in within for node in uses) and len(listed) == 1


OPERATORS = {
    "comprehension to loop": comprehension_to_loop,
    "loop to comprehension": loop_to_comprehension,
}
