"""What a test may ask, in one small vocabulary that reads like a sentence.

    from dlcourse import checks as check

    check.function("dense_params", dense_params).called_with(3072, 100).returns(307_300)
    check.model("model", model).has_parameters(114_510)

A check that passes says nothing. One that does not raises `CheckFailed` (an AssertionError) with
what is the matter, what was expected and where to look; `NotAttempted` where no answer was given.
Everything is asked of plain values, models and results of calls, so that the answers may come
from another process than the test's. Keras is imported when a model is first asked about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlcourse.checks.arrays import ArrayCheck as array
from dlcourse.checks.credit import credit, part
from dlcourse.checks.draws import random
from dlcourse.checks.events import EventsCheck as events
from dlcourse.checks.figures import FigureCheck as figure
from dlcourse.checks.functions import FunctionCheck as function
from dlcourse.checks.histories import HistoryCheck as history
from dlcourse.checks.histories import columns_of
from dlcourse.checks.outcome import CheckFailed, NotAttempted
from dlcourse.checks.tables import TableCheck as table
from dlcourse.checks.values import ValueCheck as value

if TYPE_CHECKING:
    from dlcourse.checks.models import ModelCheck


def model(name: str, model: Any) -> ModelCheck:
    """Ask something of a Keras model. Raises `NotAttempted` for the placeholder None."""
    from dlcourse.checks.models import ModelCheck

    return ModelCheck(name, model)


def columns(history: Any) -> dict[str, list[float]]:
    """A training history's measurements, epoch by epoch, by name."""
    return columns_of("the history", history)


def passed(message: str) -> None:
    """Tell that all checks of a cell passed, in a line that begins with a tick."""
    print(f"✓ {message}")


__all__ = [
    "CheckFailed",
    "NotAttempted",
    "array",
    "columns",
    "credit",
    "events",
    "figure",
    "function",
    "history",
    "model",
    "part",
    "passed",
    "random",
    "table",
    "value",
]
