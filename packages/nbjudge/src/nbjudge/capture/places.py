"""Where installed modules keep what a notebook has imported from them."""

from __future__ import annotations

import sys
from types import ModuleType

LONGEST = 300


def place_of(value: object) -> str:
    """Where ``value`` can be imported from, as "module:name"; "" where that is not known.

    A module is "module:". Python's own basic types and what a notebook defines have no place.
    """
    try:
        place = _place_of(value)
    except Exception:  # an object can do what it likes when it is looked at
        return ""
    return place if len(place) <= LONGEST else ""


def is_at(place: str, value: object) -> bool:
    """Whether ``value`` is what a place holds that somebody claims; nothing is imported."""
    module, _, name = place.partition(":")
    found = sys.modules.get(module)
    if found is None:
        return False
    if not name:
        return found is value
    return place == place_of(value) or vars(found).get(name) is value


def _place_of(value: object) -> str:
    if isinstance(value, ModuleType):
        whole = value.__name__
        return f"{whole}:" if sys.modules.get(whole) is value else ""
    kind = type(value)
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if isinstance(module, str) and isinstance(name, str) and _holds(module, name, value):
        return f"{module}:{name}"
    root = kind.__module__.partition(".")[0]
    if root in ("builtins", "__main__"):
        return ""
    held = [
        (len(module), module, name)
        for module, found in list(sys.modules.items())
        if isinstance(found, ModuleType) and (module == root or module.startswith(f"{root}."))
        for name, item in list(vars(found).items())
        if item is value
    ]
    return "{1}:{2}".format(*min(held)) if held else ""


def _holds(module: str, name: str, value: object) -> bool:
    found = sys.modules.get(module)
    return module != "__main__" and found is not None and vars(found).get(name) is value
