"""What Keras writes for TensorBoard comes back as a table."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dlcourse.event_files import COLUMNS, read_event_files


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A training of two epochs, its history and its log."""
    folder = tmp_path_factory.mktemp("logs")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.eye(2), np.ones((2, 1))
    board = keras.callbacks.TensorBoard(folder / "run")
    history = model.fit(
        *data, epochs=2, validation_data=data, callbacks=[board], verbose=0
    )  # fmt: skip
    return history.history, read_event_files(folder)


@pytest.mark.parametrize(("run", "key"), [("run/train", "loss"), ("run/validation", "val_loss")])
def test_every_epochs_loss_is_there(logged, run, key):
    history, table = logged
    rows = table[(table["run"] == run) & (table["tag"] == "epoch_loss")]
    assert rows["step"].tolist() == [0, 1]
    assert rows["value"].tolist() == pytest.approx(history[key], rel=1e-5)


def test_only_numbers_are_in_the_table(logged):
    assert logged[1]["value"].dtype == float


def test_no_event_files_give_an_empty_table(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    for folder in (tmp_path, tmp_path / "nowhere"):
        table = read_event_files(folder)
        assert table.empty
        assert tuple(table.columns) == COLUMNS


def test_a_damaged_event_file_does_not_hide_the_others(tmp_path, logged):
    (tmp_path / "events.out.tfevents.1.broken").write_bytes(b"\x00garbage")
    assert read_event_files(tmp_path).empty
