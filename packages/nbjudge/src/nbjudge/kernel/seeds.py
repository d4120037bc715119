"""Seeds for a notebook: the same luck each time, or on purpose another.

The modules are those that the warm server has imported; nothing is imported here.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable
from typing import Any

# Where a notebook plants a seed: module, attribute.
_PLANTERS = (
    ("random", "seed"),
    ("numpy.random", "seed"),
    ("numpy.random", "default_rng"),
    ("tensorflow.random", "set_seed"),
    ("keras.utils", "set_random_seed"),
)


def plant_seed(seed: int, shift: int = 0) -> None:
    """Seed Python, numpy and TensorFlow with ``seed + shift``.

    With a ``shift``, the seeds that the notebook itself plants later are shifted too.
    """
    random.seed(seed + shift)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed((seed + shift) % 2**32)
    if (tensorflow := sys.modules.get("tensorflow")) is not None:
        tensorflow.random.set_seed(seed + shift)
    if shift:
        for module, name in _PLANTERS:
            if (found := sys.modules.get(module)) is not None:
                setattr(found, name, _shifted(getattr(found, name), shift))


def _shifted(plant: Callable[..., Any], shift: int) -> Callable[..., Any]:
    @functools.wraps(plant)
    def plant_shifted(seed: Any = None, *arguments: Any, **options: Any) -> Any:
        if type(seed) is int:
            seed += shift
        return plant(seed, *arguments, **options)

    return plant_shifted
