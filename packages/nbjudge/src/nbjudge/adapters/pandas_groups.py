"""What ``groupby`` of a pandas table gives, where the groups are named by columns."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.api.typing import DataFrameGroupBy, SeriesGroupBy

_OPTIONS = ("as_index", "sort", "group_keys", "dropna")


def pack(value: Any) -> list[Any] | None:
    """The table, the names of the columns, the options and what was selected."""
    if type(value) is not DataFrameGroupBy and type(value) is not SeriesGroupBy:
        return None
    keys = value.keys
    names = keys if isinstance(keys, list) else [keys]
    if not all(type(key) is str for key in names):
        return None
    options = {name: bool(getattr(value, name)) for name in _OPTIONS if hasattr(value, name)}
    if type(value) is DataFrameGroupBy:
        selected = value._selection
        is_plain = selected is None or isinstance(selected, list)
        if not is_plain or not all(key in value.obj.columns for key in names):
            return None
        return [value.obj, names, isinstance(keys, list), options, selected]
    # Of the table, only this column is left, and what it is grouped by.
    selected = value.obj.name
    groupings = value._grouper.groupings
    if type(selected) is not str or selected in names or len(groupings) != len(names):
        return None
    columns = {key: one.grouping_vector for key, one in zip(names, groupings, strict=True)}
    table = pd.DataFrame({**columns, selected: value.obj}, index=value.obj.index)
    return [table, names, isinstance(keys, list), options, selected]


def unpack(parts: Any) -> Any:
    """The groups, made anew of the table."""
    table, names, is_list, options, selected = parts
    if not isinstance(table, pd.DataFrame) or not all(type(name) is str for name in names):
        raise ValueError("no table")
    chosen: dict[str, Any] = {name: options[name] is True for name in _OPTIONS if name in options}
    made: Any = table.groupby(names if is_list is True else names[0], **chosen)
    return made if selected is None else made[selected]
