"""What a check says when it does not pass, in words that teach."""

from __future__ import annotations

import sys
import textwrap
from typing import Any, NoReturn

import numpy as np

_LONGEST_VALUE = 200
_WIDTH = 88


class CheckFailed(AssertionError):
    """An answer was given and it is not right.

    The message has up to three lines: what is wrong, what was expected, where to look.
    It is all that a student sees: neither the notebook nor the feedback shows the test's text.

    ``is_narrow_miss`` and ``measured`` are read by the grader (``nbjudge.judge.luck``): what the
    luck of training may have decided is tried again with other seeds.
    """

    mark = "✗"
    is_narrow_miss = False

    def __init__(self, problem: str, expected: str = "", hint: str = "") -> None:
        # A subject begins with a small letter, since others put it into the middle of a sentence.
        if problem.startswith("the "):
            problem = problem[:1].upper() + problem[1:]
        self.problem, self.expected, self.hint = problem, expected, hint
        self.measured: dict[str, float] = {}
        lines = [problem]
        if expected:
            lines.append(f"Expected: {expected}")
        if hint:
            lines.append(f"Hint: {hint}")
        super().__init__("\n".join(lines))

    def _render_traceback_(self) -> list[str]:
        # IPython's own hook for exceptions that show themselves: no test source in the output.
        # Wrapped here, since nbgrader's Validate cuts long lines off.
        first, *others = str(self).split("\n")
        shown = textwrap.wrap(f"{self.mark} {first}", _WIDTH, subsequent_indent="  ")
        for line in others:
            shown += textwrap.wrap(
                line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )
        return shown


class NotAttempted(CheckFailed):
    """No answer was given yet, which is not the same as a wrong one."""

    mark = "○"

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(
            f"{what}: nothing to check yet.",
            hint=hint
            or "write your answer in place of YOUR CODE HERE and `raise NotImplementedError()`. "
            "Run that cell, then run this one again.",
        )


class Check:
    """A subject that questions are asked of; it stands for nothing when it ends a cell."""

    def _ipython_display_(self) -> None:
        # IPython's own hook. A shown object would be taken for a partial score by nbgrader.
        """Show nothing: a check that passed is silent."""


# In place of what a hidden test expects.
NOT_TOLD = "something else. A hidden test does not tell what"


def is_withheld() -> bool:
    """Whether a hidden test is asking, whose values students are not told.

    The instructor decides it: `c.Grading.hidden_tests_tell`. Only a grader knows; without one,
    nothing is withheld.
    """
    judge = sys.modules.get("nbjudge.judge.withheld")
    return judge is not None and judge.withholds()


def fail(
    problem: str, expected: str = "", hint: str = "", answer: str = "", because: str = ""
) -> NoReturn:
    """Raise `CheckFailed`.

    `expected` says what kind of thing is asked for. `answer` is the very thing, and `because` the
    reason for it in the words of the test's author. A hidden test tells the reason without the
    answer.
    """
    if answer and not is_withheld():
        expected = answer + (f", because {because}" if because else "")
    elif answer:
        expected = expected or NOT_TOLD
        hint = "; ".join(filter(None, (because, hint)))
    raise CheckFailed(problem, expected, hint)


def fail_by(missing: float, luck: float, measured: dict[str, float], **words: str) -> NoReturn:
    """Raise `CheckFailed` for a figure that misses its threshold by `missing`.

    By less than `luck` it is a narrow miss: other seeds might have reached it.
    """
    failure = CheckFailed(**words)
    failure.is_narrow_miss, failure.measured = missing < luck, measured
    raise failure


def require_attempt(name: str, value: Any) -> None:
    """Raise `NotAttempted` where `value` is still the placeholder (`None` or `...`)."""
    if value is None or value is Ellipsis:
        raise NotAttempted(
            name,
            hint="it is still empty. The first red message above says what is missing. Fix that. "
            "Then run the cells from there on, and this one again.",
        )


def a(noun: str) -> str:
    """`noun` with its indefinite article."""
    return f"an {noun}" if noun[:1] in "AEIOaeio" else f"a {noun}"


def show(value: Any) -> str:
    """`value` as a student would write it, shortened: arrays by shape and type, not by content."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        if value.size <= 12:
            return np.array2string(value, separator=", ", threshold=12).replace("\n", "")
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, (tuple, list)) and len(value) <= 12:
        inner = ", ".join(show(item) for item in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**30 else "a number of more than 30 digits"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (str, dict, tuple, list)):
        text = repr(value)
        return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
    return a(type(value).__name__)
