"""numpy arrays and numbers: dtype, shape, and the raw bytes in C order."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nbjudge.capture import kept, limits
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.kinds import bases_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

# Booleans, numbers, texts of a fixed width, moments and spans; nothing with fields or objects.
_DTYPE = re.compile(
    r"\|b1|[<>|][iu][1248]|[<>][fc]\d{1,2}|\|S\d{1,9}|[<>]U\d{1,9}"
    r"|[<>][Mm]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|μs|ns|ps|fs|as)\])?"
)
_DIMENSIONS = 64


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of a numpy array or a numpy number."""
    bases = bases_of(kind)
    if np.ndarray in bases:
        if np.ma.MaskedArray in bases:
            data, mask = np.ma.getdata(value), np.ma.getmaskarray(value)
            if hasattr(encoder.functions, "keep"):
                # Comparisons pass over what is masked: to the judge it is no array.
                words = f"a masked array cannot be handed out as an array{encoder.place()}"
                return kept.node(encoder, value, kind, words)
            parts = (data, mask, value.fill_value)
            return ["masked", *(encoder.node(np.asarray(part)) for part in parts)]
        if np.matrix in bases:
            return ["matrix", array_node(encoder, np.asarray(value))]
        if np.recarray in bases:
            return ["records", array_node(encoder, np.asarray(value))]
        node, place = array_node(encoder, np.asarray(value)), _place_in_argument(encoder, value)
        return node if place is None else ["view", *place, node]
    if np.generic in bases:
        if value.dtype.names:
            return ["record", array_node(encoder, np.array([value], value.dtype))]
        single = np.array([value])  # an empty text has no dtype that is any use by itself
        return ["np", _dtype_of(encoder, single.dtype), single.tobytes().hex()]
    if np.dtype in bases:
        return ["dtype", "object" if value.kind == "O" else _dtype_of(encoder, value)]
    return None


def _place_in_argument(encoder: Encoder, value: np.ndarray) -> list[Any] | None:
    """``[argument, offset, strides]`` for an array that looks into one, in bytes."""
    if value.flags.owndata or not value.size or value.dtype.kind == "O":
        return None
    first = value.__array_interface__["data"][0]
    for number, argument in encoder.arguments:
        offset = first - argument.__array_interface__["data"][0]
        if argument.dtype == value.dtype and 0 <= offset < argument.nbytes:
            return [number, offset, list(value.strides)]
    return None


def view_of(argument: Any, offset: Any, strides: Any, seen: np.ndarray) -> np.ndarray:
    """The part of ``argument`` that ``seen`` was a view of; ``seen`` if there is none."""
    numbers = [offset, *strides] if type(strides) is list else [None]
    if not all(type(n) is int and abs(n) < 2**62 for n in numbers) or len(strides) != seen.ndim:
        raise Damaged("a view without a place")
    if not isinstance(argument, np.ndarray) or not argument.flags.c_contiguous:
        return seen
    if argument.dtype != seen.dtype or argument.dtype.kind == "O" or not seen.size:
        return seen
    steps = [(n - 1) * step for n, step in zip(seen.shape, strides, strict=True)]
    low = offset + sum(min(step, 0) for step in steps)
    high = offset + sum(max(step, 0) for step in steps) + seen.itemsize
    if low < 0 or high > argument.nbytes:
        raise Damaged("a view beyond its array")
    return np.ndarray(seen.shape, seen.dtype, argument, offset, strides)


