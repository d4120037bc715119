"""Shifted copies of signals and their labels: whether each is what it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.arrays import ArrayCheck
from dlcourse.checks.outcome import Check, fail


class CopiesCheck(Check):
    """What may be asked of two arrays: signals with shifted copies of them, and the labels of all.

    They are made of `signals` (n, length), no two alike and none the same when it is shifted, and
    of `labels` (n,).
    """

    def __init__(self, name: str, pair: Any, signals: np.ndarray, labels: np.ndarray) -> None:
        self.name, self.originals, self.original_labels = name, signals, labels
        self.signals, self.labels = (
            ArrayCheck(f"the array of {what} from {name}", part).array
            for what, part in zip(("signals", "labels"), pair, strict=True)
        )
        length = signals.shape[1]
        if self.signals.ndim != 2 or self.signals.shape[1] != length:
            fail(
                f"{name}: the signals have shape {self.signals.shape}.",
                expected=f"rows of {length} numbers each: one signal below the other",
                hint="the order is signals, labels. np.concatenate joins arrays row below row.",
            )
        if self.labels.shape != (len(self.signals),):
            fail(
                f"{name}: there are {len(self.signals)} signals, and labels of shape "
                f"{self.labels.shape}.",
                expected="one label for each signal, the copies too",
            )

    def has_copies(self, copies: int) -> CopiesCheck:
        """There are the signals, and `copies` copies of each."""
        wanted = len(self.originals) * (copies + 1)
        if len(self.signals) != wanted:
            fail(
                f"{self.name} gave {len(self.signals)} signals.",
                expected=f"{wanted}: {len(self.originals)} signals and {copies} copies of each",
            )
        return self

    def begins_with_the_originals(self) -> CopiesCheck:
        """First come the signals as they were, in their order."""
        first = self.signals[: len(self.originals)]
        if first.shape != self.originals.shape or not np.allclose(first, self.originals):
            fail(
                f"{self.name}: the first {len(self.originals)} signals are not those that were "
                "handed in.",
                expected="first the signals as they are, in their order, then the copies",
                hint="join the originals and the copies: np.concatenate([signals, …]).",
            )
        return self

    def keeps_labels(self) -> CopiesCheck:
        """Each copy has the label of its original."""
        wanted = np.resize(self.original_labels, len(self.labels))
        wrong = wanted != self.labels
        if wrong.any():
            place = int(wrong.argmax())
            fail(
                f"{self.name}: the label of signal {place} is {self.labels[place]}.",
                expected=f"{wanted[place]}, the label of signal {place % len(self.originals)}, of "
                "which it is a copy",
                hint="all labels come again, in the same order, for each round of copies.",
            )
        return self

    def has_only_shifted_signals(self) -> CopiesCheck:
        """Each copy is its original, moved round the end."""
        unknown = self._moved() < 0
        if unknown.any():
            place = int(unknown.argmax())
            fail(
                f"{self.name}: signal {place} is not signal {place % len(self.originals)}, moved "
                "round the end.",
                expected="all signals again in the same order, each moved by `shift`",
            )
        return self

    def moves_each_by_its_own(self) -> CopiesCheck:
        """In each round of copies, and from round to round, the numbers of places differ."""
        rounds = self._moved().reshape(-1, len(self.originals))
        for number, moved in enumerate(rounds[1:], start=1):
            if len(set(moved.tolist())) == 1:
                fail(
                    f"{self.name}: in round {number} of the copies, all signals are moved by the "
                    "same number of places.",
                    expected="each signal is moved by a random number of its own",
                    hint="draw as many numbers as there are signals: rng.integers(…, size=…).",
                )
        for number, moved in enumerate(rounds[2:], start=2):
            if np.array_equal(moved, rounds[1]):
                fail(
                    f"{self.name}: the copies of round {number} are those of round 1 again.",
                    expected="new numbers of places in each round",
                    hint="make the random generator once, before the loop.",
                )
        return self

    def moves_up_to(self, largest: int) -> CopiesCheck:
        """Each copy is moved by at most `largest` places, and among all are both ends."""
        length = self.originals.shape[1]
        moved = self._moved()[len(self.originals) :]
        signed = np.where(moved > length // 2, moved - length, moved)
        if np.abs(signed).max() > largest:
            fail(
                f"{self.name}: a signal is moved by {signed[np.abs(signed).argmax()]} places.",
                expected=f"from {-largest} to {largest} places",
            )
        for end in (-largest, largest):
            # Few copies need not have every number.
            if end not in signed and len(signed) >= 20 * largest:
                fail(
                    f"{self.name}: none of {len(signed)} copies is moved by {end} places.",
                    expected=f"every number from {-largest} to {largest}, both included",
                    hint="rng.integers(low, high) leaves out `high` itself.",
                )
        return self

    def equals(self, other: CopiesCheck) -> CopiesCheck:
        """It has the same signals as `other`."""
        if not np.array_equal(self.signals, other.signals):
            fail(
                f"{self.name}, called again with the same seed, gave other copies.",
                expected="the same copies for the same seed",
                hint="make the random generator from the argument seed, within the function.",
            )
        return self

    def differs_from(self, other: CopiesCheck) -> CopiesCheck:
        """It has other copies than `other`."""
        if np.array_equal(self.signals, other.signals):
            fail(
                f"{self.name} gave the same copies as {other.name}.",
                expected="others with another seed",
                hint="make the random generator from the argument seed.",
            )
        return self

    def _moved(self) -> np.ndarray:
        """By how many places each signal was moved to the right, 0 to length - 1.

        -1 where it is not the original that stands at its place in its round.
        """
        length = self.originals.shape[1]
        wanted = self.originals[np.arange(len(self.signals)) % len(self.originals)]
        same = np.stack(
            [
                np.isclose(np.roll(wanted, places, axis=1), self.signals, atol=1e-6).all(axis=1)
                for places in range(length)
            ],
            axis=1,
        )
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)
