"""jax's arrays."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np


def pack(value: Any) -> list[Any] | None:
    """The numbers."""
    return [np.asarray(value)] if isinstance(value, jax.Array) else None


def unpack(parts: Any) -> Any:
    """The array."""
    (numbers,) = parts
    if not isinstance(numbers, np.ndarray):
        raise ValueError("no array")
    return jax.numpy.asarray(numbers)
