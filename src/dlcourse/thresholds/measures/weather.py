"""The runs of assignment `weather`: its networks, and others that its text speaks of."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from dlcourse.data import digest, find_weather
from dlcourse.thresholds.examples import Pairs, measured_weather
from dlcourse.thresholds.measures.compiled_fit import Stopping, compiled_fit
from dlcourse.thresholds.measures.study import Study

EPOCHS, PATIENCE, LAST_EPOCHS = 200, 10, 50


def network(*first: keras.Layer, rate: float = 0.0) -> keras.Model:
    """The reference of assignment `weather`, behind `first`; with dropout where `rate` says so."""
    parts = [keras.Input((89,)), *first]
    for units in (100, 50):
        parts.append(layers.Dense(units, activation="relu"))
        if rate:
            parts.append(layers.Dropout(rate))
    return keras.Sequential([*parts, layers.Dense(1)])


def study(path: Path | None = None) -> Study:
    """What is measured on the weather at `path`."""
    train, validation, unseen = measured_weather(path)

    def scaled() -> keras.Model:
        scaling = layers.Normalization()
        scaling.adapt(train[0])
        return network(scaling, rate=0.5)

    def measure(
        make: Callable[[], keras.Model], epochs: int = EPOCHS, stops: bool = False
    ) -> Callable[[], dict[str, float]]:
        def run() -> dict[str, float]:
            model, loss = make(), keras.losses.mean_squared_error
            stopping = Stopping(*validation, PATIENCE) if stops else None
            losses = compiled_fit(model, *train, epochs, loss, stopping=stopping)
            return _figures(model, train, unseen) | {"epochs": len(losses)}

        return run

    def unlucky() -> dict[str, float]:
        """The smallest gap of the last epochs: which of them is the last is luck.

        The error on the training days jumps from epoch to epoch, and now and then far up.
        """
        model, ends = network(), []

        def note(epoch: int) -> None:
            if epoch > EPOCHS - LAST_EPOCHS:
                ends.append(_figures(model, train, unseen))

        compiled_fit(model, *train, EPOCHS, keras.losses.mean_squared_error, after_epoch=note)
        return min(ends, key=lambda figures: figures["gap"])

    return Study(
        find_weather(path).name,
        digest(*train, *validation, *unseen),
        len(train[0]),
        len(unseen[0]),
        {
            "plain": measure(network),
            "unlucky": unlucky,
            "early": measure(network, stops=True),
            "batch-normalised": measure(lambda: network(layers.BatchNormalization()), stops=True),
            "scaled-dropout": measure(scaled, stops=True),
            "one-epoch": measure(network, epochs=1),
            "untrained": measure(network, epochs=0),
        },
        {
            "plain": 20,
            "unlucky": 20,
            "early": 20,
            "batch-normalised": 20,
            "scaled-dropout": 20,
            "one-epoch": 20,
            "untrained": 10,
        },
    )


def _figures(model: keras.Model, train: Pairs, unseen: Pairs) -> dict[str, float]:
    """RMSE in hours on unseen days; `gap`: less that on training days; `sampling_sd`: luck."""
    seen_errors, errors = (
        (np.ravel(model(rows, training=False)) - np.ravel(hours)).astype(float) ** 2
        for rows, hours in (train, unseen)
    )
    rmse = math.sqrt(errors.mean())
    return {
        "rmse": rmse,
        "gap": rmse - math.sqrt(seen_errors.mean()),
        # Of a root, by the delta method.
        "sampling_sd": errors.std(ddof=1) / math.sqrt(len(errors)) / (2 * rmse),
    }
