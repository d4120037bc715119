"""What is said of tables, splits, measures and probabilities: passing, and each failure."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from dlcourse import checks as check

ROWS = np.arange(40.0).reshape(20, 2)
LABELS = np.eye(2)[[0] * 12 + [1] * 8]
TEST = np.array([0, 1, 2, 12, 13])
TRAIN = np.setdiff1d(np.arange(20), TEST)


def message(ask) -> str:
    with pytest.raises(check.CheckFailed) as failed:
        ask()
    return str(failed.value)


def split_of(train=TRAIN, test=TEST, train_labels=None, test_labels=None):
    parts = (
        ROWS[train],
        ROWS[test],
        LABELS[train if train_labels is None else train_labels],
        LABELS[test if test_labels is None else test_labels],
    )
    call = check.function("split", lambda X, y: parts).called_with(ROWS, LABELS)
    return call.gives_split_of(ROWS, LABELS)


class TestSplit:
    def test_a_right_one_passes(self):
        parts = split_of().has_test_rows(5).uses_each_row_once().keeps_labels().keeps_the_mix(0.25)
        parts.equals(split_of()).differs_from(split_of(TEST, TRAIN))

    def test_shuffled_rows_pass(self):
        order = np.random.default_rng(0).permutation(TRAIN)
        split_of(order).uses_each_row_once().keeps_labels()

    def test_a_row_in_both_parts(self):
        told = message(split_of(np.append(TRAIN, 0)).uses_each_row_once)
        assert "1 rows are used more than once" in told

    def test_a_row_in_neither(self):
        assert "1 of 20 rows" in message(split_of(TRAIN[1:]).uses_each_row_once)

    def test_labels_of_other_rows(self):
        told = message(split_of(test_labels=TEST[::-1]).keeps_labels)
        assert "the label of test row 0 is that of another row" in told

    def test_fewer_labels_than_rows(self):
        told = message(split_of(train_labels=TRAIN[1:]).keeps_labels)
        assert "15 training rows and 14 training labels" in told

    def test_rows_and_labels_interchanged(self):
        parts = ROWS[TRAIN], LABELS[TRAIN], ROWS[TEST], LABELS[TEST]
        wide = np.hstack([ROWS, ROWS])
        call = check.function("split", lambda: parts).called_with()
        assert "the order is" in message(lambda: call.gives_split_of(wide, LABELS))

    def test_another_mix(self):
        told = message(lambda: split_of(TRAIN, np.arange(5)).keeps_the_mix(0.25))
        assert "5 of the 12 rows of class 0" in told

    def test_seeds_that_are_not_used(self):
        assert "others with another seed" in message(lambda: split_of().differs_from(split_of()))
        other = split_of(TEST, TRAIN)
        assert "the same split for the same seed" in message(lambda: split_of().equals(other))


class TestConfusion:
    true = ["tea", "tea", "milk", "soup", "tea"]
    predicted = ["tea", "milk", "milk", "milk", "tea"]
    classes = ("tea", "soup", "milk")
    right = pd.DataFrame([[2, 0, 1], [0, 0, 1], [0, 0, 1]], classes, classes)

    def told(self, table) -> str:
        wrong = check.table("the table", table)
        return message(lambda: wrong.is_confusion_of(self.true, self.predicted, self.classes))

    @pytest.mark.parametrize("kind", ["int64", "float32", "uint8"])
    def test_a_right_one_passes(self, kind):
        table = check.table("the table", self.right.astype(kind))
        table.is_confusion_of(self.true, self.predicted, self.classes)

    def test_rows_and_columns_interchanged(self):
        assert "rows are what it was" in self.told(self.right.T)

    def test_a_class_that_never_occurs_is_missing(self):
        assert "has no column soup" in self.told(self.right[["tea", "milk"]])

    def test_another_order(self):
        order = ["milk", "soup", "tea"]
        assert "in the order of classes" in self.told(self.right.loc[order, order])

    def test_shares(self):
        assert "each example is counted once" in self.told(self.right / 5)

    def test_one_count_wrong(self):
        wrong = self.right.copy()
        wrong.loc["tea"] = [1, 1, 1]
        assert "has 1 in row tea, column tea" in self.told(wrong)


class TestMeasures:
    true, predicted = np.array([1.0, 2.0, 4.0]), np.array([4.0, 3.0, 4.0])

    def ask(self, function, expected=10 / 3):
        return check.function("mse", function).measures(self.true, self.predicted, expected)

    def test_a_right_one_passes(self):
        self.ask(lambda t, p: np.mean((np.ravel(t) - np.ravel(p)) ** 2))

    def test_spreading_is_named_with_its_shapes(self):
        told = message(lambda: self.ask(lambda t, p: np.mean((t - p) ** 2)))
        assert "(3, 1) and (3,)" in told
        assert "are spread against each other" in told

    def test_an_array_is_no_measure(self):
        assert "one number" in message(lambda: self.ask(lambda t, p: (t - p) ** 2))

    def test_further_arguments_are_handed_on(self):
        function = check.function("huber", lambda t, p, delta: delta)
        function.measures(self.true, self.predicted, 2.5, 2.5)


def test_a_changed_table_is_told():
    def clean(table):
        table.dropna(inplace=True)
        return table

    call = check.function("clean", clean).called_with(pd.DataFrame({"a": [1.0, np.nan]}))
    assert "changed the table" in message(call.leaves_its_arguments_alone)


def network(activation, outputs=3):
    return keras.Sequential([keras.Input((2,)), layers.Dense(outputs, activation=activation)])


class TestModels:
    rows = np.random.default_rng(1).normal(0, 2, (9, 2))

    def test_probabilities(self):
        check.model("model", network("softmax")).gives_probabilities(self.rows)
        for activation in ("sigmoid", "linear", "relu"):
            model = check.model("model", network(activation))
            assert "add up to 1" in message(lambda m=model: m.gives_probabilities(self.rows))

    def test_a_model_of_rows_is_not_told_of_images(self):
        model = check.model("model", network("softmax"))
        told = message(lambda: model.has_input_shape(4)) + message(lambda: model.has_outputs(2))
        told += message(lambda: model.reaches_accuracy(1.1, self.rows, np.zeros(9, int)))
        assert "row" in told
        assert "image" not in told

    def test_predictions_are_as_near_as_asked(self):
        model = network("linear", 1)
        model.set_weights([np.array([[1.0], [0.0]]), np.zeros(1)])
        rows = np.array([[0.0, 1.0], [1.0, 0.0]])
        check.model("model", model).predicts(rows, np.array([0.1, 0.9]), within=0.2)
        wrong = check.model("model", model)
        told = message(lambda: wrong.predicts(rows, np.array([0.0, 0.5]), within=0.2))
        assert "gives 1.00 for the row [1., 0.]" in told

    @pytest.mark.parametrize(
        ("metric", "one_hot", "passes"),
        [
            ("accuracy", True, True),
            (keras.metrics.CategoricalAccuracy("accuracy"), True, True),
            (keras.metrics.SparseCategoricalAccuracy("accuracy"), True, False),
            (keras.metrics.CategoricalAccuracy("accuracy"), False, False),
            (keras.metrics.SparseCategoricalAccuracy("accuracy"), False, True),
            (keras.metrics.CategoricalAccuracy(), True, False),
        ],
    )
    def test_the_metric_fits_the_labels(self, metric, one_hot, passes):
        model = network("softmax")
        model.compile("adam", "categorical_crossentropy", metrics=[metric])
        asked = check.model("model", model)
        if passes:
            asked.reports_accuracy(one_hot=one_hot)
        else:
            assert "metrics" in message(lambda: asked.reports_accuracy(one_hot=one_hot))


def test_a_first_loss_that_is_not_higher_is_told():
    class History:
        history = {"loss": [2.0, 1.0]}

    raw = check.history("raw", History)
    raw.begins_higher_than("scaled", History, times=0.5)
    told = message(lambda: raw.begins_higher_than("scaled", History, times=10))
    assert "more than 10 times as high" in told
