"""Values that no other family takes: subclasses of Python's own types, iterators, and refusals."""

from __future__ import annotations

import collections
import enum
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbjudge.capture import kept, plain
from nbjudge.capture.kinds import bases_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Encoder

DECODERS: dict[str, Any] = {}


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of a subclass's instance or an iterator; refuses what is known to be unfit."""
    bases = bases_of(kind)
    if enum.Enum in bases and not {int, float, str} & set(bases):
        words = f"a member of the enumeration {kind.__name__} cannot be handed out{encoder.place()}"
        return kept.node(encoder, value, kind, words)
    if types.ModuleType in bases:
        return kept.node(encoder, value, kind, f"a module cannot be handed out{encoder.place()}")
    node: list[Any] | None = _as_base(encoder, value, kind)
    if node is None and kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        return plain.iterator_node(encoder, value)
    return node


def _as_base(encoder: Encoder, value: Any, kind: type) -> Any:
    """The node of an instance of a subclass, as the type of Python's own that it comes from."""
    bases = bases_of(kind)
    if tuple in bases and plain.is_named(kind):
        return plain.named_node(encoder, value, kind)
    for base in bases:
        if base in _BASES:
            return _node_of(encoder, _BASES[base](value), base)
    return None


def _node_of(encoder: Encoder, value: Any, base: type) -> Any:
    if base is float or base is int and -(2**63) <= value < 2**63:
        return value
    return plain.ENCODERS[base](encoder, value)


# The base types that an instance of a subclass is taken for, and how to make one of it without
# asking the subclass.
_BASES: dict[type, Callable[[Any], Any]] = {
    int: lambda v: int.__add__(v, 0),
    float: float.__pos__,
    complex: complex.__pos__,
    str: lambda v: "".join(str.__iter__(v)),
    bytes: lambda v: bytes(bytes.__iter__(v)),
    bytearray: lambda v: bytearray(bytearray.__iter__(v)),
    collections.OrderedDict: lambda v: collections.OrderedDict(dict.items(v)),
    collections.Counter: lambda v: collections.Counter(dict(dict.items(v))),
    dict: lambda v: dict(dict.items(v)),
    list: lambda v: list(list.__iter__(v)),
    tuple: lambda v: tuple(tuple.__iter__(v)),
    set: lambda v: set(set.__iter__(v)),
    frozenset: lambda v: frozenset(frozenset.__iter__(v)),
    collections.deque: lambda v: collections.deque(collections.deque.__iter__(v)),
    type({}.keys()): list,
    type({}.values()): list,
    type({}.items()): list,
}
