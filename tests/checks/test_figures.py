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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images: images[:, ::-1], "picture 0 is not image 0: it is image 0 upside down."),
        (lambda images: images[:, :, ::-1], "it is image 0 mirrored."),
        (lambda images: images[..., ::-1], "it is image 0 with its channels in another order."),
        (lambda images: images[[1, 0, 2, 3]], "it is image 1.\nExpected: the images in order"),
        (lambda images: images // 2, "it is none of the images."),
    ],
)
def test_what_is_wrong_with_a_picture_is_told(change, words):
    figure = check.figure("f", grid(change(IMAGES)))
    assert words in message(lambda: figure.shows_images(IMAGES))


def test_pictures_are_read_by_rows_in_whatever_order_they_were_drawn():
    figure = plt.figure()
    for i in (3, 1, 2, 0):
        plt.subplot(2, 2, i + 1).imshow(IMAGES[i])
    check.figure("f", figure).has_grid(2, 2).shows_images(IMAGES)


def test_another_grid_is_told():
    figure, axes = plt.subplots(1, 4)
    asked = check.figure("f", figure)
    told = message(lambda: asked.has_grid(2, 2))
    assert "in a grid of 1 × 4.\nExpected: 2 × 2" in told
    figure, _ = plt.subplot_mosaic("aa;bc;bc")
    asked = check.figure("f", figure)
    assert "rows of [1, " in message(lambda: asked.has_grid(2, 2))


def test_a_titles_colour_is_its_own_whatever_else_says_the_same():
    figure = grid(colors=("red",) * 4)
    for ax, name in zip(figure.axes, NAMES, strict=True):
        ax.text(1, 1, name, color="white")
    check.figure("f", figure).marks_in_red([True] * 4)


def test_a_name_that_is_switched_off_names_nothing():
    figure, axes = plt.subplots(2, 2)
    for ax, name in zip(axes.flat, NAMES, strict=True):
        ax.set_xlabel(name)
        ax.axis("off")
    assert "picture 0 is called" in message(lambda: check.figure("f", figure).names_images(NAMES))


@pytest.mark.parametrize("turn", ["origin", "invert y", "invert x"])
def test_a_picture_that_is_turned_over_is_not_the_image(turn):
    figure = grid()
    axes = figure.axes[1]
    if turn == "origin":
        axes.clear()
        axes.imshow(IMAGES[1], origin="lower")
    elif turn == "invert y":
        axes.invert_yaxis()
    else:
        axes.invert_xaxis()
    asked = check.figure("f", figure)
    assert "picture 1 is not image 1" in message(lambda: asked.shows_images(IMAGES))


def test_a_picture_turned_over_twice_is_right():
    figure = grid()
    axes = figure.axes[1]
    axes.clear()
    axes.imshow(IMAGES[1], origin="lower")
    axes.invert_yaxis()
    check.figure("f", figure).shows_images(IMAGES)


def test_a_wrong_name_is_told():
    figure = check.figure("f", grid(names=["cat", "cat", "ship", "frog"]))
    assert "picture 1 is called 'cat'.\nExpected: 'dog'" in message(
        lambda: figure.names_images(NAMES)
    )


def test_red_titles():
    colors = ("black", "red", "#d62728", "#333333")
    figure = check.figure("f", grid(colors=colors))
    figure.marks_in_red([False, True, True, False])
    assert "picture 0 is not red" in message(lambda: figure.marks_in_red([True, True, True, False]))
    assert "picture 1 is red" in message(lambda: figure.marks_in_red([False, False, True, False]))


@pytest.mark.parametrize("color", ["darkgreen", "blue", "grey", "white"])
def test_titles_of_another_colour_than_black_where_the_prediction_is_right(color):
    figure = check.figure("f", grid(colors=(color, "red", "red", "red")))
    told = message(lambda: figure.marks_in_red([False, True, True, True]))
    assert "picture 0 is not black" in told and "right" in told


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


