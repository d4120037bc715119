"""The penguins of the Palmer Archipelago: a table for everybody, and new birds for the judge.

Everybody can look the 344 birds up. So the judge measures on birds that are drawn: for each
species and sex from the normal distribution that fits the measured ones (mean and covariance).
"""

from __future__ import annotations

import functools
import io
import os
from typing import TYPE_CHECKING

import numpy as np

from dlcourse.data.shipped import ShippedData
from dlcourse.data.sources import PRIVATE_SEED_VARIABLE
from dlcourse.data.standin import PRIVATE_SEED

if TYPE_CHECKING:
    import pandas as pd

PENGUINS = ShippedData(
    "penguins",
    "penguins.csv",
    "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
    "penguins of the Palmer Archipelago, 344 birds (Horst, Hill and Gorman 2020, CC0)",
)
MEASUREMENTS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
N_PRIVATE = 2_000


def load_penguins() -> pd.DataFrame:
    """The 344 penguins as they were measured, gaps (`nan`) included.

    One row for each bird. Columns: `species` (Adelie, Chinstrap, Gentoo), `island`,
    `bill_length_mm`, `bill_depth_mm`, `flipper_length_mm` (mm), `body_mass_g` (g), `sex`, `year`.
    One line says, once in each process, which data it is. No network is needed. Raises `DataError`
    where the file was changed.
    """
    table = _table()
    _say_once()
    return table.copy()


def private_penguins(seed: int | None = None, count: int = N_PRIVATE) -> pd.DataFrame:
    """`count` drawn penguins, which are in no table: columns `species` and the four measurements.

    Species and sexes are as frequent as among the measured birds. `seed` is by default the
    environment's DLCOURSE_PRIVATE_SEED, or one that anybody can read here.
    """
    import pandas as pd

    if seed is None:
        seed = int(os.environ.get(PRIVATE_SEED_VARIABLE) or PRIVATE_SEED)
    random = np.random.default_rng([seed, count])
    known = _table().dropna()
    groups = [(species, part) for (species, _), part in known.groupby(["species", "sex"])]
    chosen = random.choice(len(groups), count, p=[len(part) / len(known) for _, part in groups])
    rows = np.empty((count, len(MEASUREMENTS)))
    for place, (_, part) in enumerate(groups):
        values = part[list(MEASUREMENTS)].to_numpy(float)
        drawn = random.multivariate_normal(values.mean(axis=0), np.cov(values.T), count)
        rows[chosen == place] = drawn[chosen == place]
    table = pd.DataFrame(rows, columns=list(MEASUREMENTS))
    table = table.round(dict(zip(MEASUREMENTS, (1, 1, 0, 0), strict=True)))  # as they are measured
    table.insert(0, "species", [groups[place][0] for place in chosen])
    return table


@functools.cache
def _table() -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(io.BytesIO(PENGUINS.read()))


@functools.cache  # so that the line is printed once in a process
def _say_once() -> None:
    print(PENGUINS, flush=True)
