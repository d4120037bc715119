"""Python's own values: numbers, texts, containers, dates and paths."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import json
import keyword
import pathlib
import re
import sys
import uuid
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbjudge.capture import limits
from nbjudge.capture.errors import Damaged, NotHandedOut

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

_PACK_FROM = 32
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,3}")


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of a value whose type is exactly one of Python's own."""
    encode_one = ENCODERS.get(kind)
    return None if encode_one is None else encode_one(encoder, value)


class IterationFailed(Exception):
    """An iterator raised ``error`` when it was asked for its items."""

    def __init__(self, error: BaseException):
        self.error = error
        super().__init__(f"{type(error).__name__}: {error}")


def iterator_node(encoder: Encoder, value: Any) -> list[Any]:
    """The node of an iterator, which is used up by this. Raises ``IterationFailed``."""
    items: list[Any] = []
    while True:
        try:
            items.append(next(value))
        except StopIteration:
            break
        except (Exception, SystemExit, GeneratorExit) as error:
            raise IterationFailed(error) from None
        if len(items) > limits.ITERATOR_ITEMS:
            raise NotHandedOut(
                f"{encoder.name} gives more than {limits.ITERATOR_ITEMS:,} items, or never ends"
                f"{encoder.place()}"
            )
    return ["iter", *_items(encoder, items)]


def check_hashes(keys: list[Any]) -> None:
    """Raise ``Damaged`` for keys that were chosen to make a dict slow."""
    if len(keys) > limits.SAME_HASH:
        most = collections.Counter(map(hash, keys)).most_common(1)[0][1]
        if most > limits.SAME_HASH:
            raise Damaged("too many keys with one hash")


def zone_node(encoder: Encoder, zone: Any) -> Any:
    """The node of a time zone, or None for no zone."""
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        return ["zone", zone.utcoffset(None).total_seconds()]
    # pandas takes a zone of zoneinfo and the same one of pytz for different dtypes.
    for attribute, library in (("key", "zoneinfo"), ("zone", "pytz")):
        name = getattr(zone, attribute, None)
        if type(name) is str and _ZONE.fullmatch(name):
            return ["zone", name, library]
    raise NotHandedOut(f"this time zone cannot be handed out{encoder.place()}")


def _integer(encoder: Encoder, value: int) -> Any:
    if value.bit_length() > limits.INTEGER_BITS:
        raise NotHandedOut(f"{encoder.name} is a number of more than 4,000 digits{encoder.place()}")
    return ["int", hex(value)]


def text_node(encoder: Encoder, value: str) -> list[Any]:
    """The node of a text that is long, or is none in UTF-8."""
    return ["text", encoder.buffer(value.encode("utf-8", "surrogatepass"))]


def _items(encoder: Encoder, items: Any) -> list[Any]:
    """The items of a list: ``[nodes]``, or ``[code, buffer]`` for many floats or integers."""
    if len(items) >= _PACK_FROM:
        kinds = set(map(type, items))
        code = "d" if kinds == {float} else "q" if kinds == {int} else ""
        if code:
            try:
                packed = array.array(code, items)
            except OverflowError:
                pass
            else:
                encoder.count(len(items))
                if sys.byteorder == "big":
                    packed.byteswap()
                return [code, encoder.buffer(packed.tobytes())]
    return [[encoder.node(item, str(i)) for i, item in enumerate(items)]]


def _pairs(encoder: Encoder, value: dict[Any, Any]) -> list[Any]:
    nodes = []
    for i, (key, item) in enumerate(list(dict.items(value))):
        step = key if type(key) is str and len(key) <= 60 else str(i)
        nodes.append(encoder.node(key, f"key {i}"))
        nodes.append(encoder.node(item, step))
    return nodes


def _members(encoder: Encoder, value: Any) -> list[Any]:
    """The members of a set in an order that does not depend on their hashes."""
    ordered = sorted(value, key=lambda item: _place(encoder, item))
    return [encoder.node(item, f"member {i}") for i, item in enumerate(ordered)]


