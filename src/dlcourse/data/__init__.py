"""The course's data: CIFAR-10, or a stand-in drawn on the spot where it cannot be had.

>>> (train_images, train_labels), (test_images, test_labels) = load_cifar10()  # doctest: +SKIP

Needs NumPy alone; Keras and TensorFlow are not imported.
"""

from .errors import DamagedData, DataError, DataNotFound, DownloadFailed, UnsafeData, WrongData
from .files import digest
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
    "private_split",
    "students_file",
]
