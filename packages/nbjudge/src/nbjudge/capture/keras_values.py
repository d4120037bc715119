"""Keras models, layers and settings, training histories, and tensors.

A model is its configuration, its weights, and how it was compiled. It is rebuilt by Keras from
a configuration that ``keras_configs`` let through; no weight is given memory before its shape is
known to be that of an array that came along. Keras and TensorFlow are imported only when there is
such a value.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.keras_compile import compile_like, decode_compile, encode_compile
from nbjudge.capture.keras_configs import (
    Inspection,
    NotKeras,
    build,
    is_plain,
    plain_config,
    require_family,
)
from nbjudge.capture.kinds import bases_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

OUTPUT_NUMBERS = 50_000_000
"""Numbers that one layer may give for one example."""

_SMALL_STATE = 4096
_SETTINGS = (
    "optimizer",
    "loss",
    "metric",
    "initializer",
    "regularizer",
    "constraint",
    "schedule",
)
_GRAPHS = ("keras.src.models.functional", "keras.src.models.sequential")


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of something of Keras or TensorFlow."""
    bases = bases_of(kind)
    node = None
    if "tensorflow" in sys.modules:
        node = _tensorflow(encoder, value, bases)
    if node is None and "keras" in sys.modules:
        node = _keras(encoder, value, kind, bases)
    return node


def update_model(old: Any, new: Any) -> None:
    """Give the model ``old`` the weights and the compile settings of ``new``, its changed copy."""
    old.set_weights(new.get_weights())
    for layer, other in zip(old.layers, new.layers, strict=False):
        layer.trainable = other.trainable
    if new.compiled:
        compile_like(old, new)


def _tensorflow(encoder: Encoder, value: Any, bases: tuple[Any, ...]) -> list[Any] | None:
    import tensorflow as tf

    if tf.Tensor in bases or tf.Variable in bases:
        if not hasattr(value, "numpy"):
            raise NotHandedOut(f"a tensor without values cannot be handed out{encoder.place()}")
        return _tensor(encoder, value.numpy())
    if tf.DType in bases:
        return ["tf_dtype", value.name]
    return None


def _tensor(encoder: Encoder, array: Any) -> list[Any]:
    return ["tensor", encoder.node(_known_to_numpy(array))]


def _known_to_numpy(array: Any) -> np.ndarray:
    """The array, as float32 where numpy has no such type (bfloat16)."""
    known: np.ndarray = np.asarray(array)
    return known.astype(np.float32) if known.dtype.kind == "V" else known


def _keras(encoder: Encoder, value: Any, kind: type, bases: tuple[Any, ...]) -> list[Any] | None:
    import keras

    if keras.Model in bases:
        return _model(encoder, value, kind)
    if keras.Layer in bases:
        _require_keras(encoder, value, kind, "the layer")
        config = _serialized(encoder, value)
        return ["layer", encoder.node(config), *_state(encoder, value)]
    if keras.callbacks.History in bases:
        history = {str(k): list(v) for k, v in dict(value.history).items()}
        params = {k: v for k, v in dict(value.params or {}).items() if is_plain(v)}
        return ["history", encoder.node(history), encoder.node(params), encoder.node(value.epoch)]
    if keras.Variable in bases:
        return _tensor(encoder, keras.ops.convert_to_numpy(value))
    if keras.KerasTensor in bases:
        raise NotHandedOut(
            f"the output of a layer, which has no values yet, cannot be handed out{encoder.place()}"
        )
    for base, words in (
        (keras.Optimizer, "the optimizer"),
        (keras.Loss, "the loss"),
        (keras.Metric, "the metric"),
        (keras.Initializer, "the initializer"),
        (keras.Regularizer, "the regularizer"),
        (keras.constraints.Constraint, "the constraint"),
        (keras.optimizers.schedules.LearningRateSchedule, "the learning rate"),
    ):
        if base in bases:
            _require_keras(encoder, value, kind, words)
            return ["keras", encoder.node(_serialized(encoder, value))]
    return None


