"""In words, why an asserted expression does not hold; values only."""

from __future__ import annotations

import types
from typing import Any

from nbjudge.judge.asserted import Node, Record
from nbjudge.judge.showing import difference, show

_EXPECTED = {
    "Eq": "{}",
    "NotEq": "anything but {}",
    "Lt": "less than {}",
    "LtE": "at most {}",
    "Gt": "more than {}",
    "GtE": "at least {}",
    "Is": "{} itself",
    "IsNot": "anything but {}",
    "In": "one that is in {}",
    "NotIn": "one that is not in {}",
}
_OPPOSITE = {
    "Eq": "NotEq",
    "NotEq": "Eq",
    "Lt": "GtE",
    "LtE": "Gt",
    "Gt": "LtE",
    "GtE": "Lt",
    "Is": "IsNot",
    "IsNot": "Is",
    "In": "NotIn",
    "NotIn": "In",
}
# The same comparison with its sides changed over.
_MIRRORED = {"Eq": "Eq", "NotEq": "NotEq", "Lt": "Gt", "LtE": "GtE", "Gt": "Lt", "GtE": "LtE"}
_MIRRORED |= {"Is": "Is", "IsNot": "IsNot"}
_CLOSE = {"allclose", "isclose", "array_equal", "array_equiv"}


def explain(record: Record) -> str:
    """Why the recorded expression is not true; never empty, never raises."""
    try:
        told = _why(record.tree, record.values, wanted=True)
    except Exception:
        told = ""
    return told or "the assertion failed"


def _why(node: Node, values: dict[int, Any], wanted: bool) -> str:
    """Why ``node`` is not ``wanted``."""
    match node.kind:
        case "not":
            return _why(node.parts[0], values, not wanted)
        case "and" | "or":
            return _why_bool(node, values, wanted)
        case "compare":
            return _why_compare(node, values, wanted)
        case "call":
            return _why_call(node, values, wanted)
        case "constant":
            return "the test reached a line that it should not reach"
    return _why_value(values[node.place], wanted)


def _why_bool(node: Node, values: dict[int, Any], wanted: bool) -> str:
    seen = [part for part in node.parts if part.place in values]
    # One operand decided: the last that was looked at. Otherwise all of them did.
    if (node.kind == "and") is wanted:
        return _why(seen[-1], values, wanted)
    told = [_why(part, values, wanted) for part in seen]
    return ("; and " if not wanted else "; or else ").join(dict.fromkeys(told))


def _why_compare(node: Node, values: dict[int, Any], wanted: bool) -> str:
    seen = [part for part in node.parts if part.place in values]
    last = len(seen) - 2
    places = [last] if wanted or len(node.operators) == 1 else range(last + 1)
    told = []
    for place in places:
        left, right = node.parts[place], node.parts[place + 1]
        operator = node.operators[place]
        operator = operator if wanted else _OPPOSITE[operator]
        # What is written out in the test is what it expects.
        if left.is_literal and not right.is_literal and operator in _MIRRORED:
            left, right, operator = right, left, _MIRRORED[operator]
        told.append(_compared(left, right, operator, values))
    return "; and ".join(told)


def _compared(left: Node, right: Node, operator: str, values: dict[int, Any]) -> str:
    one, other = values[left.place], values[right.place]
    if operator in ("In", "NotIn") and left.is_literal and not right.is_literal:
        verb = "contains" if operator == "In" else "does not contain"
        return f"got {show(other)}{_given(right, values)}, expected one that {verb} {show(one)}"
    expected = _EXPECTED[operator].format(show(other))
    if operator == "Is" and (other is None or other is True or other is False):
        expected = show(other)
    kinds = ""
    if operator == "Eq" and show(one) == show(other) and type(one) is not type(other):
        kinds = f" (of the types {type(one).__name__} and {type(other).__name__})"
    text = f"got {show(one)}{_given(left, values)}, expected {expected}{kinds}"
    more = difference(one, other) if operator == "Eq" else ""
    return f"{text}: {more}" if more else text


def _given(node: Node, values: dict[int, Any]) -> str:
    """The arguments, where a student's own function was called."""
    if node.kind != "call" or not _is_students(values[node.parts[0].place]):
        return ""
    shown = [show(values[part.place]) for part in node.parts[1:] if part.place in values]
    return f" for {', '.join(shown)}" if shown else ""


def _is_students(function: Any) -> bool:
    return any(kind.__name__ == "RemoteFunction" for kind in type(function).__mro__)


def _why_value(value: Any, wanted: bool) -> str:
    if isinstance(value, bool):
        return f"got {value}, expected {wanted}"
    return f"got {show(value)}, expected something that is {'true' if wanted else 'false or empty'}"


def _why_call(node: Node, values: dict[int, Any], wanted: bool) -> str:
    result, function = values[node.place], values[node.parts[0].place]
    parts = node.parts[1:]
    compared = [part for part in parts if part.kind == "compare"]
    name = getattr(function, "__name__", "")
    if wanted and compared and name == "all":
        return f"{_why_compare(compared[0], values, True)} (in all items)"
    given = [values[part.place] for part in parts if part.place in values]
    if _is_students(function):
        shown = _why_value(result, wanted)
        return shown.replace(",", f"{_given(node, values)},", 1) if given else shown
    if function is isinstance and len(given) == 2 and wanted:
        kind = type(given[0]).__name__
        return f"got {show(given[0])} of type {kind}, expected {_types(given[1])}"
    if name in _CLOSE and len(given) >= 2 and wanted and _is_library(function):
        near = "about " if "close" in name else ""
        more = difference(given[0], given[1])
        text = f"got {show(given[0])}, expected {near}{show(given[1])}"
        return f"{text}: {more}" if more else text
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        given.insert(0, owner)
    shown = " and ".join(show(value) for value in given)
    return _why_value(result, wanted) + (f", for {shown}" if shown else "")


def _is_library(function: Any) -> bool:
    return (getattr(function, "__module__", None) or "__main__") != "__main__"


def _types(wanted: Any) -> str:
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    names = [kind.__name__ if isinstance(kind, type) else show(kind) for kind in kinds]
    return " or ".join(names)
