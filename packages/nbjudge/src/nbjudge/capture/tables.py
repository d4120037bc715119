"""pandas tables, columns, indices and moments. Attributes (``attrs``) are left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nbjudge.capture import limits, plain
from nbjudge.capture.arrays import array_node, array_of
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.kinds import bases_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

_NULLABLE = {
    name: getattr(pd.arrays, f"{family}Array")
    for family, names in {
        "Integer": "Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64",
        "Floating": "Float32 Float64",
        "Boolean": "boolean",
    }.items()
    for name in names.split()
}
_FREQUENCY = re.compile(r"[0-9]{0,6}[A-Za-z]{1,4}(-[A-Z]{3})?")
_UNITS = ("s", "ms", "us", "ns")
_CLOSED = ("left", "right", "both", "neither")


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of something of pandas."""
    if value is pd.NaT:
        return ["nat"]
    if value is pd.NA:
        return ["na"]
    bases = bases_of(kind)
    for base, encode_one in _ENCODERS.items():
        if base in bases:
            return encode_one(encoder, value)
    return None


def _frame(encoder: Encoder, value: pd.DataFrame) -> list[Any]:
    columns = encoder.node(value.columns, "columns")
    index = encoder.node(value.index, "index")
    kinds = set(value.dtypes)
    if len(kinds) == 1 and isinstance(only := kinds.pop(), np.dtype) and only.kind != "O":
        # Its own data, not an array that someone else may refer to.
        return ["frame2d", columns, index, array_node(encoder, value.to_numpy())]
    nodes = []
    for i in range(value.shape[1]):
        nodes.append(_column(encoder, value.iloc[:, i].array, str(value.columns[i])[:60]))
    return ["frame", columns, index, nodes]


def _series(encoder: Encoder, value: pd.Series) -> list[Any]:
    return [
        "series",
        encoder.node(value.name, "name"),
        encoder.node(value.index, "index"),
        _column(encoder, value.array, ""),
    ]


def _index(encoder: Encoder, value: pd.Index) -> list[Any]:
    name = encoder.node(value.name, "name")
    frequency = getattr(value, "freqstr", None)
    if type(frequency) is not str or not _FREQUENCY.fullmatch(frequency):
        frequency = None
    return ["index", name, frequency, _column(encoder, value.array, "")]


def _multi_index(encoder: Encoder, value: pd.MultiIndex) -> list[Any]:
    value = value.remove_unused_levels()
    return [
        "multi_index",
        [encoder.node(name) for name in value.names],
        [encoder.node(level) for level in value.levels],
        [array_node(encoder, np.asarray(codes)) for codes in value.codes],
    ]


def _range_index(encoder: Encoder, value: pd.RangeIndex) -> list[Any]:
    if len(value) > limits.LAZY_LENGTH:
        raise NotHandedOut(
            f"{encoder.name} has an index of more than {limits.LAZY_LENGTH:,} numbers"
        )
    return ["range_index", encoder.node(value.name), value.start, value.stop, value.step]


