"""Draw the workflow of a deep-learning project, each assignment's steps marked.

`python tools/draw_workflow.py` writes source/ASSIGNMENT/workflow.embedded.png for every assignment
in `MARKED`. A release puts the picture into the notebook.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

STEPS = (
    ("Formulate", "the problem"),
    ("Identify inputs", "and outputs"),
    ("Prepare", "the data"),
    ("Build", "a model"),
    ("Choose loss", "and optimizer"),
    ("Train", "the model"),
    ("Predict", ""),
    ("Measure", "performance"),
    ("Refine", "the model"),
    ("Share", "the model"),
)
MARKED = {
    "neurons": {4, 5, 6, 7},
    "penguins": {2, 3, 4, 5, 6, 7, 8},
    "weather": {1, 2, 3, 4, 5, 6, 7, 8, 9},
    "image-data": {1, 2, 3},
    "convnet": {4, 5, 6, 8},
    "dropout": {6, 7, 8, 9},
    "text": {2, 3, 4, 6, 7, 8},
    "augment": {2, 3, 4, 6, 7, 8, 9},
}

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 142, 58, 22, 52, 12
WIDTH = 2 * MARGIN + 5 * BOX_WIDTH + 4 * GAP_X
HEIGHT = 2 * MARGIN + 2 * BOX_HEIGHT + GAP_Y + 26
GRAY, BLUE = "#57606a", "#1f6feb"
# Pixels for each unit of the drawing: sharp on a good screen, and still a small file.
SCALE = 1.5


def place(step: int) -> tuple[int, int]:
    """The upper left corner of a step's box (1 to 10): two rows of five."""
    row, column = divmod(step - 1, 5)
    return MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y)


def draw_box(ax: Axes, step: int, marked: bool) -> None:
    """A step's box with its number and name; marked ones also have a thicker edge and bold text."""
    x, y = place(step)
    fill, edge, text = (BLUE, "#0b3d91", "white") if marked else ("#f6f8fa", "#afb8c1", GRAY)
    ax.add_patch(
        FancyBboxPatch(
            (x + 4, y + 4),
            BOX_WIDTH - 8,
            BOX_HEIGHT - 8,
            boxstyle="round,pad=4,rounding_size=8",
            facecolor=fill,
            edgecolor=edge,
            linewidth=2 if marked else 1,
        )
    )
    weight = "bold" if marked else "normal"
    ax.text(x + 8, y + 18, str(step), color=text, fontsize=8, weight=weight)
    words = "\n".join(line for line in STEPS[step - 1] if line)
    ax.text(
        *(x + BOX_WIDTH / 2 + 6, y + BOX_HEIGHT / 2, words),
        **{"color": text, "fontsize": 9, "weight": weight, "ha": "center", "va": "center"},
    )


def draw_arrow(ax: Axes, points: list[tuple[float, float]], style: str = "-") -> None:
    """A line through these points with a tip at its end."""
    ax.plot(*zip(*points[:-1], strict=True), color=GRAY, lw=1.2, ls=style)
    ax.annotate(
        "",
        xy=points[-1],
        xytext=points[-2],
        arrowprops={"arrowstyle": "-|>", "color": GRAY, "lw": 1.2, "shrinkA": 0, "shrinkB": 0},
    )


def draw_arrows(ax: Axes) -> None:
    """From each step to the next; refining leads back to the training."""
    half = BOX_HEIGHT / 2
    for step in range(1, 10):
        (x, y), (_, below) = place(step), place(10)
        if step == 5:
            turn, left = y + BOX_HEIGHT + GAP_Y / 2, MARGIN + BOX_WIDTH / 2
            right = x + BOX_WIDTH / 2
            draw_arrow(ax, [(right, y + BOX_HEIGHT), (right, turn), (left, turn), (left, below)])
        else:
            draw_arrow(ax, [(x + BOX_WIDTH, y + half), (x + BOX_WIDTH + GAP_X, y + half)])
    (x9, y), (x6, _) = place(9), place(6)
    low, start, end = y + BOX_HEIGHT + 18, x9 + BOX_WIDTH / 2, x6 + BOX_WIDTH / 2
    draw_arrow(ax, [(start, y + BOX_HEIGHT), (start, low), (end, low), (end, y + BOX_HEIGHT)], ":")


def drawing(marked: set[int]) -> Figure:
    """The whole picture, white behind, so that it can be read in a dark theme, too."""
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor="white")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.axis("off")
    draw_arrows(ax)
    for step in range(1, 11):
        draw_box(ax, step, step in marked)
    return figure


if __name__ == "__main__":
    for assignment, steps in MARKED.items():
        target = Path(__file__).parents[1] / "source" / assignment / "workflow.embedded.png"
        drawing(steps).savefig(target, dpi=72 * SCALE, metadata={"Software": None})
        print(target, target.stat().st_size)
