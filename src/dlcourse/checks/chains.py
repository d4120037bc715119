"""Two chains of layers beside each other: the first difference, in words."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from dlcourse.checks.layers import LayerFacts
from dlcourse.checks.outcome import a, fail, is_withheld

# Of a rate that came as a float32.
RATE_TOLERANCE = 1e-6
_SETTING_HINTS = {
    ("Dropout", "training"): (
        "training=True makes it drop numbers in predictions too: call the layer with the tensor "
        "only."
    ),
    ("Conv2D", "trainable"): "with trainable=False a layer learns nothing.",
    ("Dense", "trainable"): "with trainable=False a layer learns nothing.",
    ("Dropout", "noise_shape"): (
        "noise_shape drops numbers in groups. Use `layers.Dropout(rate)`."
    ),
}


def require_same_kinds(name: str, got: list[LayerFacts], targets: Sequence[str]) -> None:
    """The layers of the model `name` are of the kinds wanted, in that order."""
    found = [layer.kind for layer in got]
    if found == list(targets):
        return
    wanted = " → ".join(targets)
    if sorted(found) == sorted(targets):
        fail(
            f"{name} has the right layers in another order: {kinds(got)}.",
            answer=wanted,
        )
    for action, i1, _, j1, _ in SequenceMatcher(a=found, b=targets, autojunk=False).get_opcodes():
        counts = f"{name}: "
        if len(got) != len(targets):
            counts = f"{name} has {len(got)} layers instead of {len(targets)}: "
        before = f"after layer {i1} ({got[i1 - 1]})" if i1 else "at the start"
        if action == "insert":
            fail(
                f"{counts}{a(targets[j1])} is missing {before}.",
                answer=wanted,
            )
        if action == "delete":
            fail(
                f"{counts}layer {i1 + 1} is {a(got[i1].kind)} ('{got[i1].name}') that should "
                "not be there.",
                answer=wanted,
            )
        if action == "replace":
            fail(
                f"{name}: layer {i1 + 1} is {a(got[i1].kind)} ('{got[i1].name}').",
                answer=f"{targets[j1]}, in {wanted}",
            )


def require_same_layer(name: str, position: int, layer: LayerFacts, target: LayerFacts) -> None:
    """The layer at `position`, from 1, has the settings, activation, shape and size of `target`."""
    where = f"{name}: layer {position} ({layer})"
    for key, wanted in target.settings.items():
        if not _is_setting(layer.settings[key], wanted):
            problem = f"{where} has {key} {_setting(layer.settings[key])}"
            hint = _SETTING_HINTS.get((layer.kind, key), "")
            if layer.equation and layer.parameters != target.parameters:
                problem += f", so {layer.equation} = {layer.parameters:,} parameters"
                if not is_withheld():
                    hint = f"its parameters should be {target.equation} = {target.parameters:,}."
            fail(problem + ".", answer=f"{key} {_setting(wanted)}", hint=hint)
    if layer.activation != target.activation:
        fail(
            f"{where} has {_activation(layer.activation)}.",
            answer=_activation(target.activation),
        )
    if layer.output_shape != target.output_shape or layer.parameters != target.parameters:
        fail(
            f"{where} has outputs of shape {layer.output_shape} and "
            f"{layer.equation} = {layer.parameters:,} parameters.",
            answer=f"{target.output_shape} and {target.equation} = {target.parameters:,}",
        )


def require_activations(name: str, facts: list[LayerFacts], wanted: Sequence[str]) -> None:
    """Fail where the layers with weights have other activations than `wanted`."""
    got = [(place, layer) for place, layer in enumerate(facts, start=1) if layer.parameters]
    if len(got) != len(wanted):
        fail(
            f"{name} has {len(got)} layers with weights: {kinds([layer for _, layer in got])}.",
            answer=f"{len(wanted)} of them",
        )
    for (place, layer), activation in zip(got, wanted, strict=True):
        if layer.activation != activation:
            fail(
                f"{name}: layer {place} ({layer}) has {_activation(layer.activation)}.",
                answer=_activation(activation),
            )


def kinds(facts: list[LayerFacts]) -> str:
    """The kinds of layers in their order, to be read."""
    return " → ".join(layer.kind for layer in facts) or "none"


def _is_setting(got: Any, wanted: Any) -> bool:
    if isinstance(got, float) and isinstance(wanted, float):
        return abs(got - wanted) <= RATE_TOLERANCE
    return bool(got == wanted)


def _setting(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _activation(name: str) -> str:
    return "no activation" if name == "linear" else f"the activation {name}"
