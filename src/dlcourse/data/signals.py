"""Signals of 40 numbers in ten classes, made from a seed: as many as anybody likes.

The recipe is that of MNIST-1D (Greydanus and Kobak 2024, https://arxiv.org/abs/2011.14439; code
Apache-2.0, https://github.com/greydanus/mnist1d): each class has a shape of twelve numbers, which
is stretched, scaled, moved to a random place, laid upon noise and sheared. The constants are
theirs; the code is written anew, so that the same seed gives the same numbers everywhere (see
`standin.Dice`).
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

import numpy as np

from .sources import PRIVATE_SEED_VARIABLE, say_once
from .standin import Dice

CLASSES = 10
LENGTH = 40
N_TRAIN, N_TEST, N_PRIVATE = 1_000, 1_000, 10_000
TRAIN_SEED, TEST_SEED, PRIVATE_SEED = 11, 12, 314_159_265  # a course has its own private seed

Signals = tuple[np.ndarray, np.ndarray]

_SHAPES = np.array(
    [
        (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
        (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
        (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
        (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
        (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
        (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
        (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
        (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
        (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
        (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
    ]
)
_PADDING = (36, 60)  # places behind a shape, of which the fewer the wider it becomes
_RAW = _SHAPES.shape[1] + _PADDING[1]
_SCALE, _MOVED, _NOISE, _WHITE, _SHEAR = 0.4, 48, 0.25, 0.02, 0.75
_CENTRED = 24  # of `_MOVED` places, the middle
# Of a bell curve of deviation 2, from its middle to 8 places beside it.
_BELL = (0.19948, 0.17604, 0.12099, 0.06476, 0.027, 0.00877, 0.00222, 0.00044, 0.00007)
_DEVIATION = 0.155  # of many signals, before they are brought to one of 1


@dataclass(frozen=True)
class MadeData:
    """A data set that code makes from seeds: which it is, for people and for the record.

    `sha256` is the digest of what learners load.
    """

    name: str
    sha256: str
    about: str

    def __str__(self) -> str:
        return f"Data: {self.about}; made by dlcourse"


SIGNALS = MadeData(
    "signals",
    "7e766c35594d96cfbe5a11e1db2427d8e059509172b092d5145730b407c36b9f",
    "signals of 40 numbers in ten classes (the recipe of MNIST-1D, Greydanus and Kobak)",
)


def load_signals(centred: bool = False) -> tuple[Signals, Signals]:
    """Signals to train on and to test on: `(train, train_labels), (test, test_labels)`.

    1,000 of each, float32 of shape (1000, 40), and class numbers 0 to 9, (1000,). A class's shape
    lies at a random place; where they are `centred`, always at the same one. One line says, once in
    each process, which data it is. No network is needed.
    """
    say_once(str(SIGNALS))
    return make_signals(TRAIN_SEED, N_TRAIN, centred), make_signals(TEST_SEED, N_TEST, centred)


def private_signals(seed: int | None = None, count: int = N_PRIVATE) -> Signals:
    """`count` signals that nobody has seen, as in `load_signals`, for the judge.

    `seed` is by default the environment's DLCOURSE_PRIVATE_SEED, or one that anybody can read here.
    """
    if seed is None:
        seed = int(os.environ.get(PRIVATE_SEED_VARIABLE) or PRIVATE_SEED)
    return make_signals(seed, count)


@functools.lru_cache(maxsize=8)
def _made(seed: int, count: int, centred: bool) -> Signals:
    labels = np.arange(count) % CLASSES
    labels = labels[np.argsort(Dice(seed, 99).raw(count), kind="stable")]
    dice = Dice(seed, count)
    places = np.arange(_RAW)[None]

    # Shapes that begin and end at 0, with nothing behind them; wider where there is less of that.
    shapes = _SHAPES - _SHAPES.mean(axis=1, keepdims=True)
    shapes = shapes / shapes.std(axis=1, keepdims=True)
    shapes = np.pad((shapes - shapes[:, :1]) / 6, ((0, 0), (0, _PADDING[1])))
    fewest, most = _PADDING
    lengths = _SHAPES.shape[1] + fewest + dice.pick(most - fewest + 1, count, 1)
    at = places * (lengths - 1) / (_RAW - 1)
    signals = _between(shapes[labels], at)
    is_shape = at < _SHAPES.shape[1]
    signals = signals * (1 + dice.real(-_SCALE / 2, _SCALE / 2, count, 1))
    moved = np.full((count, 1), _CENTRED) if centred else dice.pick(_MOVED, count, 1)
    turned = (places - moved) % _RAW
    signals = np.take_along_axis(signals, turned, axis=1)
    is_shape = np.take_along_axis(is_shape, turned, axis=1)

    noise = _smooth(_NOISE * dice.bell(count, _RAW).astype(float))
    signals = np.where(is_shape, signals, noise) + _WHITE * dice.bell(count, _RAW)
    slope = dice.real(-_SHEAR / 2, _SHEAR / 2, count, 1)
    signals = signals - slope * (places / (_RAW - 1) - 0.5)
    signals = _between(signals, np.arange(LENGTH)[None] * (_RAW - 1) / (LENGTH - 1))
    signals = np.round(signals / _DEVIATION, 3).astype(np.float32)
    return signals, labels


def make_signals(seed: int, count: int, centred: bool = False) -> Signals:
    """`count` signals of this seed, float32 (count, 40), and their classes, 0 to 9, (count,).

    Each class has the same share, ±1. `centred` is as in `load_signals`.
    """
    signals, labels = _made(seed, count, centred)
    return signals.copy(), labels.copy()


def _between(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The values of `rows` (n, length) at the places `at` (n or 1, m), on straight lines."""
    at = np.broadcast_to(at, (len(rows), at.shape[1]))
    left = np.minimum(at.astype(int), rows.shape[1] - 2)
    low, high = (np.take_along_axis(rows, left + step, axis=1) for step in (0, 1))
    between: np.ndarray = low + (high - low) * (at - left)
    return between


def _smooth(rows: np.ndarray) -> np.ndarray:
    """Each number becomes a mean of those around it, weighted by a bell curve."""
    reach = len(_BELL) - 1
    padded = np.pad(rows, ((0, 0), (reach, reach)), mode="symmetric")
    width = rows.shape[1]
    total = _BELL[0] * rows
    for far, weight in enumerate(_BELL[1:], start=1):
        beside = padded[:, reach - far :][:, :width] + padded[:, reach + far :][:, :width]
        total = total + weight * beside
    return total
