"""The loop that calibrates small networks does what Keras' fit does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from dlcourse.thresholds.measures.compiled_fit import Stopping, compiled_fit

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(70, 5)).astype("float32")
ANSWERS = (ROWS[:, :1] * 2 - ROWS[:, 1:2] + 0.3 * RANDOM.normal(size=(70, 1))).astype("float32")


def network() -> keras.Model:
    parts = [keras.Input((5,)), layers.BatchNormalization(), layers.Dense(8, "relu")]
    return keras.Sequential([*parts, layers.Dense(1)])


def test_it_has_the_losses_and_the_weights_of_fit_on_the_same_batches(monkeypatch):
    monkeypatch.setattr(np.random, "permutation", np.arange)
    model = network()
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    losses = compiled_fit(model, ROWS, ANSWERS, 4, keras.losses.mean_squared_error)
    twin.compile("adam", "mse")
    history = twin.fit(ROWS, ANSWERS, epochs=4, shuffle=False, verbose=0)
    assert losses == pytest.approx(history.history["loss"], rel=1e-5)
    for got, expected in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert np.allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_it_stops_as_early_stopping_does_and_goes_back_to_the_best_weights(monkeypatch):
    monkeypatch.setattr(np.random, "permutation", np.arange)
    model = network()
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    others = ROWS[:20], -ANSWERS[:20]
    mse = keras.losses.mean_squared_error
    losses = compiled_fit(model, ROWS, ANSWERS, 30, mse, stopping=Stopping(*others, 3))
    twin.compile("adam", "mse")
    stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    history = twin.fit(
        ROWS,
        ANSWERS,
        epochs=30,
        shuffle=False,
        verbose=0,
        validation_data=others,
        callbacks=stopping,
    )
    assert losses == pytest.approx(history.history["loss"], rel=1e-5)
    assert len(losses) < 30
    for got, expected in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert np.allclose(got, expected, rtol=1e-4, atol=1e-5)
