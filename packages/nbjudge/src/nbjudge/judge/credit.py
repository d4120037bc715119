"""The points that a test cell's last value stands for."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any

from nbjudge.judge.showing import clipped, show


class NotPoints(Exception):
    """The value is no number of points; the message tells the instructor so."""


def points_for(value: Any, points: float, grade_id: str) -> float:
    """The score for a last value: by the value itself, not by its printed text.

    Takes scalars and arrays or tensors without dimensions; raises ``NotPoints`` for all else.
    """
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
            f"The test cell '{grade_id}' ended with the value {clipped(shown, 60)}, which is not "
            f"a number of points from 0 to {points:g}. This is for the instructor to mend, in the "
            "test."
        )
    return score


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
