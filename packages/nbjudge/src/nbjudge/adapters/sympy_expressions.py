"""sympy's expressions: ``srepr``, and a reader that evaluates nothing as Python."""

from __future__ import annotations

import ast
from typing import Any

import sympy
from sympy.core.symbol import Str
from sympy.functions.elementary.piecewise import ExprCondPair

_LONGEST = 100_000
_DEEPEST = 200
_LARGEST_POWER = 10_000
_LARGEST_OPERAND = 1_000
_GROWING = (sympy.factorial, sympy.binomial, sympy.gamma, sympy.fibonacci)
# What the names of a text may stand for, beside classes of sympy's values.
_CONSTANTS = ("true", "false", "pi", "E", "I", "oo", "zoo", "nan")
# Whose constructor takes a text as a name or as digits; others would read it as Python.
_OF_TEXT = ("Symbol", "Dummy", "Wild", "Integer", "Float", "Function", "MatrixSymbol", "Str")
_NOT_EXPORTED = {"ExprCondPair": ExprCondPair, "Str": Str}
_MATRICES = ("MutableDenseMatrix", "ImmutableDenseMatrix", "Matrix")


def pack(value: Any) -> str | None:
    """What ``srepr`` says, where it can be read again."""
    if not isinstance(value, (sympy.Basic, sympy.MatrixBase)):
        return None
    text = sympy.srepr(value)
    if len(text) > _LONGEST:
        return None
    try:
        return text if unpack(text) == value else None
    except Exception:  # whatever a value makes of being read: it stays where it is
        return None


def unpack(parts: Any) -> Any:
    """The expression of such a text."""
    if type(parts) is not str or len(parts) > _LONGEST:
        raise ValueError("no expression")
    return _read(ast.parse(parts, mode="eval").body, 0)


def _read(node: ast.expr, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("an expression that is nested too deeply")
    deeper = depth + 1
    match node:
        case ast.Constant(value=bool() | int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
        case ast.List(elts=items):
            return [_read(item, deeper) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_read(item, deeper) for item in items)
        case ast.Name(id=name):
            return _named(name)
        case ast.Call(func=func, args=args, keywords=keywords):
            made = _read(func, deeper)
            takes_text = isinstance(func, ast.Name) and func.id in _OF_TEXT
            values = [_text(item) if takes_text else None for item in args]
            values = [
                _read(item, deeper) if value is None else value
                for item, value in zip(args, values, strict=True)
            ]
            options = {str(item.arg): _read(item.value, deeper) for item in keywords}
            if not callable(made) or isinstance(made, sympy.Basic):
                raise ValueError("a call of no class")
            _require_small(made, values)
            return made(*values, **options)
        case _:
            raise ValueError("no part of an expression")


def _text(node: ast.expr) -> str | None:
    is_text = isinstance(node, ast.Constant) and type(node.value) is str
    return str(node.value) if is_text else None  # type: ignore[attr-defined]


def _named(name: str) -> Any:
    found = _NOT_EXPORTED.get(name) or getattr(sympy, name, None)
    kinds = (sympy.Basic, sympy.MatrixBase) if name in _MATRICES else sympy.Basic
    is_class = isinstance(found, type) and issubclass(found, kinds)
    if not is_class and name not in _CONSTANTS:
        raise ValueError(f"{name[:50]} is no name of an expression")
    return found


def _require_small(made: Any, values: list[Any]) -> None:
    """Refuse a number that would only be too large once it is worked out."""
    are_numbers = all(getattr(value, "is_number", False) for value in values)
    if not are_numbers:
        return
    if made is sympy.Pow and len(values) == 2 and not abs(sympy.N(values[1], 5)) <= _LARGEST_POWER:
        raise ValueError("a power that is too large")
    if made in _GROWING and any(abs(value) > _LARGEST_OPERAND for value in values):
        raise ValueError("a number that is too large")
