"""Keras models: their layers, parameters, compile settings and measured accuracy.

A model is never changed: not compiled, not trained, no method replaced. Predictions come from
calling it as a function.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

import keras
import numpy as np

from dlcourse.checks import compiled
from dlcourse.checks.arrays import Images
from dlcourse.checks.layers import LayerFacts, expected_facts, facts_of, refuse_own_class
from dlcourse.checks.outcome import Check, a, fail, fail_by, require_attempt, show

_BATCH = 250
# Of a rate that came as a float32.
_RATE_TOLERANCE = 1e-6
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


def logits_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What `model` gives for `images` (n, height, width, channels), as float32 (n, classes)."""
    outputs = [
        keras.ops.convert_to_numpy(model(images[i : i + _BATCH], training=False))
        for i in range(0, len(images), _BATCH)
    ]
    return np.concatenate(outputs).astype(np.float32)


def accuracy_of(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of `images` whose largest output is at the place of the label; 0 to 1.

    Args:
        labels: class numbers, (n,) or (n, 1).
    """
    return float((logits_of(model, images).argmax(axis=1) == labels.ravel()).mean())


def losses_of(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Each image's cross-entropy in nats, (n,), from the model's logits; `labels` as above."""
    logits = logits_of(model, images).astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    losses: np.ndarray = -log_probabilities[np.arange(len(logits)), labels.ravel()]
    return losses


class ModelCheck(Check):
    """What may be asked of a Keras model."""

    def __init__(self, name: str, model: Any) -> None:
        require_attempt(name, model)
        if not isinstance(model, keras.Model):
            fail(
                f"{name} is {show(model)}.",
                expected="a Keras model: keras.Model(inputs=…, outputs=…)",
            )
        if not isinstance(model, keras.Sequential) and not hasattr(model, "input_shape"):
            refuse_own_class(name)
        if not model.built or not model.layers:
            fail(
                f"{name} has no layers with a known input shape.",
                expected="a model that starts with keras.Input(shape=(…))",
            )
        self.name, self.model = name, model

    def has_input_shape(self, *shape: int) -> ModelCheck:
        """It takes inputs of `shape`, the batch dimension left out."""
        got = tuple(self.model.input_shape[1:])
        if got != shape:
            fail(
                f"{self.name} takes inputs of shape {got}.",
                expected=f"{shape}",
                hint="keras.Input(shape=…) takes the shape of one image, without the number of "
                "images.",
            )
        return self

    def has_outputs(self, count: int) -> ModelCheck:
        """It gives `count` numbers for each input."""
        got = tuple(self.model.output_shape[1:])
        if got != (count,):
            fail(
                f"{self.name} has outputs of shape {got} for each image.",
                expected=f"{(count,)}: one number for each of {count} classes",
                hint="a Flatten before the dense layers makes one row of all numbers."
                if len(got) > 1
                else "did you pass the output of the last layer to keras.Model?",
            )
        return self

    def has_layer_count(self, count: int) -> ModelCheck:
        """It has `count` layers, inputs and activations that stand alone not counted."""
        facts = facts_of(self.name, self.model)
        if len(facts) != count:
            fail(
                f"{self.name} has {len(facts)} layers: {_kinds(facts)}.", expected=f"{count} layers"
            )
        return self

    def has_layers(self, *expected: keras.Layer) -> ModelCheck:
        """It is the chain `expected` (listed unbuilt), or one that computes the same.

        Names do not matter, nor Sequential against functional, nor an activation given to a
        layer against one that follows it. The first difference is told, with the equation.
        """
        got = facts_of(self.name, self.model)
        wanted = expected_facts(tuple(self.model.input_shape[1:]), expected)
        self._require_same_kinds(got, wanted)
        for position, (layer, target) in enumerate(zip(got, wanted, strict=True), start=1):
            self._require_same_layer(position, layer, target)
        return self

    def has_layer_shapes(self, *shapes: tuple[int, ...]) -> ModelCheck:
        """Its layers' output shapes, one by one, the batch dimension left out."""
        got = facts_of(self.name, self.model)
        if len(got) != len(shapes):
            fail(
                f"{self.name} has {len(got)} layers: {_kinds(got)}.",
                expected=f"{len(shapes)} layers",
            )
        for position, (layer, shape) in enumerate(zip(got, shapes, strict=True), start=1):
            if layer.output_shape != shape:
                fail(
                    f"{self.name}: layer {position} ({layer}) has outputs of shape "
                    f"{layer.output_shape}.",
                    expected=f"{shape}",
                )
        return self

    def has_parameters(self, count: int) -> ModelCheck:
        """It has `count` parameters in all; the message has each layer's, with the equation."""
        got = self.model.count_params()
        if got != count:
            table = "; ".join(
                f"{layer}: {layer.equation} = {layer.parameters:,}"
                for layer in facts_of(self.name, self.model)
                if layer.parameters
            )
            fail(
                f"{self.name} has {got:,} parameters ({table or 'no layer has any'}).",
                expected=f"{count:,}",
            )
        return self

    def has_dropout(self, rate: float) -> ModelCheck:
        """It has exactly one Dropout layer, with this rate."""
        facts = facts_of(self.name, self.model)
        rates = [layer.settings["rate"] for layer in facts if layer.kind == "Dropout"]
        if len(rates) != 1:
            other = next((layer.kind for layer in facts if "Dropout" in layer.kind), "")
            fail(
                f"{self.name} has {len(rates)} Dropout layers.",
                expected="one",
                hint=f"{a(other)} is a different layer. `layers.Dropout` drops single numbers."
                if other and not rates
                else "",
            )
        if abs(rates[0] - rate) > _RATE_TOLERANCE:
            turned = abs(rates[0] - (1 - rate)) < _RATE_TOLERANCE
            fail(
                f"{self.name} has a Dropout with rate {rates[0]:g}.",
                expected=f"rate {rate:g}",
                hint="the rate is the share that is dropped, not the share that is kept."
                if turned
                else "the rate must be the function's argument, not a fixed number and not a name "
                "from another cell.",
            )
        return self

    def has_loss_for(self, labels: np.ndarray) -> ModelCheck:
        """Its loss fits its last layer and labels of this form."""
        facts = compiled.compile_facts(self.name, self.model)
        layers = facts_of(self.name, self.model)
        compiled.require_loss(
            self.name, facts, layers[-1].activation, np.shape(labels), self.model.output_shape[-1]
        )
        return self

    def has_optimizer(self, optimizer: str, hint: str = "") -> ModelCheck:
        """It is compiled with this optimizer, such as "adam"."""
        facts = compiled.compile_facts(self.name, self.model)
        compiled.require_optimizer(self.name, facts, optimizer, hint)
        return self

    def is_the_model(self, other: keras.Model) -> ModelCheck:
        """It has the layers of the model `other`, and its very weights.

        A function may change the model that it is handed: `other` has to be a twin of that.
        """
        layers, wanted = (
            [(layer.kind, layer.activation) for layer in facts_of(name, model)]
            for name, model in ((self.name, self.model), ("the other model", other))
        )
        weights, others = self.model.get_weights(), other.get_weights()
        same_weights = len(weights) == len(others) and all(map(np.array_equal, weights, others))
        if layers != wanted or not same_weights:
            fail(
                f"{self.name} is not the model that was handed in, or the function changed it.",
                expected="the same layers and weights. The function must use its argument, and not "
                "train or replace it",
            )
        return self

    def reports_accuracy(self) -> ModelCheck:
        """It is compiled with accuracy among its metrics."""
        compiled.require_accuracy_metric(self.name, compiled.compile_facts(self.name, self.model))
        return self

    def reaches_accuracy(
        self, threshold: float, images: np.ndarray, labels: np.ndarray, luck: float = 0.0
    ) -> ModelCheck:
        """Measured here, on `images` and `labels`, its accuracy is at least `threshold`.

        `luck`, also below: a miss by less than this may be the luck of the seed.
        """
        got = accuracy_of(self.model, images, labels)
        if got < threshold:
            chance = 1 / self.model.output_shape[-1]
            fail_by(
                threshold - got,
                luck,
                {f"{self.name} accuracy": got},
                problem=f"{self.name} classifies {got:.1%} of {len(images):,} unseen images "
                "correctly.",
                expected=f"at least {threshold:.1%}",
                hint=_accuracy_hint(got, chance),
            )
        return self

    def has_smaller_gap_than(
        self,
        other_name: str,
        other: Any,
        seen: Images,
        unseen: Images,
        at_most: float,
        luck: float = 0.0,
    ) -> ModelCheck:
        """Its gap is smaller than that of the model `other`, and not above `at_most`.

        The gap is the mean cross-entropy on `unseen` minus that on `seen`, pairs of images and
        labels, both measured here without dropout. It tells two models apart with far less luck
        than the gap in accuracy does.
        """
        gap, other_gap = (
            losses_of(model, *unseen).mean() - losses_of(model, *seen).mean()
            for model in (self.model, ModelCheck(other_name, other).model)
        )
        if not (gap < other_gap and gap <= at_most):  # so that nan does not pass
            fail_by(
                max(gap - at_most, gap - other_gap),
                luck,
                {f"{self.name} gap": float(gap), f"{other_name} gap": float(other_gap)},
                problem=f"The loss of {self.name} is {gap:.3f} higher on new images than on "
                f"training images. The loss of {other_name} is {other_gap:.3f} higher.",
                expected=f"a smaller gap for {self.name}, of at most {at_most:.3f}",
                hint="is the dropout only in one model? Were both trained in the same way?",
            )
        return self

    def has_no_higher_loss_than(
        self, other_name: str, other: Any, unseen: Images, tolerance: float, luck: float = 0.0
    ) -> ModelCheck:
        """Its cross-entropy on `unseen` is at most `tolerance` above that of the model `other`."""
        loss = losses_of(self.model, *unseen).mean()
        other_loss = losses_of(ModelCheck(other_name, other).model, *unseen).mean()
        if not loss - other_loss <= tolerance:  # so that nan does not pass
            fail_by(
                loss - other_loss - tolerance,
                luck,
                {f"{self.name} loss": float(loss), f"{other_name} loss": float(other_loss)},
                problem=f"On unseen images the loss is {loss:.3f} for {self.name} and "
                f"{other_loss:.3f} for {other_name}.",
                expected=f"a loss that is at most {tolerance:.3f} higher",
                hint="were both models trained for as many epochs as the task says?",
            )
        return self

    def _require_same_kinds(self, got: list[LayerFacts], wanted: list[LayerFacts]) -> None:
        kinds, targets = [f.kind for f in got], [f.kind for f in wanted]
        if kinds == targets:
            return
        if sorted(kinds) == sorted(targets):
            fail(
                f"{self.name} has the right layers in another order: {_kinds(got)}.",
                expected=_kinds(wanted),
            )
        for action, i1, _, j1, _ in SequenceMatcher(
            a=kinds, b=targets, autojunk=False
        ).get_opcodes():
            counts = f"{self.name}: "
            if len(got) != len(wanted):
                counts = f"{self.name} has {len(got)} layers instead of {len(wanted)}: "
            before = f"after layer {i1} ({got[i1 - 1]})" if i1 else "at the start"
            if action == "insert":
                fail(
                    f"{counts}{a(wanted[j1].kind)} is missing {before}.",
                    expected=_kinds(wanted),
                )
            if action == "delete":
                fail(
                    f"{counts}layer {i1 + 1} is {a(got[i1].kind)} ('{got[i1].name}') that should "
                    "not be there.",
                    expected=_kinds(wanted),
                )
            if action == "replace":
                fail(
                    f"{self.name}: layer {i1 + 1} is {a(got[i1].kind)} ('{got[i1].name}').",
                    expected=f"{wanted[j1].kind}, in {_kinds(wanted)}",
                )

    def _require_same_layer(self, position: int, layer: LayerFacts, target: LayerFacts) -> None:
        where = f"{self.name}: layer {position} ({layer})"
        for key, wanted in target.settings.items():
            if not _is_setting(layer.settings[key], wanted):
                problem = f"{where} has {key} {_setting(layer.settings[key])}"
                hint = _SETTING_HINTS.get((layer.kind, key), "")
                if layer.equation and layer.parameters != target.parameters:
                    problem += f", so {layer.equation} = {layer.parameters:,} parameters"
                    hint = f"its parameters should be {target.equation} = {target.parameters:,}."
                fail(problem + ".", expected=f"{key} {_setting(wanted)}", hint=hint)
        if layer.activation != target.activation:
            fail(
                f"{where} has {_activation(layer.activation)}.",
                expected=_activation(target.activation),
            )
        if layer.output_shape != target.output_shape or layer.parameters != target.parameters:
            fail(
                f"{where} has outputs of shape {layer.output_shape} and "
                f"{layer.equation} = {layer.parameters:,} parameters.",
                expected=f"{target.output_shape} and {target.equation} = {target.parameters:,}",
            )


def _kinds(facts: list[LayerFacts]) -> str:
    return " → ".join(layer.kind for layer in facts) or "none"


def _is_setting(got: Any, wanted: Any) -> bool:
    if isinstance(got, float) and isinstance(wanted, float):
        return abs(got - wanted) <= _RATE_TOLERANCE
    return bool(got == wanted)


def _setting(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _activation(name: str) -> str:
    return "no activation" if name == "linear" else f"the activation {name}"


def _accuracy_hint(accuracy: float, chance: float) -> str:
    if accuracy < 1.5 * chance:
        return f"guessing gives {chance:.0%}. Was the model trained? Were the images normalised?"
    return "did you train for as many epochs as the task says? Were the images normalised?"
