"""A whole class at once: work handed to an executor, grades recorded one by one.

``grade`` is the one way that many submissions are graded. Workers (``work``) get everything by
content and give back verdicts and what was executed; the head alone touches the gradebook.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbjudge.cohort.grading import grade, plan_grading
    from nbjudge.cohort.outcomes import GradingOutcome, Running, Summary, summarise
    from nbjudge.cohort.planning import Holds, Planned, Refused, ToGrade

__all__ = [
    "GradingOutcome",
    "Holds",
    "Planned",
    "Refused",
    "Running",
    "Summary",
    "ToGrade",
    "grade",
    "plan_grading",
    "summarise",
]

_HOMES = {
    "GradingOutcome": "outcomes",
    "Holds": "planning",
    "Planned": "planning",
    "Refused": "planning",
    "Running": "outcomes",
    "Summary": "outcomes",
    "ToGrade": "planning",
    "grade": "grading",
    "plan_grading": "grading",
    "summarise": "outcomes",
}


def __getattr__(name: str) -> object:
    # What the head needs takes seconds to import, and a worker imports this package, too.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
