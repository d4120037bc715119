"""Seeds that a test plants hold for the student's functions that it calls, as in one process.

A call after ``random.seed`` or ``numpy.random.seed`` takes the judge's states along; later ones go
on from where that call ended. The student's own cells go on with states of their own. TensorFlow's
seed, and random numbers that the judge draws after a call, are left alone.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_PLANTERS = (
    ("random", "seed"),
    ("random", "setstate"),
    ("numpy.random", "seed"),
    ("numpy.random", "set_state"),
)
# "planted": whether a seed was; "new": whether no call has taken it along.
_SEEN = {"planted": False, "new": False}


def watch() -> None:
    """Notice from now on when seeds are planted; for a process of the judge's own."""
    _SEEN.update(planted=False, new=False)
    for module, name in _PLANTERS:
        if module in sys.modules:
            plant = getattr(sys.modules[module], name)
            if not hasattr(plant, "is_watched"):
                setattr(sys.modules[module], name, _watched(plant))


def told() -> Any:
    """What a call is told: the states, True to go on, or None where no seed was planted."""
    if _SEEN["new"]:
        _SEEN["new"] = False
        return _states()
    return True if _SEEN["planted"] else None


@contextmanager
def stream(kept: dict[str, Any], luck: Any) -> Iterator[None]:
    """Run the block with the states that ``told`` gave; ``kept`` is where they go on."""
    if luck is None:
        yield
        return
    own = _states()
    _put(kept.get("states", own) if luck is True else luck)
    try:
        yield
    finally:
        kept["states"] = _states()
        _put(own)


def _watched(plant: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plant)
    def plant_and_tell(*arguments: Any, **options: Any) -> Any:
        _SEEN.update(planted=True, new=True)
        return plant(*arguments, **options)

    plant_and_tell.is_watched = True  # type: ignore[attr-defined]
    return plant_and_tell


def _states() -> tuple[Any, Any]:
    numpy = sys.modules.get("numpy")
    return random.getstate(), None if numpy is None else numpy.random.get_state()


def _put(states: tuple[Any, Any]) -> None:
    of_random, of_numpy = states
    random.setstate(of_random)
    if of_numpy is not None:
        import numpy

        numpy.random.set_state(of_numpy)