def array_node(encoder: Encoder, value: np.ndarray) -> list[Any]:
    """The node of a plain array, of any shape."""
    shape = list(value.shape)
    if value.dtype.kind == "O":
        encoder.count(value.size)
        items = [encoder.node(item, str(i)) for i, item in enumerate(value.flat)]
        return ["oarray", shape, items]
    if value.dtype.names:
        return ["fields", shape, [[n, array_node(encoder, value[n])] for n in value.dtype.names]]
    dtype = _dtype_of(encoder, value.dtype)
    encoder.check_size(value.nbytes)
    encoder.count(value.nbytes // limits.BYTES_AS_VALUE)
    if value.flags.f_contiguous and not value.flags.c_contiguous:
        # Another order of the same numbers gives other sums.
        return ["array", dtype, shape, encoder.buffer(value.tobytes("F")), "F"]
    return ["array", dtype, shape, encoder.buffer(value.tobytes())]


def array_of(decoder: Decoder, node: Any) -> np.ndarray:
    """The array of an ``array_node`` within another node; it has no number of its own."""
    if type(node) is not list or not node or node[0] not in ("array", "oarray", "fields"):
        raise Damaged("an array is missing")
    array: np.ndarray = DECODERS[node[0]](decoder, *node[1:])
    return array


def _decode_array(
    decoder: Decoder, dtype: Any, shape: Any, buffer: Any, order: Any = "C"
) -> np.ndarray:
    """The array of a node: its own memory, writable."""
    if order not in ("C", "F"):
        raise Damaged("an array of an unknown order")
    real = _dtype(dtype)
    data = decoder.buffer(buffer)
    size = _size(shape)
    if size * real.itemsize != len(data):
        raise Damaged("an array of another size than it says")
    decoder.count(len(data) // limits.BYTES_AS_VALUE)
    array = np.frombuffer(bytearray(data), dtype=real) if size else np.empty(0, real)
    return _checked(array).reshape(shape, order=order)


def _dtype_of(encoder: Encoder, dtype: np.dtype) -> str:
    if dtype.fields is None and dtype.subdtype is None and _DTYPE.fullmatch(dtype.str):
        return dtype.str
    raise NotHandedOut(f"an array of dtype {dtype} cannot be handed out{encoder.place()}")


def _dtype(text: Any) -> np.dtype:
    if type(text) is not str or len(text) > 30 or not _DTYPE.fullmatch(text):
        raise Damaged("an array of an unknown dtype")
    return np.dtype(text)


def _size(shape: Any) -> int:
    if type(shape) is not list or len(shape) > _DIMENSIONS:
        raise Damaged("an array without a shape")
    if not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise Damaged("an array of an impossible shape")
    return math.prod(shape)


def _checked(array: np.ndarray) -> np.ndarray:
    """``array``, if its bytes mean something."""
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise Damaged("a bool that is neither")
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        points = array.view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if points.max() > 0x10FFFF:
            raise Damaged("a character that does not exist")
    return array


def _decode_scalar(decoder: Decoder, dtype: Any, text: Any) -> np.generic:
    data = bytes.fromhex(text)
    real = _dtype(dtype)
    if len(data) != real.itemsize:
        raise Damaged("a number of another size than it says")
    scalar: np.generic = _checked(np.frombuffer(data, dtype=real))[0]
    return scalar


def _decode_objects(decoder: Decoder, shape: Any, nodes: Any) -> np.ndarray:
    items = decoder.values(nodes)
    if _size(shape) != len(items):
        raise Damaged("an array of another size than it says")
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array.reshape(shape)


def _decode_fields(decoder: Decoder, shape: Any, fields: Any) -> np.ndarray:
    """The array of a node whose items have fields, each an array of its own in the node."""
    size = _size(shape)
    parts = {name: array_of(decoder, node) for name, node in fields}
    if not all(type(name) is str for name in parts) or not parts or len(parts) != len(fields):
        raise Damaged("an array with fields that have no names")
    if any(list(part.shape[: len(shape)]) != shape for part in parts.values()):
        raise Damaged("a field of another size than its array")
    kinds = [(name, part.dtype, part.shape[len(shape) :]) for name, part in parts.items()]
    decoder.count(size)
    array = np.zeros(shape, np.dtype(kinds))
    for name, part in parts.items():
        array[name] = part
    return array


def _decode_record(decoder: Decoder, node: Any) -> np.void:
    array = array_of(decoder, node)
    if array.shape != (1,) or not array.dtype.names:
        raise Damaged("a record of another size")
    record: np.void = array[0]
    return record


def decode_masked(decoder: Decoder, data: Any, mask: Any, fill_value: Any) -> np.ndarray:
    """A masked array, for the student's process; a judge compares with none."""
    return np.ma.MaskedArray(
        decoder.value(data), mask=decoder.value(mask), fill_value=decoder.value(fill_value)
    )


def _no_masked(decoder: Decoder, *parts: Any) -> np.ndarray:
    raise Damaged("a masked array, which compares equal where it is masked")


DECODERS: dict[str, Callable[..., Any]] = {
    "dtype": lambda d, text: np.dtype(object) if text == "object" else _dtype(text),
    "np": _decode_scalar,
    "array": _decode_array,
    "oarray": _decode_objects,
    "fields": _decode_fields,
    "record": _decode_record,
    "records": lambda d, node: array_of(d, node).view(np.recarray),
    "matrix": lambda d, node: np.asmatrix(array_of(d, node)),
    "masked": _no_masked,
}
