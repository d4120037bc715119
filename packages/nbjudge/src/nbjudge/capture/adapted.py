"""Values that an adapter tells as plain ones; see ``nbjudge.adapters``."""

from __future__ import annotations

from typing import Any

from nbjudge import adapters
from nbjudge.capture.errors import Damaged


def encode(encoder: Any, value: Any, kind: type) -> list[Any] | None:
    """The node of a value that has an adapter."""
    found = adapters.packed(value)
    if found is None:
        return None
    library, parts = found
    return ["adapted", library, encoder.node(parts, "parts")]


def _decode(decoder: Any, library: Any, node: Any) -> Any:
    if type(library) is not str:
        raise Damaged("an adapter without a name")
    try:
        return adapters.unpacked(library, decoder.value(node))
    except KeyError:
        raise Damaged(f"no value of {library[:50]}") from None


DECODERS = {"adapted": _decode}