def _place(encoder: Encoder, item: Any) -> tuple[str, str]:
    """Where an item of a set belongs, by what it is written down as."""
    kind = type(item)
    if kind is int:
        return "int", hex(item)
    if kind in (type(None), bool, float, str, bytes):
        return kind.__name__, repr(item)
    apart = type(encoder)(encoder.limit, _NamesOnly(), encoder.name)
    node = apart.node(item)
    return kind.__name__, json.dumps([node, [buffer.hex() for buffer in apart.buffers]])


class _NamesOnly:
    """Writes a function down by its name, which is enough to put it in order."""

    def node(self, path: str, function: Any) -> list[Any]:
        return ["function", str(getattr(function, "__qualname__", ""))]


def _slice(encoder: Encoder, value: slice) -> list[Any]:
    return ["slice", *(encoder.node(v) for v in (value.start, value.stop, value.step))]


def _range(encoder: Encoder, value: range) -> list[Any]:
    try:
        length = len(value)
    except OverflowError:
        length = sys.maxsize
    if length > limits.LAZY_LENGTH:
        raise NotHandedOut(
            f"{encoder.name} is a range of more than {limits.LAZY_LENGTH:,} numbers"
            f"{encoder.place()}"
        )
    return ["range", *(encoder.node(v) for v in (value.start, value.stop, value.step))]


def is_named(kind: type) -> bool:
    """Whether a subclass of tuple is a named tuple that can be made again."""
    fields = getattr(kind, "_fields", None)
    return (
        type(fields) is tuple
        and len(fields) <= limits.NAMED_FIELDS
        and all(map(_is_field, [kind.__name__, *fields]))
        and len(set(fields)) == len(fields)
    )


def _is_field(name: Any) -> bool:
    return (
        type(name) is str
        and len(name) <= 100
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("_")
    )


def named_node(encoder: Encoder, value: tuple[Any, ...], kind: type) -> list[Any]:
    """The node of a named tuple."""
    fields: tuple[str, ...] = getattr(kind, "_fields", ())
    items = list(tuple.__iter__(value))
    if len(items) != len(fields):
        return ["tuple", *_items(encoder, items)]
    nodes = [encoder.node(v, f) for f, v in zip(fields, items, strict=True)]
    return ["named", kind.__name__, list(fields), nodes]


def _time(encoder: Encoder, value: datetime.time) -> list[Any]:
    parts = [value.hour, value.minute, value.second, value.microsecond, value.fold]
    return ["time", *parts, zone_node(encoder, value.tzinfo)]


def _datetime(encoder: Encoder, value: datetime.datetime) -> list[Any]:
    day = [value.year, value.month, value.day]
    parts = [value.hour, value.minute, value.second, value.microsecond, value.fold]
    return ["datetime", *day, *parts, zone_node(encoder, value.tzinfo)]


