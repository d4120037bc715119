"""Draw the workflow of a deep-learning project, each assignment's steps marked.

`python tools/draw_workflow.py` writes source/ASSIGNMENT/workflow.svg for every assignment.
"""

from __future__ import annotations

from pathlib import Path

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
MARKED = {"image-data": {1, 2, 3}, "convnet": {4, 5, 6, 8}, "dropout": {6, 7, 8, 9}}

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 142, 58, 22, 52, 12
WIDTH = 2 * MARGIN + 5 * BOX_WIDTH + 4 * GAP_X
HEIGHT = 2 * MARGIN + 2 * BOX_HEIGHT + GAP_Y + 26


def place(step: int) -> tuple[int, int]:
    """The upper left corner of a step's box (1 to 10), in pixels: two rows of five."""
    row, column = divmod(step - 1, 5)
    return MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y)


def box(step: int, marked: bool) -> str:
    """A step's box with its number and name."""
    x, y = place(step)
    fill, stroke, text = (
        ("#1f6feb", "#1f6feb", "#ffffff") if marked else ("#f6f8fa", "#afb8c1", "#57606a")
    )
    weight = "600" if marked else "400"
    lines = [line for line in STEPS[step - 1] if line]
    first = y + BOX_HEIGHT / 2 + (5 if len(lines) == 1 else -4)
    words = "".join(
        f'<text x="{x + BOX_WIDTH / 2 + 8}" y="{first + 18 * i}">{line}</text>'
        for i, line in enumerate(lines)
    )
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" '
        f'fill="{fill}" stroke="{stroke}"/>'
        f'<g fill="{text}" font-weight="{weight}" text-anchor="middle">'
        f'<text x="{x + 14}" y="{y + 19}" font-size="12">{step}</text>{words}</g>'
    )


def arrow(step: int) -> str:
    """The arrow from a step to the next."""
    x, y = place(step)
    if step == 5:
        down, left = y + BOX_HEIGHT + GAP_Y / 2, MARGIN + BOX_WIDTH / 2
        return (
            f'<path d="M{x + BOX_WIDTH / 2} {y + BOX_HEIGHT} V{down} H{left} '
            f'V{y + BOX_HEIGHT + GAP_Y - 3}"/>'
        )
    middle = y + BOX_HEIGHT / 2
    return f'<path d="M{x + BOX_WIDTH} {middle} h{GAP_X - 3}"/>'


def back_arrow() -> str:
    """Refining leads back to the training, and sometimes to the model."""
    (x9, y), (x6, _) = place(9), place(6)
    low = y + BOX_HEIGHT + 18
    return (
        f'<path stroke-dasharray="5 4" d="M{x9 + BOX_WIDTH / 2} {y + BOX_HEIGHT} V{low} '
        f'H{x6 + BOX_WIDTH / 2} V{y + BOX_HEIGHT + 3}"/>'
    )


def drawing(marked: set[int]) -> str:
    """The whole picture as SVG text."""
    boxes = "\n".join(box(step, step in marked) for step in range(1, 11))
    arrows = "\n".join(arrow(step) for step in range(1, 10))
    named = ", ".join(map(str, sorted(marked)))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" \
width="{WIDTH}" height="{HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="14">
<title>The ten steps of a deep-learning project; this notebook does {named}</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#57606a"/></marker></defs>
<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#ffffff"/>
<g fill="none" stroke="#57606a" stroke-width="1.5" marker-end="url(#tip)">
{arrows}
{back_arrow()}
</g>
{boxes}
</svg>
"""


if __name__ == "__main__":
    for assignment, steps in MARKED.items():
        target = Path(__file__).parents[1] / "source" / assignment / "workflow.svg"
        target.write_text(drawing(steps), encoding="utf-8")
        print(target)
