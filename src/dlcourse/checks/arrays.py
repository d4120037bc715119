"""Arrays: shape, type, range, and whether images were normalised as they should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.outcome import Check, fail, require_attempt, show

# Images (n, height, width, channels) and their labels (n,) or (n, 1).
Images = tuple[np.ndarray, np.ndarray]


class ArrayCheck(Check):
    """What may be asked of a numpy array."""

    def __init__(self, name: str, array: Any, has: str = "") -> None:
        """`has` is how a sentence about its shape begins, by default "NAME has"."""
        require_attempt(name, array)
        if type(array).__module__.startswith("pandas.") and hasattr(array, "to_numpy"):
            array = array.to_numpy()  # a column, or a table of numbers
        if not isinstance(array, np.ndarray):
            fail(f"{name} is {show(array)}.", expected="a numpy array")
        if array.dtype == object:
            fail(f"{name} is an array of Python objects.", expected="an array of numbers")
        if array.dtype.kind not in "biuf":
            fail(f"{name} is an array of type {array.dtype}.", expected="an array of real numbers")
        self.name, self.array, self._has = name, array, has or f"{name} has"

    def has_shape(self, *shape: int, because: str = "") -> ArrayCheck:
        """Its shape is exactly `shape`; `because` says why, such as "count was 3"."""
        if self.array.shape != shape:
            wanted = f"shape {shape}" + (f", because {because}" if because else "")
            fail(f"{self._has} shape {self.array.shape}.", expected=wanted)
        return self

    def is_floating(self) -> ArrayCheck:
        """It holds fractions (float), not whole numbers."""
        if not np.issubdtype(self.array.dtype, np.floating):
            fail(
                f"{self.name} has type {self.array.dtype}, which holds only whole numbers.",
                expected="a float type",
                hint="/ gives floats. // and astype('uint8') drop the fractions.",
            )
        return self

    def is_whole(self) -> ArrayCheck:
        """It holds whole numbers (int), not fractions."""
        if self.array.dtype.kind not in "iu":
            fail(
                f"{self.name} has type {self.array.dtype}.",
                expected="an int type: whole numbers",
                hint='np.zeros gives floats. `np.zeros(…, dtype="int32")` gives whole numbers.',
            )
        return self

    def lies_between(self, low: float, high: float) -> ArrayCheck:
        """All its values are finite and within [low, high]."""
        if not np.isfinite(self.array).all():
            fail(f"{self.name} has values that are not numbers (nan or inf).")
        smallest, largest = self.array.min(initial=low), self.array.max(initial=high)
        if smallest < low or largest > high:
            fail(
                f"{self.name} goes from {show(smallest)} to {show(largest)}.",
                expected=f"all values between {show(low)} and {show(high)}",
            )
        return self

    def equals(
        self, expected: np.ndarray, tolerance: float = 1e-6, because: str = ""
    ) -> ArrayCheck:
        """Same shape and, within `tolerance` (absolute), same values; the type does not matter.

        `because` tells where to look if they differ.
        """
        self.has_shape(*expected.shape)
        is_whole = not {self.array.dtype.kind, expected.dtype.kind} - set("biu")
        if is_whole and tolerance < 1:  # large ones have no float of their own
            same = self.array == expected
        else:
            same = np.abs(self.array.astype(float) - expected.astype(float)) <= tolerance
        if not same.all():
            where = tuple(int(i) for i in np.argwhere(~same)[0])
            fail(
                f"{self.name}: the value at {list(where)} is {show(self.array[where])}.",
                answer=show(expected[where]),
                hint=because,
            )
        return self

    def is_normalised_from(self, original: np.ndarray, largest: float = 255) -> ArrayCheck:
        """It is `original` divided by `largest`, once, as floats.

        Told apart: not divided, divided twice, divided by another number, rounded away.
        """
        self.has_shape(*original.shape)
        expected = original.astype(np.float64) / largest
        got = self.array.astype(np.float64)
        # float16 still tells 255 steps apart; a rounding error is no mistake.
        if np.allclose(got, expected, atol=1e-3) and np.issubdtype(self.array.dtype, np.floating):
            return self
        once = f"every value divided by {largest:g}, once"
        if np.array_equal(got, original):
            fail(
                f"{self.name} still goes from {show(got.min())} to {show(got.max())}. "
                "It was not normalised.",
                expected=once,
                hint="normalise both the training and the test images.",
            )
        if np.allclose(got, expected / largest, atol=1e-6):
            fail(
                f"{self.name} was normalised twice: its largest value is {show(got.max())}.",
                expected=once,
                hint="were the images normalised before the function was called?",
            )
        self.is_floating()
        ratio = _common_ratio(got, original)
        if ratio is not None and ratio != 0:
            fail(
                f"{self.name} was divided by {1 / ratio:.4g}.",
                expected=once,
                hint="the number must not depend on the images at hand: "
                "a pixel's largest possible value is the same for all of them."
                if np.isclose(1 / ratio, original.max(), rtol=1e-3)
                else f"a pixel's largest possible value is {largest:g}.",
            )
        fail(
            f"{self.name} goes from {show(got.min())} to {show(got.max())}, and is not the "
            "original divided by one number.",
            expected=once,
        )


def _common_ratio(got: np.ndarray, original: np.ndarray) -> float | None:
    """The one factor that makes `original` into `got`, or None where there is no such factor."""
    lit = original != 0
    if not lit.any():
        return None
    ratios = got[lit] / original[lit]
    middle = float(np.median(ratios))
    return middle if np.allclose(got, original * middle, rtol=1e-3, atol=1e-6) else None
