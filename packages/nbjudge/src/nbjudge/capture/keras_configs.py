"""Which Keras configurations are let through, and what Keras makes of those.

Let through are Keras' own classes, and no absurd numbers.
A configuration names classes, and Keras makes objects of them. So every name is looked up here
first, in a fixed selection of Keras' public modules: no class that runs code from its settings
(``Lambda``, ``TorchModuleWrapper``, ``JaxLayer``, …) or reads files (``TFSMLayer``, the lookups
with their vocabularies) is in it.
"""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

import numpy as np

from nbjudge.capture.errors import Damaged

LAYERS = 1000
"""Layers of a model, those within layers included."""

_OBJECTS = 20_000
_NUMBER = 100_000_000
_SMALL_NUMBER = 2000
_BACKWARD = 50
_TEXT = 10_000
# Numbers that stand for nothing that is made or done so often.
_FREE_NUMBERS = {"seed", "shared_object_id", "salt"}
_LOOPS = {"power_iterations": 100, "num_ops": 100, "layers_to_aug": 100}

_RUNS_CODE_OR_READS_FILES = {
    "Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer", "StringLookup",
    "IntegerLookup", "TextVectorization", "FeatureSpace", "Layer", "Wrapper",
    # These work out large tables from a few numbers.
    "MelSpectrogram", "STFTSpectrogram",
}  # fmt: skip
_DTYPES = {
    "float16", "float32", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool", "complex64", "string",
}  # fmt: skip
_OPERATIONS = (
    "ops.nn", "ops.numpy", "ops.math", "ops.image", "ops.linalg", "activations.activations",
)  # fmt: skip


class NotKeras(Damaged):
    """A configuration that names something else than Keras' own; ``what`` is its name."""

    def __init__(self, what: str):
        self.what = what
        super().__init__(f"{what} is none of Keras' own classes that are let through")


@functools.cache
def allowed_classes() -> dict[tuple[str, str], str]:
    """Family ("layer", "model", "metric", …) by module and name."""
    import keras

    found: dict[tuple[str, str], str] = {}
    for module, base, family in (
        ("layers", keras.Layer, "layer"),
        ("initializers", keras.Initializer, "initializer"),
        ("regularizers", keras.Regularizer, "regularizer"),
        ("constraints", keras.constraints.Constraint, "constraint"),
        ("losses", keras.Loss, "loss"),
        ("metrics", keras.Metric, "metric"),
        ("optimizers", keras.Optimizer, "optimizer"),
        ("optimizers.schedules", keras.optimizers.schedules.LearningRateSchedule, "schedule"),
    ):
        place = importlib.import_module(f"keras.{module}")
        for name, value in vars(place).items():
            if inspect.isclass(value) and issubclass(value, base) and value is not base:
                found[f"keras.{module}", name] = family
    for name in _RUNS_CODE_OR_READS_FILES:
        found.pop(("keras.layers", name), None)
    for name in ("STFT", "STFTInitializer"):
        found.pop(("keras.initializers", name), None)
    for module, name in (
        ("keras", "Sequential"),
        ("keras.models", "Sequential"),
        ("keras", "Functional"),
        ("keras.models", "Functional"),
        ("keras.src.models.functional", "Functional"),
        ("keras.src.models.sequential", "Sequential"),
    ):
        found[module, name] = "model"
    for module in ("keras", "keras.dtype_policies"):
        found[module, "DTypePolicy"] = "policy"
    found["keras.src.ops.core", "Cast"] = "operation"
    for name in _OPERATIONS:
        module = f"keras.src.{name}"
        for value in vars(importlib.import_module(module)).values():
            own = inspect.isclass(value) and value.__module__ == module
            if own and issubclass(value, keras.Operation):
                found[module, value.__name__] = "operation"
    return found


@functools.cache
def _allowed_functions() -> frozenset[str]:
    import keras

    places = (keras.activations, keras.losses, keras.metrics)
    names = {
        name
        for place in places
        for name, value in vars(place).items()
        if inspect.isfunction(value) and name not in ("get", "serialize", "deserialize")
    }
    return frozenset(names | {"swish", "hard_swish"})


