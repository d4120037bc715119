"""A Keras model as the chain of layers that it is, however it was written down.

Sequential or functional, `activation="relu"` or a ReLU layer, nested models, any names: what
computes the same gives the same facts. Only Keras' public API is used, and the model is only
read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn

import keras

from dlcourse.checks.outcome import fail

_CONVOLUTION = (
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "dilation_rate",
    "groups",
    "use_bias",
    "trainable",
)
# The settings that tell two layers of a kind apart, by the names that Keras gives them.
_SETTINGS = {
    "Conv2D": _CONVOLUTION,
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "Conv1D": _CONVOLUTION,
    "Embedding": ("input_dim", "output_dim", "mask_zero", "trainable"),
    "Dense": ("units", "use_bias", "trainable"),
    "Dropout": ("rate", "noise_shape", "training"),
}
_ACTIVATION_LAYERS = {
    "ReLU": "relu",
    "Relu": "relu",
    "Softmax": "softmax",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
}
# An activation that acts on each number alone and never decreases may stand before or after these.
_TRANSPARENT = {"MaxPooling2D", "GlobalMaxPooling1D", "Flatten"}
_MONOTONE = {"relu", "sigmoid", "tanh"}

Shape = tuple[int | None, ...]
_Call = tuple[str, int]


@dataclass(frozen=True)
class LayerFacts:
    """One layer with weights or a shape of its own; activation layers are folded into it.

    `output_shape` is without the batch dimension. `equation` gives the number of parameters with
    the numbers filled in, or "" for a layer without.
    """

    kind: str
    name: str
    settings: dict[str, Any]
    activation: str
    output_shape: Shape
    parameters: int
    equation: str = ""

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}'"


def facts_of(name: str, model: keras.Model) -> list[LayerFacts]:
    """The layers of `model` from input to output.

    Raises `CheckFailed` for a model that is not one chain from one input to one output.
    """
    facts: list[LayerFacts] = []
    shape = tuple(model.input_shape[1:])
    for layer, is_training in _chain(name, model):
        kind = type(layer).__name__
        config = layer.get_config()
        before, shape = shape, _output_shape(layer, shape)
        if kind == "Activation":
            _fold(facts, layer, _activation_name(config.get("activation")), shape)
        elif kind in _ACTIVATION_LAYERS:
            _fold(facts, layer, _ACTIVATION_LAYERS[kind] + _relu_settings(config), shape)
        elif kind == "Dropout" and config["rate"] == 0:
            continue
        else:
            called = {"training": is_training} if kind == "Dropout" else {}
            facts.append(_facts(layer, kind, config | called, before, shape))
    return facts


def refuse_own_class(name: str) -> NoReturn:
    """Raise `CheckFailed` for a model whose layers cannot be followed."""
    fail(
        f"{name} is made by a class of your own, so the test cannot follow its layers.",
        expected="a model made with keras.Model(inputs, outputs) or keras.Sequential",
    )


def expected_facts(
    input_shape: tuple[int, ...], layers: tuple[keras.Layer, ...]
) -> list[LayerFacts]:
    """The facts of the chain `layers` (unbuilt, as an instructor lists them) on `input_shape`."""
    copies = [layer.__class__.from_config(layer.get_config()) for layer in layers]
    return facts_of("the expected model", keras.Sequential([keras.Input(input_shape), *copies]))


def _chain(name: str, model: keras.Model, is_training: bool = False) -> list[tuple[Any, bool]]:
    """The layers, each with whether it, or its model, is called with training=True."""
    if isinstance(model, keras.Sequential):
        inner = [(layer, False) for layer in model.layers]
    else:
        inner = _functional_chain(name, model)
    chain: list[tuple[Any, bool]] = []
    for layer, own in inner:
        if isinstance(layer, keras.Model):
            chain += _chain(name, layer, own or is_training)
        elif not isinstance(layer, keras.layers.InputLayer):
            chain.append((layer, own or is_training))
    return chain


def _functional_chain(name: str, model: keras.Model) -> list[tuple[Any, bool]]:
    try:
        config = model.get_config()
        described = config["layers"]
    except (NotImplementedError, KeyError, TypeError):
        refuse_own_class(name)
    operations = {operation.name: operation for operation in model.operations}
    # A call is one use of a layer: (its name, the how-manyth use). One without weights, such as a
    # pooling, may be used again: it computes the same as another of its kind.
    source_of: dict[_Call, _Call] = {}
    training: set[_Call] = set()
    for item in described:
        calls = item.get("inbound_nodes", [])
        if len(calls) > 1 and getattr(operations[item["name"]], "weights", None):
            fail(
                f"{name}: layer '{item['name']}' is used {len(calls)} times.",
                expected="a layer with weights of its own for each place",
            )
        for number, call in enumerate(calls):
            sources = _sources(call)
            if len(sources) != 1:
                fail(
                    f"{name}: layer '{item['name']}' has {len(sources)} inputs.",
                    expected="each layer called with the output of the layer before it",
                )
            source_of[item["name"], number] = sources[0]
            # Keras notes False where nothing was said.
            if call["kwargs"].get("training"):
                training.add((item["name"], number))
    user_of = {source: call for call, source in source_of.items()}
    if len(user_of) != len(source_of):
        taken = list(source_of.values())
        shared = next(source for source in taken if taken.count(source) > 1)
        fail(
            f"{name}: the output of '{shared[0]}' goes to more than one layer.",
            expected="each layer called with the output of the layer before it",
        )
    call = next((item["name"], 0) for item in described if not item.get("inbound_nodes"))
    order = [call]
    while call in user_of:
        call = user_of[call]
        order.append(call)
    return [(operations[call[0]], call in training) for call in order]


def _sources(value: Any) -> list[_Call]:
    """The calls that a serialised call takes its tensors from."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            layer, number, _ = value["config"]["keras_history"]
            return [(layer, number)]
        return [source for item in value.values() for source in _sources(item)]
    if isinstance(value, (list, tuple)):
        return [source for item in value for source in _sources(item)]
    return []


