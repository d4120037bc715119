"""Tables: columns, rows, index and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlcourse.checks.outcome import Check, fail, is_withheld, require_attempt, show
from dlcourse.checks.values import is_same


class TableCheck(Check):
    """What may be asked of a pandas DataFrame."""

    def __init__(self, name: str, table: Any) -> None:
        require_attempt(name, table)
        if not isinstance(table, pd.DataFrame):
            fail(f"{name} is {show(table)}.", expected="a pandas DataFrame")
        self.name, self.table = name, table

    def has_columns(self, *columns: str) -> TableCheck:
        """It has (at least) these columns, in any order."""
        missing = [column for column in columns if column not in self.table.columns]
        if missing:
            found = ", ".join(map(str, self.table.columns)) or "none"
            fail(
                f"{self.name} has these columns: {found}.",
                answer=f"a column {', '.join(missing)}",
            )
        return self

    def has_only_columns(self, *columns: str) -> TableCheck:
        """It has these columns and no others, in any order."""
        self.has_columns(*columns)
        if more := [str(column) for column in self.table.columns if column not in columns]:
            fail(
                f"{self.name} has the column {', '.join(more)}, too.",
                expected="no others than the task names",
                answer=f"only {', '.join(columns)}",
            )
        return self

    def has_rows(self, count: int, because: str = "") -> TableCheck:
        """It has `count` rows; `because` says which."""
        if len(self.table) != count:
            fail(f"{self.name} has {len(self.table)} rows.", answer=f"{count} rows", hint=because)
        return self

    def is_confusion_of(
        self, true: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
    ) -> TableCheck:
        """It counts how often which class was taken for which: a row for each true class.

        A column for each predicted class, both in the order of `classes`; a class that does not
        occur has zeros.
        """
        counts = np.zeros((len(classes), len(classes)), int)
        for one, other in zip(true, predicted, strict=True):
            counts[classes.index(one), classes.index(other)] += 1
        sides = (("row", self.table.index), ("column", self.table.columns))
        for what, labels in sides:
            if missing := [name for name in classes if name not in labels]:
                fail(
                    f"{self.name} lacks {len(missing)} of the {what}s that it has to have."
                    if is_withheld()
                    else f"{self.name} has no {what} {', '.join(missing)}.",
                    expected=f"a {what} for each class, in the order of classes",
                    hint="a class that never occurs has a row and a column, too: with zeros.",
                )
        for what, labels in sides:
            if labels.tolist() != list(classes):
                fail(
                    f"{self.name} has these {what}s: {', '.join(map(str, labels))}.",
                    expected="one for each class, in the order of classes",
                    answer=f"one for each class, in the order of classes: {', '.join(classes)}",
                )
        got = self.table.to_numpy()
        if is_same(got, counts):
            return self
        if is_same(got, counts.T):
            fail(
                f"{self.name} has rows and columns interchanged.",
                expected="rows are what it was, columns are what was predicted",
            )
        if is_same(got.sum(), 0) or not is_same(got.sum(), len(true)):
            fail(
                f"the numbers in {self.name} add up to {show(got.sum())}.",
                expected="each example is counted once, as a whole number",
                answer=f"{len(true)}: each example is counted once, as a whole number",
            )
        for (i, j), count in np.ndenumerate(counts):
            if not is_same(got[i, j], count):
                fail(
                    f"{self.name} has {show(got[i, j])} in "
                    + (
                        f"row {i + 1}, column {j + 1}."
                        if is_withheld()
                        else f"row {classes[i]}, column {classes[j]}."
                    ),
                    answer=f"{count}: that many were {classes[i]} and were taken for {classes[j]}",
                )
        return self

    def has_index(self, expected: list[Any]) -> TableCheck:
        """Its index is `expected`."""
        got = self.table.index.tolist()
        if not is_same(got, expected):
            fail(f"{self.name} has the index {show(got)}.", answer=show(expected))
        return self

    def holds(self, columns: dict[str, list[float]]) -> TableCheck:
        """Each of these columns is there, with these values from top to bottom."""
        self.has_columns(*columns)
        for column, values in columns.items():
            got = self.table[column].tolist()
            if not is_same(got, values):
                fail(f"{self.name}: column {column} is {show(got)}.", answer=show(values))
        return self
