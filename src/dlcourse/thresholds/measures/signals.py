"""The runs of assignment `augment`."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dlcourse.checks.models import accuracy_of, logits_of
from dlcourse.data import SIGNALS, digest
from dlcourse.thresholds.examples import Pairs, measured_signals
from dlcourse.thresholds.measures.compiled_fit import compiled_fit
from dlcourse.thresholds.measures.study import Study

# As the notebook has it.
EPOCHS, COPIES, LARGEST, SHIFTED_EPOCHS = 60, 9, 20, 12
CENTRED_EPOCHS, CENTRED_SHIFTED_EPOCHS = 20, 4


def network(rate: float = 0.0) -> keras.Model:
    """The reference of assignment `augment`."""
    parts = [keras.Input((40,))]
    for _ in range(2):
        parts.append(layers.Dense(100, activation="relu"))
        if rate:
            parts.append(layers.Dropout(rate))
    return keras.Sequential([*parts, layers.Dense(10)])


def copied(pair: Pairs, seed: int, largest: int = LARGEST) -> Pairs:
    """The signals, and shifted copies of each."""
    random, (signals, labels) = np.random.default_rng(seed), pair
    rounds = [signals]
    for _ in range(COPIES):
        places = random.integers(-largest, largest + 1, len(signals))
        rounds.append(np.array([np.roll(one, by) for one, by in zip(signals, places, strict=True)]))
    return np.concatenate(rounds), np.concatenate([labels] * (COPIES + 1))


def _loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    numbers = tf.cast(labels, tf.int32)
    return keras.losses.sparse_categorical_crossentropy(numbers, logits, from_logits=True)


def study(path: Path | None = None) -> Study:
    """What is measured on the signals; `path` is not used, for they are made."""
    known, unseen = measured_signals()
    centred, centred_unseen = measured_signals(centred=True)

    def trained(pair: Pairs, epochs: int, rate: float = 0.0) -> keras.Model:
        model = network(rate)
        compiled_fit(model, *pair, epochs, _loss, batch=50)
        return model

    def measure(shifted_epochs: int = SHIFTED_EPOCHS) -> dict[str, float]:
        """Accuracies, the gain of the copies, and its standard error that comes from the signals.

        The seed of the copies is drawn, so that it differs from run to run.
        """
        seed = int(np.random.randint(1 << 30))
        plain = trained(known, EPOCHS)
        shifted = trained(copied(known, seed), shifted_epochs)
        right = [
            (logits_of(model, unseen[0]).argmax(axis=1) == unseen[1]).astype(float)
            for model in (plain, shifted)
        ]
        gains = right[1] - right[0]
        return {
            "plain_accuracy": right[0].mean(),
            "accuracy": right[1].mean(),
            "gain": gains.mean(),
            "gain_sampling_sd": gains.std(ddof=1) / math.sqrt(len(gains)),
        }

    def others() -> dict[str, float]:
        """What the notebook speaks of: dropout, both additions, and centred signals."""
        seed = int(np.random.randint(1 << 30))
        return {
            "dropout_accuracy": accuracy_of(trained(known, EPOCHS, 0.3), *unseen),
            "both_accuracy": accuracy_of(
                trained(copied(known, seed), SHIFTED_EPOCHS, 0.5), *unseen
            ),
            "centred_accuracy": accuracy_of(trained(centred, CENTRED_EPOCHS), *centred_unseen),
            "centred_shifted_accuracy": accuracy_of(
                trained(copied(centred, seed), CENTRED_SHIFTED_EPOCHS), *centred_unseen
            ),
        }

    def unmoved() -> dict[str, float]:
        """Copies that are not moved: the same steps on the same signals again."""
        return {"accuracy": accuracy_of(trained(copied(known, 1, 0), SHIFTED_EPOCHS), *unseen)}

    def untrained() -> dict[str, float]:
        return {"accuracy": accuracy_of(network(), *unseen)}

    return Study(
        SIGNALS.name,
        digest(*known, *unseen),
        len(known[0]),
        len(unseen[0]),
        {
            "both": measure,
            "unmoved": unmoved,
            "one-epoch": partial(measure, 1),
            "untrained": untrained,
            "others": others,
        },
        {"both": 20, "unmoved": 10, "one-epoch": 10, "untrained": 10, "others": 10},
    )
