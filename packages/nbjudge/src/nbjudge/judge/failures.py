"""What an exception that ended a test cell says to students, and to the instructor."""

from __future__ import annotations

import math
import re
import traceback
from numbers import Real
from pathlib import Path
from typing import Any

import nbjudge.capture
from nbjudge.judge.showing import clipped
from nbjudge.judge.withheld import comparison

MESSAGE_LIMIT = 2000
_TRACEBACK_LIMIT = 20_000
# Colours and other commands to a terminal, and whatever else is not to be seen.
_UNSEEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OWN_FILES = str(Path(nbjudge.__file__).parent)
_CALL_FILES = str(Path(nbjudge.capture.__file__).parent)
_SAYS_NOTHING = "the test failed and gives no reason"
_MORE = "a hidden test does not tell more"


def message(error: BaseException) -> str:
    """The exception's own words, without colours and never long; empty if it has none."""
    try:
        words = str(error).strip()
    except Exception:
        words = ""
    if isinstance(error, AssertionError):
        if name := comparison(error):
            words = f"{name} does not hold for what the test looked at; {_MORE}"
        words = words or _SAYS_NOTHING
    return clipped(_UNSEEN.sub("", words), MESSAGE_LIMIT)


def failure(error: BaseException) -> str:
    """``Name: message`` as a student may read it; the test's text is not in it."""
    return clipped(f"{_name(error)}: {message(error)}".removesuffix(": "), MESSAGE_LIMIT)


def error_output(error: BaseException) -> dict[str, Any]:
    """The nbformat output for it, with a traceback for the instructor."""
    return made_error_output(_name(error), message(error), _traceback(error))


def made_error_output(name: str, words: str, lines: list[str] | None = None) -> dict[str, Any]:
    """An nbformat output of type ``error``."""
    lines = [f"{name}: {words}"] if lines is None else lines
    return {"output_type": "error", "ename": name, "evalue": words, "traceback": lines}


def is_not_attempted(error: BaseException) -> bool:
    """Whether the failure means that there was no answer yet."""
    return any(kind.__name__ == "NotAttempted" for kind in type(error).__mro__)


def is_from_call(error: BaseException) -> bool:
    """Whether a student's function raised it, so that its type is of the student's choosing."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(_CALL_FILES):
            return True
        trace = trace.tb_next
    return False


def is_narrow(error: BaseException) -> bool:
    """Whether luck in training may explain the failure; see ``nbjudge.judge.luck``."""
    return _attribute(error, "is_narrow_miss") is True and not is_from_call(error)


def measured(error: BaseException) -> dict[str, float]:
    """What the failing test measured; empty unless it is a dict of plain finite numbers."""
    told = _attribute(error, "measured")
    if not isinstance(told, dict):
        return {}
    numbers = {
        name: float(value)
        for name, value in told.items()
        if isinstance(name, str) and isinstance(value, Real) and not isinstance(value, bool)
    }
    sound = len(numbers) == len(told) and all(map(math.isfinite, numbers.values()))
    return numbers if sound else {}


def _name(error: BaseException) -> str:
    return type(error).__name__


def _attribute(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:
        return None


def _traceback(error: BaseException) -> list[str]:
    """The lines to show; exceptions may bring their own, by IPython's hook."""
    render = _attribute(error, "_render_traceback_")
    if callable(render):
        try:
            return [clipped(_UNSEEN.sub("", str(line)), MESSAGE_LIMIT) for line in render()]
        except Exception:
            pass
    try:
        told = traceback.TracebackException.from_exception(error, compact=True)
        _leave_out_own_frames(told, set())
        text = "".join(told.format())
    except Exception:
        text = failure(error)
    return clipped(_UNSEEN.sub("", text), _TRACEBACK_LIMIT).rstrip().split("\n")


def _leave_out_own_frames(told: traceback.TracebackException, done: set[int]) -> None:
    if id(told) in done:
        return
    done.add(id(told))
    kept = [frame for frame in told.stack if not frame.filename.startswith(_OWN_FILES)]
    told.stack = traceback.StackSummary.from_list(kept)
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if other is not None:
            _leave_out_own_frames(other, done)