ENCODERS: dict[type, Callable[[Encoder, Any], Any]] = {
    int: _integer,
    str: text_node,
    complex: lambda e, v: ["complex", v.real, v.imag],
    bytes: lambda e, v: ["bytes", e.buffer(v)],
    bytearray: lambda e, v: ["bytearray", e.buffer(v)],
    type(Ellipsis): lambda e, v: ["ellipsis"],
    range: _range,
    slice: _slice,
    list: lambda e, v: ["list", *_items(e, v)],
    tuple: lambda e, v: ["tuple", *_items(e, v)],
    set: lambda e, v: ["set", _members(e, v)],
    frozenset: lambda e, v: ["frozenset", _members(e, v)],
    dict: lambda e, v: ["dict", _pairs(e, v)],
    collections.OrderedDict: lambda e, v: ["ordered", _pairs(e, v)],
    collections.Counter: lambda e, v: ["counter", _pairs(e, v)],
    collections.defaultdict: lambda e, v: ["default", _pairs(e, v), e.node(v.default_factory)],
    collections.deque: lambda e, v: ["deque", v.maxlen, *_items(e, list(v))],
    type({}.keys()): lambda e, v: ["keys", *_items(e, list(v))],
    type({}.values()): lambda e, v: ["values", *_items(e, list(v))],
    type({}.items()): lambda e, v: ["items", _pairs(e, dict(list(v)))],
    datetime.date: lambda e, v: ["date", v.year, v.month, v.day],
    datetime.time: _time,
    datetime.datetime: _datetime,
    datetime.timedelta: lambda e, v: ["timedelta", v.days, v.seconds, v.microseconds],
    datetime.timezone: zone_node,
    zoneinfo.ZoneInfo: zone_node,
    decimal.Decimal: lambda e, v: ["decimal", str(v)],
    fractions.Fraction: lambda e, v: ["fraction", e.node(v.numerator), e.node(v.denominator)],
    uuid.UUID: lambda e, v: ["uuid", v.hex],
    pathlib.PosixPath: lambda e, v: ["path", "posix", e.node(str(v))],
    pathlib.PurePosixPath: lambda e, v: ["path", "pure", e.node(str(v))],
    pathlib.PureWindowsPath: lambda e, v: ["path", "windows", e.node(str(v))],
}


