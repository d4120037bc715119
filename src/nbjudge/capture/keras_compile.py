"""Compile settings as plain values, what is not Keras' own in them by its name alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbjudge.capture.errors import Damaged
from nbjudge.capture.keras_configs import Inspection

PARTS = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
    "auto_scale_loss",
)


def plain_config(value: Any) -> Any:
    """A configuration of plain values: nested compile settings and Keras' own lists undone."""
    if isinstance(value, dict):
        return {str(k): plain_config(v) for k, v in value.items() if k != "compile_config"}
    if isinstance(value, tuple):
        return tuple(map(plain_config, value))
    if isinstance(value, list):
        return list(map(plain_config, value))
    if isinstance(value, (np.generic, np.ndarray)) and getattr(value, "ndim", 0) == 0:
        return value.item()
    return value


def is_plain(value: Any) -> bool:
    """Whether JSON holds it as it is."""
    return value is None or type(value) in (bool, int, float, str)


def inert(value: Any) -> Any:
    """A part of the compile settings, what is not Keras' own by its name alone."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(inert, value))
    if not isinstance(value, dict):
        return value if is_plain(value) else f"<{type(value).__name__}>"
    if "class_name" not in value:
        return {key: inert(item) for key, item in value.items()}
    if is_allowed(value):
        return value
    name = str(value["class_name"])
    config = value.get("config")
    own: Any = config if name == "function" and isinstance(config, str) else {}
    return {"module": "builtins", "class_name": name, "config": own, "registered_name": None}


def is_allowed(config: Any) -> bool:
    """Whether Keras may make an object of it."""
    try:
        Inspection().check(config)
    except Damaged:
        return False
    return True


def usable(value: Any) -> Any:
    """A part of the compile settings without what Keras could not make of it."""
    if isinstance(value, (list, tuple)):
        return [usable(item) for item in value]
    if isinstance(value, dict) and "class_name" in value:
        return value if is_allowed(value) else None
    if isinstance(value, dict):
        return {key: usable(item) for key, item in value.items()}
    return value


def without_gaps(metrics: Any) -> Any:
    """Metrics without those that `usable` left out."""
    if isinstance(metrics, list):
        return [without_gaps(m) for m in metrics if m is not None]
    if isinstance(metrics, dict) and "class_name" not in metrics:
        return {key: without_gaps(m) for key, m in metrics.items() if m is not None}
    return metrics


def require_inert(value: Any) -> None:
    """Raise ``Damaged`` for compile settings that are not plain values."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise Damaged("compile settings with names that are no texts")
            require_inert(item)
    elif type(value) in (list, tuple):
        for item in value:
            require_inert(item)
    elif not is_plain(value):
        raise Damaged("compile settings that are not plain")
