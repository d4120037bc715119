"""How a model was compiled: as plain values, and compiled like that again.

What is not Keras' own among the settings is known by its name alone. A model says the same of
itself as the original, even where Keras could not make the same of it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from nbjudge.capture.errors import Damaged
from nbjudge.capture.keras_configs import Inspection, build, is_plain, plain_config

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

_PARTS = (
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


def encode_compile(encoder: Encoder, model: Any) -> list[Any]:
    """``[node of the settings, complaint, number of steps trained]`` of a compiled model."""
    shown, error = _facts(model)
    return [encoder.node(shown), error, _iterations(model)]


def decode_compile(decoder: Decoder, model: Any, node: Any) -> None:
    """Compile ``model`` as its node says."""
    shown, error, iterations = node
    settings = decoder.value(shown)
    if type(settings) is not dict or type(error) is not str:
        raise Damaged("no compile settings")
    if type(iterations) is not int or not 0 <= iterations < 2**31:
        raise Damaged("an absurd number of steps")
    _require_inert(settings)
    _compile(model, settings, error, iterations)


def compile_like(model: Any, other: Any) -> None:
    """Compile ``model`` like ``other``, unless it is already."""
    shown, error = _facts(other)
    own = "get_compile_config" in vars(other)
    if not model.compiled or _facts(model) != (shown, error) or own:
        _compile(model, shown, error, _iterations(other))
    else:
        _set_iterations(model, _iterations(other))


def _facts(model: Any) -> tuple[dict[Any, Any], str]:
    """What ``get_compile_config`` says, made inert; or its complaint."""
    try:
        config = model.get_compile_config() or {}
    except Exception as error:
        return {}, f"{type(error).__name__}: {error}"[:2000]
    return {k: _inert(plain_config(v)) for k, v in config.items() if k in _PARTS}, ""


def _iterations(model: Any) -> int:
    try:
        return int(model.optimizer.iterations.numpy())
    except Exception:
        return 0


def _set_iterations(model: Any, count: int) -> None:
    if count and getattr(model, "optimizer", None) is not None:
        model.optimizer.iterations.assign(count)


def _compile(model: Any, shown: dict[Any, Any], error: str, iterations: int) -> None:
    """Compile ``model`` so that it says ``shown`` of itself, or raises ``error`` as it did."""
    parts = {key: _usable(value) for key, value in shown.items() if key in _PARTS}
    parts = {key: value for key, value in parts.items() if value is not None}
    steps = parts.get("steps_per_execution")
    if type(steps) is int and steps > 10**6:
        raise Damaged("absurd compile settings")
    for key in ("metrics", "weighted_metrics"):
        if key in parts:
            parts[key] = _without_gaps(parts[key])
    model.compile(**build(parts))
    _set_iterations(model, iterations)
    vars(model).pop("get_compile_config", None)
    if error:

        def complain() -> dict[Any, Any]:
            raise TypeError(error)

        object.__setattr__(model, "get_compile_config", complain)
    elif _facts(model) != (shown, ""):
        object.__setattr__(model, "get_compile_config", lambda: copy.deepcopy(shown))


def _inert(value: Any) -> Any:
    """A part of the compile settings, what is not Keras' own by its name alone."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_inert, value))
    if not isinstance(value, dict):
        return value if is_plain(value) else f"<{type(value).__name__}>"
    if "class_name" not in value:
        return {key: _inert(item) for key, item in value.items()}
    if _is_allowed(value):
        return value
    name = str(value["class_name"])
    config = value.get("config")
    own: Any = config if name == "function" and isinstance(config, str) else {}
    return {"module": "builtins", "class_name": name, "config": own, "registered_name": None}


def _is_allowed(config: Any) -> bool:
    """Whether Keras may make an object of it."""
    try:
        Inspection().check(config)
    except Damaged:
        return False
    return True


def _usable(value: Any) -> Any:
    """A part of the compile settings without what Keras could not make of it."""
    if isinstance(value, (list, tuple)):
        return [_usable(item) for item in value]
    if isinstance(value, dict) and "class_name" in value:
        return value if _is_allowed(value) else None
    if isinstance(value, dict):
        return {key: _usable(item) for key, item in value.items()}
    return value


def _without_gaps(metrics: Any) -> Any:
    """Metrics without those that ``_usable`` left out."""
    if isinstance(metrics, list):
        return [_without_gaps(m) for m in metrics if m is not None]
    if isinstance(metrics, dict) and "class_name" not in metrics:
        return {key: _without_gaps(m) for key, m in metrics.items() if m is not None}
    return metrics


def _require_inert(value: Any) -> None:
    """Raise ``Damaged`` for compile settings that are not plain values."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise Damaged("compile settings with names that are no texts")
            _require_inert(item)
    elif type(value) in (list, tuple):
        for item in value:
            _require_inert(item)
    elif not is_plain(value):
        raise Damaged("compile settings that are not plain")