def _column(encoder: Encoder, column: Any, step: str) -> list[Any]:
    """What one column or index holds: ``[form, …]``."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) or type(column) is pd.arrays.NumpyExtensionArray:
        return ["plain", array_node(encoder, np.asarray(column))]
    if isinstance(dtype, pd.CategoricalDtype):
        codes = array_node(encoder, np.asarray(column.codes))
        return ["categories", codes, encoder.node(column.categories), bool(column.ordered)]
    if isinstance(dtype, pd.DatetimeTZDtype):
        moments = column.tz_convert("UTC").tz_localize(None).to_numpy()
        return ["zoned", array_node(encoder, moments), plain.zone_node(encoder, dtype.tz)]
    if isinstance(dtype, pd.StringDtype):
        items = [None if item is pd.NA or item != item else str(item) for item in column]
        missing = "nan" if dtype.na_value is not pd.NA else "na"
        return ["strings", missing, [encoder.node(item, step) for item in items]]
    if dtype.name in _NULLABLE and isinstance(column, _NULLABLE[dtype.name]):
        mask = np.asarray(column.isna())
        numeric = np.dtype(bool) if dtype.name == "boolean" else dtype.numpy_dtype
        data = column.to_numpy(dtype=numeric, na_value=numeric.type(0))
        return ["nullable", dtype.name, array_node(encoder, data), array_node(encoder, mask)]
    if isinstance(dtype, pd.IntervalDtype):
        left, right = encoder.node(pd.Index(column.left)), encoder.node(pd.Index(column.right))
        return ["intervals", left, right, column.closed]
    if isinstance(dtype, pd.PeriodDtype):
        return ["periods", array_node(encoder, np.asarray(column.asi8)), dtype.name[7:-1]]
    raise NotHandedOut(f"a column of dtype {dtype} cannot be handed out{encoder.place()}")


def _moment(encoder: Encoder, value: pd.Timestamp) -> list[Any]:
    zone = plain.zone_node(encoder, value.tzinfo)
    return ["timestamp", int(value.asm8.view("i8")), value.unit, zone]


_ENCODERS: dict[type, Callable[[Encoder, Any], list[Any]]] = {
    pd.DataFrame: _frame,
    pd.Series: _series,
    pd.RangeIndex: _range_index,
    pd.MultiIndex: _multi_index,
    pd.Index: _index,
    pd.Timestamp: _moment,
    pd.Timedelta: lambda e, v: ["pdelta", int(v.asm8.view("i8")), v.unit],
    pd.Interval: lambda e, v: ["interval", e.node(v.left), e.node(v.right), v.closed],
    pd.Period: lambda e, v: ["period", v.ordinal, pd.PeriodDtype(v.freq).name[7:-1]],
    pd.api.extensions.ExtensionArray: lambda e, v: ["pdarray", _column(e, v, "")],
}


def _decode_column(decoder: Decoder, node: Any) -> Any:
    if type(node) is not list or not node:
        raise Damaged("no column")
    form, *rest = node
    return _COLUMNS[form](decoder, *rest)


def _index_of(decoder: Decoder, node: Any) -> pd.Index:
    index = decoder.value(node)
    if not isinstance(index, pd.Index):
        raise Damaged("no index")
    return index


def _name_of(decoder: Decoder, node: Any) -> Any:
    name = decoder.value(node)
    hash(name)
    return name


def _categories(decoder: Decoder, codes: Any, categories: Any, ordered: Any) -> pd.Categorical:
    known = _index_of(decoder, categories)
    numbers: Any = array_of(decoder, codes)
    return pd.Categorical.from_codes(numbers, known, ordered=bool(ordered))


def _zoned(decoder: Decoder, moments: Any, zone: Any) -> Any:
    array = array_of(decoder, moments)
    if array.dtype.kind != "M":
        raise Damaged("no moments")
    return pd.DatetimeIndex(array).tz_localize("UTC").tz_convert(decoder.value(zone)).array


def _nullable(decoder: Decoder, name: Any, data: Any, mask: Any) -> Any:
    values, missing = array_of(decoder, data), array_of(decoder, mask)
    if missing.dtype != bool or missing.shape != values.shape or values.ndim != 1:
        raise Damaged("no nullable column")
    array = _NULLABLE[name](values, missing)
    if array.dtype.name != name:
        raise Damaged("a nullable column of another dtype")
    return array


def _strings(decoder: Decoder, missing: Any, nodes: Any) -> Any:
    items = decoder.values(nodes)
    if not all(item is None or type(item) is str for item in items):
        raise Damaged("no texts")
    if missing == "nan":
        return pd.array(items, dtype=pd.StringDtype("python", na_value=np.nan))
    return pd.array(items, dtype=pd.StringDtype("python"))


def _intervals(decoder: Decoder, left: Any, right: Any, closed: Any) -> Any:
    if closed not in _CLOSED:
        raise Damaged("no interval")
    return pd.arrays.IntervalArray.from_arrays(
        _index_of(decoder, left), _index_of(decoder, right), closed=closed
    )


def _period_dtype(frequency: Any) -> pd.PeriodDtype:
    if type(frequency) is not str or not _FREQUENCY.fullmatch(frequency):
        raise Damaged("no frequency")
    return pd.PeriodDtype(frequency)


def _periods(decoder: Decoder, ordinals: Any, frequency: Any) -> Any:
    array = array_of(decoder, ordinals)
    if array.ndim != 1 or array.dtype != np.int64:
        raise Damaged("no periods")
    return pd.arrays.PeriodArray(array, dtype=_period_dtype(frequency))


def _decode_period(decoder: Decoder, ordinal: Any, frequency: Any) -> pd.Period:
    if type(ordinal) is not int or abs(ordinal) >= 2**63:
        raise Damaged("no period")
    span: Any = _period_dtype(frequency).freq
    return pd.Period(ordinal=ordinal, freq=span)


def _decode_pdarray(decoder: Decoder, node: Any) -> Any:
    return pd.array(_decode_column(decoder, node), copy=False)


def _plain_column(decoder: Decoder, node: Any) -> np.ndarray:
    array = array_of(decoder, node)
    if array.ndim != 1:
        raise Damaged("a column with rows and columns")
    return array


_COLUMNS: dict[str, Callable[..., Any]] = {
    "plain": _plain_column,
    "categories": _categories,
    "zoned": _zoned,
    "nullable": _nullable,
    "strings": _strings,
    "intervals": _intervals,
    "periods": _periods,
}


def _decode_frame(decoder: Decoder, columns: Any, index: Any, nodes: Any) -> pd.DataFrame:
    names, rows = _index_of(decoder, columns), _index_of(decoder, index)
    if type(nodes) is not list or len(nodes) != len(names):
        raise Damaged("a table with too few columns")
    data = {i: _decode_column(decoder, node) for i, node in enumerate(nodes)}
    if any(len(column) != len(rows) for column in data.values()):
        raise Damaged("a table with columns of different lengths")
    frame = pd.DataFrame(
        {i: pd.Series(column, index=rows, dtype=column.dtype) for i, column in data.items()},
        index=rows,
    )
    frame.columns = names
    return frame


def _decode_frame2d(decoder: Decoder, columns: Any, index: Any, node: Any) -> pd.DataFrame:
    names, rows = _index_of(decoder, columns), _index_of(decoder, index)
    array = array_of(decoder, node)
    if array.shape != (len(rows), len(names)):
        raise Damaged("a table of another shape than it says")
    return pd.DataFrame(array, index=rows, columns=names)


def _decode_series(decoder: Decoder, name: Any, index: Any, node: Any) -> pd.Series:
    label, rows = _name_of(decoder, name), _index_of(decoder, index)
    column = _decode_column(decoder, node)
    if len(column) != len(rows):
        raise Damaged("a column of another length than its index")
    return pd.Series(column, index=rows, name=label, dtype=column.dtype)


def _decode_index(decoder: Decoder, name: Any, frequency: Any, node: Any) -> pd.Index:
    label = _name_of(decoder, name)
    column = _decode_column(decoder, node)
    plain.check_hashes(list(column) if column.dtype.kind == "O" else [])
    index: pd.Index = pd.Index(column, name=label, dtype=column.dtype)
    if frequency is not None:
        if type(frequency) is not str or not _FREQUENCY.fullmatch(frequency):
            raise Damaged("no frequency")
        kind: Any = type(index)  # of moments or periods
        index = kind(index, freq=frequency, name=label)
    return index


def _decode_multi_index(decoder: Decoder, names: Any, levels: Any, codes: Any) -> pd.MultiIndex:
    labels = [_name_of(decoder, name) for name in names]
    known = [_index_of(decoder, level) for level in levels]
    places = [array_of(decoder, code) for code in codes]
    if any(place.ndim != 1 or place.dtype.kind != "i" for place in places):
        raise Damaged("no index of several levels")
    make: Any = pd.MultiIndex
    index: pd.MultiIndex = make(levels=known, codes=places, names=labels, verify_integrity=True)
    return index


def _decode_range_index(
    decoder: Decoder, name: Any, start: Any, stop: Any, step: Any
) -> pd.RangeIndex:
    if not all(type(n) is int and abs(n) < 2**62 for n in (start, stop, step)):
        raise Damaged("no range")
    if len(range(start, stop, step)) > limits.LAZY_LENGTH:
        raise Damaged("an index that is too long")
    return pd.RangeIndex(start, stop, step, name=_name_of(decoder, name))


def _decode_moment(decoder: Decoder, number: Any, unit: Any, zone: Any) -> pd.Timestamp:
    if unit not in _UNITS:
        raise Damaged("no moment")
    moment = pd.Timestamp(np.datetime64(number, unit))
    place = decoder.value(zone)
    return moment if place is None else moment.tz_localize("UTC").tz_convert(place)


def _decode_delta(decoder: Decoder, number: Any, unit: Any) -> pd.Timedelta:
    if unit not in _UNITS:
        raise Damaged("no span of time")
    return pd.Timedelta(np.timedelta64(number, unit))


def _decode_interval(decoder: Decoder, left: Any, right: Any, closed: Any) -> pd.Interval:
    if closed not in _CLOSED:
        raise Damaged("no interval")
    return pd.Interval(decoder.value(left), decoder.value(right), closed)


DECODERS: dict[str, Callable[..., Any]] = {
    "frame": _decode_frame,
    "frame2d": _decode_frame2d,
    "series": _decode_series,
    "index": _decode_index,
    "multi_index": _decode_multi_index,
    "range_index": _decode_range_index,
    "timestamp": _decode_moment,
    "period": _decode_period,
    "pdarray": _decode_pdarray,
    "pdelta": _decode_delta,
    "nat": lambda d: pd.NaT,
    "na": lambda d: pd.NA,
    "interval": _decode_interval,
}
