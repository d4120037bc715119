"""What is drawn on a matplotlib figure, as plain values. Runs in the student's process.

Artists of other kinds than those below (tables, quivers, contours, error bars as such) are left
out; 3-D axes come as flat ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbjudge.capture.limits import TICKS


def facts_of(figure: Any) -> dict[Any, Any]:
    """The facts of a Figure, for ``figure_rebuild.figure_from``.

    Sizes are in inches, positions and limits in data coordinates or, for axes, in shares of the
    figure; colours are (red, green, blue, alpha), 0 to 1.
    """
    from matplotlib.axes import Axes

    return {
        "size": [float(n) for n in figure.get_size_inches()],
        "suptitle": figure.get_suptitle(),
        "supxlabel": figure.get_supxlabel(),
        "supylabel": figure.get_supylabel(),
        "legends": [_legend(legend) for legend in figure.legends],
        "axes": [_axes(axes) for axes in figure.axes if isinstance(axes, Axes)],
    }


def _axes(axes: Any) -> dict[Any, Any]:
    return {
        "position": position_of(axes),
        "visible": bool(axes.get_visible()),
        "axis_on": bool(axes.axison),
        "label": str(axes.get_label()),
        "titles": {loc: _title(text) for loc, text in titles_of(axes).items()},
        "x": _axis(axes.xaxis, axes.get_xlim(), axes.axison),
        "y": _axis(axes.yaxis, axes.get_ylim(), axes.axison),
        "legend": _legend(axes.get_legend()),
        "drawn": {
            "lines": [_line(line) for line in axes.lines],
            "images": [_image(image) for image in axes.images],
            "texts": [_text(text) for text in axes.texts],
            "patches": [_patch(patch) for patch in axes.patches],
            "collections": [
                facts for c in axes.collections if (facts := _collection(c)) is not None
            ],
        },
        "bars": [bars for c in axes.containers if (bars := _bars(c, axes.patches)) is not None],
    }


def position_of(axes: Any) -> list[float]:
    """Left, bottom, width and height, in shares of the whole figure."""
    box, figure = axes.get_position(), axes.get_figure(root=False)
    root = axes.get_figure(root=True)
    if figure is not root:
        box = box.transformed(figure.transSubfigure).transformed(root.transFigure.inverted())
    return [float(n) for n in box.bounds]


def titles_of(axes: Any) -> dict[str, Any]:
    """The titles as artists, by place; matplotlib's own function gives their texts only."""
    return {"center": axes.title, "left": axes._left_title, "right": axes._right_title}


def _title(text: Any) -> list[Any]:
    return [text.get_text(), _color(text.get_color()), float(text.get_fontsize())]


def _axis(axis: Any, limits: Any, is_on: bool) -> dict[Any, Any]:
    facts = {
        "label": axis.get_label_text(),
        "limits": [float(n) for n in limits],
        "scale": str(axis.get_scale()),
        "ticks": None,
        "ticklabels": None,
    }
    if not is_on:
        return facts
    try:
        ticks = np.asarray(axis.get_ticklocs(), dtype=float)
        if ticks.ndim == 1 and len(ticks) <= TICKS:
            labels = [str(label.get_text()) for label in axis.get_ticklabels()]
            facts["ticks"] = ticks
            facts["ticklabels"] = labels if len(labels) == len(ticks) else None
    except Exception:
        pass
    return facts


def _line(line: Any) -> dict[Any, Any]:
    return {
        "x": _data(line, line.get_xdata, 0),
        "y": _data(line, line.get_ydata, 1),
        "label": str(line.get_label()),
        "color": _color(line.get_color()),
        "linestyle": str(line.get_linestyle()),
        "linewidth": float(line.get_linewidth()),
        "marker": str(line.get_marker()),
        "visible": bool(line.get_visible()),
    }


def _data(line: Any, read: Any, column: int) -> np.ndarray:
    """The numbers as they were given; for dates and categories, as matplotlib places them."""
    try:
        given = read(orig=True)
        given = np.asarray(np.ma.filled(given, np.nan) if np.ma.is_masked(given) else given)
        if given.dtype.kind in "fiub" and given.ndim == 1:
            return given
    except Exception:
        pass
    return np.ma.filled(np.ma.asarray(line.get_xydata()[:, column], dtype=float), np.nan)


