"""Keras models: their layers, parameters, compile settings and measured accuracy.

A model is never changed: not compiled, not trained, no method replaced. Predictions come from
calling it as a function.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from dlcourse.checks import compiled
from dlcourse.checks.arrays import Images
from dlcourse.checks.chains import (
    RATE_TOLERANCE,
    kinds,
    require_activations,
    require_same_kinds,
    require_same_layer,
)
from dlcourse.checks.layers import expected_facts, facts_of, refuse_own_class
from dlcourse.checks.outcome import (
    NOT_TOLD,
    Check,
    a,
    fail,
    fail_by,
    is_withheld,
    require_attempt,
    show,
)

_BATCH = 250


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


def rmse_of(model: keras.Model, rows: np.ndarray, answers: np.ndarray) -> float:
    """The root of the mean squared error of `model` on `rows` (n, …).

    Args:
        answers: one number for each row, (n,) or (n, 1): of either shape, the result is the same.
    """
    errors = logits_of(model, rows).ravel().astype(np.float64) - np.ravel(answers)
    return float(np.sqrt((errors**2).mean()))


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

    @property
    def _example(self) -> str:
        """What it takes, in words: a row of a table, or an image."""
        return "row" if len(self.model.input_shape) == 2 else "image"

    def has_input_shape(self, *shape: int) -> ModelCheck:
        """It takes inputs of `shape`, the batch dimension left out."""
        got = tuple(self.model.input_shape[1:])
        if got != shape:
            fail(
                f"{self.name} takes inputs of shape {got}.",
                expected=f"{shape}",
                hint=f"keras.Input(shape=…) takes the shape of one {self._example}, without the "
                f"number of {self._example}s.",
            )
        return self

    def has_outputs(self, count: int) -> ModelCheck:
        """It gives `count` numbers for each input."""
        got = tuple(self.model.output_shape[1:])
        if got != (count,):
            fail(
                f"{self.name} has outputs of shape {got} for each {self._example}.",
                expected=f"{(count,)}: "
                + (f"one number for each of {count} classes" if count > 1 else "one number"),
                hint="a Flatten before the dense layers makes one row of all numbers."
                if len(got) > 1
                else "did you pass the output of the last layer to keras.Model?",
            )
        return self

    def ends_linear(self) -> ModelCheck:
        """Its last layer has no activation, so that its output may be any number."""
        activation = facts_of(self.name, self.model)[-1].activation
        if activation != "linear":
            fail(
                f"{self.name}: the last layer has the activation {activation}.",
                expected="no activation: the output is a number of any size",
                hint={
                    "softmax": "the shares of a softmax add up to 1, so of a single output it "
                    "always makes 1.",
                    "relu": "where a ReLU says 0, nothing is learned: one that starts there stays.",
                    "sigmoid": "a sigmoid is never above 1.",
                    "tanh": "a tanh is never above 1.",
                }.get(activation, ""),
            )
        return self

    def has_layer_count(self, count: int) -> ModelCheck:
        """It has `count` layers, inputs and activations that stand alone not counted."""
        facts = facts_of(self.name, self.model)
        if len(facts) != count:
            fail(f"{self.name} has {len(facts)} layers: {kinds(facts)}.", answer=f"{count} layers")
        return self

    def has_activations(self, *names: str) -> ModelCheck:
        """Its layers with weights have these activations, such as "relu"; "linear" is none."""
        require_activations(self.name, facts_of(self.name, self.model), names)
        return self

    def has_kinds(self, *names: str) -> ModelCheck:
        """Its layers are of these kinds, such as "Conv2D", in this order; counted as above."""
        require_same_kinds(self.name, facts_of(self.name, self.model), names)
        return self

    def has_layers(self, *expected: keras.Layer) -> ModelCheck:
        """It is the chain `expected` (listed unbuilt), or one that computes the same.

        Names do not matter, nor Sequential against functional, nor an activation given to a
        layer against one that follows it. The first difference is told, with the equation.
        """
        got = facts_of(self.name, self.model)
        wanted = expected_facts(tuple(self.model.input_shape[1:]), expected)
        require_same_kinds(self.name, got, [layer.kind for layer in wanted])
        for position, (layer, target) in enumerate(zip(got, wanted, strict=True), start=1):
            require_same_layer(self.name, position, layer, target)
        return self

    def has_layer_shapes(self, *shapes: tuple[int, ...]) -> ModelCheck:
        """Its layers' output shapes, one by one, the batch dimension left out."""
        got = facts_of(self.name, self.model)
        if len(got) != len(shapes):
            fail(
                f"{self.name} has {len(got)} layers: {kinds(got)}.",
                answer=f"{len(shapes)} layers",
            )
        for position, (layer, shape) in enumerate(zip(got, shapes, strict=True), start=1):
            if layer.output_shape != shape:
                fail(
                    f"{self.name}: layer {position} ({layer}) has outputs of shape "
                    f"{layer.output_shape}.",
                    answer=f"{shape}",
                    hint="its strides are larger than 1, so it leaves places out."
                    if max(layer.settings.get("strides") or (1,)) > 1 and layer.parameters
                    else "",
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
                answer=f"{count:,}",
            )
        return self

    def has_trainable_parameters(self, trainable: int, others: int) -> ModelCheck:
        """So many of its parameters are changed by training, and `others` are not."""
        got = [
            sum(math.prod(weight.shape) for weight in weights)
            for weights in (self.model.trainable_weights, self.model.non_trainable_weights)
        ]
        if got != [trainable, others]:
            fail(
                f"{self.name} has {got[0]:,} trainable parameters and {got[1]:,} others.",
                answer=f"{trainable:,} and {others:,}",
                hint="a batch normalisation has four numbers for each of its inputs: two are "
                "trained, two are measured.",
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
        if abs(rates[0] - rate) > RATE_TOLERANCE:
            turned = abs(rates[0] - (1 - rate)) < RATE_TOLERANCE
            fail(
                f"{self.name} has a Dropout with rate {rates[0]:g}.",
                answer=f"rate {rate:g}",
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

    def has_loss(self, loss: str) -> ModelCheck:
        """It is compiled with this loss of Keras', such as "mean_squared_error"."""
        facts = compiled.compile_facts(self.name, self.model)
        compiled.require_loss_named(self.name, facts, loss)
        return self

    def reports(self, metric: str) -> ModelCheck:
        """It is compiled with this metric of Keras', such as "RootMeanSquaredError"."""
        facts = compiled.compile_facts(self.name, self.model)
        compiled.require_metric(self.name, facts, metric)
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

    def reports_accuracy(self, one_hot: bool = False) -> ModelCheck:
        """It is compiled with accuracy among its metrics, for labels that are `one_hot` or not."""
        facts = compiled.compile_facts(self.name, self.model)
        compiled.require_accuracy_metric(self.name, facts, one_hot)
        return self

    def gives_probabilities(self, rows: np.ndarray) -> ModelCheck:
        """For each of `rows`, its outputs lie between 0 and 1 and add up to 1."""
        outputs = logits_of(self.model, rows)
        sums = outputs.sum(axis=-1)
        if outputs.min() < 0 or not np.allclose(sums, 1, atol=1e-4):
            worst = int(np.abs(sums - 1).argmax())
            fail(
                f"{self.name} gave {show(outputs[worst])} for a row, which adds up to "
                f"{show(sums[worst])}.",
                expected="probabilities: numbers between 0 and 1 that add up to 1",
                hint="which activation makes probabilities of several numbers?",
            )
        return self

    def reaches_accuracy(
        self,
        threshold: float,
        images: np.ndarray,
        labels: np.ndarray,
        luck: float = 0.0,
        are: str = "unseen",
    ) -> ModelCheck:
        """Measured here, on `images` and `labels`, its accuracy is at least `threshold`.

        `images` may also be rows of a table; `are` is what they are to the model, such as
        "training". `luck`, also below: a miss by less than this may be the luck of the seed.
        """
        got = accuracy_of(self.model, images, labels)
        if got < threshold:
            chance = 1 / self.model.output_shape[-1]
            fail_by(
                threshold - got,
                luck,
                {f"{self.name} accuracy": got},
                problem=f"{self.name} classifies {got:.1%} of {len(images):,} {are} "
                f"{self._example}s correctly.",
                expected=f"at least {threshold:.1%}",
                hint=_accuracy_hint(got, chance, self._example),
            )
        return self

    def predicts(
        self, rows: np.ndarray, expected: np.ndarray, within: float, luck: float = 0.0
    ) -> ModelCheck:
        """For each of `rows`, its one output is at most `within` from `expected`, (n,)."""
        outputs = logits_of(self.model, rows).ravel()
        errors = np.abs(outputs - expected.ravel())
        if not errors.max() <= within:  # so that nan does not pass
            place = int(errors.argmax())
            fail_by(
                float(errors[place]) - within,
                luck,
                {f"{self.name} error": float(errors[place])},
                problem=f"{self.name} gives {outputs[place]:.2f} for "
                f"{'a row' if is_withheld() else f'the row {show(rows[place])}'}.",
                expected=NOT_TOLD
                if is_withheld()
                else f"{show(expected.ravel()[place])}, within {within:g}",
                hint="was it trained, on these rows, for as many epochs as the task says?",
            )
        return self

    def reaches_rmse(
        self, at_most: float, rows: np.ndarray, answers: np.ndarray, luck: float = 0.0
    ) -> ModelCheck:
        """Measured here, its root mean squared error on `rows` is at most `at_most`.

        `answers` may be (n,) or (n, 1). `luck` as above.
        """
        got = rmse_of(self.model, rows, answers)
        if not got <= at_most:  # so that nan does not pass
            guess = float(np.std(answers))
            fail_by(
                got - at_most,
                luck,
                {f"{self.name} RMSE": got},
                problem=f"{self.name} has a root mean squared error of {got:.3f} on "
                f"{len(rows):,} rows that it has not seen.",
                expected=f"at most {at_most:.3f}",
                hint=f"always saying the mean gives {guess:.3f}. Was the model trained?"
                if got > 0.95 * guess
                else "was it trained as the task says, and does it have the weights of the best "
                "epoch?",
            )
        return self

    def overfits(
        self, at_least: float, seen: Images, unseen: Images, luck: float = 0.0
    ) -> ModelCheck:
        """Its root mean squared error on `unseen` is higher than on `seen` by `at_least` or more.

        Pairs of rows and answers. `luck` as above.
        """
        on_seen, on_unseen = (rmse_of(self.model, *data) for data in (seen, unseen))
        if not on_unseen - on_seen >= at_least:
            fail_by(
                at_least - (on_unseen - on_seen),
                luck,
                {f"{self.name} gap": on_unseen - on_seen},
                problem=f"{self.name} has a root mean squared error of {on_seen:.3f} on the rows "
                f"that it was trained on, and of {on_unseen:.3f} on others.",
                expected=f"a difference of {at_least:.3f} or more: this network is to overfit",
                hint="was it trained for as many epochs as the task says, on the training rows?",
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


def _accuracy_hint(accuracy: float, chance: float, example: str) -> str:
    scaled = "Were the images normalised?" if example == "image" else "Were the rows scaled?"
    if accuracy < 1.5 * chance:
        return f"guessing gives {chance:.0%}. Was the model trained? {scaled}"
    return (
        f"did you train on all the training {example}s, for as many epochs as the task says, "
        f"and is every layer trained? {scaled}"
    )
