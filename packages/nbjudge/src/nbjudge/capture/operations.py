"""What a test may do with an object that stays in the student's process; it is done there."""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, Mapping
from typing import Any

# Special methods that are asked of the object's class, without their underscores.
UNARY: tuple[str, ...] = (
    *("repr", "str", "format", "bytes", "hash", "bool", "len", "iter", "reversed", "next"),
    *("getitem", "setitem", "delitem", "contains", "call", "enter", "exit", "neg", "pos", "abs"),
    *("invert", "int", "float", "complex", "index", "round", "await", "aiter", "anext"),
)
# Those with another operand: "r" in front is the reflected one, "i" the one in place.
_ARITHMETIC: tuple[str, ...] = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "xor", "or"),
)
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
BINARY: tuple[str, ...] = (
    *COMPARISONS,
    *_ARITHMETIC,
    *(f"r{name}" for name in _ARITHMETIC),
    *(f"i{name}" for name in _ARITHMETIC if name != "divmod"),
)
# What numpy can make an array of. It crosses as one: the interface itself may hold an address,
# which would be one of the judge's memory.
_ARRAYS = ("__array__", "__array_interface__")


def methods_of(bases: tuple[type, ...]) -> list[str]:
    """The special methods that a class has beside those of every object."""
    own = [vars(base) for base in bases if base is not object]
    found = [
        name
        for name in (*UNARY, *BINARY)
        if any(names.get(f"__{name}__") is not None for names in own)
    ]
    is_array = any(name in names for names in own for name in _ARRAYS)
    return [*found, "array"] if is_array else found


def _special(value: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """``[result]``, or nothing where the method does not know the other operand."""
    result = getattr(type(value), f"__{name}__")(value, *args, **kwargs)
    return [] if result is NotImplemented else [result]


def _next(value: Any) -> list[Any]:
    """``[item]``, or nothing at the end."""
    try:
        return [next(value)]
    except StopIteration:
        return []


# What a generator raised after items that were fetched together with it.
_RAISED: dict[int, Exception] = {}


def _take(value: Any, count: int) -> list[Any]:
    """``[items, [what it returned]]``; the second is empty where a generator may go on."""
    if id(value) in _RAISED:
        raise _RAISED.pop(id(value))
    items: list[Any] = []
    while len(items) < count:
        try:
            items.append(next(value))
        except StopIteration as stop:
            return [items, [stop.value]]
        except Exception as error:
            if not items:
                raise
            _RAISED[id(value)] = error
            break
    return [items, []]


def _send(value: Any, item: Any) -> list[Any]:
    try:
        return [[value.send(item)], []]
    except StopIteration as stop:
        return [[], [stop.value]]


def _throw(value: Any, name: str, message: str) -> list[Any]:
    try:
        return [[value.throw(_exception(name)(message))], []]
    except StopIteration as stop:
        return [[], [stop.value]]


def _exception(name: str) -> type[Exception]:
    kind = getattr(builtins, name, Exception)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else Exception


def _exit(value: Any, name: str | None, message: str) -> bool:
    """Leave a context manager; ``name`` is that of the exception's class, if there is one."""
    if name is None:
        return bool(type(value).__exit__(value, None, None, None))
    kind = _exception(name)
    return bool(type(value).__exit__(value, kind, kind(message), None))


def _array(value: Any) -> Any:
    """A plain array of what an object holds."""
    import numpy as np

    return np.array(value, subok=False)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "vars": lambda value: dict(vars(value)),
    "dir": dir,
    "members": list,
    "special": _special,
    "next": _next,
    "take": _take,
    "send": _send,
    "throw": _throw,
    "array": _array,
    "exit": _exit,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
