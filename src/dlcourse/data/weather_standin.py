"""Weather for days that never were: what `load_weather` gives where the measured data is not.

Simulated cities with the columns, units and seasons of the real table. A day's weather is clear or
dull by a process that persists for some days and arrives in the west first; each city adds its own.
So today's weather tells something of tomorrow's, other cities help, and most of it stays chance.

The same seed gives the same table everywhere: chance comes from raw bits (see `standin.Dice`), and
what is measured is rounded as the real table is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .standin import Dice

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
# Chosen among 500: days on which the baselines come out as on the real table's.
STUDENTS_SEED = 20_000_368
PRIVATE_SEED = 314_159_265  # that anybody can read here; a course has its own

STEPS = 4  # of a day, in which weather moves from west to east
WARM_UP = 60  # days, until nothing is left of the beginning


@dataclass(frozen=True)
class City:
    """A place. `lead` are the quarter days by which weather reaches it before it reaches Basel."""

    name: str
    lead: int
    latitude: float
    warm: float  # °C, the year's mean
    swing: float  # °C, from the mean to the warmest day
    measures: str = "chpgrstnx"  # which of MEASURES it has, by their letters


# In the order of the table: cloud cover in eighths, humidity as a share, pressure in 1000 hPa,
# global radiation in 100 W/m², precipitation in cm, sunshine in hours, temperatures in °C.
MEASURES = {
    "c": "cloud_cover",
    "h": "humidity",
    "p": "pressure",
    "g": "global_radiation",
    "r": "precipitation",
    "s": "sunshine",
    "t": "temp_mean",
    "n": "temp_min",
    "x": "temp_max",
}
CITIES = (
    City("BASEL", 0, 47.6, 11.0, 9.5),
    City("DE_BILT", 1, 52.1, 10.7, 7.5),
    City("DRESDEN", -2, 51.1, 9.8, 9.5, "chgrstnx"),
    City("DUSSELDORF", 1, 51.3, 11.1, 8.0),
    City("HEATHROW", 3, 51.5, 11.8, 6.5),
    City("KASSEL", 0, 51.3, 9.6, 8.5, "hpgrstnx"),
    City("MAASTRICHT", 2, 50.9, 10.8, 7.8),
    City("MALMO", -1, 55.6, 9.2, 8.5, "rtnx"),
    City("MUENCHEN", -1, 48.4, 10.1, 9.8),
    City("SONNBLICK", -2, 47.1, -4.6, 7.0, "chgrstnx"),
    City("TOURS", 3, 47.4, 12.2, 7.5, "hpgrtnx"),
)


def draw_weather(seed: int, days: int, first: str = "2000-01-01") -> pd.DataFrame:
    """A table of `days` days in a row from `first` on: DATE (YYYYMMDD), MONTH, and 89 measurements.

    The same arguments give the same table on every machine.
    """
    import pandas as pd

    dates = pd.date_range(first, periods=days)
    year = 2 * np.pi * (dates.dayofyear.to_numpy() - 1) / 365.25
    dice = Dice(seed, VERSION)
    clear, air, warm = (_steps(dice, days, persistence) for persistence in (0.60, 0.85, 0.88))
    columns = {
        "DATE": dates.strftime("%Y%m%d").astype(np.int64),
        "MONTH": dates.month.to_numpy(np.int64),
    }
    for city in CITIES:
        here = np.sqrt(0.66) * _at(clear, city, days) + np.sqrt(0.34) * _own(dice, days, 0.4)
        pressure = _at(air, city, days) + 0.5 * here + 0.4 * _own(dice, days, 0.6)
        warmth = _at(warm, city, days) + 0.35 * _own(dice, days, 0.5)
        measured = _measured(dice, city, year, here, pressure, warmth)
        columns |= {f"{city.name}_{MEASURES[key]}": measured[key] for key in city.measures}
    return pd.DataFrame(columns)


def _measured(
    dice: Dice,
    city: City,
    year: np.ndarray,
    clear: np.ndarray,
    pressure: np.ndarray,
    warmth: np.ndarray,
) -> dict[str, np.ndarray]:
    """What a city's instruments say, by the letters of `MEASURES`, rounded as in the real table."""
    days = len(year)
    summer = -np.cos(year - 0.17)  # -1 at its darkest, 1 at its brightest
    light = 12.1 + (0.11 * city.latitude - 1.6) * summer  # hours of daylight
    lit = clear + 0.25 * summer + 0.25 * _bell(dice, days)
    share = np.clip(0.345 + 0.40 * lit, 0, 0.95)
    sunshine = np.clip(light * share, 0, None)
    radiation = (0.1 + 0.05 * light * (1 + 0.3 * summer)) * light / 12 * (0.6 + 2.0 * share)
    rain = np.clip(-clear - 0.15 + 0.6 * _bell(dice, days), 0, None) ** 1.7 * 0.36
    season = -np.cos(year - 0.45)  # warmth follows the light
    mean = city.warm + city.swing * season + 3.6 * warmth + 0.9 * clear * summer
    half_range = np.clip(4.2 + 1.6 * clear + 1.2 * summer + 0.8 * _bell(dice, days), 0.4, None)
    humid = 0.775 - 0.065 * clear - 0.055 * summer + 0.05 * _bell(dice, days)
    return {
        "c": np.clip(np.rint(5.3 - 2.2 * lit + 0.5 * _bell(dice, days)), 0, 8).astype(np.int64),
        "h": np.round(np.clip(humid, 0.25, 1), 2),
        "p": np.round(1.0163 + 0.0068 * pressure, 4),
        "g": np.round(np.clip(radiation, 0.05, None), 2),
        "r": np.round(rain, 2),
        "s": np.round(sunshine, 1),
        "t": np.round(mean, 1),
        "n": np.round(mean - half_range, 1),
        "x": np.round(mean + half_range, 1),
    }


def _steps(dice: Dice, days: int, persistence: float) -> np.ndarray:
    """A process of mean 0 and deviation 1 whose value a day later correlates by `persistence`."""
    return _persisting(dice, (days + WARM_UP + 3) * STEPS, persistence ** (1 / STEPS))


def _own(dice: Dice, days: int, persistence: float) -> np.ndarray:
    """A city's own process, day by day."""
    return _persisting(dice, days + WARM_UP, persistence)[WARM_UP:]


def _at(process: np.ndarray, city: City, days: int) -> np.ndarray:
    """Day by day, what of a process in quarter days has reached the city."""
    return process[WARM_UP * STEPS + city.lead :: STEPS][:days]


def _persisting(dice: Dice, count: int, persistence: float) -> np.ndarray:
    values = _bell(dice, count)
    fresh = np.sqrt(1 - persistence**2)
    for i in range(1, count):
        values[i] = persistence * values[i - 1] + fresh * values[i]
    return values


def _bell(dice: Dice, count: int) -> np.ndarray:
    return dice.bell(count).astype(np.float64)
