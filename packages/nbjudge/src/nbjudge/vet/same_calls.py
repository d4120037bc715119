"""The same calls with their arguments given another way: by keyword, by place, in another order."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from nbjudge.vet.keras_calls import LAYERS, METHODS, TELLING, called, keyword
from nbjudge.vet.tree import Cell, Step, arranged, string

# `axis` is the first argument of the methods, and the second of numpy's functions.
_AXIS_METHODS = frozenset({"argmax", "argmin"})
_AXIS_FUNCTIONS = frozenset({"argmax", "argmin", "max", "min", "mean", "sum"})
_SIMPLE = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)


def order(call: cst.Call) -> tuple[str, ...]:
    """The names of a call's first arguments, where they are certain; else none."""
    name = called(call)
    if name in LAYERS:
        return LAYERS[name]
    if name == "Input":
        return ("shape",)
    if name == "Model" and isinstance(call.func, cst.Attribute):
        return ("inputs", "outputs")
    given = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    if isinstance(call.func, cst.Attribute) and given & TELLING.get(name, frozenset()):
        return METHODS[name]
    return ()


def to_keywords(cell: Cell) -> Iterator[Step]:
    """All arguments of known calls by keyword."""
    changes: dict[cst.Arg, cst.Arg] = {}
    for call in cell.all(cst.Call):
        known = order(call)
        if any(arg.star for arg in call.args) or not known:
            continue
        placed = [arg for arg in call.args if arg.keyword is None]
        if len(placed) <= len(known):
            pairs = zip(placed, known, strict=False)
            changes.update({arg: _keyed(arg, name) for arg, name in pairs})
    # A call may stand in an argument of another one: the inner one then stays as it is.
    outer = {arg: new for arg, new in changes.items() if not set(cell.above(arg)) & set(changes)}
    if outer:
        yield cell.step("arguments by keyword", next(iter(outer)), outer)


def _keyed(arg: cst.Arg, name: str) -> cst.Arg:
    return keyword(name, arg.value).with_changes(
        comma=arg.comma, whitespace_after_arg=arg.whitespace_after_arg
    )


def to_places(cell: Cell) -> Iterator[Step]:
    """Arguments of known calls by place, as far as they are given in the known order."""
    changes: dict[cst.Arg, cst.Arg] = {}
    for call in cell.all(cst.Call):
        known = order(call)
        for arg, name in zip(call.args, known, strict=False):
            if arg.star:
                break
            if arg.keyword is not None:
                if arg.keyword.value != name:
                    break
                changes[arg] = arg.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
    changes |= _axis_placed(cell)
    changes = {arg: new for arg, new in changes.items() if not set(cell.above(arg)) & set(changes)}
    changes = _models_whole(cell, changes)
    if changes:
        yield cell.step("arguments by place", next(iter(changes)), changes)


def _models_whole(cell: Cell, changes: dict[cst.Arg, cst.Arg]) -> dict[cst.Arg, cst.Arg]:
    """Without those of a Model that would have one end by place and the other by keyword."""
    halves = {
        arg
        for arg in changes
        if isinstance(call := cell.parents[arg], cst.Call)
        and called(call) == "Model"
        and any(other.keyword and other not in changes for other in call.args[:2])
    }
    return {arg: new for arg, new in changes.items() if arg not in halves}


def _axis_placed(cell: Cell) -> dict[cst.Arg, cst.Arg]:
    found = {}
    for call in cell.all(cst.Call):
        last = call.args[-1] if call.args else None
        if last is None or last.keyword is None or last.keyword.value != "axis":
            continue
        if not isinstance(call.func, cst.Attribute):
            continue
        function = cell.code(call.func.value) in ("np", "numpy")
        known = _AXIS_FUNCTIONS if function else _AXIS_METHODS
        before = [arg for arg in call.args[:-1] if arg.keyword is None and not arg.star]
        if called(call) in known and len(before) == len(call.args) - 1 == int(function):
            found[last] = last.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
    return found


def keywords_reversed(cell: Cell) -> Iterator[Step]:
    """The keyword arguments of known Keras calls in the reverse order.

    At most one of them may be more than names and literals: the order in which others are worked
    out could matter.
    """
    changes = {}
    for call in cell.all(cst.Call):
        keyed = [place for place, arg in enumerate(call.args) if arg.keyword is not None]
        if len(keyed) < 2 or not order(call) or any(arg.star for arg in call.args):
            continue
        if sum(not _plain(call.args[place].value) for place in keyed) > 1:
            continue
        places = list(range(len(call.args) - len(keyed)))
        new = arranged(call.args, [*places, *reversed(keyed)])
        changes[call] = call.with_changes(args=_tidy(call, new))
    outer = {call: new for call, new in changes.items() if not set(cell.above(call)) & set(changes)}
    if outer:
        yield cell.step("keyword arguments in another order", next(iter(outer)), outer)


def _tidy(call: cst.Call, args: list[cst.Arg]) -> list[cst.Arg]:
    """The space after an argument belongs to its place, not to the argument."""
    pairs = zip(args, call.args, strict=True)
    return [arg.with_changes(whitespace_after_arg=old.whitespace_after_arg) for arg, old in pairs]


def _plain(value: cst.BaseExpression) -> bool:
    if isinstance(value, (cst.List, cst.Tuple)):
        return all(_plain(item.value) for item in value.elements)
    return isinstance(value, _SIMPLE)


def activation_objects(cell: Cell) -> Iterator[Step]:
    """`activation="relu"` as `keras.activations.relu`, where the cell names `keras`."""
    known = {"relu", "tanh", "sigmoid", "softmax", "elu", "selu", "gelu", "linear"}
    owners = [node.value for node in cell.all(cst.Attribute)]
    found = {owner.value for owner in owners if isinstance(owner, cst.Name)}
    if "keras" not in found:
        return
    changes = {}
    for call in cell.all(cst.Call):
        for arg in call.args if called(call) in LAYERS else ():
            given = arg.keyword is not None and arg.keyword.value == "activation"
            if given and string(arg.value) in known:
                text = f"keras.activations.{string(arg.value)}"
                changes[arg.value] = cst.parse_expression(text)
    if changes:
        yield cell.step("activations as functions", next(iter(changes)), changes)


OPERATORS = {
    "positional to keyword": to_keywords,
    "keyword to positional": to_places,
    "keywords in another order": keywords_reversed,
    "activation as a function": activation_objects,
}
