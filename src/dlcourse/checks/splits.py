"""A table's rows and their labels, split into a part for training and one for testing."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcourse.checks.arrays import ArrayCheck
from dlcourse.checks.outcome import Check, fail

_PARTS = ("training rows", "test rows", "training labels", "test labels")


class SplitCheck(Check):
    """What may be asked of four arrays: training rows, test rows, training labels, test labels.

    They are parts of `rows` (n, columns), of which no two are the same, and of `labels`
    (n, classes), one-hot.
    """

    def __init__(self, name: str, parts: Any, rows: np.ndarray, labels: np.ndarray) -> None:
        self.name, self.rows, self.labels = name, rows, labels
        self.parts = [
            ArrayCheck(f"the array of {what} from {name}", part).array
            for what, part in zip(_PARTS, parts, strict=True)
        ]
        for what, part, whole in zip(_PARTS, self.parts, (rows, rows, labels, labels), strict=True):
            if part.ndim != whole.ndim or part.shape[1:] != whole.shape[1:]:
                fail(
                    f"{name}: the {what} have shape {part.shape}.",
                    expected=f"some rows of an array of shape {whole.shape}, all columns",
                    hint="the order is training rows, test rows, training labels, test labels.",
                )

    def has_test_rows(self, count: int, because: str = "", within: int = 0) -> SplitCheck:
        """`count` rows are for testing, or up to `within` more or less."""
        got = len(self.parts[1])
        if abs(got - count) > within:
            about = f"{count} test rows" + (f", or {within} more or less" if within else "")
            fail(f"{self.name} gave {got} test rows.", answer=about, hint=because)
        return self

    def uses_each_row_once(self) -> SplitCheck:
        """Each row is in one of the parts, and in no other."""
        places = np.concatenate([self._places(part) for part in self.parts[:2]])
        if (places < 0).any():
            fail(
                f"{self.name} gave rows that are not in the table.",
                expected="the rows as they were, each whole",
                hint="shuffle whole rows, not the numbers within them.",
            )
        counts = np.bincount(places, minlength=len(self.rows))
        if (counts > 1).any():
            fail(
                f"{self.name}: {int((counts > 1).sum())} rows are used more than once.",
                expected="each row once: either for training or for testing",
                hint="a row that is in both parts was seen in training, so it tests nothing.",
            )
        if (counts == 0).any():
            fail(
                f"{self.name}: {int((counts == 0).sum())} of {len(self.rows)} rows are in neither "
                "part.",
                expected="each row once: either for training or for testing",
            )
        return self

    def keeps_labels(self) -> SplitCheck:
        """Each row still has its own label."""
        for rows, labels, what in (
            (self.parts[0], self.parts[2], "training"),
            (self.parts[1], self.parts[3], "test"),
        ):
            if len(rows) != len(labels):
                fail(
                    f"{self.name}: there are {len(rows)} {what} rows and {len(labels)} {what} "
                    "labels.",
                    expected="as many labels as rows",
                )
            wrong = (self.labels[self._places(rows)] != labels).any(axis=1)
            if wrong.any():
                fail(
                    f"{self.name}: the label of {what} row {int(wrong.argmax())} is that of "
                    "another row.",
                    expected="each row with its own label",
                    hint="shuffle once, and take rows and labels by the same places.",
                )
        return self

    def keeps_the_mix(self, share: float, within: int = 1) -> SplitCheck:
        """Of each class the same share is for testing, give or take `within` rows."""
        for place, count in enumerate(self.labels.sum(axis=0)):
            got = int(self.parts[3][:, place].sum())
            if abs(got - share * count) > within:
                fail(
                    f"{self.name}: {got} of the {int(count)} rows of class {place} are for "
                    "testing.",
                    expected="the same share of each class",
                    answer=f"about {share * count:g} of them: the same share of each class",
                    hint="go through the classes, and split the rows of each.",
                )
        return self

    def differs_from(self, other: SplitCheck) -> SplitCheck:
        """It has other test rows than `other`."""
        if self._same_test_rows(other):
            fail(
                f"{self.name} gave the same test rows as {other.name}.",
                expected="others with another seed",
                hint="make the random generator from the argument seed.",
            )
        return self

    def equals(self, other: SplitCheck) -> SplitCheck:
        """It has the same parts as `other`."""
        if not all(map(np.array_equal, self.parts, other.parts)):
            fail(
                f"{self.name}, called again with the same seed, gave another split.",
                expected="the same split for the same seed",
                hint="make the random generator from the argument seed, within the function.",
            )
        return self

    def _same_test_rows(self, other: SplitCheck) -> bool:
        return set(self._places(self.parts[1])) == set(other._places(other.parts[1]))

    def _places(self, part: np.ndarray) -> np.ndarray:
        """For each row of `part` its place among all rows, -1 for one that is not there."""
        same = (part[:, None, :] == self.rows[None, :, :]).all(axis=2)
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)
