"""What calls of well-known Keras functions mean: the layers, and the order of their arguments."""

from __future__ import annotations

from typing import TypeGuard

import libcst as cst

_CONVOLUTION = ("filters", "kernel_size", "strides", "padding")
_WHOLE_CONVOLUTION = (*_CONVOLUTION, "data_format", "dilation_rate", "groups", "activation")
_POOLING = ("pool_size", "strides", "padding")
_DIMENSIONS = ("1D", "2D", "3D")

# Positional arguments in the order that Keras 2 and 3 share (keras.io/api/layers).
LAYERS: dict[str, tuple[str, ...]] = {
    "Dense": ("units", "activation"),
    **{f"Conv{d}": _WHOLE_CONVOLUTION for d in _DIMENSIONS},
    **{f"Conv{d}Transpose": _CONVOLUTION for d in _DIMENSIONS},
    **{f"SeparableConv{d}": _CONVOLUTION for d in ("1D", "2D")},
    "DepthwiseConv2D": ("kernel_size", "strides", "padding"),
    **{f"{kind}{d}": _POOLING for kind in ("MaxPooling", "MaxPool") for d in _DIMENSIONS},
    **{f"{kind}{d}": _POOLING for kind in ("AveragePooling", "AvgPool") for d in _DIMENSIONS},
    **{f"GlobalMaxPooling{d}": () for d in _DIMENSIONS},
    **{f"GlobalAveragePooling{d}": () for d in _DIMENSIONS},
    "Flatten": (),
    "Reshape": ("target_shape",),
    "UpSampling2D": ("size",),
    "ZeroPadding2D": ("padding",),
    "Dropout": ("rate",),
    **{f"SpatialDropout{d}": ("rate",) for d in _DIMENSIONS},
    "GaussianNoise": ("stddev",),
    "BatchNormalization": (),
    "LayerNormalization": (),
    "Rescaling": ("scale",),
    "Activation": ("activation",),
    "ReLU": (),
    "LeakyReLU": (),
    "ELU": (),
    "Softmax": (),
    "Embedding": ("input_dim", "output_dim"),
    "LSTM": ("units", "activation"),
    "GRU": ("units", "activation"),
    "SimpleRNN": ("units", "activation"),
}
CONVOLUTIONS = frozenset(name for name in LAYERS if "Conv" in name)
POOLINGS = frozenset(name for name, order in LAYERS.items() if order == _POOLING)
DROPOUTS = frozenset(name for name in LAYERS if "Dropout" in name)
ACTIVATION_LAYERS = {"ReLU": "relu", "Softmax": "softmax"}
# Here the activation is the very last thing that the layer does.
ACTIVATED = frozenset({"Dense"} | {name for name in CONVOLUTIONS if "Depthwise" not in name})

# Methods of a model. `compile` has no common order after the loss.
METHODS: dict[str, tuple[str, ...]] = {
    "compile": ("optimizer", "loss"),
    "fit": ("x", "y", "batch_size", "epochs"),
    "evaluate": ("x", "y", "batch_size", "verbose"),
    "predict": ("x", "batch_size", "verbose"),
}
# Arguments by which a model's method is told from the method of another library's object.
TELLING = {
    "compile": frozenset({"optimizer", "loss", "metrics"}),
    "fit": frozenset({"epochs", "validation_data", "validation_split", "callbacks", "batch_size"}),
    "evaluate": frozenset({"verbose", "batch_size"}),
    "predict": frozenset({"verbose", "batch_size"}),
}

# Arguments that decide how something is named, printed or drawn, not what it is.
COSMETIC = frozenset({"name", "verbose", "figsize", "dpi", "alpha", "linewidth", "fontsize"})


def called(node: cst.CSTNode | None) -> str:
    """The last name of what is called: "Conv2D" for `keras.layers.Conv2D(…)`; "" for all else."""
    if not isinstance(node, cst.Call):
        return ""
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value
    return node.func.value if isinstance(node.func, cst.Name) else ""


def named(call: cst.Call, name: str) -> cst.Call:
    """The call with another last name, from the same module or object."""
    if isinstance(call.func, cst.Attribute):
        return call.with_changes(func=call.func.with_changes(attr=cst.Name(name)))
    return call.with_changes(func=cst.Name(name))


def is_layer(node: cst.CSTNode | None) -> TypeGuard[cst.Call]:
    """Whether the node makes one of the LAYERS."""
    return called(node) in LAYERS


def argument(call: cst.Call, name: str, order: tuple[str, ...] | None = None) -> cst.Arg | None:
    """The argument `name` of a call, given by keyword or by its place in `order`.

    Without `order`, the layer's or method's own in LAYERS or METHODS is taken.
    """
    if order is None:
        order = LAYERS.get(called(call)) or METHODS.get(called(call), ())
    for place, arg in enumerate(call.args):
        if arg.star:
            return None
        known = order[place] if place < len(order) else ""
        if (arg.keyword.value if arg.keyword else known) == name:
            return arg
    return None


def keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    """The argument `name=value`, without spaces around the sign."""
    tight = cst.AssignEqual(
        whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
    )
    return cst.Arg(value=value, keyword=cst.Name(name), equal=tight)
