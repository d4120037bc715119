"""Figures come back as figures that say the same, whatever they were drawn with."""

from __future__ import annotations

import dataclasses
import io
import json
import random

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from nbjudge.capture import Damaged, NotHandedOut, decode, encode
from nbjudge.capture.tree import Encoder
from two_ends import LIMIT, crossed

from dlcourse.checks.figures import FigureCheck, facts_of


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def same(a, b):
    if dataclasses.is_dataclass(a):
        # Places are compared below: with equal scales they depend on what was drawn last.
        names = [f.name for f in dataclasses.fields(a) if f.name != "center"]
        return all(same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def show_images(images, names):
    figure, axes = plt.subplots(5, 5, figsize=(8, 9))
    for i, (ax, image, name) in enumerate(zip(axes.flatten(), images, names, strict=False)):
        ax.imshow(image)
        ax.set_title(name, color="red" if i % 3 == 0 else "black")
        ax.axis("off")
    return figure


def plot_history(table):
    figure, ax = plt.subplots(figsize=(6, 4))
    ax.plot(table.index, table["loss"], label="training")
    ax.plot(table.index, table["val_loss"], "--", label="validation")
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss")
    ax.legend()
    return figure


def texts(labels):
    return [label.get_text() for label in labels]


def test_pictures_with_titles():
    images = np.random.default_rng(1).integers(0, 256, (30, 32, 32, 3), dtype="uint8")
    names = [f"picture {i}" for i in range(30)]
    figure = show_images(images, names)
    back = crossed(figure)
    assert type(back) is Figure
    assert same(facts_of("f", back), facts_of("f", figure))
    check = FigureCheck("f", back).has_axes(25).shows_images(images[:25]).names_images(names[:25])
    check.marks_in_red([i % 3 == 0 for i in range(25)])
    assert back.picture_png.startswith(b"\x89PNG")
    assert list(back.get_size_inches()) == [8, 9]
    assert not back.axes[0].axison
    for a, b in zip(figure.axes, back.axes, strict=True):
        np.testing.assert_allclose(a.get_position().bounds, b.get_position().bounds)
    assert plt.get_fignums() == [figure.number]


def test_pictures_in_subfigures_stand_where_they_are_seen():
    images = np.random.default_rng(2).integers(0, 256, (4, 8, 8, 3), dtype="uint8")
    figure = plt.figure()
    for row, part in enumerate(figure.subfigures(2, 1)):
        for ax, image in zip(part.subplots(1, 2), images[2 * row :], strict=False):
            ax.imshow(image)
    FigureCheck("f", crossed(figure)).has_grid(2, 2).shows_images(images)


def test_pictures_in_an_image_grid_get_their_place_when_they_are_drawn():
    from mpl_toolkits.axes_grid1 import ImageGrid

    images = np.random.default_rng(2).integers(0, 256, (4, 8, 8, 3), dtype="uint8")
    figure = plt.figure()
    for ax, image in zip(ImageGrid(figure, 111, nrows_ncols=(2, 2)), images, strict=True):
        ax.imshow(image)
    FigureCheck("f", crossed(figure)).has_grid(2, 2).shows_images(images)


def test_lines_with_legend():
    table = pd.DataFrame({"loss": [2.0, 1.5, 1.25], "val_loss": [2.1, 1.75, 1.8]}, [1, 2, 3])
    back = crossed(plot_history(table))
    check = FigureCheck("f", back).draws([1, 2, 3], loss=[2, 1.5, 1.25], val_loss=[2.1, 1.75, 1.8])
    check.has_labelled_axes().has_legend()
    line = back.axes[0].lines[1]
    assert (line.get_linestyle(), line.get_label()) == ("--", "validation")
    assert line.get_color() == plt.matplotlib.colors.to_rgba("C1")


@pytest.mark.filterwarnings("ignore:No artists")
def test_a_legend_without_entries_stops_nobody():
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    axes.legend()
    assert len(crossed(figure).axes[0].lines) == 1


def gallery():
    figure, axes = plt.subplots(3, 3, figsize=(9, 9))
    (a, b, c), (d, e, f), (g, h, i) = axes
    a.plot([1, 2, 3], [4, np.nan, 6], "--o", label="a", lw=3)
    a.legend(title="T")
    a.set_xlabel("$x^2$ $broken")
    a.annotate("here", (1, 4), color="blue")
    b.bar(["p", "q"], [1, 2], label="bars", color=["red", "#00ff0080"])
    b.bar_label(b.containers[0])
    b.set_xticks([0, 1], ["first", "second"])
    c.hist(np.random.default_rng(1).random(100), bins=7)
    d.scatter([1, 2], [3, 4], c=[1, 2], s=[5, 9], label="dots", cmap="Reds")
    e.pie([1, 2, 3], labels=list("abc"))
    f.fill_between([1, 2], [3, 4])
    f.vlines([1], 0, 1)
    mesh = g.pcolormesh(np.arange(12.0).reshape(3, 4))
    figure.colorbar(mesh)
    h.semilogy([1, 10], [1, 100])
    h.invert_xaxis()
    i.imshow(np.arange(6.0).reshape(2, 3), cmap="Greens", vmin=1, vmax=4, origin="lower")
    i.set_title("left", loc="left")
    i.twinx().set_ylabel("other")
    figure.suptitle("Above")
    figure.supxlabel("below")
    figure.legend()
    return figure


def test_all_kinds_of_things():
    figure = gallery()
    back = crossed(figure)
    assert same(facts_of("f", back), facts_of("f", figure))
    assert back.get_suptitle() == "Above" and len(back.axes) == len(figure.axes) == 11
    for old, new in zip(figure.axes, back.axes, strict=True):
        for name in ("lines", "patches", "collections", "images", "texts", "containers"):
            assert len(getattr(old, name)) == len(getattr(new, name)), name
        np.testing.assert_allclose(
            [*old.get_xlim(), *old.get_ylim()], [*new.get_xlim(), *new.get_ylim()]
        )
        assert (old.get_xscale(), old.get_yscale()) == (new.get_xscale(), new.get_yscale())
        assert texts(old.get_xticklabels()) == texts(new.get_xticklabels())
        assert texts(old.get_yticklabels()) == texts(new.get_yticklabels())
        assert texts(old.texts) == texts(new.texts)
    bars = back.axes[1].containers[0]
    assert [bar.get_height() for bar in bars] == [1, 2] and bars.get_label() == "bars"
    assert bars[1].get_facecolor() == (0, 1, 0, 128 / 255)
    dots = back.axes[3].collections[0]
    assert dots.get_offsets().tolist() == [[1, 3], [2, 4]] and dots.get_sizes().tolist() == [5, 9]
    assert back.axes[3].collections[0].get_label() == "dots"
    assert back.axes[4].patches[0].theta2 == figure.axes[4].patches[0].theta2
    assert back.axes[6].collections[0].get_array().ravel().tolist() == list(range(12))
    image = back.axes[8].images[0]
    assert image.get_cmap().name == "Greens" and image.get_clim() == (1, 4)
    assert image.origin == "lower" and image.get_extent() == figure.axes[8].images[0].get_extent()
    assert back.axes[8].get_title(loc="left") == "left"
    assert back.axes[0].get_legend().get_title().get_text() == "T"
    again = crossed(back)
    assert same(facts_of("f", again), facts_of("f", back))


def test_a_rebuilt_figure_can_be_drawn():
    figure = gallery()
    figure.axes[0].set_xlabel("fine")
    crossed(figure).savefig(io.BytesIO())


def test_dates_and_categories_come_as_matplotlib_places_them():
    figure, ax = plt.subplots()
    ax.plot(pd.date_range("2020-01-01", periods=3), [1, 2, 3])
    figure2, ax2 = plt.subplots()
    ax2.plot(["a", "b"], [1, 2])
    assert crossed(figure).axes[0].lines[0].get_xdata().tolist() == [18262, 18263, 18264]
    assert crossed(figure2).axes[0].lines[0].get_xdata().tolist() == [0, 1]


def test_axes_bring_their_figure():
    figure, axes = plt.subplots(2, 2)
    axes[1, 0].set_title("here")
    back = crossed({"axes": axes, "figure": figure, "one": axes[1, 0]})
    assert back["axes"].shape == (2, 2) and back["one"] is back["axes"][1, 0]
    assert back["one"].figure is back["figure"] and back["one"].get_title() == "here"
    assert crossed(axes[1, 0]).get_title() == "here"


def test_hidden_axes_stay_hidden():
    figure, axes = plt.subplots(1, 2)
    axes[1].set_visible(False)
    FigureCheck("f", crossed(figure)).has_axes(1)


def test_a_call_that_draws_leaves_no_figure_behind(notebook):
    remote = notebook.hand_out(show_images)
    mine = plt.figure()
    back = remote(np.zeros((1, 4, 4, 3)), ["x"])
    assert len(back.axes) == 25 and plt.get_fignums() == [mine.number]


MANY = np.zeros(1_000_000, dtype="uint8")


def test_a_figure_that_takes_long_to_draw_is_damaged():
    from nbjudge.capture.figure_facts import facts_of as read

    figure, ax = plt.subplots()
    ax.plot([1, 2], label="a")
    ax.legend()
    for change in (
        lambda facts: facts["axes"].extend(facts["axes"] * 200),
        lambda facts: facts["axes"][0]["drawn"]["lines"].extend(
            facts["axes"][0]["drawn"]["lines"] * 10_000
        ),
        lambda facts: facts["axes"][0]["legend"].update(labels=["x"] * 4000),
        lambda facts: facts["axes"][0]["drawn"]["lines"].extend(
            [facts["axes"][0]["drawn"]["lines"][0] | {"x": MANY, "y": MANY}] * 60
        ),
        lambda facts: facts["axes"][0]["x"].update(ticks=np.arange(500.0), ticklabels=None),
    ):
        facts = crossed(read(figure))
        change(facts)
        encoder = Encoder(LIMIT)
        with pytest.raises(Damaged):
            decode(
                encoder.message(["figure", encoder.node(facts), encoder.buffer(b"")]), limit=LIMIT
            )


def test_what_cannot_be_drawn_still_has_facts():
    figure, ax = plt.subplots()
    ax.set_title("$broken")
    ax.set_xlabel(r"$\nothing$")
    back = crossed(figure)
    assert back.axes[0].get_xlabel() == r"$\nothing$" and back.picture_png == b""


def test_too_many_things_are_refused():
    figure, ax = plt.subplots()
    for _ in range(10_001):
        ax.add_artist(plt.Line2D([0], [0]))
    with pytest.raises(NotHandedOut, match="10,001 things drawn"):
        encode(figure, limit=LIMIT)


def test_figures_that_were_made_up():
    from nbjudge.capture.figure_facts import facts_of as read

    sound = read(gallery())
    chance = random.Random(5)
    odd = [None, True, -1, 10**30, float("nan"), float("inf"), 1e308, "", "$", "x" * 30_000]
    odd += [[], {}, [1], np.zeros(3), np.zeros((2, 2)), np.array(["a"]), np.zeros((0, 2)), ()]
    damaged = 0
    for _ in range(40):
        facts = crossed(sound)
        places, stack = [], [facts]
        while stack:
            part = stack.pop()
            items = part.items() if isinstance(part, dict) else enumerate(part)
            for key, item in items:
                places.append((part, key))
                if isinstance(item, (list, dict)):
                    stack.append(item)
        part, key = chance.choice(places)
        part[key] = chance.choice(odd)
        encoder = Encoder(LIMIT)
        data = encoder.message(["figure", encoder.node(facts), encoder.buffer(b"")])
        try:
            assert type(decode(data, limit=LIMIT)) is Figure
        except Damaged:
            damaged += 1
    assert 5 < damaged < 40


@pytest.mark.parametrize("size", [[10**9, 10**9], [0, 1], [-1, 1], ["1", 1], [1]])
def test_absurd_sizes(size):
    facts = json.loads(json.dumps({"size": size, "axes": [], "legends": []}))
    facts |= {"suptitle": "", "supxlabel": "", "supylabel": ""}
    encoder = Encoder(LIMIT)
    data = encoder.message(["figure", encoder.node(facts), encoder.buffer(b"")])
    with pytest.raises(Damaged):
        decode(data, limit=LIMIT)
