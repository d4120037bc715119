"""The weather of eleven European cities, day by day; or a stand-in where it cannot be had.

Measured by national services, collected by ECA&D (Klein Tank et al. 2002, Int. J. Climatol. 22,
1441-1453, https://www.ecad.eu), put into one table by F. Huber et al. (2021,
https://doi.org/10.5281/zenodo.5071376). It is free to use if this source is named; elsewhere ECA&D
says "non-commercial". So the table is not part of this course, and is fetched only when asked for.

Needs NumPy and pandas; Keras and TensorFlow are not imported.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import weather_standin
from .errors import DamagedData, DataError, DataNotFound, WrongData
from .sources import PRIVATE_SEED_VARIABLE, STAND_IN, Archive, cache, fetched, say_once

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "DLCOURSE_WEATHER"
OFFICIAL_WORD = "official"
OFFICIAL = Archive(
    "https://zenodo.org/records/5071376/files/weather_prediction_dataset_light.csv",
    "d10b70448e6848a66958a18667f4dbf8a4ef13b166f6803a7ab2057c6ec9d438",
)

# Three years, and the day after the last of their days.
STUDENTS_DAYS = 3 * 365 + 2
JUDGES_DAYS = 6 * 365
JUDGES_FIRST = "2003-01-02"  # of the stand-in
FEWEST_JUDGES_DAYS = 200
MOST_BYTES = 64 * 2**20
# The two calls that the lesson has the table split by, both with the seed 0.
TEST_SHARE, SEED = 0.3, 0
COLUMNS = (
    "DATE",
    "MONTH",
    *(
        f"{city.name}_{weather_standin.MEASURES[key]}"
        for city in weather_standin.CITIES
        for key in city.measures
    ),
)
ADVICE = (
    f"Fetch it again, or set {VARIABLE} to the word {STAND_IN}, which needs no file, or "
    f"{OFFICIAL_WORD}, which downloads it."
)


@dataclass(frozen=True)
class WeatherSource:
    """Which weather was used, for people and for the record.

    `path` names it again, for `load_weather` or as DLCOURSE_WEATHER. `sha256` is the digest of what
    students load, the same from any file.
    """

    name: str  # "weather" or "weather-stand-in"
    path: str
    sha256: str
    days: int
    because: str = ""  # for the stand-in: why it is used

    def __str__(self) -> str:
        if self.name == "weather":
            return (
                f"Data: weather of {self.days:,} days in 11 cities, from {self.path}. "
                "Source: ECA&D (https://www.ecad.eu), Huber et al. (2021)."
            )
        what = "STAND-IN for the weather table (simulated days, not measured ones)"
        return f"Data: {what}, {self.days:,} days in 11 cities, because {self.because}"


@dataclass(frozen=True, eq=False)
class _Found:
    """All of the table that was found, the judge's days included."""

    table: pd.DataFrame
    path: str
    because: str = ""

    @property
    def is_stand_in(self) -> bool:
        return self.path == STAND_IN

    def students(self) -> pd.DataFrame:
        return self.table.iloc[:STUDENTS_DAYS].copy()

    def judges(self, seed: int) -> pd.DataFrame:
        if self.is_stand_in:
            return weather_standin.draw_weather(seed, JUDGES_DAYS, JUDGES_FIRST)
        later = self.table.iloc[STUDENTS_DAYS:].reset_index(drop=True)
        if len(later) < FEWEST_JUDGES_DAYS:
            raise WrongData(
                f"{self.path}: holds only the part of the days that students get. "
                "Name the whole table."
            )
        return later

    def source(self) -> WeatherSource:
        students = self.students()
        name = "weather-stand-in" if self.is_stand_in else "weather"
        return WeatherSource(name, self.path, _digest(students), len(students), self.because)


