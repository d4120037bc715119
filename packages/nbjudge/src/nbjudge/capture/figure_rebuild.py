"""A matplotlib figure drawn anew from facts that may be made up.

Every fact is looked at: texts are texts (never parsed, since nothing is drawn to a canvas),
names are from a fixed list, numbers are numbers, and nothing has another size than it says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nbjudge.capture.errors import Damaged
from nbjudge.capture.limits import AXES, DRAWN, TICKS

_BARS = 1000
_NUMBERS = 100_000_000
_LEGEND_LABELS = 3000
_INCHES = 400
_TEXT = 20_000
_SCALES = ("linear", "log", "symlog", "logit", "asinh")
_LINESTYLES = ("-", "--", "-.", ":", "None")
_MARKERS = frozenset(".,ov^<>12348spP*hH+xXDd|_")


def figure_from(facts: Any, picture: bytes) -> Any:
    """The Figure of ``facts``, unknown to pyplot; ``picture`` is its ``picture_png``."""
    from matplotlib.figure import Figure

    width, height = _numbers(_get(facts, "size"), 2)
    if not (0 < width <= _INCHES and 0 < height <= _INCHES):
        raise Damaged("a figure of an absurd size")
    _require_moderate(facts)
    figure = Figure(figsize=(width, height))
    for name in ("suptitle", "supxlabel", "supylabel"):
        text = _text(_get(facts, name))
        if text:
            getattr(figure, name)(text)
    for part in _list(_get(facts, "axes"), AXES):
        _add_axes(figure, part)
    for part in _list(_get(facts, "legends"), AXES):
        _add_legend(figure, part)
    vars(figure)["picture_png"] = picture
    return figure


def _require_moderate(facts: Any) -> None:
    """Refuse a figure that would take long to draw anew."""
    drawn = bars = labels = 0
    legends = list(_list(_get(facts, "legends"), AXES))
    for axes in _list(_get(facts, "axes"), AXES):
        parts = _get(axes, "drawn")
        drawn += sum(len(_list(_get(parts, name), DRAWN)) for name in _ADD)
        bars += len(_list(_get(axes, "bars"), _BARS))
        legends.append(_get(axes, "legend"))
    for legend in legends:
        labels += 0 if legend is None else len(_list(_get(legend, "labels"), _LEGEND_LABELS))
    if _numbers_in(facts) > _NUMBERS:
        raise Damaged("a figure with too many numbers")
    if drawn > DRAWN or bars > _BARS or labels > _LEGEND_LABELS:
        raise Damaged("a figure with too much on it")


def _numbers_in(facts: Any) -> int:
    """The numbers of all arrays, each counted as often as it is drawn."""
    if isinstance(facts, np.ndarray):
        return facts.size
    if type(facts) is dict:
        facts = list(facts.values())
    return sum(map(_numbers_in, facts)) if type(facts) is list else 0


def axes_from(figure: Any, number: Any) -> Any:
    """The Axes with this number of a Figure that was decoded."""
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure) or type(number) is not int:
        raise Damaged("no axes")
    if not 0 <= number < len(figure.axes):
        raise Damaged("no axes")
    return figure.axes[number]


def _add_axes(figure: Any, facts: Any) -> None:
    axes = figure.add_axes(_numbers(_get(facts, "position"), 4), label=_text(_get(facts, "label")))
    axes.set_visible(_get(facts, "visible") is True)
    if _get(facts, "axis_on") is not True:
        axes.set_axis_off()
    drawn = _get(facts, "drawn")
    for name, add in _ADD.items():
        for part in _list(_get(drawn, name), DRAWN):
            add(axes, part)
    for part in _list(_get(facts, "bars"), DRAWN):
        _add_bars(axes, part)
    for loc in ("center", "left", "right"):
        text, color, size = _list(_get(_get(facts, "titles"), loc), 3)
        size = min(max(_number(size), 0.1), 1000.0)
        axes.set_title(_text(text), loc=loc, color=_color(color), fontsize=size)
    _set_axis(axes, "x", _get(facts, "x"))
    _set_axis(axes, "y", _get(facts, "y"))
    if _get(facts, "legend") is not None:
        _add_legend(axes, _get(facts, "legend"))


def _set_axis(axes: Any, letter: str, facts: Any) -> None:
    getattr(axes, f"set_{letter}label")(_text(_get(facts, "label")))
    scale = _get(facts, "scale")
    getattr(axes, f"set_{letter}scale")(scale if scale in _SCALES else "linear")
    ticks, labels = _get(facts, "ticks"), _get(facts, "ticklabels")
    if ticks is not None:
        ticks = _array(ticks, 1)
        if labels is not None:
            labels = [_text(label) for label in _list(labels, TICKS)]
            if len(labels) != len(ticks):
                raise Damaged("labels of other ticks")
        if len(ticks) > TICKS or not np.isfinite(ticks).all():
            raise Damaged("absurd ticks")
        getattr(axes, f"set_{letter}ticks")(ticks, labels=labels)
    low, high = _numbers(_get(facts, "limits"), 2)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Damaged("limits that are no numbers")
    getattr(axes, f"{letter}axis").set_view_interval(low, high, ignore=True)


def _add_line(axes: Any, facts: Any) -> None:
    from matplotlib.lines import Line2D

    x, y = _array(_get(facts, "x"), 1), _array(_get(facts, "y"), 1)
    if x.shape != y.shape:
        raise Damaged("a line with more x than y")
    style, marker = _get(facts, "linestyle"), _get(facts, "marker")
    line = Line2D(
        x,
        y,
        label=_text(_get(facts, "label")),
        color=_color(_get(facts, "color")),
        linestyle=style if style in _LINESTYLES else "-",
        linewidth=_clamped(_get(facts, "linewidth")),
        marker=marker if type(marker) is str and marker in _MARKERS else "None",
    )
    line.set_visible(_get(facts, "visible") is True)
    axes.add_artist(line)


def _add_image(axes: Any, facts: Any) -> None:
    from matplotlib.image import AxesImage

    array = _get(facts, "array")
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise Damaged("an image that is no array")
    # matplotlib's own are lists, though its types say tuples.
    extent: Any = _numbers(_get(facts, "extent"), 4)
    image = AxesImage(
        axes,
        cmap=_cmap(_get(facts, "cmap")),
        origin="lower" if _get(facts, "origin") == "lower" else "upper",
        extent=extent,
    )
    image.set_data(array)
    # matplotlib masks what is no number, and comparisons pass over that.
    drawn = np.asarray(image.get_array())
    image.get_array = lambda: drawn  # type: ignore[method-assign]
    low, high = _list(_get(facts, "clim"), 2)
    image.set_clim(None if low is None else _number(low), None if high is None else _number(high))
    image.set_label(_text(_get(facts, "label")))
    image.set_visible(_get(facts, "visible") is True)
    axes.add_image(image)


def _add_text(axes: Any, facts: Any) -> None:
    x, y = _numbers(_get(facts, "position"), 2)
    text = axes.text(x, y, _text(_get(facts, "text")), color=_color(_get(facts, "color")))
    text.set_fontsize(max(_clamped(_get(facts, "size")), 0.1))
    text.set_visible(_get(facts, "visible") is True)


def _add_patch(axes: Any, facts: Any) -> None:
    from matplotlib.patches import PathPatch, Rectangle, Wedge
    from matplotlib.path import Path

    look: dict[str, Any] = {
        "facecolor": _color(_get(facts, "face")),
        "edgecolor": _color(_get(facts, "edge")),
        "label": _text(_get(facts, "label")),
        "fill": _get(facts, "fill") is True,
        "visible": _get(facts, "visible") is True,
    }
    kind = _get(facts, "kind")
    if kind == "rectangle":
        x, y, width, height = _numbers(_get(facts, "numbers"), 4)
        patch: Any = Rectangle((x, y), width, height, **look)
    elif kind == "wedge":
        x, y, radius, start, end = _numbers(_get(facts, "numbers"), 5)
        if not all(map(math.isfinite, (start, end))):
            raise Damaged("a wedge without angles")
        ring = _get(facts, "width")
        ring = None if ring is None else _number(ring)
        patch = Wedge((x, y), radius, start, end, width=ring, **look)
    else:
        codes = _get(facts, "codes")
        vertices = _array(_get(facts, "vertices"), 2)
        patch = PathPatch(Path(vertices, None if codes is None else _array(codes, 1)), **look)
    # Not `add_patch`, which works out what the patch covers.
    patch.set_figure(axes.get_figure())
    axes.add_artist(patch)


def _add_bars(axes: Any, facts: Any) -> None:
    from matplotlib.container import BarContainer

    members, known = _list(_get(facts, "members"), DRAWN), list(axes.patches)
    if not all(type(n) is int and 0 <= n < len(known) for n in members):
        raise Damaged("bars that are not there")
    orientation = _get(facts, "orientation")
    if orientation not in ("vertical", "horizontal", None):
        raise Damaged("bars without a direction")
    bars = BarContainer([known[n] for n in members], orientation=orientation)
    bars.set_label(_text(_get(facts, "label")))
    axes.add_container(bars)


def _add_collection(axes: Any, facts: Any) -> None:
    from matplotlib import collections as kinds

    kind = _get(facts, "kind")
    if kind == "scatter":
        offsets = _pairs(_get(facts, "offsets"))
        made: Any = axes.scatter(offsets[:, 0], offsets[:, 1])
        made.set_offsets(offsets)
        made.set_sizes(_array(_get(facts, "sizes"), 1))
    elif kind == "mesh":
        corners = _array(_get(facts, "corners"), 3)
        if corners.shape[2] != 2 or min(corners.shape) < 2:
            raise Damaged("a mesh without corners")
        made = kinds.QuadMesh(corners)
        axes.add_collection(made, autolim=False)
    elif kind in ("lines", "areas"):
        paths = [_pairs(path) for path in _list(_get(facts, "paths"), DRAWN)]
        make = kinds.LineCollection if kind == "lines" else kinds.PolyCollection
        made = make(paths)
        axes.add_collection(made, autolim=False)
    else:
        raise Damaged("something unknown that is drawn")
    array = _get(facts, "array")
    if array is not None:
        made.set_array(_any_array(array))
        made._A = np.asarray(made.get_array())
    made.set_cmap(_cmap(_get(facts, "cmap")))
    if kind != "mesh":
        made.set_facecolor(_colors(_get(facts, "face")))
        made.set_edgecolor(_colors(_get(facts, "edge")))
    made.set_label(_text(_get(facts, "label")))
    made.set_visible(_get(facts, "visible") is True)


def _add_legend(place: Any, facts: Any) -> None:
    from matplotlib.lines import Line2D

    labels = [_text(label) for label in _list(_get(facts, "labels"), _LEGEND_LABELS)]
    title = _text(_get(facts, "title"))
    if not labels:
        return  # matplotlib draws none without entries, and may fail over it
    handles = [Line2D([], []) for _ in labels]
    legend = place.legend(handles=handles, labels=labels, title=title or None, loc="upper right")
    legend.set_visible(_get(facts, "visible") is True)


_ADD = {
    "lines": _add_line,
    "images": _add_image,
    "texts": _add_text,
    "patches": _add_patch,
    "collections": _add_collection,
}


def _get(facts: Any, name: str) -> Any:
    if type(facts) is not dict or name not in facts:
        raise Damaged(f"a figure without {name}")
    return facts[name]


def _list(value: Any, most: int) -> list[Any]:
    if type(value) is not list or len(value) > most:
        raise Damaged("a figure with something else than a list, or too long a list")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > _TEXT:
        raise Damaged("a figure with something else than a text, or too long a text")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise Damaged("a figure with something else than a number")
    return float(value)


def _clamped(value: Any) -> float:
    number = _number(value)
    return min(max(number, 0.0), 1000.0) if math.isfinite(number) else 1.0


def _numbers(value: Any, count: int) -> list[float]:
    numbers = [_number(n) for n in _list(value, count)]
    if len(numbers) != count or not all(abs(n) < 1e300 for n in numbers):
        raise Damaged("a figure with too few numbers, or absurd ones")
    return numbers


def _color(value: Any) -> tuple[float, float, float, float]:
    red, green, blue, alpha = (min(max(n, 0.0), 1.0) for n in _numbers(value, 4))
    return red, green, blue, alpha


def _any_array(value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
        raise Damaged("a figure with something else than an array")
    return value


def _array(value: Any, dimensions: int) -> np.ndarray:
    array = _any_array(value)
    if array.ndim != dimensions:
        raise Damaged("a figure with an array of another shape")
    return array


def _pairs(value: Any) -> np.ndarray:
    array = _array(value, 2)
    if array.shape[1] != 2:
        raise Damaged("points that are no pairs")
    return array


def _colors(value: Any) -> np.ndarray:
    array = _array(value, 2)
    if array.shape[1] != 4 or not (array >= 0).all() or not (array <= 1).all():
        raise Damaged("colours that are none")
    return array


def _cmap(name: Any) -> str:
    import matplotlib

    return name if type(name) is str and name in matplotlib.colormaps else "viridis"
