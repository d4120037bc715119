"""Which lines of hidden tests tell a student neither expected values nor what they hand in.

What checks for a course may ask, too: `withholds()`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType, TracebackType

NOT_TOLD = "a hidden test does not tell which"

_lines: dict[str, frozenset[int]] = {}

# Where comparisons of libraries are written, whose messages show both sides.
_COMPARING = (
    "numpy.testing",
    "pandas.testing",
    "pandas._testing",
    "unittest",
    "polars.testing",
    "torch.testing",
    "tensorflow.python.framework.test_util",
    "xarray.testing",
    "sklearn.utils._testing",
    "scipy._lib._array_api",
    "keras.src.testing",
    "matplotlib.testing",
    "networkx.utils.misc",
    "geopandas.testing",
    "nose",
    "hamcrest",
)


def withhold(file: str, lines: Iterable[int]) -> None:
    """From now on, `lines` (from 1) of the code that was compiled as `file` are such lines."""
    _lines[file] = frozenset(lines)


def withholds() -> bool:
    """Whether such a line is being run: then a message shows nothing that only the test knows."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_lineno in _lines.get(frame.f_code.co_filename, ()):
            return True
        frame = frame.f_back
    return False


def comparison(error: AssertionError) -> str:
    """The library's comparison that failed in such a line, such as `assert_allclose`; or ""."""
    trace, withheld, name = error.__traceback__, False, ""
    while trace is not None:
        withheld = withheld or _is_withheld(trace)
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if not name and any(f"{module}.".startswith(f"{one}.") for one in _COMPARING):
            name = trace.tb_frame.f_code.co_name
        trace = trace.tb_next
    return name if withheld else ""


def _is_withheld(trace: TracebackType) -> bool:
    return trace.tb_lineno in _lines.get(trace.tb_frame.f_code.co_filename, ())
