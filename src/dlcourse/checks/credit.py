"""Partial credit: several parts of one concept, each with its points."""

from __future__ import annotations

import os
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


def credit(*parts: Part) -> float | None:
    """The points earned over all parts, each with a line that says why.

    To be the last line of a graded cell, whose points must be the sum of the parts'. A number is
    what nbgrader takes for partial credit. Raises `NotAttempted` where no part was attempted, and
    the part's own failure where there is just nothing to be earned.

    In a student's own notebook it tells the same without points, and returns None: what is hidden
    of the cell has a say in the points.
    """
    is_graded = "NBGRADER_EXECUTION" in os.environ
    results = [(item, _failure(item)) for item in parts]
    failures = [failure for _, failure in results if failure is not None]
    raised = _to_raise(failures) if len(failures) == len(parts) else None
    earned, told = 0.0, set[str]()
    for item, failure in results:
        points = 0.0 if failure else item.points
        earned += points
        line = f"{failure.mark if failure else '✓'} {item.label}"
        print(f"{line}: {points:g} of {item.points:g}" if is_graded else line)
        # What is raised is shown by the notebook, and nothing is worth telling twice.
        if failure and str(failure) not in told | {str(raised)}:
            told.add(str(failure))
            print("\n".join(f"    {text}" for text in str(failure).split("\n")))
    if raised is not None:
        raise raised
    return float(earned) if is_graded else None


def _failure(item: Part) -> CheckFailed | None:
    try:
        item.check()
    except CheckFailed as failure:
        return failure
    except Exception as error:
        # An answer of a kind that no check was ready for; the other parts are still judged.
        return CheckFailed(f"the test could not read the answer ({type(error).__name__}: {error}).")
    return None


def _to_raise(failures: list[CheckFailed]) -> CheckFailed | None:
    """Of all parts' failures the first of something that was attempted."""
    wrong = [failure for failure in failures if not isinstance(failure, NotAttempted)]
    return next(iter(wrong or failures), None)
