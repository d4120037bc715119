"""Objects that stay in the student's process: the judge has a name, and whether they are true.

That is enough for a test that only calls a function, or hands what it gave to another one.
"""

from __future__ import annotations

from typing import Any

from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.places import place_of

_TEXT = 2000


class KeptObject:
    """Stands for an object of the notebook; whatever else is asked of it raises why not."""

    __slots__ = ("_kept",)
    __hash__ = object.__hash__

    def __init__(self, ref: str, is_true: bool, words: str, place: str) -> None:
        self._kept = (ref, is_true, words, place)

    def __bool__(self) -> bool:
        return self._kept[1]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the notebook>"

    def __copy__(self) -> KeptObject:
        return self

    def __deepcopy__(self, memo: dict) -> KeptObject:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        raise NotHandedOut(self._kept[2])


def _refuse(self: KeptObject, *arguments: Any) -> Any:
    raise NotHandedOut(self._kept[2])


_OPERATIONS = (
    "eq ne lt le gt ge len iter next getitem setitem delitem contains enter exit add radd sub rsub "
    "mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul neg pos abs "
    "and or xor invert int float complex index bytes array"
)
for _name in _OPERATIONS.split():
    setattr(KeptObject, f"__{_name}__", _refuse)


def ref_of(value: KeptObject) -> str:
    """The name by which the student's process knows it."""
    return value._kept[0]


def claimed_place_of(value: KeptObject) -> str:
    """Where it says that it was imported from, as in ``places``."""
    return value._kept[3]


def node(encoder: Any, value: Any, kind: type, words: str) -> list:
    """The node of an object that stays; raises ``NotHandedOut`` where nobody keeps it."""
    keep = getattr(encoder.functions, "keep", None)
    if keep is None:
        raise NotHandedOut(words)
    try:
        is_true = bool(value)
    except Exception:
        raise NotHandedOut(words) from None
    return [
        "kept",
        keep(encoder.path(), value),
        is_true,
        str(kind.__name__)[:200],
        words[:_TEXT],
        place_of(value),
    ]


def _decode(
    decoder: Any, ref: Any, is_true: Any, name: Any, words: Any, place: Any = ""
) -> KeptObject:
    """What stands for the object of a node."""
    texts = (ref, name, words, place)
    if not all(type(text) is str and len(text) <= 20_000 for text in texts):
        raise Damaged("an object without a name")
    name = name if name.isidentifier() and name != "RemoteFunction" else "object"
    return type(name, (KeptObject,), {"__slots__": ()})(ref, is_true is True, words, place)


DECODERS = {"kept": _decode}
