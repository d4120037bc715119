"""matplotlib figures and axes: what is drawn on them as facts, and a picture.

The facts are plain values (dicts, texts, numbers, arrays), in the order of ``figure.axes``:
``figure_facts`` reads them, ``figure_rebuild`` draws them anew.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from nbjudge.capture import limits
from nbjudge.capture.errors import NotHandedOut
from nbjudge.capture.kinds import bases_of

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

PICTURE_DPI = 100
PICTURE_PIXELS = 4_000_000
PICTURE_BYTES = 3_000_000


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of a Figure, or of Axes, which bring their figure along."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    bases = bases_of(kind)
    if Figure in bases:
        from nbjudge.capture.figure_facts import facts_of

        if len(value.axes) > limits.AXES:
            raise NotHandedOut(
                f"a figure with {len(value.axes)} axes cannot be handed out: at most "
                f"{limits.AXES}{encoder.place()}"
            )
        # Some axes get their place when they are drawn.
        picture = _picture(value)
        facts = facts_of(value)
        drawn = sum(len(part) for axes in facts["axes"] for part in axes["drawn"].values())
        if drawn > limits.DRAWN:
            raise NotHandedOut(
                f"a figure with {drawn:,} things drawn on it cannot be handed out: at most "
                f"{limits.DRAWN:,}{encoder.place()}"
            )
        return ["figure", encoder.node(facts), encoder.buffer(picture)]
    if Axes in bases:
        figure = value.get_figure(root=True)
        places = [i for i, axes in enumerate(figure.axes) if axes is value] if figure else []
        if not places:
            raise NotHandedOut(f"axes without a figure cannot be handed out{encoder.place()}")
        return ["axes", encoder.node(figure), places[0]]
    return None


def _picture(figure: Any) -> bytes:
    """The figure as a PNG picture; b"" where it cannot be drawn, or is too large."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    width, height = figure.get_size_inches()
    dpi = min(PICTURE_DPI, figure.dpi, (PICTURE_PIXELS / max(width * height, 1e-9)) ** 0.5)
    canvas, file = figure.canvas, io.BytesIO()
    try:
        if dpi == figure.dpi:
            FigureCanvasAgg(figure).print_png(file)
        else:
            figure.savefig(file, format="png", dpi=dpi)
    except Exception:
        return b""
    finally:
        figure.set_canvas(canvas)
    data = file.getvalue()
    return data if len(data) <= PICTURE_BYTES else b""


def _decode_figure(decoder: Decoder, facts: Any, picture: Any) -> Any:
    from nbjudge.capture.figure_rebuild import figure_from

    return figure_from(decoder.value(facts), bytes(decoder.buffer(picture)))


def _decode_axes(decoder: Decoder, figure: Any, number: Any) -> Any:
    from nbjudge.capture.figure_rebuild import axes_from

    return axes_from(decoder.value(figure), number)


DECODERS = {"figure": _decode_figure, "axes": _decode_axes}
