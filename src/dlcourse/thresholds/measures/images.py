"""The runs of assignments `convnet` and `dropout`: on CIFAR-10, or on the stand-in."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import layers

from dlcourse.checks.arrays import Images
from dlcourse.checks.models import accuracy_of, losses_of
from dlcourse.data import digest, find_source
from dlcourse.thresholds.examples import measured_images
from dlcourse.thresholds.measures.study import Study

N_SEEN = 2_000
# The rates of the two models that assignment `dropout` compares.
PLAIN, DROPOUT = 0.0, 0.8


def convnet() -> keras.Model:
    """The reference of assignment `convnet`."""
    return _sequential(
        layers.Conv2D(50, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(50, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(50, activation="relu"),
        layers.Dense(10),
    )


def dense_only() -> keras.Model:
    """A network without convolutions, which the convnet has to beat."""
    return _sequential(layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(10))


def dropout_net(rate: float) -> keras.Model:
    """The reference of assignment `dropout`."""
    return _sequential(
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Dropout(rate),
        layers.Flatten(),
        layers.Dense(10),
    )


def _sequential(*parts: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((32, 32, 3)), *parts])


# Trains a model on images and labels, for so many epochs.
Fit = Callable[[keras.Model, Images, int], keras.Model]


def trained(model: keras.Model, train: Images, epochs: int) -> keras.Model:
    """`model`, trained as the notebooks do."""
    model.compile(
        optimizer="adam",
        metrics=["accuracy"],
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(*train, epochs=epochs, verbose=0)
    return model


def measure_convnet(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Accuracy of the reference after 10 epochs."""
    return {"accuracy": accuracy_of(fit(convnet(), train, 10), *unseen)}


def measure_untrained(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Accuracy of the reference before training."""
    return {"accuracy": accuracy_of(convnet(), *unseen)}


def measure_unnormalised(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Accuracy of the reference trained on 0 to 255, measured as the judge does: on 0 to 1."""
    model = fit(convnet(), (train[0] * 255, train[1]), 10)
    return {
        "accuracy": accuracy_of(model, *unseen),
        "accuracy_on_0_to_255": accuracy_of(model, unseen[0] * 255, unseen[1]),
    }


def measure_dense_only(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Accuracy of the network without convolutions after 10 epochs."""
    return {"accuracy": accuracy_of(fit(dense_only(), train, 10), *unseen)}


def measure_dropout(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Both models of assignment `dropout` after 20 epochs: accuracies, losses, gaps.

    `saved_sampling_sd` and `gap_sampling_sd` are the standard errors of the losses' difference and
    of the dropout model's gap that come from the images alone.
    """
    result, losses = {}, {}
    seen = train[0][:N_SEEN], train[1][:N_SEEN]
    for name, rate in (("plain", PLAIN), ("dropout", DROPOUT)):
        model = fit(dropout_net(rate), train, 20)
        losses[name] = losses_of(model, *unseen)
        result[f"{name}_accuracy"] = accuracy_of(model, *unseen)
        result[f"{name}_accuracy_gap"] = accuracy_of(model, *seen) - result[f"{name}_accuracy"]
        result[f"{name}_loss"] = losses[name].mean()
        result[f"{name}_loss_gap"] = losses[name].mean() - losses_of(model, *seen).mean()
    result["loss_saved"] = result["plain_loss"] - result["dropout_loss"]
    result["saved_sampling_sd"] = _standard_error(losses["plain"] - losses["dropout"])
    result["gap_sampling_sd"] = math.hypot(
        _standard_error(losses["dropout"]), _standard_error(losses_of(model, *seen))
    )
    return result


def measure_dropout_untrained(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Both models of assignment `dropout` before training."""
    return _figures(dropout_net(PLAIN), dropout_net(DROPOUT), unseen)


def measure_dropout_one_epoch(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Both models of assignment `dropout` after 1 epoch."""
    plain, dropout = (fit(dropout_net(rate), train, 1) for rate in (PLAIN, DROPOUT))
    return _figures(plain, dropout, unseen)


def measure_dropout_unnormalised(train: Images, unseen: Images, fit: Fit) -> dict[str, float]:
    """Both models of `dropout` trained on 0 to 255, measured as the judge does: on 0 to 1."""
    large, images_255 = (train[0] * 255, train[1]), unseen[0] * 255
    plain, dropout = (fit(dropout_net(rate), large, 20) for rate in (PLAIN, DROPOUT))
    return _figures(plain, dropout, unseen) | {
        "plain_accuracy_on_0_to_255": accuracy_of(plain, images_255, unseen[1]),
        "dropout_accuracy_on_0_to_255": accuracy_of(dropout, images_255, unseen[1]),
    }


def _figures(plain: keras.Model, dropout: keras.Model, unseen: Images) -> dict[str, float]:
    """What weak models are judged by; the plain one's loss is not, for it stays the reference's."""
    return {
        "plain_accuracy": accuracy_of(plain, *unseen),
        "dropout_accuracy": accuracy_of(dropout, *unseen),
        "dropout_loss": losses_of(dropout, *unseen).mean(),
    }


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values))


MEASURES: dict[str, Callable[[Images, Images, Fit], dict[str, float]]] = {
    "convnet": measure_convnet,
    "untrained": measure_untrained,
    "unnormalised": measure_unnormalised,
    "dense-only": measure_dense_only,
    "dropout": measure_dropout,
    "dropout-untrained": measure_dropout_untrained,
    "dropout-one-epoch": measure_dropout_one_epoch,
    "dropout-unnormalised": measure_dropout_unnormalised,
}
SEEDS = {
    "convnet": 20,
    "untrained": 10,
    "unnormalised": 10,
    "dense-only": 10,
    "dropout": 12,
    "dropout-untrained": 12,
    "dropout-one-epoch": 12,
    "dropout-unnormalised": 6,
}


class _Kept:
    """Trained models, whose weights are kept in `folder`: those that are there are not trained.

    So that the same models can be measured on other images.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, kind: str, seed: int) -> None:
        """A run begins; its models are told apart by their order."""
        self._run, self._number = f"{kind}-{seed}", 0

    def fit(self, model: keras.Model, train: Images, epochs: int) -> keras.Model:
        """As `trained`."""
        file = self._folder / f"{self._run}-{self._number}.npz"
        self._number += 1
        if not file.exists():
            np.savez(file, *trained(model, train, epochs).get_weights())
        with np.load(file) as weights:
            model.set_weights([weights[name] for name in weights.files])
        return model


def study(path: Path | None = None, models: Path | None = None) -> Study:
    """What is measured on the images at `path`; trained models are kept in the folder `models`."""
    kept = _Kept(models) if models else None
    fit = kept.fit if kept else trained
    train, unseen = measured_images(path)
    small = [(images / np.float32(255), labels) for images, labels in (train, unseen)]
    return Study(
        find_source(path).name,
        digest(*train, *unseen),
        len(train[0]),
        len(unseen[0]),
        {name: partial(measure, small[0], small[1], fit) for name, measure in MEASURES.items()},
        SEEDS,
        begin=kept.begin if kept else lambda kind, seed: None,
    )
