"""Figures are judged by what they show, however they were drawn."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")
import matplotlib.pyplot as plt

from dlcourse import checks as check

IMAGES = np.random.default_rng(1).integers(0, 256, (4, 6, 6, 3), dtype="uint8")
NAMES = ["cat", "dog", "ship", "frog"]


def grid(images=IMAGES, names=NAMES, colors=("black",) * 4, order=(0, 1, 2, 3)):
    figure, axes = plt.subplots(2, 2)
    for place, i in enumerate(order):
        axes.flat[place].imshow(images[i])
        axes.flat[place].set_title(names[i], color=colors[i])
    return figure


def message(ask) -> str:
    with pytest.raises(check.CheckFailed) as caught:
        ask()
    return str(caught.value)


def test_a_right_grid_passes_and_is_closed():
    figure = grid()
    check.figure("f", figure).has_axes(4).shows_images(IMAGES).names_images(NAMES)
    assert figure.number not in plt.get_fignums()


def test_normalised_images_are_the_same_picture():
    check.figure("f", grid(IMAGES / 255)).shows_images(IMAGES)


def test_names_may_be_labels_or_text():
    figure = plt.figure()
    for i in range(4):
        ax = plt.subplot(2, 2, i + 1)
        ax.imshow(IMAGES[i])
        ax.set_xlabel(NAMES[i]) if i % 2 else ax.text(0, 0, NAMES[i])
    check.figure("f", figure).names_images(NAMES)


def test_columns_before_rows_is_told():
    figure = check.figure("f", grid(order=(0, 2, 1, 3)))
    assert "picture 1 is not image 1" in message(lambda: figure.shows_images(IMAGES))


def test_a_wrong_name_is_told():
    figure = check.figure("f", grid(names=["cat", "cat", "ship", "frog"]))
    assert "picture 1 is called 'cat'.\nExpected: 'dog'" in message(
        lambda: figure.names_images(NAMES)
    )


def test_red_titles():
    colors = ("black", "red", "#d62728", "darkgreen")
    figure = check.figure("f", grid(colors=colors))
    figure.marks_in_red([False, True, True, False])
    assert "picture 0 is not red" in message(lambda: figure.marks_in_red([True, True, True, False]))
    assert "picture 1 is red" in message(lambda: figure.marks_in_red([False, False, True, False]))


def test_a_function_that_shows_and_does_not_return():
    def draws():
        grid()
        plt.show()

    call = check.function("draws", draws).called_with()
    assert "showing a value does not return it" in message(call.gives_figure)
    plt.close("all")


def test_axes_are_no_figure():
    _, ax = plt.subplots()
    assert "`return figure`" in message(lambda: check.figure("f", ax))
    plt.close("all")


class TestCurves:
    TABLE = pd.DataFrame({"loss": [2.0, 1.5], "val_loss": [2.1, 1.8]}, index=[1, 2])

    def test_pandas_plots_are_as_good(self):
        figure = self.TABLE.plot(xlabel="epoch", ylabel="loss").figure
        check.figure("f", figure).draws(
            loss=[2.0, 1.5], val_loss=[2.1, 1.8]
        ).has_labelled_axes().has_legend()

    def test_a_missing_line(self):
        figure = check.figure("f", self.TABLE["loss"].plot().figure)
        assert "none of them is val_loss" in message(
            lambda: figure.draws(loss=[2.0, 1.5], val_loss=[2.1, 1.8])
        )

    def test_missing_labels_and_legend(self):
        _, ax = plt.subplots()
        ax.plot([1, 2], self.TABLE["loss"])
        ax.plot([1, 2], self.TABLE["val_loss"])
        figure = check.figure("f", ax.figure)
        assert "an axis has no label" in message(figure.has_labelled_axes)
        assert "a legend for 0" in message(figure.has_legend)
