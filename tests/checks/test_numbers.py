"""Predicted numbers: errors, gaps, stopping in time, and how such networks are compiled."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from dlcourse import checks as check
from dlcourse.checks.models import rmse_of


def linear(weights=(1.0, 0.0), activation=None) -> keras.Model:
    """Two numbers in, their sum with these weights out."""
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, activation=activation)])
    model.set_weights([np.array(weights, "float32").reshape(2, 1), np.zeros(1, "float32")])
    return model


def message(question) -> str:
    with pytest.raises(check.CheckFailed) as caught:
        question()
    return str(caught.value)


ROWS = np.array([[1.0, 9.0], [2.0, 9.0], [4.0, 9.0]])
ANSWERS = np.array([3.0, 2.0, 4.0])  # of which the first is missed by 2


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_the_error_does_not_depend_on_the_shape_of_the_answers(shape):
    answers = ANSWERS.reshape(shape)
    assert rmse_of(linear(), ROWS, answers) == pytest.approx((4 / 3) ** 0.5)
    check.model("model", linear()).reaches_rmse(1.16, ROWS, answers)


class TestReachesRmse:
    def test_it_says_what_was_measured_and_what_guessing_gives(self):
        said = message(lambda: check.model("model", linear()).reaches_rmse(1.0, ROWS, ANSWERS))
        assert "has a root mean squared error of 1.155 on 3 rows" in said
        assert "Expected: at most 1.000" in said
        assert "always saying the mean gives 0.816" in said

    @pytest.mark.parametrize(("luck", "narrow"), [(0.2, True), (0.1, False)])
    def test_a_narrow_miss_may_be_luck(self, luck, narrow):
        with pytest.raises(check.CheckFailed) as caught:
            check.model("model", linear()).reaches_rmse(1.0, ROWS, ANSWERS, luck=luck)
        assert caught.value.is_narrow_miss is narrow
        assert caught.value.measured == {"model RMSE": pytest.approx(1.1547, abs=1e-4)}

    def test_a_network_that_says_nan_does_not_pass(self):
        model = linear((float("nan"), 0.0))
        assert "nan" in message(lambda: check.model("model", model).reaches_rmse(9, ROWS, ANSWERS))


class TestOverfits:
    def test_a_large_gap_passes_and_a_small_one_does_not(self):
        seen, unseen = (ROWS, ROWS[:, 0]), (ROWS, ANSWERS)
        check.model("model", linear()).overfits(1.1, seen, unseen)
        said = message(lambda: check.model("model", linear()).overfits(1.2, seen, unseen))
        assert "of 0.000 on the rows that it was trained on, and of 1.155 on others" in said

    def test_the_other_way_round_is_no_gap(self):
        said = message(
            lambda: check.model("model", linear()).overfits(
                0.5, (ROWS, ANSWERS), (ROWS, ROWS[:, 0])
            )
        )
        assert "a difference of 0.500 or more" in said


class TestEndsLinear:
    def test_a_layer_of_its_own_that_does_nothing_is_fine(self):
        parts = [keras.Input((2,)), layers.Dense(1), layers.Activation("linear")]
        check.model("model", keras.Sequential(parts)).ends_linear()

    @pytest.mark.parametrize(
        ("activation", "hint"),
        [("softmax", "it always makes 1"), ("relu", "where a ReLU says 0"), ("tanh", "above 1")],
    )
    def test_each_activation_is_told_what_it_does(self, activation, hint):
        said = message(lambda: check.model("model", linear(activation=activation)).ends_linear())
        assert f"has the activation {activation}" in said
        assert hint in said


class TestCompiled:
    @pytest.mark.parametrize(
        "loss", ["mse", "MSE", "mean_squared_error", keras.losses.MeanSquaredError()]
    )
    def test_every_spelling_of_a_loss_is_the_loss(self, loss):
        model = linear()
        model.compile("adam", loss)
        check.model("model", model).has_loss("mean_squared_error")

    @pytest.mark.parametrize(
        ("loss", "word"),
        [
            ("mae", "the loss mae"),
            ("rmse", "`rmse` is no loss of Keras"),
            (lambda true, predicted: true - predicted, "of your own"),
            ("binary_crossentropy", "the loss binary_crossentropy"),
        ],
    )
    def test_another_loss_is_named(self, loss, word):
        model = linear()
        model.compile("adam", loss)
        assert word in message(lambda: check.model("model", model).has_loss("mean_squared_error"))

    @pytest.mark.parametrize("name", [None, "hours", "root_mean_squared_error"])
    def test_a_metric_may_have_a_name_of_its_own(self, name):
        model = linear()
        metric = keras.metrics.RootMeanSquaredError(**({"name": name} if name else {}))
        model.compile("adam", "mse", metrics=[metric])
        check.model("model", model).reports("RootMeanSquaredError")

    def test_accuracy_is_told_to_be_for_classes(self):
        model = linear()
        model.compile("adam", "mse", metrics=["accuracy"])
        said = message(lambda: check.model("model", model).reports("RootMeanSquaredError"))
        assert "a number is never exactly right" in said


class TestTrainableParameters:
    def test_a_batch_normalisation_has_both(self):
        model = keras.Sequential([keras.Input((5,)), layers.BatchNormalization(), layers.Dense(2)])
        check.model("model", model).has_trainable_parameters(22, 10)
        said = message(lambda: check.model("model", model).has_trainable_parameters(12, 20))
        assert "has 22 trainable parameters and 10 others" in said
        assert "two are trained, two are measured" in said

    def test_what_is_frozen_is_not_trained(self):
        model = linear()
        model.layers[0].trainable = False
        check.model("model", model).has_trainable_parameters(0, 3)

    def test_a_dropouts_own_state_is_no_parameter(self):
        model = keras.Sequential([keras.Input((5,)), layers.Dropout(0.5, seed=1), layers.Dense(2)])
        check.model("model", model).has_trainable_parameters(12, 0)


def history(*val_loss) -> SimpleNamespace:
    return SimpleNamespace(history={"loss": list(val_loss), "val_loss": list(val_loss)})


class TestStoppedEarly:
    def test_it_counts_from_the_best_epoch(self):
        check.history("history", history(3, 2, 1, 4, 5)).stopped_early(2, best=3)

    @pytest.mark.parametrize("losses", [(3, 2, 1), (3, 2, 1, 4), (1, 2, 3, 4)])
    def test_another_patience_is_told(self, losses):
        said = message(lambda: check.history("history", history(*losses)).stopped_early(2))
        assert "so it went on for" in said
        assert "2 more epochs: patience=2" in said

    def test_another_best_epoch_is_told(self):
        said = message(lambda: check.history("h", history(1, 2, 3)).stopped_early(2, best=4))
        assert "lowest validation loss in epoch 1" in said
        assert "epoch 4 on this data" in said

    def test_without_validation_there_was_nothing_to_stop_by(self):
        one = SimpleNamespace(history={"loss": [3.0]})
        assert "has no val_loss" in message(lambda: check.history("h", one).stopped_early(1))


class TestBestWeights:
    def test_the_last_epochs_weights_are_told(self):
        validation = ROWS, ROWS[:, 0] + 2  # the network is off by 2, so that its loss is 4
        check.history("h", history(9, 4, 6)).left_the_best_weights("model", linear(), validation)
        said = message(
            lambda: check.history("h", history(9, 1, 4)).left_the_best_weights(
                "The model", linear(), validation
            )
        )
        assert "The model has a validation loss of 4.0000, that of the last epoch" in said
        assert "restore_best_weights=True" in said

    def test_other_weights_are_told(self):
        said = message(
            lambda: check.history("h", history(9, 1, 6)).left_the_best_weights(
                "The model", linear(), (ROWS, ROWS[:, 0] + 2)
            )
        )
        assert "validation loss of 4.0000." in said


def test_the_last_loss_of_one_number_is_the_mean_squared_error():
    rows = ROWS, ROWS[:, 0] + 2
    check.history("h", history(9, 4)).ends_with_losses_of("model", linear(), val_loss=rows)
    said = message(
        lambda: check.history("h", history(4, 9)).ends_with_losses_of(
            "model", linear(), val_loss=rows
        )
    )
    assert "on the validation rows" in said
    assert "rows and answers" in said


def test_validation_may_be_asked_for_the_loss_alone():
    check.history("h", history(2, 1)).has_validation("loss")
    assert "has no accuracy" in message(lambda: check.history("h", history(2, 1)).has_validation())


def test_a_table_with_more_columns_is_told():
    table = check.table("X", pd.DataFrame({"a": [1], "MONTH": [2]}))
    table.has_only_columns("MONTH", "a")
    assert "has the column MONTH, too" in message(lambda: table.has_only_columns("a"))
    assert "a column b" in message(lambda: table.has_only_columns("a", "b"))


def test_a_column_is_an_array():
    check.array("y", pd.Series([1.0, 2.0], index=[5, 6])).equals(np.array([1.0, 2.0]))


def test_a_table_that_was_changed_is_told():
    def drop(table):
        table.drop(columns="a", inplace=True)
        return 1

    table = pd.DataFrame({"a": [1], "b": [2]})
    call = check.function("drop", drop).called_with(table)
    assert "changed the table" in message(call.leaves_its_arguments_alone)
    check.function("len", len).called_with(table).leaves_its_arguments_alone()


def test_one_number_is_asked_of_a_row():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    said = message(lambda: check.model("model", model).has_outputs(1))
    assert "(3,) for each row" in said
    assert "(1,): one number" in said
