"""What is measured for the thresholds of one data source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Study:
    """The runs that a source's thresholds rest on.

    `measures` makes one run of each kind, with the seed that is set, and returns its figures;
    `seeds` says how many of each there are. `sha256` is the digest of the data, `n_train` and
    `n_unseen` are how many examples it has for training and for measuring.
    `begin` is told before each run which kind it is, and its seed. `judge_has_others` says whether
    the judge measures on other examples than these.
    """

    source: str
    sha256: str
    n_train: int
    n_unseen: int
    measures: Mapping[str, Callable[[], Mapping[str, float]]]
    seeds: Mapping[str, int]
    judge_has_others: bool = True
    begin: Callable[[str, int], None] = lambda kind, seed: None