def _output_shape(layer: Any, input_shape: Shape) -> Shape:
    if not isinstance(layer, keras.Layer):
        return tuple(layer.output.shape[1:])  # an operation, such as keras.ops.relu
    return tuple(layer.compute_output_shape((None, *input_shape))[1:])


def _facts(
    layer: Any, kind: str, config: dict[str, Any], input_shape: Shape, output_shape: Shape
) -> LayerFacts:
    if kind == "Reshape" and len(output_shape) == 1:
        kind = "Flatten"
    return LayerFacts(
        kind=kind,
        name=layer.name,
        settings={key: _plain(config.get(key)) for key in _SETTINGS.get(kind, ())},
        activation=_activation_name(config.get("activation")),
        output_shape=output_shape,
        parameters=layer.count_params() if isinstance(layer, keras.Layer) else 0,
        equation=_equation(kind, config, input_shape),
    )


def _equation(kind: str, config: dict[str, Any], input_shape: Shape) -> str:
    bias = " + 1" if config.get("use_bias") else ""
    if kind == "Conv2D":
        height, width = config["kernel_size"]
        channels = input_shape[-1] // config["groups"]
        return f"({height}·{width}·{channels}{bias})·{config['filters']}"
    if kind == "Conv1D":
        (width,) = config["kernel_size"]
        channels = input_shape[-1] // config["groups"]
        return f"({width}·{channels}{bias})·{config['filters']}"
    if kind == "Embedding":
        return f"{config['input_dim']}·{config['output_dim']}"
    if kind == "Dense":
        return f"({input_shape[-1]}{bias})·{config['units']}"
    return ""


def _fold(facts: list[LayerFacts], layer: Any, activation: str, shape: Shape) -> None:
    """Give `activation` to the layer that it belongs to; append it where there is none."""
    if activation == "linear":
        return
    for i in range(len(facts) - 1, -1, -1):
        if facts[i].kind in ("Conv1D", "Conv2D", "Dense"):
            if facts[i].activation == "linear":
                facts[i] = replace(facts[i], activation=activation)
                return
            if facts[i].activation == activation == "relu":
                return  # relu of relu is relu
            break
        if not (facts[i].kind in _TRANSPARENT and activation in _MONOTONE):
            break
    facts.append(LayerFacts("Activation", layer.name, {}, activation, shape, 0))


def _relu_settings(config: dict[str, Any]) -> str:
    """What makes a ReLU layer another function than relu, such as "(max_value=6.0)"."""
    changed = [
        f"{key}={config[key]}"
        for key in ("max_value", "negative_slope", "threshold")
        if config.get(key)
    ]
    return f"({', '.join(changed)})" if changed else ""


def _activation_name(activation: Any) -> str:
    if activation is None:
        return "linear"
    if isinstance(activation, str):
        return activation
    if isinstance(activation, dict):
        config = activation.get("config")
        name = config if isinstance(config, str) else activation.get("class_name", "")
        if name and name != "__lambda__":
            return _ACTIVATION_LAYERS.get(name, str(name))
    return "(one of your own)"


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
