"""Figures: axes, titles, images, lines and labels as facts.

The facts are plain data, so a figure may have been drawn in another process.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcourse.checks.outcome import Check, fail, require_attempt, show

# Of the figure's height; what is nearer stands in one row.
_SAME_ROW = 0.01


@dataclass(frozen=True)
class Line:
    """One line of a plot: its label ("" where it has none) and its points."""

    label: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class AxesFacts:
    """What is drawn on one pair of axes. Colours are (red, green, blue), each 0 to 1.

    `center` is (x, y) in shares of the figure, from its lower left. Images are as they are seen.
    """

    title: str
    title_color: tuple[float, float, float]
    x_label: str
    y_label: str
    center: tuple[float, float]
    texts: tuple[str, ...] = ()
    images: tuple[np.ndarray, ...] = ()
    lines: tuple[Line, ...] = ()
    legend: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigureFacts:
    """What is drawn on one figure, in reading order; axes that are hidden do not count."""

    axes: tuple[AxesFacts, ...] = ()
    x_label: str = ""
    y_label: str = ""
    legend: tuple[str, ...] = ()


def facts_of(name: str, figure: Any) -> FigureFacts:
    """Read a matplotlib Figure (or hand through facts that were read elsewhere)."""
    require_attempt(name, figure)
    if isinstance(figure, FigureFacts):
        return figure
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        fail(
            f"{name} is {show(figure)}.",
            expected="a matplotlib figure",
            hint="`figure, axes = plt.subplots(…)` makes one, and `axes.figure` is the figure of "
            "axes. End the function with `return figure`.",
        )
    axes = [_axes_facts(axes) for axes in figure.axes if axes.get_visible()]
    return FigureFacts(
        axes=tuple(one for row in _rows(axes) for one in row),
        x_label=figure.get_supxlabel(),
        y_label=figure.get_supylabel(),
        legend=tuple(text.get_text() for legend in figure.legends for text in legend.get_texts()),
    )


def _axes_facts(axes: Any) -> AxesFacts:
    from matplotlib.colors import to_rgb

    # matplotlib's own function gives the titles' texts only.
    titles = (axes.title, axes._left_title, axes._right_title)
    title = next((text for text in titles if text.get_text()), axes.title)
    legend = axes.get_legend()
    # In shares of the whole figure, also within a subfigure.
    box = axes.bbox.transformed(axes.get_figure(root=True).transFigure.inverted())
    left, bottom, width, height = box.bounds
    return AxesFacts(
        title=title.get_text(),
        title_color=to_rgb(title.get_color()),
        # axis("off") hides the labels, too.
        x_label=axes.get_xlabel() if axes.axison else "",
        y_label=axes.get_ylabel() if axes.axison else "",
        center=(round(left + width / 2, 6), round(bottom + height / 2, 6)),
        texts=tuple(text.get_text() for text in axes.texts),
        images=tuple(_seen(image, axes) for image in axes.images),
        lines=tuple(
            Line(
                "" if str(line.get_label()).startswith("_") else str(line.get_label()),
                np.asarray(line.get_xdata(), dtype=float),
                np.asarray(line.get_ydata(), dtype=float),
            )
            for line in axes.lines
        ),
        legend=tuple(text.get_text() for text in legend.get_texts()) if legend else (),
    )


def _seen(image: Any, axes: Any) -> np.ndarray:
    """The image's array (height, width, …), turned as the axes show it."""
    array = np.asarray(image.get_array())
    left, right, bottom, top = image.get_extent()
    first, last = (bottom, top) if image.origin == "lower" else (top, bottom)
    (x_left, x_right), (y_bottom, y_top) = axes.get_xlim(), axes.get_ylim()
    if (first - last) * (y_top - y_bottom) < 0:
        array = array[::-1]
    return array[:, ::-1] if (right - left) * (x_right - x_left) < 0 else array


def _rows(axes: Collection[AxesFacts]) -> list[list[AxesFacts]]:
    """Axes by rows from the top, each from the left."""
    rows: list[list[AxesFacts]] = []
    for one in sorted(axes, key=lambda one: -one.center[1]):
        if rows and rows[-1][0].center[1] - one.center[1] < _SAME_ROW:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [sorted(row, key=lambda one: one.center[0]) for row in rows]


