"""In words, what kind of thing is wrong in a hidden test: the student's own value, and no other."""

from __future__ import annotations

from numbers import Number
from typing import Any

from nbjudge.judge.asserted import Node, Record
from nbjudge.judge.showing import show
from nbjudge.judge.withheld import NOT_TOLD

NOTHING = "the test failed, and a hidden test does not tell more"
_EXPECTED = {
    "NotEq": "anything else",
    "Lt": "less",
    "LtE": "at most another number",
    "Gt": "more",
    "GtE": "at least another number",
    "In": "one of those that the test knows",
    "NotIn": "none of those that the test knows",
}
_MIRRORED = {"Eq": "Eq", "NotEq": "NotEq", "Lt": "Gt", "LtE": "GtE", "Gt": "Lt", "GtE": "LtE"}
_MIRRORED |= {"Is": "Is", "IsNot": "IsNot"}
_OPPOSITE = {"Eq": "NotEq", "Lt": "GtE", "LtE": "Gt", "Is": "IsNot", "In": "NotIn"}
_OPPOSITE |= {other: one for one, other in _OPPOSITE.items()}
_CLOSE = {"allclose", "isclose", "array_equal", "array_equiv", "equals"}


def kind_of_failure(record: Record) -> str:
    """Why the recorded expression is not true; never empty, never raises."""
    try:
        return _why(record.tree, record.values, True)
    except Exception:
        return NOTHING


def _why(node: Node, values: dict[int, Any], wanted: bool) -> str:
    match node.kind:
        case "not":
            return _why(node.parts[0], values, not wanted)
        case "and" | "or":
            seen = [part for part in node.parts if part.place in values]
            told = [_why(part, values, wanted) for part in seen]
            # One operand decided: the last that was looked at. Otherwise all of them did.
            return told[-1] if (node.kind == "and") is wanted else told[0]
        case "compare":
            return _why_compare(node, values, wanted)
        case "call":
            return _why_call(node, values, wanted)
    return _why_value(node, values, wanted)


def _why_compare(node: Node, values: dict[int, Any], wanted: bool) -> str:
    place = len([part for part in node.parts if part.place in values]) - 2
    left, right = node.parts[place], node.parts[place + 1]
    operator = node.operators[place]
    operator = operator if wanted else _OPPOSITE[operator]
    if right.is_own and not left.is_own:
        if operator not in _MIRRORED:
            return f"got {show(values[right.place])}, which does not hold what the test looks for"
        left, right, operator = right, left, _MIRRORED[operator]
    if not left.is_own:
        return NOTHING
    return _other(values[left.place], values[right.place], operator)


def _other(got: Any, expected: Any, operator: str) -> str:
    if operator in _EXPECTED:
        return f"got {show(got)}, expected {_EXPECTED[operator]}"
    return f"got {show(got)}, expected {_kind(got, expected)}; {NOT_TOLD}"


def _kind(got: Any, expected: Any) -> str:
    """In what a value differs from another, without what the other holds."""
    if isinstance(got, Number) and isinstance(expected, Number):
        return "another number"
    if type(got) is not type(expected):
        return "None" if expected is None else f"a value of type {type(expected).__name__}"
    shapes = getattr(got, "shape", None), getattr(expected, "shape", None)
    if shapes[0] != shapes[1]:
        return "another shape"
    if not hasattr(got, "__len__") or isinstance(got, str):
        return "another value"
    return "another length" if len(got) != len(expected) else "other values"


def _why_call(node: Node, values: dict[int, Any], wanted: bool) -> str:
    function, parts = values[node.parts[0].place], node.parts[1:]
    if node.is_own:
        return _why_value(node, values, wanted)
    compared = next((part for part in parts if part.kind == "compare"), None)
    name = getattr(function, "__name__", "")
    if wanted and compared and name == "all":
        return _why_compare(compared, values, True)
    own = next((part for part in parts if part.is_own and part.place in values), None)
    if own is None or not wanted:
        return NOTHING
    got = values[own.place]
    if function is isinstance:
        kind = type(got).__name__
        return f"got {show(got)} of type {kind}, expected another type; {NOT_TOLD}"
    others = [values[part.place] for part in parts if part is not own and part.place in values]
    if name in _CLOSE and others:
        return _other(got, others[0], "Eq")
    return f"got {show(got)}, which is not what the test expects"


def _why_value(node: Node, values: dict[int, Any], wanted: bool) -> str:
    if not node.is_own:
        return NOTHING
    value = values[node.place]
    if isinstance(value, bool):
        return f"got {value}, expected {wanted}"
    return f"got {show(value)}, expected something that is {'true' if wanted else 'false or empty'}"