def _image(image: Any) -> dict[Any, Any]:
    array = image.get_array()
    if np.ma.is_masked(array):  # nothing is drawn there, as for a value that is none
        array = np.ma.filled(np.ma.asarray(array, float), np.nan)
    return {
        "array": np.asarray(array),
        "cmap": str(image.get_cmap().name),
        "clim": [None if n is None else float(n) for n in image.get_clim()],
        "extent": [float(n) for n in image.get_extent()],
        "origin": str(getattr(image, "origin", "upper")),
        "label": str(image.get_label()),
        "visible": bool(image.get_visible()),
    }


def _text(text: Any) -> dict[Any, Any]:
    try:
        position = [float(n) for n in text.get_position()]
    except (TypeError, ValueError):
        position = [0.0, 0.0]
    return {
        "text": text.get_text(),
        "position": position,
        "color": _color(text.get_color()),
        "size": float(text.get_fontsize()),
        "visible": bool(text.get_visible()),
    }


def _legend(legend: Any) -> dict[Any, Any] | None:
    if legend is None:
        return None
    return {
        "title": legend.get_title().get_text(),
        "labels": [text.get_text() for text in legend.get_texts()],
        "visible": bool(legend.get_visible()),
    }


def _patch(patch: Any) -> dict[Any, Any]:
    from matplotlib.patches import Rectangle, Wedge

    facts: dict[str, Any] = {
        "kind": "path",
        "label": str(patch.get_label()),
        "face": _color(patch.get_facecolor()),
        "edge": _color(patch.get_edgecolor()),
        "fill": bool(patch.get_fill()),
        "visible": bool(patch.get_visible()),
    }
    if isinstance(patch, Rectangle):
        facts["kind"] = "rectangle"
        box = (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height())
        facts["numbers"] = [float(n) for n in box]
    elif isinstance(patch, Wedge):
        facts["kind"] = "wedge"
        wedge = (*patch.center, patch.r, patch.theta1, patch.theta2)
        facts["numbers"] = [float(n) for n in wedge]
        facts["width"] = None if patch.width is None else float(patch.width)
    else:
        path = patch.get_path().transformed(patch.get_patch_transform())
        facts["vertices"] = np.asarray(path.vertices, dtype=float)
        facts["codes"] = None if path.codes is None else np.asarray(path.codes)
    return facts


def _bars(container: Any, patches: Any) -> dict[Any, Any] | None:
    from matplotlib.container import BarContainer

    if not isinstance(container, BarContainer):
        return None
    places = {id(patch): i for i, patch in enumerate(patches)}
    members = [places.get(id(patch)) for patch in container.patches]
    if None in members:
        return None
    return {
        "members": members,
        "label": str(container.get_label()),
        "orientation": container.orientation,
    }


def _collection(collection: Any) -> dict[Any, Any] | None:
    from matplotlib import collections as kinds

    array = collection.get_array()
    facts: dict[str, Any] = {
        "label": str(collection.get_label()),
        "visible": bool(collection.get_visible()),
        "face": np.asarray(collection.get_facecolor(), dtype=float),
        "edge": np.asarray(collection.get_edgecolor(), dtype=float),
        "array": None if array is None else np.ma.filled(np.ma.asarray(array, float), np.nan),
        "cmap": str(collection.get_cmap().name),
    }
    if isinstance(collection, kinds.PathCollection):
        facts["kind"] = "scatter"
        offsets: Any = np.ma.asarray(collection.get_offsets(), dtype=float)
        facts["offsets"] = np.ma.filled(offsets, np.nan)
        facts["sizes"] = np.asarray(collection.get_sizes(), dtype=float)
    elif isinstance(collection, kinds.QuadMesh):
        facts["kind"] = "mesh"
        facts["corners"] = np.ma.filled(np.ma.asarray(collection.get_coordinates(), float), np.nan)
    elif isinstance(collection, (kinds.LineCollection, kinds.PolyCollection)):
        facts["kind"] = "lines" if isinstance(collection, kinds.LineCollection) else "areas"
        facts["paths"] = [np.asarray(p.vertices, dtype=float) for p in collection.get_paths()]
    else:
        return None
    return facts


def _color(color: Any) -> list[float]:
    from matplotlib.colors import to_rgba

    try:
        return [float(n) for n in to_rgba(color)]
    except (TypeError, ValueError):
        return [0.0, 0.0, 0.0, 1.0]
