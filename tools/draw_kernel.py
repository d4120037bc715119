"""Draw a kernel that slides over channels: `python tools/draw_kernel.py` writes a picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

SIZE, KERNEL, CHANNELS = 6, 3, 3
COLOURS = ("#e3a19b", "#a5cf9d", "#9db8e3")


def grid(ax: Axes, x: float, y: float, size: int, fill: str, marked: range) -> None:
    """A square of cells whose upper left corner is at (x, y); those in `marked` have an edge."""
    for row in range(size):
        for column in range(size):
            ax.add_patch(Rectangle((x + column, y + row), 1, 1, fc=fill, ec="white", lw=1))
    if marked:
        corner, side = (x + marked.start, y + marked.start), len(marked)
        ax.add_patch(Rectangle(corner, side, side, fc="none", ec="black", lw=2.5))


def drawing() -> Figure:
    """Input channels with the kernel's place, the kernel, the sum, and the output."""
    figure = Figure(figsize=(9, 3.6), facecolor="white")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-1, 33), ylim=(12, -2))
    ax.axis("off")
    for channel, colour in enumerate(COLOURS):
        grid(ax, channel * 1.2, channel * 1.2, SIZE, colour, range(1, 1 + KERNEL))
        grid(ax, 13 + channel * 1.2, 1.5 + channel * 1.2, KERNEL, colour, range(KERNEL))
    grid(ax, 26, 2.2, SIZE - KERNEL + 1, "#d0d7de", range(1, 2))
    words = {"ha": "center", "va": "center", "fontsize": 10}
    ax.text(4.2, 10.6, "input: 6 × 6, 3 channels\n(black: where the kernel lies)", **words)
    ax.text(10.8, 4.6, "×", ha="center", va="center", fontsize=20)
    ax.text(15.7, 10.6, "kernel: 3 × 3 × 3 weights", **words)
    ax.text(22, 3.4, "add up 27 products\nand the bias", **words)
    ax.annotate("", xy=(25.3, 4.6), xytext=(19.3, 4.6), arrowprops={"arrowstyle": "-|>", "lw": 1.5})
    ax.text(28, 10.6, "output: 4 × 4, 1 channel\n(black: the number of this place)", **words)
    return figure


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "source" / "convnet" / "kernel.embedded.png"
    drawing().savefig(target, dpi=100, metadata={"Software": None})
    print(target, target.stat().st_size)
