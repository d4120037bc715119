"""One example of each check that does not pass, for the reference page.

Each function is a test cell's text, with the wrong answer in front. The page shows the text and the
message that it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras import layers

from dlcourse import checks as check
from dlcourse.checks.arrays import ArrayCheck
from dlcourse.checks.copies import CopiesCheck
from dlcourse.checks.events import EventsCheck
from dlcourse.checks.figures import FigureCheck
from dlcourse.checks.functions import CallCheck, FunctionCheck
from dlcourse.checks.histories import HistoryCheck
from dlcourse.checks.models import ModelCheck
from dlcourse.checks.splits import SplitCheck
from dlcourse.checks.tables import TableCheck
from dlcourse.checks.values import ValueCheck

Example = Callable[[], object]
EXAMPLES: dict[Callable[..., object], Example] = {}


def _of(checked: Callable[..., object]) -> Callable[[Example], Example]:
    def note(example: Example) -> Example:
        EXAMPLES[checked] = example
        return example

    return note


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


# What the examples name. Small, so that the page is made in seconds.
images, labels = _images(20), np.arange(20).reshape(-1, 1) % 10
new_images, new_labels = _images(20)[::-1], labels[::-1]


def small_model() -> keras.Model:
    """An untrained model of 1,930 parameters: its weights are always the same."""
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(10)])
    made.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return made


@_of(ValueCheck.equals)
def _() -> None:
    dim = 32 * 32
    check.value("dim", dim).equals(3_072, because="32·32·3 = 3,072")


@_of(ValueCheck.is_a_number)
def _() -> None:
    largest = [255]
    check.value("largest", largest).is_a_number()


@_of(ValueCheck.is_a_list_of)
def _() -> None:
    names = ["cat", "dog", 3]
    check.value("names", names).is_a_list_of(str, 3)


@_of(ValueCheck.has_keys)
def _() -> None:
    sizes = {"dense": 307_300}
    check.value("sizes", sizes).has_keys("dense", "conv")


@_of(ArrayCheck.has_shape)
def _() -> None:
    first = images[0]
    check.array("first", first).has_shape(1, 8, 8, 3)


@_of(ArrayCheck.is_floating)
def _() -> None:
    scaled = images // 255
    check.array("scaled", scaled).is_floating()


@_of(ArrayCheck.is_whole)
def _() -> None:
    codes = np.zeros(4)
    check.array("codes", codes).is_whole()


@_of(ArrayCheck.lies_between)
def _() -> None:
    scaled = images / 100
    check.array("scaled", scaled).lies_between(0, 1)


@_of(ArrayCheck.equals)
def _() -> None:
    means = np.array([1.0, 2.5])
    check.array("means", means).equals(np.array([1.0, 2.0]), because="each is a column's mean.")


@_of(ArrayCheck.is_normalised_from)
def _() -> None:
    scaled = images / 255 / 255
    check.array("scaled", scaled).is_normalised_from(images)


@_of(FunctionCheck.called_with)
def _() -> None:
    def conv_params(size, channels, filters):
        return size * size * chanels * filters  # noqa: F821

    check.function("conv_params", conv_params).called_with(3, 3, 50)


@_of(CallCheck.returns)
def _() -> None:
    def dense_params(inputs, outputs):
        return inputs * outputs

    check.function("dense_params", dense_params).called_with(3072, 100).returns(
        307_300, because="(3,072 + 1)·100 = 307,300", hint="each output has a bias."
    )


@_of(CallCheck.returns_something)
def _() -> None:
    def dense_params(inputs, outputs):
        print((inputs + 1) * outputs)

    check.function("dense_params", dense_params).called_with(3072, 100).returns_something()


@_of(CallCheck.gives_value)
def _() -> None:
    def share(part, whole):
        return f"{part / whole:.0%}"

    check.function("share", share).called_with(1, 4).gives_value().is_a_number()


@_of(CallCheck.gives_array)
def _() -> None:
    def first_images(images, count):
        return images[: count + 1]

    check.function("first_images", first_images).called_with(images, 3).gives_array().has_shape(
        3, 8, 8, 3
    )


@_of(CallCheck.gives_model)
def _() -> None:
    def build():
        return layers.Dense(10)

    check.function("build", build).called_with().gives_model().has_outputs(10)


@_of(CallCheck.gives_history)
def _() -> None:
    def train(epochs):
        return {"loss": [1.0] * epochs}

    check.function("train", train).called_with(2).gives_history().has_epochs(2)


@_of(CallCheck.gives_figure)
def _() -> None:
    def show(images):
        return [image.mean() for image in images]

    check.function("show", show).called_with(images).gives_figure().has_axes(20)


@_of(CallCheck.gives_items)
def _() -> None:
    def split(images):
        return images[:10]

    check.function("split", split).called_with(images).gives_items(2)


@_of(CallCheck.leaves_its_arguments_alone)
def _() -> None:
    def darken(images):
        images //= 2
        return images

    check.function("darken", darken).called_with(images).leaves_its_arguments_alone()


@_of(TableCheck.has_columns)
def _() -> None:
    table = pd.DataFrame({"loss": [1.2, 0.9]})
    check.table("table", table).has_columns("loss", "val_loss")


@_of(TableCheck.has_only_columns)
def _() -> None:
    questions = pd.DataFrame({"sunshine": [1.2, 0.9], "MONTH": [1, 1]})
    check.table("questions", questions).has_only_columns("sunshine")


@_of(TableCheck.has_rows)
def _() -> None:
    table = pd.DataFrame({"loss": [1.2, 0.9]})
    check.table("table", table).has_rows(3)


@_of(TableCheck.has_index)
def _() -> None:
    table = pd.DataFrame({"loss": [1.2, 0.9]})
    check.table("table", table).has_index([1, 2])


@_of(TableCheck.holds)
def _() -> None:
    table = pd.DataFrame({"loss": [1.2, 0.9]})
    check.table("table", table).holds({"loss": [1.2, 0.8]})


@_of(FigureCheck.has_axes)
def _() -> None:
    figure, axes = plt.subplots(2, 2)
    check.figure("figure", figure).has_axes(9)


@_of(FigureCheck.has_grid)
def _() -> None:
    figure, axes = plt.subplots(2, 3)
    check.figure("figure", figure).has_grid(3, 2)


@_of(FigureCheck.shows_images)
def _() -> None:
    figure, axes = plt.subplots(1, 2)
    for one, image in zip(axes, images[:2], strict=True):
        one.imshow(image[::-1])
    check.figure("figure", figure).shows_images(images[:2])


@_of(FigureCheck.names_images)
def _() -> None:
    figure, axes = plt.subplots(1, 2)
    axes[0].set_title("cat")
    check.figure("figure", figure).names_images(["cat", "dog"])


@_of(FigureCheck.marks_in_red)
def _() -> None:
    figure, axes = plt.subplots(1, 2)
    axes[0].set_title("cat", color="red")
    check.figure("figure", figure).marks_in_red([False, True])


@_of(FigureCheck.draws)
def _() -> None:
    figure, axes = plt.subplots()
    axes.plot([0, 1], [1.2, 0.9], label="loss")
    check.figure("figure", figure).draws([0, 1], loss=[1.2, 0.9], val_loss=[1.3, 1.1])


@_of(FigureCheck.has_labelled_axes)
def _() -> None:
    figure, axes = plt.subplots()
    axes.plot([0, 1], [1.2, 0.9])
    axes.set_xlabel("epoch")
    check.figure("figure", figure).has_labelled_axes()


@_of(FigureCheck.has_legend)
def _() -> None:
    figure, axes = plt.subplots()
    axes.plot([0, 1], [1.2, 0.9])
    axes.plot([0, 1], [1.3, 1.1])
    check.figure("figure", figure).has_legend()


@_of(HistoryCheck.has_epochs)
def _() -> None:
    history = SimpleNamespace(history={"loss": [1.2, 0.9]})
    check.history("history", history).has_epochs(10)


@_of(HistoryCheck.has_validation)
def _() -> None:
    history = SimpleNamespace(history={"loss": [1.2, 0.9], "accuracy": [0.2, 0.3]})
    check.history("history", history).has_validation()


@_of(HistoryCheck.learned)
def _() -> None:
    history = SimpleNamespace(history={"loss": [2.3, 2.3]})
    check.history("history", history).learned()


@_of(HistoryCheck.ends_with_losses_of)
def _() -> None:
    model = small_model()
    history = SimpleNamespace(history={"loss": [2.3], "val_loss": [0.1]})
    check.history("history", history).ends_with_losses_of(
        "model", model, val_loss=(new_images, new_labels)
    )


@_of(HistoryCheck.stopped_early)
def _() -> None:
    history = SimpleNamespace(history={"val_loss": [9.0, 4.0, 5.0, 6.0, 7.0]})
    check.history("history", history).stopped_early(10)


@_of(HistoryCheck.left_the_best_weights)
def _() -> None:
    model, validation = one_number(), (np.ones((4, 2)), np.full(4, 2.0))
    history = SimpleNamespace(history={"val_loss": [9.0, 1.0, 4.0]})
    check.history("history", history).left_the_best_weights("The model", model, validation)


@_of(HistoryCheck.fits)
def _() -> None:
    history = SimpleNamespace(
        history={"loss": [2.0, 1.0], "val_loss": [2.1, 1.1], "val_accuracy": [0.3, 0.6]}
    )
    data = new_images, new_labels
    check.history("history", history).fits("model", small_model(), data, data)


@_of(ModelCheck.has_input_shape)
def _() -> None:
    model = small_model()
    check.model("model", model).has_input_shape(32, 32, 3)


@_of(ModelCheck.has_outputs)
def _() -> None:
    model = small_model()
    check.model("model", model).has_outputs(100)


@_of(ModelCheck.has_layer_count)
def _() -> None:
    model = small_model()
    check.model("model", model).has_layer_count(3)


@_of(ModelCheck.has_kinds)
def _() -> None:
    model = small_model()
    check.model("model", model).has_kinds("Flatten", "Dense", "Dense")


@_of(ModelCheck.has_activations)
def _() -> None:
    model = small_model()
    check.model("model", model).has_activations("softmax")


@_of(ModelCheck.has_layers)
def _() -> None:
    model = small_model()
    check.model("model", model).has_layers(layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(10))


@_of(ModelCheck.has_layer_shapes)
def _() -> None:
    model = small_model()
    check.model("model", model).has_layer_shapes((192,), (100,))


@_of(ModelCheck.has_parameters)
def _() -> None:
    model = small_model()
    check.model("model", model).has_parameters(19_300)


@_of(ModelCheck.has_dropout)
def _() -> None:
    model = keras.Sequential([keras.Input((8,)), layers.Dropout(0.2), layers.Dense(10)])
    check.model("model", model).has_dropout(0.8)


@_of(ModelCheck.has_loss_for)
def _() -> None:
    model = small_model()
    model.compile("adam", "sparse_categorical_crossentropy")
    check.model("model", model).has_loss_for(labels)


@_of(ModelCheck.has_optimizer)
def _() -> None:
    model = small_model()
    model.compile("sgd", "mse")
    check.model("model", model).has_optimizer("adam")


@_of(ModelCheck.is_the_model)
def _() -> None:
    returned, handed_in = keras.models.clone_model(small_model()), small_model()
    check.model("returned", returned).is_the_model(handed_in)


@_of(ModelCheck.reports_accuracy)
def _() -> None:
    model = small_model()
    check.model("model", model).reports_accuracy()


@_of(ModelCheck.reaches_accuracy)
def _() -> None:
    model = small_model()
    check.model("model", model).reaches_accuracy(0.435, new_images, new_labels, luck=0.03)


@_of(ModelCheck.ends_linear)
def _() -> None:
    model = keras.Sequential([keras.Input((8,)), layers.Dense(1, activation="softmax")])
    check.model("model", model).ends_linear()


@_of(ModelCheck.has_trainable_parameters)
def _() -> None:
    model = keras.Sequential([keras.Input((8,)), layers.BatchNormalization(), layers.Dense(1)])
    check.model("model", model).has_trainable_parameters(9, 32)


@_of(ModelCheck.has_loss)
def _() -> None:
    model = small_model()
    model.compile("adam", "mae")
    check.model("model", model).has_loss("mean_squared_error")


@_of(ModelCheck.reports)
def _() -> None:
    model = small_model()
    model.compile("adam", "mse", metrics=["accuracy"])
    check.model("model", model).reports("RootMeanSquaredError")


def one_number() -> keras.Model:
    """A model that says 0 for every row."""
    made = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    made.set_weights([np.zeros((2, 1), "float32"), np.zeros(1, "float32")])
    return made


@_of(ModelCheck.reaches_rmse)
def _() -> None:
    model, rows, hours = one_number(), np.ones((4, 2)), np.array([0.0, 8.0, 6.0, 0.0])
    check.model("model", model).reaches_rmse(3.585, rows, hours, luck=0.1)


@_of(ModelCheck.overfits)
def _() -> None:
    model, rows = one_number(), np.ones((4, 2))
    check.model("model", model).overfits(
        2.36, (rows, np.array([3.0, 3.0, 3.0, 3.0])), (rows, np.array([3.5, 3.5, 3.5, 3.5]))
    )


@_of(ModelCheck.has_smaller_gap_than)
def _() -> None:
    model, other = small_model(), small_model()
    check.model("model", model).has_smaller_gap_than(
        "other", other, (images, labels), (new_images, new_labels), at_most=0.26
    )


@_of(ModelCheck.has_no_higher_loss_than)
def _() -> None:
    model, other = small_model(), small_model()
    model.set_weights([10 * weights for weights in model.get_weights()])
    check.model("model", model).has_no_higher_loss_than(
        "other", other, (new_images, new_labels), tolerance=0.195
    )


@_of(EventsCheck.has_runs)
def _() -> None:
    events = pd.DataFrame(columns=["run", "tag", "step", "value"])
    check.events("events", events).has_runs("logs/train")


@_of(EventsCheck.hold)
def _() -> None:
    events = pd.DataFrame(
        {"run": "logs/train", "tag": "epoch_loss", "step": [0, 1], "value": [1.2, 0.9]}
    )
    check.events("events", events).hold("logs/train", "epoch_loss", [1.2, 0.8])


@_of(check.credit)
def _() -> object:
    scaled = images / 255 * 2
    return check.credit(
        check.part(1, "the shape", lambda: check.array("scaled", scaled).has_shape(20, 8, 8, 3)),
        check.part(2, "the range", lambda: check.array("scaled", scaled).lies_between(0, 1)),
    )


# A table of eight rows in two classes, and a way to split it.
rows = np.arange(16.0).reshape(8, 2)
kinds = np.eye(2)[[0, 0, 0, 0, 0, 0, 1, 1]]


@_of(FunctionCheck.measures)
def _() -> None:
    def mse(true, predicted):
        return np.mean((true - predicted) ** 2)

    true, predicted = np.array([1.0, 2.0]), np.array([4.0, 3.0])
    check.function("mse", mse).measures(true, predicted, 5.0, because="(3² + 1²) / 2 = 5")


@_of(CallCheck.gives_table)
def _() -> None:
    def clean(table):
        return table.to_numpy()

    check.function("clean", clean).called_with(pd.DataFrame({"mass": [3700.0]})).gives_table()


@_of(CallCheck.gives_split_of)
def _() -> None:
    def split(X, y):
        return X[2:], y[2:], X[:2], y[:2]

    flat = kinds[:, 0]
    check.function("split", split).called_with(rows, flat).gives_split_of(rows, flat)


@_of(SplitCheck.has_test_rows)
def _() -> None:
    def split(X, y):
        return X[:2], X[2:], y[:2], y[2:]

    parts = check.function("split", split).called_with(rows, kinds).gives_split_of(rows, kinds)
    parts.has_test_rows(2, because="a quarter of 8 rows is for testing.")


@_of(SplitCheck.uses_each_row_once)
def _() -> None:
    def split(X, y):
        return X, X[:2], y, y[:2]

    parts = check.function("split", split).called_with(rows, kinds).gives_split_of(rows, kinds)
    parts.uses_each_row_once()


@_of(SplitCheck.keeps_labels)
def _() -> None:
    def split(X, y):
        return X[2:], X[:2], y[:6], y[6:]

    parts = check.function("split", split).called_with(rows, kinds).gives_split_of(rows, kinds)
    parts.keeps_labels()


@_of(SplitCheck.keeps_the_mix)
def _() -> None:
    def split(X, y):
        return X[:-2], X[-2:], y[:-2], y[-2:]

    parts = check.function("split", split).called_with(rows, kinds).gives_split_of(rows, kinds)
    parts.keeps_the_mix(0.25)


@_of(SplitCheck.differs_from)
def _() -> None:
    def split(X, y, seed):
        return X[2:], X[:2], y[2:], y[:2]

    called = check.function("split", split).called_with
    one = called(rows, kinds, 1).gives_split_of(rows, kinds)
    one.differs_from(called(rows, kinds, 2).gives_split_of(rows, kinds))


@_of(SplitCheck.equals)
def _() -> None:
    starts = iter((0, 1))

    def split(X, y, seed):
        start = next(starts)
        return X[start + 2 :], X[start : start + 2], y[start + 2 :], y[start : start + 2]

    called = check.function("split", split).called_with
    one = called(rows, kinds, 1).gives_split_of(rows, kinds)
    one.equals(called(rows, kinds, 1).gives_split_of(rows, kinds))


signals, classes = np.random.default_rng(2).random((40, 9)), np.arange(40) % 10


def rolled(by: object) -> np.ndarray:
    """The signals, each moved by its number of `by`, or all by the one number."""
    moved = np.resize(by, len(signals))
    return np.array([np.roll(one, places) for one, places in zip(signals, moved, strict=True)])


def copies(*rounds: np.ndarray) -> CopiesCheck:
    """What a function gave that copies the signals, round by round."""

    def copied(signals, labels):
        return np.concatenate([signals, *rounds]), np.tile(labels, len(rounds) + 1)

    call = check.function("copied", copied).called_with(signals, classes)
    return call.gives_shifted_copies_of(signals, classes)


@_of(CallCheck.gives_shifted_copies_of)
def _() -> None:
    def copied(signals, labels):
        return np.concatenate([signals, np.roll(signals, 1, axis=1)]), labels

    check.function("copied", copied).called_with(signals, classes).gives_shifted_copies_of(
        signals, classes
    )


@_of(CallCheck.item)
def _() -> None:
    def prepare(train, test):
        return train, test[:-1]

    call = check.function("prepare", prepare).called_with(signals[:30], signals[30:])
    call.item(1, "for testing").gives_array().has_shape(10, 9, because="nothing is left out")


@_of(CopiesCheck.has_copies)
def _() -> None:
    copies(rolled(1)).has_copies(2)


@_of(CopiesCheck.begins_with_the_originals)
def _() -> None:
    def copied(signals, labels):
        return np.roll(signals, 1, axis=1), labels

    made = check.function("copied", copied).called_with(signals, classes)
    made.gives_shifted_copies_of(signals, classes).begins_with_the_originals()


@_of(CopiesCheck.keeps_labels)
def _() -> None:
    def copied(signals, labels):
        return np.concatenate([signals, rolled(1)]), np.repeat(labels, 2)

    made = check.function("copied", copied).called_with(signals, classes)
    made.gives_shifted_copies_of(signals, classes).keeps_labels()


@_of(CopiesCheck.has_only_shifted_signals)
def _() -> None:
    copies(np.pad(signals, ((0, 0), (2, 0)))[:, :-2]).has_only_shifted_signals()


@_of(CopiesCheck.moves_each_by_its_own)
def _() -> None:
    copies(rolled(3)).moves_each_by_its_own()


@_of(CopiesCheck.moves_up_to)
def _() -> None:
    copies(rolled([-2, -1, 0, 1])).moves_up_to(2)


@_of(CopiesCheck.equals)
def _() -> None:
    copies(rolled([0, 1])).equals(copies(rolled([1, 0])))


@_of(CopiesCheck.differs_from)
def _() -> None:
    copies(rolled([0, 1])).differs_from(copies(rolled([0, 1])))


@_of(TableCheck.is_confusion_of)
def _() -> None:
    table = pd.DataFrame([[1, 0], [2, 1]], ["tea", "milk"], ["tea", "milk"])
    true, predicted = ["tea", "tea", "milk", "tea"], ["tea", "milk", "milk", "milk"]
    check.table("the table", table).is_confusion_of(true, predicted, ["tea", "milk"])


@_of(HistoryCheck.begins_higher_than)
def _() -> None:
    raw, scaled = (SimpleNamespace(history={"loss": [1.2, 0.5]}) for _ in range(2))
    check.history("raw", raw).begins_higher_than("scaled", scaled, times=10)


@_of(ModelCheck.gives_probabilities)
def _() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3, activation="sigmoid")])
    check.model("model", model).gives_probabilities(np.ones((1, 2)))


@_of(ModelCheck.predicts)
def _() -> None:
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    check.model("model", model).predicts(np.ones((1, 2)), np.zeros(1), within=0.2)
