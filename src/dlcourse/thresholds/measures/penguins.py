"""The runs of assignment `penguins`, each on a split of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from dlcourse.checks.models import accuracy_of
from dlcourse.data import PENGUINS, digest
from dlcourse.thresholds.examples import Birds, measured_birds
from dlcourse.thresholds.measures.compiled_fit import compiled_fit
from dlcourse.thresholds.measures.study import Study

EPOCHS = 100
# Of the birds, those that the notebook keeps for testing.
TEST_SHARE = 0.2


def network() -> keras.Model:
    """The reference of assignment `penguins`."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(10, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def study(path: Path | None = None) -> Study:
    """What is measured on the penguins; `path` is not used, for they come with the package."""
    known, unseen = measured_birds()

    def training_rows() -> Birds:
        """A training part with the same share of each species, by the seed that is set."""
        chosen = np.zeros(len(known[0]), bool)
        for label in np.eye(3):
            places = np.random.permutation(np.flatnonzero((known[1] == label).all(axis=1)))
            chosen[places[round(TEST_SHARE * len(places)) :]] = True
        order = np.random.permutation(np.flatnonzero(chosen))
        return known[0][order], known[1][order]

    def measure(
        epochs: int = EPOCHS, scaled: bool = True, fed_scaled: bool = True
    ) -> Callable[[], dict[str, float]]:
        loss = keras.losses.categorical_crossentropy

        def run() -> dict[str, float]:
            model = network()
            rows, labels = training_rows()
            mean, spread = rows.mean(axis=0), rows.std(axis=0)
            used = (rows - mean) / spread if scaled else rows
            losses = compiled_fit(model, used, labels, epochs, loss)
            fed = (unseen[0] - mean) / spread if fed_scaled else unseen[0]
            accuracy = accuracy_of(model, fed, unseen[1].argmax(axis=1))
            return {"accuracy": accuracy} | ({"first_loss": losses[0]} if losses else {})

        return run

    return Study(
        PENGUINS.name,
        digest(*known, *unseen),
        round((1 - TEST_SHARE) * len(known[0])),
        len(unseen[0]),
        {
            "scaled": measure(),
            "raw": measure(scaled=False, fed_scaled=False),
            "untrained": measure(epochs=0),
            "five-epochs": measure(epochs=5),
            "fed-raw-rows": measure(fed_scaled=False),
        },
        {"scaled": 20, "raw": 20, "untrained": 10, "five-epochs": 20, "fed-raw-rows": 10},
    )
