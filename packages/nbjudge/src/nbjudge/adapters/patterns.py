"""Regular expressions."""

from __future__ import annotations

import re
from typing import Any

_LONGEST = 10_000


def pack(value: Any) -> list[Any] | None:
    """The expression, and its flags."""
    return [value.pattern, int(value.flags)] if type(value) is re.Pattern else None


def unpack(parts: Any) -> re.Pattern[Any]:
    """The expression, compiled."""
    pattern, flags = parts
    if type(pattern) not in (str, bytes) or len(pattern) > _LONGEST or type(flags) is not int:
        raise ValueError("no regular expression")
    found: re.Pattern[Any] = re.compile(pattern, flags & ~re.DEBUG)
    return found