def load_weather(path: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """The weather of three years as students get it: 1,097 days, one row each, in their order.

    Columns: DATE (YYYYMMDD), MONTH (1 to 12), and 89 measurements called CITY_measure: cloud_cover
    in eighths of the sky, humidity (0 to 1), pressure (1000 hPa), global_radiation (100 W/m²),
    precipitation (cm), sunshine (hours), temp_mean, temp_min and temp_max (°C). One line says, once
    in each process, which data it is.

    The data is the first of these that there is:

    1. `path`, or else the environment variable DLCOURSE_WEATHER: the official file
       `weather_prediction_dataset_light.csv`; or the word `official`, which downloads it (1.5 MB)
       and keeps it for the next time; or the word `stand-in`;
    2. what was downloaded earlier (folder DLCOURSE_CACHE);
    3. the stand-in: simulated days.

    Nothing is downloaded unless it is asked for. Later days are kept back for grading
    (`private_weather`). Raises `DataError` if what was named is missing, damaged,
    or not this table.
    """
    found = _find(path)
    say_once(str(found.source()))
    return found.students()


def weather_split() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows for training, validation and test: arrays of 767, 164 and 165 row numbers.

    Rows 0 to 1,095 of `load_weather()`; its last row is only the day after. The rows are those of
    scikit-learn's `train_test_split(…, test_size=0.3, random_state=0)`, whose held-out part is
    split in half in the same way.
    """
    train, held_out = _shuffled_split(STUDENTS_DAYS - 1, TEST_SHARE)
    validation, test = _shuffled_split(len(held_out), 0.5)
    return train, held_out[validation], held_out[test]


def private_weather(
    path: str | os.PathLike[str] | None = None, *, seed: int | None = None
) -> pd.DataFrame:
    """The judge's days, in their order, none of which `load_weather(path)` returns.

    Of the measured table all later years, which anybody can look up; of the stand-in 2,190 other
    days drawn from `seed`, by default the environment's DLCOURSE_PRIVATE_SEED, which nobody can.
    Raises `DataError` as `load_weather` does, and for a table without later days.
    """
    if seed is None:
        seed = int(os.environ.get(PRIVATE_SEED_VARIABLE) or weather_standin.PRIVATE_SEED)
    if seed == weather_standin.STUDENTS_SEED:
        raise ValueError(f"seed {seed} draws the students' own days")
    return _find(path).judges(seed)


def find_weather(path: str | os.PathLike[str] | None = None) -> WeatherSource:
    """Which data `load_weather(path)` gives. Prints nothing. Raises `DataError` as that does."""
    return _find(path).source()


def students_weather(destination: Path, path: str | os.PathLike[str] | None = None) -> None:
    """Write what `load_weather(path)` returns to `destination`, a CSV without the judge's days."""
    from .files import replacing

    content = _find(path).students().to_csv(index=False).encode()
    with replacing(destination) as stream:
        stream.write(content)


def _shuffled_split(count: int, held_out: float) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.RandomState(SEED).permutation(count)
    cut = int(np.ceil(held_out * count))
    return order[cut:], order[:cut]


def _find(path: str | os.PathLike[str] | None) -> _Found:
    named = os.environ.get(VARIABLE, "") if path is None else os.fspath(path)
    if named == STAND_IN:
        return _stand_in("it was asked for" if path is not None else f"{VARIABLE} asks for it")
    if named == OFFICIAL_WORD:
        return _official()
    if named:
        file = Path(os.path.expanduser(named)).absolute()
        return _Found(_read(file), str(file))
    with contextlib.suppress(DataError):
        return _Found(_kept(), str(_kept_file()))
    return _stand_in(f"no file was named and none was downloaded ({VARIABLE}={OFFICIAL_WORD} does)")


def _stand_in(because: str) -> _Found:
    seed = weather_standin.STUDENTS_SEED
    return _Found(weather_standin.draw_weather(seed, STUDENTS_DAYS), STAND_IN, because)


def _kept_file() -> Path:
    return cache() / "weather_prediction_dataset_light.csv"


def _kept() -> pd.DataFrame:
    file = _kept_file()
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != OFFICIAL.sha256:
        raise DataNotFound(f"{file}: is not the official file.")
    return _read(file)


def _official() -> _Found:
    """The official table, downloaded where it is not kept yet. Raises DownloadFailed."""
    with contextlib.suppress(DataError):
        return _Found(_kept(), str(_kept_file()))
    return _Found(_read(fetched(OFFICIAL, _kept_file())), str(_kept_file()))


def _read(file: Path) -> pd.DataFrame:
    """The table in `file`. Raises a `DataError` that names the file."""
    import pandas as pd

    if not file.is_file():
        raise DataNotFound(f"{file}: there is no such file. Check the path. {ADVICE}")
    if file.stat().st_size > MOST_BYTES:
        raise WrongData(f"{file}: is far larger than the weather table. {ADVICE}")
    try:
        table = pd.read_csv(file, float_precision="round_trip")
    except Exception as error:  # pandas fails in many ways
        raise DamagedData(f"{file}: cannot be read as a table ({error}). {ADVICE}") from error
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise WrongData(
            f"{file}: lacks {len(missing)} columns of the weather table, such as {missing[0]}. "
            f"{ADVICE}"
        )
    table = table[list(COLUMNS)]
    if len(table) < STUDENTS_DAYS:
        raise DamagedData(
            f"{file}: holds {len(table):,} days, not {STUDENTS_DAYS:,} or more. {ADVICE}"
        )
    numbers: pd.DataFrame = table.apply(pd.to_numeric, errors="coerce")
    if not np.isfinite(numbers.to_numpy(float)).all():
        raise DamagedData(f"{file}: holds values that are not numbers. {ADVICE}")
    return numbers


def _digest(table: pd.DataFrame) -> str:
    content = "\n".join(
        [
            ",".join(table.columns),
            *(",".join(map(repr, row)) for row in table.to_numpy(float).tolist()),
        ]
    )
    return hashlib.sha256(content.encode()).hexdigest()
