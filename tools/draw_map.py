"""Draw the map of the course: `python tools/draw_map.py` writes source/map.png."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

# Half days: a title, and assignments with what each is about.
MAP = (
    ("Half day 1", (("neurons", "neuron, layer, loss"), ("penguins", "a first classifier"))),
    ("Half days 2 and 3", (("weather", "baselines, overfitting,\nearly stopping"),)),
    (
        "Half day 4",
        (
            ("image-data", "pictures as arrays"),
            ("convnet", "convolutions"),
            ("dropout", "less by heart"),
        ),
    ),
    ("Further", (("text", "sequences of letters"), ("augment", "more examples"))),
)
WIDTH, HEIGHT, COLUMN = 820, 330, 200


def drawing() -> Figure:
    """A column for each half day, an arrow from each to the next."""
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor="white")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.axis("off")
    for number, (title, assignments) in enumerate(MAP):
        x = 14 + number * COLUMN
        words = {"ha": "center", "va": "center"}
        ax.text(x + 90, 26, title, fontsize=11, weight="bold", color="#24292f", **words)
        for row, (name, about) in enumerate(assignments):
            y = 52 + row * 90
            ax.add_patch(
                FancyBboxPatch(
                    (x + 6, y + 6),
                    168,
                    60,
                    boxstyle="round,pad=6,rounding_size=8",
                    facecolor="#f6f8fa",
                    edgecolor="#1f6feb",
                    linewidth=1.5,
                )
            )
            ax.text(x + 90, y + 20, name, fontsize=11, weight="bold", color="#0b3d91", **words)
            ax.text(x + 90, y + 48, about, fontsize=9, color="#24292f", **words)
        if number < len(MAP) - 1:
            arrow = {"arrowstyle": "-|>", "color": "#57606a", "lw": 1.5}
            ax.annotate("", xy=(x + 198, 26), xytext=(x + 176, 26), arrowprops=arrow)
    return figure


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "source" / "map.png"
    drawing().savefig(target, dpi=108, metadata={"Software": None})
    print(target, target.stat().st_size)