def _model(encoder: Encoder, value: Any, kind: type) -> list[Any]:
    compiled = value
    if kind.__module__ not in _GRAPHS:
        value, kind = _without_class(value, kind)
    if kind.__module__ not in _GRAPHS:
        raise NotHandedOut(
            f"the model is built by a class of its own ({kind.__name__}), which cannot be handed "
            "out: make it with keras.Model(inputs, outputs) or keras.Sequential"
            f"{encoder.place()}"
        )
    for layer in value._flatten_layers():
        if layer is not value:
            _require_keras(encoder, layer, type(layer), f"the model's layer '{layer.name}'")
    config = {
        "module": kind.__module__,
        "class_name": kind.__name__,
        "config": plain_config(value.get_config()),
        "registered_name": None,
    }
    _inspect(encoder, config, "the model")
    node = [encoder.node(config), *_state(encoder, value)]
    how = encode_compile(encoder, compiled) if compiled.compiled else None
    return ["model", *node, how]


def _without_class(model: Any, kind: type) -> tuple[Any, type]:
    """A model of Keras' own class with the same layers, if its class only puts them together."""
    import keras

    own = [b for b in kind.__mro__ if not b.__module__.startswith(("keras.", "tensorflow."))]
    known = {"__init__", "__module__", "__doc__"}
    if any(base is not object and not vars(base).keys() <= known for base in own):
        return model, kind
    if keras.Sequential in kind.__mro__:
        return model, keras.Sequential
    if _GRAPHS[0] in [base.__module__ for base in kind.__mro__] and model.inputs:
        plain = keras.Model(model.inputs, model.outputs, name=model.name)
        return plain, type(plain)
    return model, kind


def _state(encoder: Encoder, value: Any) -> list[Any]:
    """Nodes of the weights, and of the states of random numbers (such as a Dropout's)."""
    import keras

    weights = list(value.weights)
    known = set(map(id, weights))
    seeds = [v for v in value.variables if id(v) not in known and _is_seed(v)]
    nodes = []
    for variables in (weights, seeds):
        arrays = [_known_to_numpy(keras.ops.convert_to_numpy(v)) for v in variables]
        nodes.append([encoder.node(array) for array in arrays])
    return nodes


def _is_seed(variable: Any) -> bool:
    return str(variable.path).rpartition("/")[2].startswith("seed_generator_state")


def _require_keras(encoder: Encoder, value: Any, kind: type, words: str) -> None:
    """Raise ``NotHandedOut`` for an object of a class that is not Keras' own."""
    if kind.__name__ == "Lambda":
        raise NotHandedOut(
            f"{words} is a Lambda, which is a function of your own; it cannot be handed out: use "
            f"Keras' own layers{encoder.place()}"
        )
    if not kind.__module__.startswith("keras.src."):
        raise NotHandedOut(
            f"{words} is of a class of its own ({kind.__name__}), which cannot be handed out: "
            f"use Keras' own classes{encoder.place()}"
        )


def _serialized(encoder: Encoder, value: Any) -> dict[Any, Any]:
    import keras

    config: dict[Any, Any] = plain_config(keras.saving.serialize_keras_object(value))
    _inspect(encoder, config, "it")
    return config


def _inspect(encoder: Encoder, config: dict[Any, Any], words: str) -> None:
    try:
        Inspection().check(config)
    except NotKeras as error:
        raise NotHandedOut(
            f"{words} uses {error.what}, which is none of Keras' own that can be handed out"
            f"{encoder.place()}"
        ) from None
    except Damaged as error:
        raise NotHandedOut(f"{words} cannot be handed out: {error}{encoder.place()}") from None


def _rebuilt(config: Any, *families: str) -> tuple[Any, list[Any]]:
    """The object of a configuration, and its variables, none of which has a value yet."""
    import keras
    from keras.src.backend.common import global_state

    require_family(config, families)
    waiting = global_state.get_global_attribute("uninitialized_variables", [], set_to_default=True)
    start = len(waiting)
    try:
        with keras.StatelessScope(initialize_variables=False):
            built = build(config)
    finally:
        created = waiting[start:]
        del waiting[start:]
    return built, created


