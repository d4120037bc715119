"""Tables: columns, rows, index and what they hold."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dlcourse.checks.outcome import Check, fail, require_attempt, show
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
                expected=f"a column {', '.join(missing)}",
            )
        return self

    def has_only_columns(self, *columns: str) -> TableCheck:
        """It has these columns and no others, in any order."""
        self.has_columns(*columns)
        if more := [str(column) for column in self.table.columns if column not in columns]:
            fail(
                f"{self.name} has the column {', '.join(more)}, too.",
                expected=f"only {', '.join(columns)}",
            )
        return self

    def has_rows(self, count: int) -> TableCheck:
        """It has `count` rows."""
        if len(self.table) != count:
            fail(f"{self.name} has {len(self.table)} rows.", expected=f"{count} rows")
        return self

    def has_index(self, expected: list[Any]) -> TableCheck:
        """Its index is `expected`."""
        got = self.table.index.tolist()
        if not is_same(got, expected):
            fail(f"{self.name} has the index {show(got)}.", expected=show(expected))
        return self

    def holds(self, columns: dict[str, list[float]]) -> TableCheck:
        """Each of these columns is there, with these values from top to bottom."""
        self.has_columns(*columns)
        for column, values in columns.items():
            got = self.table[column].tolist()
            if not is_same(got, values):
                fail(f"{self.name}: column {column} is {show(got)}.", expected=show(values))
        return self