def _unpacked(decoder: Decoder, items: Any, number: Any = None) -> list[Any]:
    if type(items) is not str:
        return decoder.values(items)
    if items not in ("d", "q"):
        raise Damaged("a list of unknown numbers")
    data = decoder.buffer(number)
    decoder.count(len(data) // 8)
    packed = array.array(items)
    packed.frombytes(data)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tolist()


def _dict(decoder: Decoder, nodes: Any) -> dict[Any, Any]:
    flat = decoder.values(nodes)
    keys = flat[::2]
    check_hashes(keys)
    result = dict(zip(keys, flat[1::2], strict=True))
    if len(result) != len(keys):
        raise Damaged("a key twice in one dict")
    return result


def _decode_default(
    decoder: Decoder, nodes: Any, factory: Any
) -> collections.defaultdict[Any, Any]:
    pairs = _dict(decoder, nodes)
    return collections.defaultdict(decoder.value(factory), pairs)


def _decode_keys(decoder: Decoder, *items: Any) -> Any:
    keys = _unpacked(decoder, *items)
    check_hashes(keys)
    return dict.fromkeys(keys).keys()


def _set(decoder: Decoder, nodes: Any) -> set[Any]:
    items = decoder.values(nodes)
    check_hashes(items)
    return set(items)


def _decode_int(decoder: Decoder, text: str) -> int:
    if type(text) is not str or len(text) > limits.INTEGER_BITS // 4 + 8:
        raise Damaged("a number that is too long")
    return int(text, 16)


def _decode_range(decoder: Decoder, *nodes: Any) -> range:
    result = range(*decoder.values(list(nodes)))
    if result and abs(result[-1] - result[0]) // abs(result.step) >= limits.LAZY_LENGTH:
        raise Damaged("a range that is too long")
    return result


def _decode_named(decoder: Decoder, name: Any, fields: Any, nodes: Any) -> tuple[Any, ...]:
    if type(fields) is not list or not all(map(_is_field, [name, *fields])):
        raise Damaged("no named tuple")
    if len(fields) > limits.NAMED_FIELDS:
        raise Damaged("too many fields")
    made: tuple[Any, ...] = collections.namedtuple(name, fields)(*decoder.values(nodes))
    return made


def _decode_deque(decoder: Decoder, length: Any, *items: Any) -> collections.deque[Any]:
    values = _unpacked(decoder, *items)
    if length is not None and (type(length) is not int or length < len(values)):
        raise Damaged("no deque")
    return collections.deque(values, length)


def _decode_zone(decoder: Decoder, name: Any, library: Any = None) -> Any:
    if type(name) in (int, float):
        return datetime.timezone(datetime.timedelta(seconds=name))
    if type(name) is not str or len(name) > 60 or not _ZONE.fullmatch(name):
        raise Damaged("no time zone")
    if library == "pytz":
        import pytz

        return pytz.timezone(name)
    return zoneinfo.ZoneInfo(name)


def _decode_datetime(decoder: Decoder, *parts: Any) -> datetime.datetime:
    *numbers, fold, node = parts
    zone = decoder.value(node)
    if hasattr(zone, "localize"):
        moment: datetime.datetime = zone.localize(datetime.datetime(*numbers), is_dst=not fold)
        return moment
    year, month, day, hour, minute, second, microsecond = numbers
    return datetime.datetime(
        year, month, day, hour, minute, second, microsecond, tzinfo=zone, fold=fold
    )


def _decode_time(decoder: Decoder, *parts: Any) -> datetime.time:
    hour, minute, second, microsecond, fold, zone = parts
    return datetime.time(hour, minute, second, microsecond, tzinfo=decoder.value(zone), fold=fold)


def _decode_decimal(decoder: Decoder, text: Any) -> decimal.Decimal:
    if type(text) is not str or len(text) > 4100:
        raise Damaged("no decimal number")
    value = decimal.Decimal(text)
    if value.is_finite() and abs(value.adjusted()) > 10_000:
        raise Damaged("a decimal number that is too large")
    return value


def _decode_fraction(decoder: Decoder, numerator: Any, denominator: Any) -> fractions.Fraction:
    return fractions.Fraction(decoder.value(numerator), decoder.value(denominator))


def _decode_path(decoder: Decoder, kind: Any, text: Any) -> pathlib.PurePath:
    kinds: dict[str, type[pathlib.PurePath]] = {
        "posix": pathlib.Path,
        "pure": pathlib.PurePosixPath,
        "windows": pathlib.PureWindowsPath,
    }
    value = decoder.value(text)
    if type(value) is not str or len(value) > 10_000:
        raise Damaged("no path")
    return kinds[kind](value)


DECODERS: dict[str, Callable[..., Any]] = {
    "int": _decode_int,
    "text": lambda d, n: str(d.buffer(n), "utf-8", "surrogatepass"),
    "complex": lambda d, real, imag: complex(real, imag),
    "bytes": lambda d, n: bytes(d.buffer(n)),
    "bytearray": lambda d, n: bytearray(d.buffer(n)),
    "ellipsis": lambda d: ...,
    "range": _decode_range,
    "slice": lambda d, *nodes: slice(*d.values(list(nodes))),
    "list": _unpacked,
    "tuple": lambda d, *items: tuple(_unpacked(d, *items)),
    "named": _decode_named,
    "set": _set,
    "frozenset": lambda d, nodes: frozenset(_set(d, nodes)),
    "dict": _dict,
    "ordered": lambda d, nodes: collections.OrderedDict(_dict(d, nodes)),
    "counter": lambda d, nodes: collections.Counter(_dict(d, nodes)),
    "default": _decode_default,
    "keys": _decode_keys,
    "values": lambda d, *items: dict(enumerate(_unpacked(d, *items))).values(),
    "items": lambda d, nodes: _dict(d, nodes).items(),
    "deque": _decode_deque,
    "iter": lambda d, *items: iter(_unpacked(d, *items)),
    "date": lambda d, *parts: datetime.date(*parts),
    "time": _decode_time,
    "datetime": _decode_datetime,
    "timedelta": lambda d, *parts: datetime.timedelta(*parts),
    "zone": _decode_zone,
    "decimal": _decode_decimal,
    "fraction": _decode_fraction,
    "uuid": lambda d, text: uuid.UUID(hex=text),
    "path": _decode_path,
}
