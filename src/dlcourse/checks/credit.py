"""Partial credit: several parts of one concept, each with its points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dlcourse.checks.outcome import CheckFailed, NotAttempted


@dataclass(frozen=True)
class Part:
    """`points` for `check`, a function without arguments that raises where it does not pass."""

    points: float
    label: str
    check: Callable[[], Any]


def part(points: float, label: str, check: Callable[[], Any]) -> Part:
    """One part of a graded cell: `part(1, "the shape", lambda: check.array(…).has_shape(…))`."""
    return Part(points, label, check)


def credit(*parts: Part) -> float:
    """The points earned over all parts, each with a line that says why.

    To be the last line of a graded cell, whose points must be the sum of the parts'. A number is
    what nbgrader takes for partial credit. Raises `NotAttempted` where no part was attempted, and
    the part's own failure where there is just nothing to be earned.
    """
    earned, failures = 0.0, []
    for item in parts:
        try:
            item.check()
        except Exception as error:
            failure = error if isinstance(error, CheckFailed) else _unforeseen(error)
            failures.append(failure)
            print(f"{failure.mark} {item.label}: 0 of {item.points:g}\n{_indented(failure)}")
        else:
            earned += item.points
            print(f"✓ {item.label}: {item.points:g} of {item.points:g}")
    if failures and len(failures) == len(parts):
        wrong = [failure for failure in failures if not isinstance(failure, NotAttempted)]
        raise (wrong or failures)[0]
    return float(earned)


def _unforeseen(error: Exception) -> CheckFailed:
    """An answer of a kind that no check was ready for; the other parts are still judged."""
    return CheckFailed(f"the test could not read the answer ({type(error).__name__}: {error}).")


def _indented(failure: CheckFailed) -> str:
    return "\n".join(f"    {line}" for line in str(failure).split("\n"))