class TestNames:
    @pytest.mark.parametrize("title", ["cat", "0: cat", "cat (true: dog)", "a cat!"])
    def test_a_name_among_a_few_words(self, title):
        figure = grid(names=[title, "dog", "ship", "frog"])
        check.figure("f", figure).names_images(NAMES)

    @pytest.mark.parametrize("title", ["cats", "bobcat", str(NAMES * 3), "", "Cat"])
    def test_a_name_within_another_or_a_whole_list_is_none(self, title):
        figure = check.figure("f", grid(names=[title, "dog", "ship", "frog"]))
        message(lambda: figure.names_images(NAMES))

    def test_titles_may_stand_at_the_side(self):
        figure, axes = plt.subplots(2, 2)
        for ax, name in zip(axes.flat, NAMES, strict=True):
            ax.set_title(name, loc="left", color="red")
        check.figure("f", figure).names_images(NAMES).marks_in_red([True] * 4)

    def test_a_figure_that_show_emptied(self):
        assert "after plt.show() the current figure is empty" in message(
            lambda: check.figure("f", plt.figure()).has_axes(25)
        )


class TestCurves:
    X, LOSS, VAL_LOSS = [1, 2, 3], [2.0, 1.5, 1.25], [2.1, 1.8, 1.9]
    TABLE = pd.DataFrame({"loss": LOSS, "val_loss": VAL_LOSS, "accuracy": [0.1, 0.2, 0.3]}, index=X)

    def ask(self, figure):
        return check.figure("f", figure)

    def draws(self, figure):
        return self.ask(figure).draws(self.X, loss=self.LOSS, val_loss=self.VAL_LOSS)

    def drawn(self, x=X, labels=("training", "validation")):
        _, ax = plt.subplots()
        for values, label in zip((self.LOSS, self.VAL_LOSS), labels, strict=True):
            ax.plot(x, values, label=label)
        return ax

    def test_pandas_plots_are_as_good(self):
        figure = self.TABLE[["loss", "val_loss"]].plot(xlabel="epoch", ylabel="loss").figure
        self.draws(figure).has_labelled_axes().has_legend()

    def test_legend_and_labels_may_belong_to_the_figure(self):
        figure = self.drawn().figure
        figure.legend()
        figure.supxlabel("epoch")
        figure.supylabel("loss")
        self.draws(figure).has_labelled_axes().has_legend()

    def test_a_mark_at_the_best_epoch_is_no_mistake(self):
        ax = self.drawn()
        ax.legend()
        ax.axvline(2, linestyle="dotted")
        self.draws(ax.figure).has_legend()

    @pytest.mark.parametrize(
        "labels", [(None, None), ("loss", "val_loss"), ("train", "Validation")]
    )
    def test_labels_as_people_write_them(self, labels):
        self.draws(self.drawn(labels=labels).figure)

    def test_a_missing_line(self):
        figure = self.TABLE["loss"].plot().figure
        assert "no line for val_loss" in message(lambda: self.draws(figure))

    def test_every_column_drawn(self):
        figure = self.TABLE.plot().figure
        assert "and no others" in message(lambda: self.draws(figure))

    def test_two_plots_instead_of_one(self):
        figure = self.TABLE[["loss", "val_loss"]].plot(subplots=True)[0].figure
        assert "one plot" in message(lambda: self.draws(figure))

    def test_epochs_counted_from_zero(self):
        assert "from 1 to 3: the table's index" in message(
            lambda: self.draws(self.drawn(x=[0, 1, 2]).figure)
        )

    def test_labels_the_wrong_way_round(self):
        figure = self.drawn(labels=("validation", "training")).figure
        assert "has the label 'validation'" in message(lambda: self.draws(figure))

    def test_missing_labels_and_legend(self):
        figure = self.ask(self.drawn().figure)
        assert "an axis has no label" in message(figure.has_labelled_axes)
        assert "a legend for 0" in message(figure.has_legend)

    def test_axes_called_by_each_others_names(self):
        figure, ax = plt.subplots()
        ax.plot([1, 2])
        ax.set(xlabel="Loss", ylabel="loss per epoch")
        asked = self.ask(figure)
        asked.has_labelled_axes(y_is_not=["epoch"])
        said = message(lambda: asked.has_labelled_axes(x_is_not=["loss"]))
        assert "the x axis is called 'Loss'" in said
