"""Names of towns in eight countries: a table for everybody, and invented names for the judge.

Everybody can look the 6,400 towns up. So the judge measures on names of towns that do not exist:
each is put together of pieces of its country's names (a Markov chain over three letters).
"""

from __future__ import annotations

import functools
import io
import os
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from dlcourse.data.shipped import ShippedData
from dlcourse.data.sources import PRIVATE_SEED_VARIABLE
from dlcourse.data.standin import PRIVATE_SEED

if TYPE_CHECKING:
    import pandas as pd

PLACES = ShippedData(
    "places",
    "places.csv",
    "bf8f47bf88e56cc12b87c752ba326ac0c0203207459df5c6ec69463d41edbb7f",
    "names of 6,400 towns in eight countries (GeoNames, CC BY; folded to the letters a to z)",
)
COUNTRIES = ("DE", "ES", "FI", "FR", "GB", "IT", "NL", "PL")
N_PRIVATE = 2_000
SHORTEST, LONGEST = 3, 20
_ORDER = 3
_START, _END = "^", "$"


def load_places() -> pd.DataFrame:
    """The 6,400 towns, 800 for each country, in an order that was drawn once.

    Columns: `name` (3 to 20 of the letters a to z, blanks, hyphens and apostrophes), `country` (one
    of `COUNTRIES`). No name stands twice. One line says, once in each process, which data it is. No
    network is needed. Raises `DataError` where the file was changed.
    """
    table = _table()
    _say_once()
    return table.copy()


def private_places(seed: int | None = None, count: int = N_PRIVATE) -> pd.DataFrame:
    """`count` invented names of towns, which are in no table; columns as in `load_places`.

    Each country has the same share, ±1. `seed` is by default the environment's
    DLCOURSE_PRIVATE_SEED, or one that anybody can read here.
    """
    import pandas as pd

    if seed is None:
        seed = int(os.environ.get(PRIVATE_SEED_VARIABLE) or PRIVATE_SEED)
    random = np.random.default_rng([seed, count])
    chains, known = _chains(), set(_table()["name"])
    countries = [COUNTRIES[place % len(COUNTRIES)] for place in range(count)]
    names = []
    for country in countries:
        name = ""
        while not SHORTEST <= len(name) <= LONGEST or name in known:
            name = _invented(chains[country], random)
        known.add(name)
        names.append(name)
    order = random.permutation(count)
    return pd.DataFrame({"name": names, "country": countries}).iloc[order].reset_index(drop=True)


def _invented(chain: dict[str, str], random: np.random.Generator) -> str:
    """A name, letter by letter: each is drawn from those that follow the last three."""
    name = _START * _ORDER
    while not name.endswith(_END):
        following = chain[name[-_ORDER:]]
        name += following[random.integers(len(following))]
    return name[_ORDER:-1]


@functools.cache
def _chains() -> dict[str, dict[str, str]]:
    """For each country, what follows each three letters, as often as it does."""
    chains: dict[str, dict[str, str]] = {country: defaultdict(str) for country in COUNTRIES}
    for name, country in _table().itertuples(index=False):
        text = _START * _ORDER + name + _END
        for place in range(_ORDER, len(text)):
            chains[country][text[place - _ORDER : place]] += text[place]
    return chains


@functools.cache
def _table() -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(io.BytesIO(PLACES.read()), keep_default_na=False)


@functools.cache  # so that the line is printed once in a process
def _say_once() -> None:
    print(PLACES, flush=True)
