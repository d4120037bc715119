"""What the runs for the thresholds are made on: examples for training, and others, not seen.

Evidence is for everybody: no class's own seed counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcourse.checks.arrays import Images
from dlcourse.data import (
    COUNTRIES,
    digest,
    find_source,
    load_cifar10,
    load_penguins,
    load_places,
    load_weather,
    make_signals,
    private_places,
    private_split,
    private_weather,
    signals,
    weather_split,
    weather_standin,
)
from dlcourse.data.changes import changed
from dlcourse.data.penguins import MEASUREMENTS, private_penguins
from dlcourse.data.places import LONGEST
from dlcourse.data.standin import PRIVATE_SEED

if TYPE_CHECKING:
    import pandas as pd

N_TRAIN = 5_000

# Rows (n, inputs) and their answers (n, 1).
Pairs = tuple[np.ndarray, np.ndarray]
# Rows of measurements (n, 4) and one-hot species (n, 3).
Birds = tuple[np.ndarray, np.ndarray]

# Names as codes (n, 20), and the numbers of their countries (n,).
Names = tuple[np.ndarray, np.ndarray]


def measured_images(path: str | Path | None = None) -> tuple[Images, Images]:
    """Images and labels, uint8; `path` is as in `load_cifar10`."""
    (train_images, train_labels), test = load_cifar10(path)
    unseen = private_split(path, seed=PRIVATE_SEED)
    if find_source(path).name == "cifar10-subset":
        # So few: all of them that no training saw, each changed as the judge's are.
        others = changed(test[0], PRIVATE_SEED)
        unseen = np.concatenate([others, unseen[0]]), np.concatenate([test[1], unseen[1]])
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


def measured_weather(path: str | Path | None = None) -> tuple[Pairs, Pairs, Pairs]:
    """Days to train on, to validate on, and unseen ones; `path` is as in `load_weather`."""
    (rows, hours), unseen = map(
        _days, (load_weather(path), private_weather(path, seed=weather_standin.PRIVATE_SEED))
    )
    train, validation, _ = weather_split()
    return (rows[train], hours[train]), (rows[validation], hours[validation]), unseen


def _days(table: pd.DataFrame) -> Pairs:
    """Each day's 89 measurements, and the hours of sunshine in Basel on the day after."""
    rows = table.drop(columns=["DATE", "MONTH"]).to_numpy(np.float32)
    return rows[:-1], table[["BASEL_sunshine"]].to_numpy(np.float32)[1:]


def corners() -> tuple[np.ndarray, np.ndarray]:
    """XOR: inputs (4, 2) and what is right (4,)."""
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1, 1, 0])


def measured_names() -> tuple[Names, Names]:
    """The towns in their order, of which a run trains on the first, and invented names."""
    known, invented = load_places(), private_places(PRIVATE_SEED)
    letters = {letter: code for code, letter in enumerate(sorted(set("".join(known["name"]))), 1)}
    found = []
    for table in (known, invented):
        codes = np.zeros((len(table), LONGEST), "int32")
        for row, name in zip(codes, table["name"], strict=True):
            row[: len(name)] = [letters[letter] for letter in name]
        found.append((codes, np.array([COUNTRIES.index(one) for one in table["country"]])))
    return found[0], found[1]


def measured_signals(centred: bool = False) -> tuple[Pairs, Pairs]:
    """The signals that learners train on, and others."""
    known = make_signals(signals.TRAIN_SEED, signals.N_TRAIN, centred)
    return known, make_signals(signals.PRIVATE_SEED, signals.N_PRIVATE, centred)


def _digest(examples: tuple[tuple[np.ndarray, np.ndarray], ...]) -> str:
    return digest(*(array for pair in examples for array in pair))


# By source, the sha256 (hex) of its examples, where these are at hand everywhere.
DIGESTS: dict[str, Callable[[], str]] = {
    "neurons": lambda: _digest((corners(),)),
    "stand-in": lambda: _digest(measured_images("stand-in")),
    "penguins": lambda: _digest(measured_birds()),
    "weather-stand-in": lambda: _digest(measured_weather("stand-in")),
    "places": lambda: _digest(measured_names()),
    "signals": lambda: _digest(measured_signals()),
}
