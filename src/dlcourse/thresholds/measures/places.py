"""The runs of assignment `text`."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import layers

from dlcourse.checks.models import accuracy_of, logits_of
from dlcourse.data import COUNTRIES, PLACES, digest
from dlcourse.thresholds.examples import Names, measured_names
from dlcourse.thresholds.measures.study import Study

# As the notebook has it: names for training and for validation, the longest training.
N_TRAIN, N_VALIDATION, EPOCHS = 4_800, 800, 15


def bag(size: int) -> keras.Model:
    """The network that counts letters."""
    return keras.Sequential(
        [
            keras.Input((size,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(len(COUNTRIES)),
        ]
    )


def conv(size: int, length: int) -> keras.Model:
    """The reference of assignment `text`."""
    return keras.Sequential(
        [
            keras.Input((length,)),
            layers.Embedding(size, 16),
            layers.Conv1D(128, 4, activation="relu", padding="same"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(len(COUNTRIES)),
        ]
    )


def counted(codes: np.ndarray, size: int) -> np.ndarray:
    """How often each code but 0 stands in each row, (n, size)."""
    return np.array([np.bincount(row[row > 0], minlength=size) for row in codes])


def study(path: Path | None = None) -> Study:
    """What is measured on the names; `path` is not used, for they come with the package."""
    known, unseen = measured_names()
    size, length = int(known[0].max()) + 1, known[0].shape[1]

    def as_bag(names: Names) -> Names:
        return counted(names[0], size), names[1]

    def trained(model: keras.Model, names: Names, epochs: int) -> keras.Model:
        end = N_TRAIN + N_VALIDATION
        model.compile(
            optimizer="adam",
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(
            names[0][:N_TRAIN],
            names[1][:N_TRAIN],
            batch_size=64,
            epochs=epochs,
            validation_data=(names[0][N_TRAIN:end], names[1][N_TRAIN:end]),
            callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
            verbose=0,
        )
        return model

    def measure(epochs: int = EPOCHS) -> dict[str, float]:
        """Both models' accuracies, the gain, and its standard error that comes from the names."""
        counting = trained(bag(size), as_bag(known), epochs)
        network = trained(conv(size, length), known, epochs)
        right = [
            (logits_of(model, names[0]).argmax(axis=1) == names[1]).astype(float)
            for model, names in ((counting, as_bag(unseen)), (network, unseen))
        ]
        gains = right[1] - right[0]
        return {
            "bag_accuracy": right[0].mean(),
            "accuracy": right[1].mean(),
            "gain": gains.mean(),
            "gain_sampling_sd": gains.std(ddof=1) / math.sqrt(len(gains)),
        }

    def untrained() -> dict[str, float]:
        return {
            "accuracy": accuracy_of(conv(size, length), *unseen),
            "untrained_bag_accuracy": accuracy_of(bag(size), *as_bag(unseen)),
        }

    return Study(
        PLACES.name,
        digest(*known, *unseen),
        N_TRAIN,
        len(unseen[0]),
        {"both": measure, "untrained": untrained, "one-epoch": partial(measure, 1)},
        {"both": 20, "untrained": 10, "one-epoch": 10},
    )
