"""Functions: called with inputs of the test's choosing, judged by what they return.

Only calls are used, never a function's source or its globals: the function may live in another
process than the test.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np

from dlcourse.checks.arrays import ArrayCheck
from dlcourse.checks.copies import CopiesCheck
from dlcourse.checks.histories import HistoryCheck
from dlcourse.checks.mistakes import hint_for
from dlcourse.checks.outcome import (
    Check,
    CheckFailed,
    NotAttempted,
    fail,
    is_withheld,
    require_attempt,
    show,
)
from dlcourse.checks.splits import SplitCheck
from dlcourse.checks.tables import TableCheck
from dlcourse.checks.values import ValueCheck, is_same


class FunctionCheck(Check):
    """What may be asked of a function."""

    def __init__(self, name: str, function: Any) -> None:
        require_attempt(name, function)
        if not callable(function):
            fail(f"{name} is {show(function)}.", expected=f"a function: `def {name}(...):`")
        self.name, self.function = name, function

    def called_with(self, *args: Any, **kwargs: Any) -> CallCheck:
        """Call it once with copies of these arguments; what it did is asked of the result.

        Raises `NotAttempted` where it raises NotImplementedError, and `CheckFailed` where it
        raises anything else.
        """
        return CallCheck(self.name, self.function, args, kwargs)

    def measures(
        self,
        true: np.ndarray,
        predicted: np.ndarray,
        expected: float,
        *others: Any,
        because: str = "",
        tolerance: float = 1e-6,
    ) -> FunctionCheck:
        """A measure such as a loss: called with `true` and `predicted`, it gives one number.

        `true` and `predicted` are of shape (n,). It is called with each also as a column, (n, 1):
        numpy spreads (n, 1) against (n,) to (n, n), and no error says so. `others` are its further
        arguments.
        """
        flat = true.ravel(), predicted.ravel()
        plain = self.called_with(*flat, *others)
        plain.gives_value().is_a_number()
        plain.returns(expected, because, tolerance=tolerance)
        columns = flat[0][:, None], flat[1][:, None]
        for pair in (columns, (columns[0], flat[1]), (flat[0], columns[1])):
            call = self.called_with(*pair, *others)
            call.gives_value().is_a_number()
            if not is_same(call.result, expected, tolerance):
                shapes = " and ".join(str(array.shape) for array in pair)
                mixed = pair[0].shape != pair[1].shape
                fail(
                    f"{self.name} returned {show(call.result)} for arrays of the shapes {shapes}.",
                    expected="the same as for the same numbers in two flat arrays",
                    answer=f"{show(expected)}, as for the same numbers in two arrays of shape "
                    f"{flat[0].shape}",
                    hint="(n, 1) and (n,) are spread against each other to (n, n). Make both "
                    "arrays flat first."
                    if mixed
                    else "",
                )
        return self


Args = tuple[Any, ...]
Kwargs = dict[str, Any]


class CallCheck(Check):
    """What may be asked of one call of a function."""

    def __init__(self, name: str, function: Any, args: Args, kwargs: Kwargs) -> None:
        self.name = name
        self.call = f"{name}({'…' if is_withheld() else _show_arguments(args, kwargs)})"
        self._given = [*args, *kwargs.values()]
        passed_args, passed_kwargs = _copied(args), {k: _copy(v) for k, v in kwargs.items()}
        self._passed = [*passed_args, *passed_kwargs.values()]
        try:
            self.result = _plain(function(*passed_args, **passed_kwargs))
        except CheckFailed:
            raise
        except (Exception, SystemExit) as error:
            # Where results come from another process, not all of them can be looked at.
            if getattr(error, "is_about_result", False):
                fail(
                    f"{self.call} returned a value that the test cannot read: {error}.",
                    hint=hint_for(error, name),
                )
            if type(error) is NotImplementedError and not error.args:
                raise NotAttempted(f"{name}, or a function that it calls") from None
            raise CheckFailed(
                f"{self.call} raised {type(error).__name__}: {_brief(error)}",
                hint=hint_for(error, name),
            ) from None

    def returns(
        self, expected: Any, because: str = "", hint: str = "", tolerance: float = 1e-6
    ) -> CallCheck:
        """It returned `expected` (see `values.is_same`); `because`: the equation, numbers in."""
        self.returns_something()
        if not is_same(self.result, expected, tolerance):
            fail(
                f"{self.call} returned {show(self.result)}.",
                answer=show(expected),
                because=because,
                hint=hint,
            )
        return self

    def returns_something(self) -> CallCheck:
        """It returned something at all."""
        if self.result is None:
            fail(
                f"{self.call} returned nothing (None).",
                expected="a value",
                hint="does the function end with a line `return …`? "
                "Printing or showing a value does not return it.",
            )
        return self

    def gives_value(self) -> ValueCheck:
        """The plain value that it returned, to be asked further."""
        self.returns_something()
        return ValueCheck(f"the result of {self.call}", self.result)

    def gives_array(self, item: int | None = None, what: str = "") -> ArrayCheck:
        """The array that it returned, or the one at place `item`, to be asked further.

        `what` it holds, such as "images", is how messages call it.
        """
        self.returns_something()
        if item is None:
            name, result = f"the result of {self.call}", self.result
        else:
            name, result = f"value {item + 1} of the result of {self.call}", self.result[item]
        if what:
            name = f"the array of {what} from {self.call}"
        return ArrayCheck(name, result, f"{self.call} returned {what} of" if what else "")

    def gives_model(self) -> Any:
        """The Keras model that it returned, to be asked further."""
        from dlcourse.checks.models import ModelCheck

        self.returns_something()
        return ModelCheck(f"the model from {self.call}", self.result)

    def gives_history(self) -> HistoryCheck:
        """The training history that it returned, to be asked further."""
        self.returns_something()
        return HistoryCheck(f"the history from {self.call}", self.result)

    def gives_table(self) -> TableCheck:
        """The table that it returned, to be asked further."""
        self.returns_something()
        return TableCheck(f"the table from {self.call}", self.result)

    def gives_split_of(self, rows: np.ndarray, labels: np.ndarray) -> SplitCheck:
        """The four parts of `rows` and `labels` that it returned, to be asked further."""
        self.gives_items(4)
        return SplitCheck(self.call, self.result, rows, labels)

    def gives_shifted_copies_of(self, signals: np.ndarray, labels: np.ndarray) -> CopiesCheck:
        """The signals with shifted copies, and the labels of all, that it returned."""
        self.gives_items(2)
        return CopiesCheck(self.call, self.result, signals, labels)

    def item(self, place: int, what: str) -> CallCheck:
        """The value at `place` of those that it returned, as if it were the only one.

        `what` it is, such as "for training", is how messages tell it.
        """
        one = copy.copy(self)
        one.call, one.result = f"{self.call}, {what},", self.result[place]
        return one

    def gives_figure(self) -> Any:
        """The matplotlib figure that it returned, to be asked further."""
        from dlcourse.checks.figures import FigureCheck

        self.returns_something()
        return FigureCheck(f"the figure from {self.call}", self.result)

    def gives_items(self, count: int) -> CallCheck:
        """It returned a tuple (or list) with `count` items."""
        self.returns_something()
        items = list(self.result) if isinstance(self.result, np.ndarray) else self.result
        if not isinstance(items, (tuple, list)) or len(items) != count:
            names = ", ".join("abcdefg"[:count])
            fail(
                f"{self.call} returned {show(self.result)}.",
                expected=f"{count} values in one tuple: `return {names}`",
            )
        self.result = items
        return self

    def leaves_its_arguments_alone(self) -> CallCheck:
        """None of the arrays and tables that it was given was changed."""
        for given, passed in zip(self._given, self._passed, strict=True):
            if type(given).__name__ == "DataFrame" and not given.equals(passed):
                fail(
                    f"{self.call} changed the table that it was given.",
                    expected="the original table, unchanged",
                    hint="work with the table that `table.drop(…)` returns, without inplace=True, "
                    "and make new columns only in a copy.",
                )
            if isinstance(given, np.ndarray) and not (
                given.dtype == passed.dtype and np.array_equal(given, passed)
            ):
                fail(
                    f"{self.call} changed the array that it was given.",
                    expected="the original array, unchanged",
                    hint="make a new array (`images / 255`). Do not change the old one "
                    "(`images /= 255`, `images[:] = …`, `array.sort()`).",
                )
            if hasattr(given, "columns") and not given.equals(passed):
                fail(
                    f"{self.call} changed the table that it was given.",
                    expected="the original table, unchanged",
                    hint="make a new table. Do not change the old one (`inplace=True`, "
                    "`table[…] = …`).",
                )
        return self


def _copied(args: Args) -> list[Any]:
    return [_copy(arg) for arg in args]


def _copy(value: Any) -> Any:
    """A copy of plain data; models and other live objects are handed over as they are."""
    if isinstance(value, (np.ndarray, list, tuple, dict)):
        return copy.deepcopy(value)
    return value.copy() if type(value).__module__.startswith("pandas.") else value


def _plain(value: Any) -> Any:
    """Tensors as arrays, also within a tuple or list; everything else as it is."""
    if type(value) in (tuple, list):
        return type(value)(map(_plain, value))
    if isinstance(value, np.ndarray) or not hasattr(value, "numpy"):
        return value
    return value.numpy()


def _show_arguments(args: Args, kwargs: Kwargs) -> str:
    shown = [_show_argument(arg) for arg in args]
    shown += [f"{name}={_show_argument(value)}" for name, value in kwargs.items()]
    # One mark is enough for several in a row that are too large to be shown.
    pairs = zip(shown, ["", *shown], strict=False)
    return ", ".join(text for text, before in pairs if not text == before == "…")


def _show_argument(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return "…"
    if isinstance(value, (list, tuple)) and len(value) > 6:
        return "…"
    if isinstance(value, (int, float, str, tuple, list, np.generic, np.ndarray)):
        return show(value).replace(",", "") if isinstance(value, int) else show(value)
    return "…"


def _brief(error: BaseException) -> str:
    """The error's message without Keras' frame around it, in one line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = re.sub(r"^Exception encountered when calling .*?\.\s*\n", "", text)
    text = " ".join(text.split("\n\nArguments received by ")[0].split())
    return text if len(text) <= 300 else text[:299] + "…"
