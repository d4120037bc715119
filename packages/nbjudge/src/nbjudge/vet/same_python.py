"""The same function written another way in plain Python.

Each rewrite is made only where its meaning cannot change; the conditions stand at each.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from nbjudge.vet import same_loops
from nbjudge.vet.lines import (
    assigned,
    assignment,
    functions,
    line_of,
    small,
    statements_of,
    target_of,
)
from nbjudge.vet.names import (
    COMPREHENSIONS,
    binds,
    fresh,
    locals_of,
    parameters,
    reads,
    variables,
)
from nbjudge.vet.tree import GONE, Cell, Replacement, Step, swapped, walk

_SIMPLE = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)
_CERTAIN = frozenset({"len", "abs", "int", "float", "str", "bool", "round"})
_PLOT_TEXTS = frozenset({"set_xlabel", "set_ylabel", "set_title"})


def renamed_variables(cell: Cell) -> Iterator[Step]:
    """All variables of each function under other names; parameters keep theirs."""
    for function in functions(cell):
        if any(node.equal for node in cell.all(cst.FormattedStringExpression, within=function)):
            continue
        if cell.all(cst.ImportAlias, within=function.body):
            continue
        own = set(locals_of(cell, function)) | set(_comprehended(cell, function))
        own -= set(parameters(function))
        if not own:
            continue
        new = {name: fresh(cell, f"my_{name}", f"own_{name}") for name in sorted(own)}
        found = [node for node in variables(cell, function.body) if node.value in own]
        changes = {node: node.with_changes(value=new[node.value]) for node in found}
        listed = ", ".join(f"{old} → {name}" for old, name in new.items())
        yield cell.step(listed, function, changes)


def _comprehended(cell: Cell, function: cst.FunctionDef) -> list[str]:
    """Names that only comprehensions bind, and that nothing outside these reads."""
    found = {node.value for node in binds(cell, function.body)} - set(locals_of(cell, function))
    return [name for name in sorted(found) if not _outside(cell, function, name)]


def _outside(cell: Cell, function: cst.FunctionDef, name: str) -> bool:
    """Whether the name is used where no comprehension around binds it."""
    uses = [node for node in variables(cell, function.body) if node.value == name]
    return any(not _bound_around(cell, node) for node in uses)


def _bound_around(cell: Cell, node: cst.Name) -> bool:
    for up in cell.above(node):
        if isinstance(up, COMPREHENSIONS):
            first = up.for_in
            bound = {one.value for one in binds(cell, first)}
            # The first iterable is worked out outside the comprehension.
            if node.value in bound and not any(one is node for one in walk(first.iter)):
                return True
    return False


def helper_function(cell: Cell) -> Iterator[Step]:
    """What a function returns at its end, worked out by a helper that gets all it reads.

    The helper gets parameters, and variables that the function's own statements, not those in a
    branch or loop, have bound before.
    """
    for function in functions(cell):
        body = statements_of(function)
        last = small(body[-1], cst.Return)
        if last is None or last.value is None or isinstance(last.value, _SIMPLE):
            continue
        if cell.all(cst.NamedExpr, within=last):
            continue
        bound = [target_of(line) for line in body[:-1]]
        certain = {*parameters(function), *filter(None, bound)}
        certain |= {n.value for line in body[:-1] for n in _unpacked(cell, line)}
        read = dict.fromkeys(node.value for node in reads(cell, last))
        local = {*parameters(function), *locals_of(cell, function)}
        inner = {node.value for node in binds(cell, last)}
        if inner & local or not (set(read) & local) <= certain:
            continue
        given = [name for name in read if name in local]
        helper = fresh(cell, f"{function.name.value}_helper")
        listed = ", ".join(given)
        text = f"def {helper}({listed}):\n    return {_one_line(cell, last.value)}\n"
        call = cst.parse_expression(f"{helper}({listed})")
        made = cst.parse_statement(text).with_changes(leading_lines=function.leading_lines)
        changed = swapped(function, last.value, call)
        empty = [cst.EmptyLine(indent=False)] * 2
        changed = changed.with_changes(leading_lines=empty, lines_after_decorators=[])
        said = f"{cell.brief(last.value)} in a helper function"
        yield cell.step(said, last, {function: cst.FlattenSentinel([made, changed])})


def _one_line(cell: Cell, value: cst.BaseExpression) -> str:
    """The text of an expression, in parentheses where a line break could end it."""
    text = cell.code(value)
    bracketed = isinstance(value, (cst.List, cst.Dict, cst.Set, cst.ListComp)) or value.lpar
    return text if bracketed or "\n" not in text else f"({text})"


def _unpacked(cell: Cell, line: cst.CSTNode) -> list[cst.Name]:
    return binds(cell, line) if small(line, cst.Assign) is not None else []


def local_variable(cell: Cell) -> Iterator[Step]:
    """A returned expression given a name first."""
    for function in functions(cell):
        last = statements_of(function)[-1]
        node = small(last, cst.Return)
        if node is None or node.value is None or isinstance(node.value, cst.Name):
            continue
        name = fresh(cell, "result", "answer")
        lines = [
            assignment(name, node.value).with_changes(leading_lines=last.leading_lines),
            line_of(cst.Return(cst.Name(name))),
        ]
        yield cell.step(f"{name} returned", node, {last: cst.FlattenSentinel(lines)})


def direct_return(cell: Cell) -> Iterator[Step]:
    """What is named in the line before its return, returned at once."""
    for function in functions(cell):
        body = statements_of(function)
        node = small(body[-1], cst.Return)
        if node is None or len(body) < 2 or not isinstance(node.value, cst.Name):
            continue
        sides = assigned(body[-2])
        if sides is None or _delayed(cell, body[-2]):
            continue
        name, value = sides
        if name.value == node.value.value:
            new = line_of(cst.Return(value)).with_changes(leading_lines=body[-2].leading_lines)
            changes: dict[cst.CSTNode, Replacement] = {body[-2]: new, body[-1]: GONE}
            yield cell.step(f"{node.value.value} returned at once", node, changes)


def _delayed(cell: Cell, line: cst.CSTNode) -> bool:
    return bool(cell.all(cst.GeneratorExp, within=line))


def other_order(cell: Cell) -> Iterator[Step]:
    """Two neighbouring statements that have nothing to do with each other, in the other order.

    They are `name = …` with neither calls (but of functions such as `len`) nor comprehensions,
    neither reads or binds what the other binds; or two of the texts beside a plot's axes.
    """
    for function in functions(cell):
        lines = statements_of(function)
        for one, two in zip(lines, lines[1:], strict=False):
            if not isinstance(one, cst.SimpleStatementLine):
                continue
            if not isinstance(two, cst.SimpleStatementLine):
                continue
            if _independent(cell, one, two) or _texts_of_plot(one, two):
                said = f"{cell.brief(two.body[0])} before {cell.brief(one.body[0])}"
                leads = one.leading_lines, two.leading_lines
                first = two.with_changes(leading_lines=leads[0])
                second = one.with_changes(leading_lines=leads[1])
                yield cell.step(said, one, {one: first, two: second})


def _independent(cell: Cell, one: cst.CSTNode, two: cst.CSTNode) -> bool:
    first, second = assigned(one), assigned(two)
    if first is None or second is None:
        return False
    if not (_calm(cell, first[1]) and _calm(cell, second[1])):
        return False
    used = [{node.value for node in variables(cell, line)} for line in (one, two)]
    return first[0].value not in used[1] and second[0].value not in used[0]


def _calm(cell: Cell, value: cst.BaseExpression) -> bool:
    """Whether working this out changes nothing and uses nothing up."""
    if cell.all(*COMPREHENSIONS, cst.NamedExpr, cst.StarredElement, within=value):
        return False
    calls = cell.all(cst.Call, within=value)
    return all(cell.code(call.func) in _CERTAIN for call in calls)


def _texts_of_plot(one: cst.CSTNode, two: cst.CSTNode) -> bool:
    found = []
    for line in (one, two):
        match small(line, cst.Expr):
            case cst.Expr(
                value=cst.Call(
                    func=cst.Attribute(value=cst.Name(value=ax), attr=cst.Name(value=name)),
                    args=[cst.Arg(value=cst.SimpleString(), star="")],
                )
            ) if name in _PLOT_TEXTS:
                found.append((ax, name))
    return len(found) == 2 and found[0][1] != found[1][1]


def choice_to_branches(cell: Cell) -> Iterator[Step]:
    """A returned choice `a if test else b` as an `if` with two returns."""
    for function in functions(cell):
        line = statements_of(function)[-1]
        node = small(line, cst.Return)
        if node is None or not isinstance(node.value, cst.IfExp):
            continue
        value = node.value
        yes, no = (cst.IndentedBlock([line_of(cst.Return(v))]) for v in (value.body, value.orelse))
        made = cst.If(value.test, yes, orelse=cst.Else(no), leading_lines=line.leading_lines)
        yield cell.step("an if with two returns", node, {line: made})


def rest_in_else(cell: Cell) -> Iterator[Step]:
    """What follows an `if` that ends in a return, in its else."""
    for function in functions(cell):
        body = statements_of(function)
        for place, line in enumerate(body[:-1]):
            if not isinstance(line, cst.If) or line.orelse is not None:
                continue
            if not isinstance(line.body, cst.IndentedBlock):
                continue
            if small(line.body.body[-1], cst.Return) is None:
                continue
            rest = cst.IndentedBlock(body[place + 1 :])
            made = line.with_changes(orelse=cst.Else(rest))
            changes: dict[cst.CSTNode, Replacement] = {line: made}
            changes.update(dict.fromkeys(body[place + 1 :], GONE))
            yield cell.step("the rest in an else", line, changes)
            break


OPERATORS = {
    "renamed variables": renamed_variables,
    "helper function": helper_function,
    "local variable": local_variable,
    "direct return": direct_return,
    "other order": other_order,
    **same_loops.OPERATORS,
    "choice to branches": choice_to_branches,
    "rest in an else": rest_in_else,
}
