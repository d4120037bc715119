"""Comparisons in the judge's process that say nothing good of what they did not look at.

Some comparisons pass over elements: pandas leaves out ``NA``, the largest of objects may leave out
NaN, and numpy broadcasts an array without elements, so that all of its none are equal. An answer
must not pass by that. Here ``NA`` differs from every value, NaN is among numbers, and an array
without elements differs from one that has some.
"""

from __future__ import annotations

import functools
import numbers
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from nbjudge.capture import arrays

Replace = Callable[[Any, str, Any], None]
_COMPARING: tuple[np.ufunc, ...] = (np.equal, np.not_equal, np.subtract)
_MARK = "looks_at_all"
# Nodes of pandas that hold columns.
_WITH_MISSING = ("pdarray", "series", "frame", "index")


def look_at_all(replace: Replace = setattr) -> None:
    """See to it in numpy, and in pandas where it is imported; ``replace`` is for tests."""
    _watch_numpy(replace)
    if "pandas" in sys.modules:
        _watch_pandas(replace)


def watching_hooks() -> dict[str, Callable[..., Any]]:
    """How the judge decodes arrays and what pandas has, so that comparisons look at all of it."""
    hooks: dict[str, Callable[..., Any]] = {tag: _array_hook(tag) for tag in ("array", "oarray")}
    return hooks | {tag: _pandas_hook(tag) for tag in _WITH_MISSING}


def _array_hook(tag: str) -> Callable[..., Any]:
    decode: Callable[..., np.ndarray] = arrays.DECODERS[tag]
    return lambda *node: empty_watched(_with_real_nan(decode(*node)))


def _with_real_nan(array: np.ndarray) -> np.ndarray:
    """``array``; numbers among which is NaN not as objects, whose maximum passes over it."""
    if array.dtype.kind == "O":
        items = array.ravel().tolist()
        if all(isinstance(item, numbers.Number) for item in items) and any(
            item != item for item in items
        ):
            return array.astype(complex if any(map(np.iscomplexobj, items)) else float)
    return array


def _pandas_hook(tag: str) -> Callable[..., Any]:
    def decoded(*node: Any) -> Any:
        from nbjudge.capture import tables

        look_at_all()
        decode: Callable[..., Any] = tables.DECODERS[tag]
        return decode(*node)

    return decoded


class EmptyArray(np.ndarray):
    """An array of the notebook that has no elements: it can't be compared with one that has some.

    Nor can its difference from that one be taken, which tests look at as well.
    """

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: Any, *inputs: Any, out: Any = (), **options: Any
    ) -> Any:
        """Do what any array does, but for those."""
        if ufunc in _COMPARING and any(np.ndim(one) and np.size(one) for one in inputs):
            shapes = " and ".join(str(np.shape(one)) for one in inputs)
            raise ValueError(f"arrays of the shapes {shapes} are compared: one has no elements")
        if out:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        return empty_watched(result) if isinstance(result, np.ndarray) else result


def empty_watched(array: np.ndarray) -> np.ndarray:
    """``array``; one without elements as an ``EmptyArray``."""
    return array if array.size else array.view(EmptyArray)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, EmptyArray) else value


def _one_is_empty(left: Any, right: Any) -> bool:
    return (np.size(left) == 0) != (np.size(right) == 0)


def _watch_numpy(replace: Replace) -> None:
    from numpy._core import numeric  # allclose finds isclose there
    from numpy.testing._private import utils

    isclose, compare = numeric.isclose, utils.assert_array_compare
    equivalent = numeric.array_equiv
    if hasattr(isclose, _MARK):
        return

    @functools.wraps(isclose)
    def isclose_of_all(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        if _one_is_empty(a, b):
            return np.zeros(1, bool)
        return isclose(a, b, *args, **kwargs)

    @functools.wraps(equivalent)
    def array_equiv_of_all(a1: Any, a2: Any) -> bool:
        return not _one_is_empty(a1, a2) and equivalent(a1, a2)

    @functools.wraps(compare)
    def compare_all(comparison: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
        if _one_is_empty(x, y):
            raise AssertionError(
                f"Arrays are not equal (shapes {np.shape(x)}, {np.shape(y)}: one has no elements)"
            )
        return compare(comparison, x, y, *args, **kwargs)

    setattr(isclose_of_all, _MARK, True)
    for place in (np, numeric):
        replace(place, "isclose", isclose_of_all)
        replace(place, "array_equiv", array_equiv_of_all)
    replace(utils, "assert_array_compare", compare_all)


def _watch_pandas(replace: Replace) -> None:
    from pandas.core.arrays.masked import BaseMaskedArray
    from pandas.core.arrays.string_ import StringArray

    for kind in (BaseMaskedArray, StringArray):
        # Subclasses have it from one of these two; operators find it by this name.
        compare = vars(kind)["_cmp_method"]
        if not hasattr(compare, _MARK):
            replace(kind, "_cmp_method", _of_all(compare))


def _of_all(compare: Any) -> Any:
    def compare_all(self: Any, other: Any, op: Any) -> Any:
        import pandas as pd

        result = compare(self, other, op)
        if isinstance(result, pd.arrays.BooleanArray) and result.isna().any():
            # Missing in one of the two only: not equal, and neither less nor more.
            one_sided = pd.isna(self) ^ pd.isna(other)
            result[one_sided & result.isna()] = op is operator.ne
        return result

    setattr(compare_all, _MARK, True)
    return compare_all
