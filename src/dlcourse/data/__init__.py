"""The course's data.

CIFAR-10 and weather, or stand-ins drawn on the spot where they cannot be had; penguins and names of
towns, which come along; and signals, which are made.

>>> (train_images, train_labels), (test_images, test_labels) = load_cifar10()  # doctest: +SKIP

Needs NumPy, and pandas for tables; Keras and TensorFlow are not imported.
"""

from .errors import DamagedData, DataError, DataNotFound, DownloadFailed, UnsafeData, WrongData
from .files import digest
from .penguins import PENGUINS, load_penguins, private_penguins
from .places import COUNTRIES, PLACES, load_places, private_places
from .shapes import CLASS_NAMES
from .signals import SIGNALS, load_signals, make_signals, private_signals
from .sources import (
    PRIVATE_SEED_VARIABLE,
    STAND_IN,
    VARIABLE,
    DataSource,
    find_source,
    load_cifar10,
    private_split,
    students_file,
)
from .weather import VARIABLE as WEATHER_VARIABLE
from .weather import (
    WeatherSource,
    find_weather,
    load_weather,
    private_weather,
    students_weather,
    weather_split,
)

__all__ = [
    "COUNTRIES",
    "PENGUINS",
    "PLACES",
    "PRIVATE_SEED_VARIABLE",
    "SIGNALS",
    "STAND_IN",
    "VARIABLE",
    "WEATHER_VARIABLE",
    "CLASS_NAMES",
    "DamagedData",
    "DataError",
    "DataNotFound",
    "DataSource",
    "DownloadFailed",
    "UnsafeData",
    "WeatherSource",
    "WrongData",
    "digest",
    "find_source",
    "find_weather",
    "load_cifar10",
    "load_penguins",
    "load_weather",
    "load_places",
    "load_signals",
    "make_signals",
    "private_penguins",
    "private_places",
    "private_signals",
    "private_split",
    "private_weather",
    "students_file",
    "students_weather",
    "weather_split",
]
