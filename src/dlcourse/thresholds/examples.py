"""What the runs for the thresholds are made on: examples for training, and others, not seen.

Evidence is for everybody: no class's own seed counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dlcourse.checks.arrays import Images
from dlcourse.data import digest, find_source, load_cifar10, load_penguins, private_split
from dlcourse.data.penguins import MEASUREMENTS, private_penguins
from dlcourse.data.standin import PRIVATE_SEED

N_TRAIN = 5_000

# Rows of measurements (n, 4) and one-hot species (n, 3).
Birds = tuple[np.ndarray, np.ndarray]


def measured_images(path: str | Path | None = None) -> tuple[Images, Images]:
    """Images and labels, uint8; `path` is as in `load_cifar10`."""
    (train_images, train_labels), test = load_cifar10(path)
    unseen = private_split(path, seed=PRIVATE_SEED)
    if find_source(path).name == "cifar10-subset":
        # So few: all of them that no training saw.
        unseen = np.concatenate([test[0], unseen[0]]), np.concatenate([test[1], unseen[1]])
    return (train_images[:N_TRAIN], train_labels[:N_TRAIN]), unseen


def measured_birds() -> tuple[Birds, Birds]:
    """The complete penguins, of which each run picks its own for training, and drawn ones."""
    drawn = private_penguins(PRIVATE_SEED)
    found = []
    for table in (load_penguins(), drawn):
        rows = table[["species", *MEASUREMENTS]].dropna()
        species = np.array(rows["species"])
        labels = (species[:, None] == np.unique(species)).astype(float)
        found.append((rows[list(MEASUREMENTS)].to_numpy(float), labels))
    return found[0], found[1]


def _digest(examples: tuple[tuple[np.ndarray, np.ndarray], ...]) -> str:
    return digest(*(array for pair in examples for array in pair))


# By source, the sha256 (hex) of its examples, where these are at hand everywhere.
DIGESTS: dict[str, Callable[[], str]] = {
    "stand-in": lambda: _digest(measured_images("stand-in")),
    "penguins": lambda: _digest(measured_birds()),
}
