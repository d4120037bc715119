"""Thresholds from measured runs: low enough for luck, and which weak solutions they tell apart.

Both follow from a prediction of one more run: Student's t about the mean of a normal distribution
fitted to the runs (Hahn and Meeker, Statistical Intervals, 1991, section 4.7).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from scipy import stats

from dlcourse.thresholds.claims import Claim, Runs, Series

CHANCE_OF_FAILING = 1e-3
CHANCE_OF_PASSING = 0.01


def spread_of(values: Sequence[float], sampling_sd: float = 0.0) -> float:
    """The scale of one more run's figure about the mean of `values`.

    Their variance is widened by `sampling_sd`² where the judge measures on other examples than
    these were measured on.
    """
    sd = float(np.std(values, ddof=1))
    return math.sqrt(sd**2 * (1 + 1 / len(values)) + sampling_sd**2)


def lower_bound(values: Sequence[float], sampling_sd: float = 0.0) -> float:
    """What one more run stays above, but for a chance of `CHANCE_OF_FAILING`."""
    quantile = stats.t.ppf(1 - CHANCE_OF_FAILING, len(values) - 1)
    return float(np.mean(values)) - quantile * spread_of(values, sampling_sd)


def chance_beyond(
    threshold: float, values: Sequence[float], below: bool, sampling_sd: float = 0.0
) -> float:
    """The chance that one more run lies below `threshold`, or else above it."""
    mean, spread = float(np.mean(values)), spread_of(values, sampling_sd)
    ahead = mean - threshold if below else threshold - mean
    return float(stats.t.sf(ahead / spread, len(values) - 1)) if spread else float(ahead < 0)


class Thresholds(TypedDict):
    """Each claim's threshold, and whether it tells the claim's weak solutions apart."""

    thresholds: dict[str, float]
    told_apart: dict[str, dict[str, bool]]


def thresholds_from(claims: Sequence[Claim], runs: Runs, other_examples: int | None) -> Thresholds:
    """The thresholds, and for each by which weak solutions it is passed too seldom to matter.

    Args:
        claims: what each threshold claims.
        runs: the results of each kind of run.
        other_examples: how many examples they were measured on, if the judge has others; else
            None.
    """
    thresholds = {claim.name: _threshold(claim, runs, other_examples) for claim in claims}

    def is_told_apart(claim: Claim, weak: Series) -> bool:
        sampling = claim.sampling_sd(weak, runs, other_examples)
        threshold, errs_below = thresholds[claim.name], not claim.at_least
        chance = chance_beyond(threshold, weak.values(runs), errs_below, sampling)
        return chance <= CHANCE_OF_PASSING

    return {
        "thresholds": thresholds,
        "told_apart": {
            claim.name: {weak.about: is_told_apart(claim, weak) for weak in claim.weak}
            for claim in claims
        },
    }


def _threshold(claim: Claim, runs: Runs, other_examples: int | None) -> float:
    values = claim.reference.values(runs)
    sampling = claim.sampling_sd(claim.reference, runs, other_examples)
    if claim.at_least:
        bound = _rounded_down(lower_bound(values, sampling))
        return bound if claim.asks is None else min(bound, claim.asks)
    # Differences of losses: it is never asked for less than none.
    bound = -_rounded_down(min(0.0, lower_bound([-value for value in values], sampling)))
    return bound if claim.asks is None else max(bound, claim.asks)


def _rounded_down(value: float) -> float:
    return math.floor(value * 200) / 200
