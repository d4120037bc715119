"""The class of a value as Python keeps it, whatever the class says of itself."""

from __future__ import annotations


def bases_of(kind: type) -> tuple[type, ...]:
    """The class and its bases, in the order in which attributes are looked up."""
    bases: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return bases