def _give_state(built: Any, created: list[Any], weights: list[Any], seeds: list[Any]) -> None:
    """Give every variable its value; raises ``Damaged`` unless the weights fit exactly."""
    import keras

    variables = list(built.weights)
    if len(variables) != len(weights):
        raise Damaged(f"{len(weights)} weights for a model with {len(variables)}")
    values: dict[int, np.ndarray] = {}
    for variable, array in zip(variables, weights, strict=True):
        if not isinstance(array, np.ndarray) or tuple(variable.shape) != array.shape:
            raise Damaged(f"a weight of another shape than {tuple(variable.shape)}")
        if array.dtype.kind not in "fiub":
            raise Damaged("a weight that is no number")
        values[id(variable)] = array
    states = [v for v in built.variables if id(v) not in values and _is_seed(v)]
    if len(states) == len(seeds):
        for variable, array in zip(states, seeds, strict=True):
            if isinstance(array, np.ndarray) and array.shape == tuple(variable.shape):
                values[id(variable)] = array
    for variable in created:
        array = values.get(id(variable))
        if array is not None:
            variable._initializer = lambda shape, dtype=None, array=array: (
                keras.ops.convert_to_tensor(array, dtype=dtype)
            )
        elif math.prod(variable.shape) > _SMALL_STATE:
            raise Damaged("a state that did not come along")
        variable._deferred_initialize()


def _check_outputs(model: Any) -> None:
    """Refuse a model that would fill the memory when it is called on one example."""
    graph = getattr(model, "_functional", None) or model  # what a Sequential keeps inside
    for operation in getattr(graph, "operations", ()):
        for node in operation._inbound_nodes:
            for tensor in node.outputs:
                if math.prod(n or 1 for n in tensor.shape) > OUTPUT_NUMBERS:
                    raise Damaged(f"the layer {operation.name} gives too many numbers")
        _check_outputs(operation)


def _decode_model(decoder: Decoder, config: Any, weights: Any, seeds: Any, compiled: Any) -> Any:
    settings = decoder.value(config)
    values, states = decoder.values(weights), decoder.values(seeds)
    model, created = _rebuilt(settings, "model")
    _check_outputs(model)
    _give_state(model, created, values, states)
    if compiled is not None:
        decode_compile(decoder, model, compiled)
    return model


def _decode_layer(decoder: Decoder, config: Any, weights: Any, seeds: Any) -> Any:
    settings = decoder.value(config)
    values, states = decoder.values(weights), decoder.values(seeds)
    layer, created = _rebuilt(settings, "layer")
    _give_state(layer, created, values, states)
    return layer


def _decode_settings(decoder: Decoder, config: Any) -> Any:
    settings = decoder.value(config)
    require_family(settings, _SETTINGS)
    return build(settings)


def _decode_history(decoder: Decoder, history: Any, params: Any, epoch: Any) -> Any:
    import keras

    result = keras.callbacks.History()
    result.history, result.params = decoder.value(history), decoder.value(params)
    result.epoch = decoder.value(epoch)
    if (type(result.history), type(result.params), type(result.epoch)) != (dict, dict, list):
        raise Damaged("no history")
    return result


def _decode_tensor(decoder: Decoder, node: Any) -> Any:
    array = decoder.value(node)
    if not isinstance(array, np.ndarray):
        raise Damaged("no tensor")
    try:
        import tensorflow as tf
    except ImportError:
        return array
    return tf.constant(array)


def _decode_dtype(decoder: Decoder, name: Any) -> Any:
    import tensorflow as tf

    if type(name) is not str or len(name) > 30:
        raise Damaged("no dtype")
    return tf.dtypes.as_dtype(name)


DECODERS: dict[str, Callable[..., Any]] = {
    "model": _decode_model,
    "layer": _decode_layer,
    "keras": _decode_settings,
    "history": _decode_history,
    "tensor": _decode_tensor,
    "tf_dtype": _decode_dtype,
}
