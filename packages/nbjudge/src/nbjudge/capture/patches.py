"""What a test replaces for the functions that it calls: a name of the notebook, a module's.

A place is a global name of the notebook, a module and a name in it with dots between, or
``os.environ:`` and the name of a variable of the environment. A call is told ``(place, is there,
value)`` of each that the test has replaced by then. The student's process puts that there for as
long as the call takes; a function of the test's is called back.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nbjudge.capture.errors import NotHandedOut

_ABSENT = object()
_VARIABLE = "os.environ:"
# What a call prints is told apart from this, and input() asks the kernel.
_LEFT_ALONE = {"sys.stdout", "sys.stderr", "sys.stdin"}


class Patches:
    """What was at the places before the test cell, to see later what it has replaced."""

    def __init__(self, namespace: dict[str, Any], places: Sequence[str]) -> None:
        self._namespace = namespace
        self._before = {
            place: _value_at(namespace, place) for place in places if place not in _LEFT_ALONE
        }
        self._environment = dict(os.environ)

    def now(self) -> list[tuple[str, bool, Any]]:
        """What is replaced now."""
        found = []
        for place, before in self._before.items():
            value = _value_at(self._namespace, place)
            if value is not before:
                is_there = value is not _ABSENT
                found.append((place, is_there, value if is_there else None))
        return [*found, *self._variables()]

    def _variables(self) -> list[tuple[str, bool, Any]]:
        now, before = dict(os.environ), self._environment
        names = sorted(name for name in {*now, *before} if now.get(name) != before.get(name))
        return [(f"{_VARIABLE}{name}", name in now, now.get(name)) for name in names]


def cannot_patch(places: Sequence[str], error: NotHandedOut) -> NotHandedOut:
    """What to say where something that a test puts there does not cross."""
    return NotHandedOut(
        f"the test replaces {', '.join(places)}, and what it puts there cannot be handed to the "
        f"student's functions ({error}); an instructor can run the test in the student's kernel, "
        "by the line `### RUN IN STUDENT KERNEL`"
    )


@contextmanager
def patched(namespace: dict[str, Any], told: Sequence[tuple[str, bool, Any]]) -> Iterator[None]:
    """Have this at these places for the block; in the student's process."""
    before: list[tuple[str, Any]] = []
    try:
        for place, is_there, value in told:
            before.append((place, _value_at(namespace, place)))
            _put(namespace, place, value if is_there else _ABSENT)
        yield
    finally:
        for place, value in reversed(before):
            _put(namespace, place, value)


def _value_at(namespace: Mapping[str, Any], place: str) -> Any:
    if place.startswith(_VARIABLE):
        return os.environ.get(place.removeprefix(_VARIABLE), _ABSENT)
    module, dot, name = place.rpartition(".")
    if not dot:
        return namespace.get(name, _ABSENT)
    try:
        return getattr(_module(module), name, _ABSENT)
    except (ImportError, AttributeError):
        return _ABSENT


def _put(namespace: dict[str, Any], place: str, value: Any) -> None:
    if place.startswith(_VARIABLE):
        os.environ.pop(place.removeprefix(_VARIABLE), None)
        if type(value) is str:
            os.environ[place.removeprefix(_VARIABLE)] = value
        return
    module, dot, name = place.rpartition(".")
    if dot:
        try:
            owner = _module(module)
        except (ImportError, AttributeError):
            return
        if value is not _ABSENT:
            setattr(owner, name, value)
        elif hasattr(owner, name):
            delattr(owner, name)
    elif value is not _ABSENT:
        namespace[name] = value
    else:
        namespace.pop(name, None)


def _module(place: str) -> Any:
    """A module, or a class in one."""
    if place in sys.modules:
        return sys.modules[place]
    try:
        return importlib.import_module(place)
    except ImportError:
        outer, _, name = place.rpartition(".")
        if not outer:
            raise
        return getattr(_module(outer), name)
