"""Values that no other family takes: subclasses of Python's own types, iterators, and refusals."""

from __future__ import annotations

import enum
import types
from typing import Any

from nbjudge.capture import plain
from nbjudge.capture.errors import NotHandedOut

DECODERS: dict[str, Any] = {}


def encode(encoder: Any, value: Any, kind: type) -> list | None:
    """The node of a subclass's instance or an iterator; refuses what is known to be unfit."""
    bases = type.__dict__["__mro__"].__get__(kind)
    if enum.Enum in bases:
        raise NotHandedOut(
            f"a member of the enumeration {kind.__name__} cannot be handed out{encoder.place()}"
        )
    if types.ModuleType in bases:
        raise NotHandedOut(f"a module cannot be handed out{encoder.place()}")
    node = plain.as_base(encoder, value, kind)
    if node is None and kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        node = plain.iterator_node(encoder, value)
    return node