class Inspection:
    """One walk through a configuration, which counts what it meets."""

    def __init__(self) -> None:
        self.objects = 0
        self.layers = 0

    def check(self, value: Any, key: str = "", family: str = "") -> None:
        """Raise ``Damaged`` for anything that is not let through."""
        self.objects += 1
        if self.objects > 50 * _OBJECTS:
            raise Damaged("a configuration that is too large")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return
        if kind is int:
            _check_number(value, key, family)
        elif kind is str:
            if len(value) > _TEXT:
                raise Damaged("a configuration with a text that is too long")
            if key.endswith("activation") and value not in _allowed_functions():
                raise NotKeras(f"the activation {value[:60]}")
        elif kind in (list, tuple):
            for item in value:
                self.check(item, key, family)
        elif kind is dict:
            self._check_dict(value, key, family)
        else:
            raise Damaged(f"a configuration with a {kind.__name__} in it")

    def _check_dict(self, value: dict[Any, Any], key: str, family: str) -> None:
        if not all(type(name) is str for name in value):
            raise Damaged("a configuration with names that are no texts")
        if key.endswith("activation") and "class_name" not in value:
            raise NotKeras("an activation of its own")  # what a lambda is written down as
        if "class_name" in value:
            family = self._family(value) or family
        elif "registered_name" in value:
            raise Damaged("an object without a class")
        if "compile_config" in value:
            raise Damaged("compile settings within a model")
        if family == "model" and "layers" in value:
            _check_graph(value["layers"])
        for name, item in value.items():
            self.check(item, name, family)

    def _family(self, value: dict[Any, Any]) -> str:
        name, module = value["class_name"], value.get("module")
        config, registered = value.get("config"), value.get("registered_name")
        if type(name) is not str or len(name) > 200:
            raise Damaged("a class without a name")
        if name == "__keras_tensor__":
            return _require(type(config) is dict and _dtype_ok(config.get("dtype")), "tensor")
        if name in ("__numpy__", "__tensor__"):
            return _require(
                type(config) is dict
                and set(config) == {"value", "dtype"}
                and _dtype_ok(config["dtype"]),
                "array",
            )
        if name == "__lambda__":
            raise NotKeras("a function of its own")
        if name in ("__slice__", "__ellipsis__"):
            return _require(type(config) is dict, "slice")
        if name == "function":
            if type(config) is not str or config not in _allowed_functions():
                raise NotKeras(str(config)[:100])
            own = ("builtins", "keras.activations", "keras.losses", "keras.metrics")
            if module not in own or registered not in (None, config, "function"):
                raise NotKeras(str(config)[:100])
            return "function"
        family = allowed_classes().get((module, name)) if type(module) is str else None
        if family is None or registered not in (None, name):
            raise NotKeras(name if name.isidentifier() else "a class")
        if type(config) is not dict:
            raise Damaged(f"{name} without settings")
        if family == "policy" and config.get("name") not in _DTYPES:
            raise Damaged("an unknown dtype")
        if family in ("layer", "model", "operation"):
            self.layers += 1
            if self.layers > LAYERS:
                raise Damaged(f"more than {LAYERS:,} layers")
        return family


def require_family(config: Any, families: Collection[str]) -> None:
    """Raise ``Damaged`` for anything but an object's configuration of one of these families."""
    if type(config) is not dict:
        raise Damaged("no configuration")
    place = str(config.get("module")), str(config.get("class_name"))
    if allowed_classes().get(place, "") not in families:
        raise Damaged("a configuration of another kind")


def build(config: Any) -> Any:
    """What Keras makes of a configuration; raises ``Damaged`` for one that is not let through."""
    import keras

    Inspection().check(config)
    with _sequential_built_once():
        # Keras changes some configurations when it makes an object of them.
        return keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)


@contextmanager
def _sequential_built_once() -> Iterator[None]:
    """Let a Sequential be built when it has all its layers.

    Keras builds it again for each, which takes the square of their number.
    """
    import keras

    add = keras.Sequential.add
    keras.Sequential.add = partialmethod(add, rebuild=False)
    try:
        yield
    finally:
        keras.Sequential.add = add


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


def _check_graph(layers: Any) -> None:
    """Refuse layers that are not listed in about the order of their calls.

    Keras goes through the whole list again for each layer that comes before its input.
    """
    if type(layers) is not list or not all(type(layer) is dict for layer in layers):
        raise Damaged("a model without layers")
    places = {layer.get("name"): i for i, layer in enumerate(layers) if _is_text(layer.get("name"))}
    backward = 0
    for i, layer in enumerate(layers):
        calls = layer.get("inbound_nodes", [])
        if type(calls) is not list or not all(
            type(call) is dict and set(call) == {"args", "kwargs"} for call in calls
        ):
            raise Damaged("a model with calls of another form")
        backward += sum(places.get(source, 0) > i for source in _sources(calls))
    if backward > _BACKWARD:
        raise Damaged("a model whose layers are out of order")


def _sources(value: Any) -> list[str]:
    """The names of the layers whose outputs the calls of a layer take."""
    found, rest = [], [value]
    while rest:
        part = rest.pop()
        if type(part) is dict:
            history = part.get("keras_history")
            if type(history) in (list, tuple) and history and _is_text(history[0]):
                found.append(history[0])
            rest += part.values()
        elif type(part) in (list, tuple):
            rest += part
    return found


def _is_text(value: Any) -> bool:
    return type(value) is str


def _check_number(value: int, key: str, family: str) -> None:
    most = _SMALL_NUMBER if family in ("metric", "loss") else _NUMBER
    if key in _FREE_NUMBERS:
        most = 2**63
    most = _LOOPS.get(key, most)
    if abs(value) > most:
        raise Damaged(f"{key or 'a setting'} is {value if value < 10**20 else 'huge'}")


def _dtype_ok(value: Any) -> bool:
    return value in _DTYPES if type(value) is str else value is None


def _require(condition: bool, family: str) -> str:
    if not condition:
        raise Damaged(f"a {family} of another form")
    return family
