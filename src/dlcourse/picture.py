"""A picture of the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def draw_grid(images: np.ndarray, names: Sequence[str], target: Path) -> None:
    """Draw up to 25 images (n, height, width, 3) in 5 rows of 5 with their names, as a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8.6), layout="tight")
    for ax, image, name in zip(figure.subplots(5, 5).flat, images, names, strict=False):
        ax.imshow(image)
        ax.set_title(name, fontsize=10)
        ax.axis("off")
    figure.savefig(target, dpi=100)
