"""The course's data.

CIFAR-10, or a stand-in drawn on the spot where it cannot be had; and penguins, which come along.

>>> (train_images, train_labels), (test_images, test_labels) = load_cifar10()  # doctest: +SKIP

Needs NumPy, and pandas for tables; Keras and TensorFlow are not imported.
"""

from .errors import DamagedData, DataError, DataNotFound, DownloadFailed, UnsafeData, WrongData
from .files import digest
from .penguins import PENGUINS, load_penguins, private_penguins
from .shapes import CLASS_NAMES
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

__all__ = [
    "PENGUINS",
    "PRIVATE_SEED_VARIABLE",
    "STAND_IN",
    "VARIABLE",
    "CLASS_NAMES",
    "DamagedData",
    "DataError",
    "DataNotFound",
    "DataSource",
    "DownloadFailed",
    "UnsafeData",
    "WrongData",
    "digest",
    "find_source",
    "load_cifar10",
    "load_penguins",
    "private_penguins",
    "private_split",
    "students_file",
]
