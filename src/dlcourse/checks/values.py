"""Plain values: numbers, text, lists, dictionaries."""

from __future__ import annotations

import math
from numbers import Number
from typing import Any, SupportsFloat, TypeGuard

import numpy as np

from dlcourse.checks.outcome import Check, a, fail, is_withheld, require_attempt, show


def is_same(got: Any, expected: Any, tolerance: float = 1e-6) -> bool:
    """Whether two plain values are the same for a learner's purposes.

    Number types do not matter (`np.int64(3)` is 3 is 3.0), nor does list against tuple.
    `tolerance` is relative, and absolute near zero. A `bool` is not a number.
    """
    if isinstance(expected, (tuple, list)):
        if isinstance(got, np.ndarray):
            got = got.tolist()
        return (
            isinstance(got, (tuple, list))
            and len(got) == len(expected)
            and all(is_same(g, e, tolerance) for g, e in zip(got, expected, strict=True))
        )
    if isinstance(expected, np.ndarray):
        try:
            got = np.asarray(got)
        except ValueError:
            return False
        return got.shape == expected.shape and bool(
            np.allclose(got, expected, rtol=tolerance, atol=tolerance)
            if np.issubdtype(expected.dtype, np.number) and np.issubdtype(got.dtype, np.number)
            else np.array_equal(got, expected)
        )
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got.item()
    if isinstance(got, np.generic):
        got = got.item()
    if isinstance(expected, np.generic):
        expected = expected.item()
    if _is_real(expected):
        if not _is_real(got):
            return False
        try:
            return math.isclose(got, expected, rel_tol=tolerance, abs_tol=tolerance)
        except OverflowError:  # a whole number beyond all floats
            return bool(got == expected)
    return type(got) is type(expected) and bool(got == expected)


def _is_real(value: Any) -> TypeGuard[SupportsFloat]:
    return isinstance(value, Number) and not isinstance(value, (bool, complex))


class ValueCheck(Check):
    """What may be asked of a plain value."""

    def __init__(self, name: str, value: Any) -> None:
        require_attempt(name, value)
        self.name, self.value = name, value

    def equals(self, expected: Any, because: str = "", tolerance: float = 1e-6) -> ValueCheck:
        """It is `expected` (see `is_same`); `because` is the equation with its numbers."""
        if not is_same(self.value, expected, tolerance):
            fail(f"{self.name} is {show(self.value)}.", answer=show(expected), because=because)
        return self

    def is_a_number(self) -> ValueCheck:
        """It is one number, of whatever number type."""
        value = self.value
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if not isinstance(value, (Number, np.number)) or isinstance(value, (bool, complex)):
            fail(f"{self.name} is {show(self.value)}.", expected="one number")
        return self

    def is_a_list_of(self, kind: type, length: int, hint: str = "") -> ValueCheck:
        """It is a list, tuple or array with `length` items, each a `kind` (such as `str`)."""
        items = self.value.tolist() if isinstance(self.value, np.ndarray) else self.value
        if not isinstance(items, (list, tuple)):
            fail(f"{self.name} is {show(self.value)}.", expected=f"a list of {kind.__name__}")
        if len(items) != length:
            fail(f"{self.name} has {len(items)} items.", answer=f"{length} items", hint=hint)
        for i, item in enumerate(items):
            if not isinstance(item, kind):
                fail(
                    f"{self.name}: item {i} is {show(item)}, {a(type(item).__name__)}.",
                    expected=f"every item is {a(kind.__name__)}",
                )
        return self

    def has_keys(self, *keys: str) -> ValueCheck:
        """It is a dictionary with (at least) these keys."""
        if not isinstance(self.value, dict):
            fail(f"{self.name} is {show(self.value)}.", expected="a dictionary")
        missing = [key for key in keys if key not in self.value]
        if missing:
            fail(
                f"{self.name} has no key "
                f"{'that the test looks for' if is_withheld() else ', '.join(map(repr, missing))}. "
                f"Its keys: {', '.join(map(repr, self.value)) or 'none'}.",
                answer=f"the keys {', '.join(map(repr, keys))}",
            )
        return self