class FigureCheck(Check):
    """What may be asked of a figure. The figure is closed once its facts are read."""

    def __init__(self, name: str, figure: Any) -> None:
        self.name = name
        self.facts = facts_of(name, figure)
        _close(figure)

    def has_axes(self, count: int) -> FigureCheck:
        """It has `count` pictures (pairs of axes)."""
        got = len(self.facts.axes)
        if got != count:
            fail(
                f"{self.name} has {got} pictures.",
                answer=f"{count}",
                hint=""
                if got
                else "after plt.show() the current figure is empty. Keep the figure in a variable "
                "when you make it, and return that.",
            )
        return self

    def has_grid(self, rows: int, columns: int) -> FigureCheck:
        """Its pictures stand in so many rows and columns."""
        got = [len(row) for row in _rows(self.facts.axes)]
        if got != [columns] * rows:
            shape = f"{len(got)} × {got[0]}" if len(set(got)) == 1 else f"rows of {show(got)}"
            fail(
                f"{self.name} shows its pictures in a grid of {shape}.",
                expected=f"{rows} × {columns}: {rows} rows of {columns}",
            )
        return self

    def shows_images(self, images: np.ndarray) -> FigureCheck:
        """Its pictures are `images` (n, height, width, channels), in reading order."""
        self.has_axes(len(images))
        for i, (axes, image) in enumerate(zip(self.facts.axes, images, strict=True)):
            if len(axes.images) != 1:
                fail(
                    f"{self.name}: picture {i} shows {len(axes.images)} images.",
                    expected="one image: axes.imshow(image)",
                )
            got = axes.images[0].shape
            if len(got) != len(image.shape) or got[:2] != image.shape[:2]:
                fail(
                    f"{self.name}: picture {i} has shape {got}.",
                    expected=f"the shape of image {i}, {image.shape}",
                )
            if not _same_image(axes.images[0], image):
                what, wanted = _what_is_wrong(axes.images[0], images)
                fail(f"{self.name}: picture {i} is not image {i}: {what}.", expected=wanted)
        return self

    def names_images(self, names: list[str]) -> FigureCheck:
        """Each picture carries its name: as title, label under it, or text on it."""
        self.has_axes(len(names))
        for i, (axes, name) in enumerate(zip(self.facts.axes, names, strict=True)):
            written = [axes.title, axes.x_label, axes.y_label, *axes.texts]
            if not any(_names(text, str(name)) for text in written):
                fail(
                    f"{self.name}: picture {i} is called "
                    f"{show(next((t for t in written if t), ''))}.",
                    answer=f"{show(str(name))}; pictures are counted from 0",
                    hint=""
                    if any(written)
                    else "set_title(name) names a picture. axis('off') hides the axis labels.",
                )
        return self

    def marks_in_red(self, wrong: list[bool]) -> FigureCheck:
        """The titles of exactly those pictures are red where `wrong` is true; the others, black."""
        self.has_axes(len(wrong))
        for i, (axes, is_wrong) in enumerate(zip(self.facts.axes, wrong, strict=True)):
            red, green, blue = axes.title_color
            is_red = red > 0.5 and red > 2 * max(green, blue)
            # A dark grey is a style's black.
            is_black = max(red, green, blue) < min(0.4, min(red, green, blue) + 0.1)
            if not (is_red if is_wrong else is_black):
                state = "red" if is_red else "not red" if is_wrong else "not black"
                fail(
                    f"{self.name}: the title of picture {i} is {state}, and its prediction is "
                    f"{'wrong' if is_wrong else 'right'}.",
                    expected="red titles for wrong predictions, and black ones for the others",
                    hint="a style may colour titles. `color='black'` sets the colour."
                    if not (is_wrong or is_red)
                    else "",
                )
        return self

    def draws(self, x: list[float], **lines: list[float]) -> FigureCheck:
        """One plot has these named series of y values over `x` as its lines, and no others.

        Lines of another length, such as a mark at one epoch, are not looked at. Where a line has a
        label, "val" must be in it if it is in the series' name, and only then.
        """
        for axes in self.facts.axes:
            curves = [line for line in axes.lines if line.y.shape == np.shape(x)]
            found = {
                name: next((c for c in curves if np.allclose(c.y, values)), None)
                for name, values in lines.items()
            }
            if any(found.values()):
                break
        else:
            fail(
                f"{self.name} draws none of {', '.join(lines)}.",
                expected=f"one plot with a line for each of {', '.join(lines)}",
            )
        for name, curve in found.items():
            if curve is None:
                fail(
                    f"{self.name} has {len(curves)} lines in one plot, but no line for {name}.",
                    expected=f"one plot with a line for each of {', '.join(lines)}",
                )
            if not np.allclose(curve.x, x):
                fail(
                    f"{self.name}: the x values of the line {name} go from {show(curve.x[0])} to "
                    f"{show(curve.x[-1])}.",
                    expected="the table's index",
                    answer=f"from {show(x[0])} to {show(x[-1])}: the table's index",
                )
            if curve.label and ("val" in curve.label.lower()) != name.startswith("val"):
                fail(
                    f"{self.name}: the line {name} has the label {show(curve.label)}.",
                    expected="different labels for training and validation",
                )
        if len(curves) != len(lines):
            labels = ", ".join(curve.label or "one without a label" for curve in curves)
            fail(
                f"{self.name} has {len(curves)} lines in one plot: {labels}.",
                expected=f"one line for each of {', '.join(lines)}, and no others",
            )
        return self

    def has_labelled_axes(
        self, x_is_not: Collection[str] = (), y_is_not: Collection[str] = ()
    ) -> FigureCheck:
        """Every pair of axes with lines says what its x and y are, or the figure does for all.

        The words are free, but for those that would be wrong: `x_is_not` and `y_is_not`, compared
        without regard to case.
        """
        for axes in self.facts.axes:
            x_label = axes.x_label.strip() or self.facts.x_label.strip()
            y_label = axes.y_label.strip() or self.facts.y_label.strip()
            if axes.lines and not (x_label and y_label):
                fail(
                    f"{self.name}: an axis has no label (x: {x_label!r}, y: {y_label!r}).",
                    expected="set_xlabel and set_ylabel, or xlabel= and ylabel= of DataFrame.plot",
                )
            for letter, label, wrong in (("x", x_label, x_is_not), ("y", y_label, y_is_not)):
                if axes.lines and label.casefold() in wrong:
                    fail(
                        f"{self.name}: the {letter} axis is called {label!r}.",
                        expected=f"what the {letter} axis shows",
                        hint="x goes to the right, y goes up.",
                    )
        return self

    def has_legend(self) -> FigureCheck:
        """Where several lines share axes, a legend tells at least two of them apart."""
        for axes in self.facts.axes:
            entries = len(axes.legend) + len(self.facts.legend)
            if len(axes.lines) > 1 and entries < 2:
                fail(
                    f"{self.name} has {len(axes.lines)} lines and a legend for {entries}.",
                    expected="a label for each line, and axes.legend()",
                )
        return self


