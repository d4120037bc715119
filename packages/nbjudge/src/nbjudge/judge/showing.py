"""Values in few words, for messages that a student reads: never names or text of a test."""

from __future__ import annotations

import numbers
import reprlib
import types
from typing import Any

LONGEST = 200
_FEW = 6
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)


class _Short(reprlib.Repr):
    """``reprlib`` with arrays, tables and whatever has a repr of its own told by their kind."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 20
        self.maxdeque = self.maxarray = 20
        self.maxstring = LONGEST
        self.maxlong = 60

    def repr1(self, x: Any, level: int) -> str:
        """One value, by its exact type: a subclass may show itself in any way."""
        kind = type(x)
        if kind.__module__.startswith("numpy") and hasattr(x, "item"):
            return self.repr1(x.item(), level) if getattr(x, "shape", None) == () else _array(x)
        if kind in (bool, float, complex, bytes, type(None), type(Ellipsis), range):
            return _clipped(repr(x))
        if kind in (int, str, list, tuple, set, frozenset, dict):
            return super().repr1(x, level)
        if isinstance(x, BaseException):
            return _clipped(f"{kind.__name__}({', '.join(map(self.repr, x.args))})")
        if isinstance(x, type):
            return f"the type {x.__name__}" if x.__module__ != "__main__" else "a class"
        if isinstance(x, types.ModuleType):
            return "a module"
        if isinstance(x, _FUNCTIONS) or kind.__name__ == "RemoteFunction":
            return "a function"
        if hasattr(x, "shape") and hasattr(x, "dtype") and hasattr(x, "__array__"):
            return _array(x)
        if hasattr(x, "shape") and hasattr(x, "columns"):
            rows, columns = x.shape
            return _clipped(f"a table of {rows} rows with the columns {self.repr(list(x.columns))}")
        if isinstance(x, numbers.Number) or kind.__module__ in ("collections", "datetime"):
            return _clipped(repr(x))
        return _kind(x)


_SHORT = _Short()


def show(value: Any) -> str:
    """A value as its repr, of at most ``LONGEST`` characters; arrays by shape and first items."""
    try:
        return _clipped(_SHORT.repr(value))
    except Exception:
        return _kind(value)


def clipped(text: str, limit: int) -> str:
    """``text``, shortened to ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _clipped(text: str) -> str:
    return clipped(text, LONGEST)


def _kind(value: Any) -> str:
    kind = type(value)
    return "an object" if kind.__module__ == "__main__" else f"a value of type {kind.__name__}"


def _array(value: Any) -> str:
    import numpy as np

    array = np.asarray(value)
    if array.ndim == 0:
        return _SHORT.repr(array.item())
    if array.size <= _FEW:
        return f"array({' '.join(str(show_items(array)).split())})"
    first = ", ".join(_SHORT.repr(item) for item in array.ravel()[:_FEW].tolist())
    return _clipped(f"an array of shape {array.shape} and type {array.dtype} ({first}, …)")


def show_items(array: Any) -> str:
    """A small array's items, as nested lists."""
    return _SHORT.repr(array.tolist())


def difference(left: Any, right: Any) -> str:
    """Where two values differ that look alike when shown shortened; empty if nothing tells."""
    try:
        return _difference(left, right)
    except Exception:
        return ""


def _difference(left: Any, right: Any) -> str:
    if hasattr(left, "__array__") and hasattr(right, "__array__") and left.shape == right.shape:
        import numpy as np

        one, other = np.asarray(left), np.asarray(right)
        if one.ndim == 0:
            return ""
        differ = one != other
        count = int(differ.sum())
        if not count:
            return ""
        place = tuple(int(i) for i in np.argwhere(differ)[0])
        where = place[0] if len(place) == 1 else place
        return (
            f"{count} of {one.size} items differ, the first at {where}: "
            f"{show(one[place])}, not {show(other[place])}"
        )
    alike = type(left) is type(right) and isinstance(left, (list, tuple, str))
    if not alike or max(len(repr(left)), len(repr(right))) <= LONGEST // 2:
        return ""
    pairs = enumerate(zip(left, right, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))
    if len(left) != len(right):
        return f"their lengths are {len(left)} and {len(right)}"
    return f"the first difference is at {first}: {show(left[first])}, not {show(right[first])}"
