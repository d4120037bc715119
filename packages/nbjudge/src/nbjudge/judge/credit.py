"""The points that a test cell's last value stands for."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from nbjudge.judge.showing import clipped, show

# Functions and methods whose value is likely a number of points.
_SUMS = {"sum", "mean", "float", "int", "round", "min", "max", "abs", "len"}


class NotPoints(Exception):
    """The value is no number of points; the message tells the instructor so."""


def is_credit(last: ast.expr, body: Sequence[ast.stmt]) -> bool:
    """Whether a cell's last expression is meant as points, by its form.

    A sum or product is, and so is a name that the cell itself computes. What is only shown, such
    as a table, is not, and the cell has its points if nothing failed, as in stock nbgrader.
    """
    match last:
        case ast.BinOp() | ast.UnaryOp() | ast.IfExp():
            return True
        case ast.Constant(value=value):
            return isinstance(value, (int, float)) or (
                isinstance(value, str) and value.strip().replace(".", "", 1).isdigit()
            )
        case ast.Call(ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _SUMS
        case ast.Name(id=name):
            return any(_computes(name, node) for item in body for node in ast.walk(item))
    return False


def _computes(name: str, node: ast.AST) -> bool:
    match node:
        case ast.AugAssign(ast.Name(id=target)):
            return target == name
        case ast.Assign([ast.Name(id=target)], value):
            return target == name and is_credit(value, ())
    return False


def points_for(value: Any, points: float, grade_id: str, is_credit: bool = True) -> float:
    """The score for a last value: by the value itself, not by its printed text.

    Takes scalars and arrays or tensors without dimensions. Anything else is worth all points
    where the value is not meant as points (``is_credit``); else it raises ``NotPoints``. So does
    what is False, which stock nbgrader takes for full marks.
    """
    if not points and not isinstance(value, Real):
        return 0.0
    if not is_credit and (not _is_scalar(value) or _is_true(value)):
        return points
    return checked_score(_number(value), points, grade_id, show(value))


def checked_score(score: float, points: float, grade_id: str, shown: str) -> float:
    """``score``, a number from 0 to ``points`` but for a rounding error, without that error.

    Raises ``NotPoints`` for another number or nan; ``shown`` is the value as the message has it.
    """
    # A sum of tenths may miss the points, or nothing, by a rounding error.
    tolerance = 1e-9 * points
    if abs(score - points) <= tolerance:
        return float(points)
    if abs(score) <= tolerance:
        return 0.0
    if not 0 <= score <= points:
        raise NotPoints(
            f"The last value of the test cell '{grade_id}' is {clipped(shown, 60)}. It must be a "
            f"number of points from 0 to {points:g}. The instructor must fix the test."
        )
    return score


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (Real, Decimal, complex)) or getattr(value, "shape", None) == ()


def _is_true(value: Any) -> bool:
    return type(value).__name__ in ("bool", "bool_") and bool(value)


def _number(value: Any) -> float:
    """The value as a float; nan for what is no real number."""
    if getattr(value, "shape", None) == () and not isinstance(value, Real):
        value = _item(value)
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return math.nan
    return math.nan


def _item(value: Any) -> Any:
    """What an array without dimensions holds, as Python's own number."""
    import numpy as np

    try:
        array = np.asarray(value)
    except Exception:
        return None
    return array.item() if array.dtype.kind in "iuf" and array.ndim == 0 else None
