"""The runs of assignment `neurons`: a small network learns XOR."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from dlcourse.checks.models import logits_of
from dlcourse.thresholds.examples import DIGESTS, corners
from dlcourse.thresholds.measures.compiled_fit import compiled_fit
from dlcourse.thresholds.measures.study import Study

HIDDEN, EPOCHS, TIMES, RATE = 8, 60, 64, 0.05


def network(hidden: int = HIDDEN, activation: str = "tanh") -> keras.Model:
    """The reference of assignment `neurons`."""
    return keras.Sequential(
        [keras.Input((2,)), layers.Dense(hidden, activation=activation), layers.Dense(1)]
    )


def study(path: Path | None = None) -> Study:
    """What is measured for XOR; `path` is not used, for its four rows are all there is."""
    inputs, answers = corners()

    def measure(activation: str = "tanh", epochs: int = EPOCHS) -> Callable[[], dict[str, float]]:
        rows, targets = np.tile(inputs, (TIMES, 1)), np.tile(answers, TIMES)[:, None]
        loss = keras.losses.mean_squared_error

        def run() -> dict[str, float]:
            model = network(activation=activation)
            compiled_fit(model, rows, targets, epochs, loss, learning_rate=RATE)
            return {"error": float(np.abs(logits_of(model, inputs).ravel() - answers).max())}

        return run

    return Study(
        "neurons",
        DIGESTS["neurons"](),
        len(inputs),
        len(inputs),
        {"xor": measure(), "untrained": measure(epochs=0), "linear": measure("linear")},
        {"xor": 30, "untrained": 20, "linear": 10},
        judge_has_others=False,
    )