def _names(text: str, name: str) -> bool:
    """Whether `text` says `name`, as a word of its own and not among many others."""
    said = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return bool(said) and len(text) <= len(name) + 40


def _same_image(drawn: np.ndarray, image: np.ndarray) -> bool:
    """The same picture, whether as 0 to 255 or as 0 to 1."""
    return drawn.shape == image.shape and np.allclose(_unit(drawn), _unit(image), atol=0.005)


def _what_is_wrong(drawn: np.ndarray, images: np.ndarray) -> tuple[str, str]:
    """What a picture is that should be another, counted from 0, and what it should be."""
    order = "the images in order, row by row, counted from 0"
    as_it_is = "the image as it is: axes.imshow(image)"
    turned = {
        "upside down": drawn[::-1],
        "mirrored": drawn[:, ::-1],
        "with its channels in another order": drawn[..., ::-1],
        "with rows and columns changed over": drawn.swapaxes(0, 1),
    }
    for number, image in enumerate(images):
        if _same_image(drawn, image):
            return f"it is image {number}", order
    for number, image in enumerate(images):
        for how, back in turned.items():
            if _same_image(back, image):
                return f"it is image {number} {how}", as_it_is
    return "it is none of the images", as_it_is


def _unit(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image, dtype=float)
    return image / 255 if image.max(initial=0) > 1 else image


def _close(figure: Any) -> None:
    import matplotlib.pyplot as plt

    if not isinstance(figure, FigureFacts):
        plt.close(figure)
