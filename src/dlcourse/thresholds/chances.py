"""What a threshold's runs say about it: the chances of a wrong verdict.

The chances are those that one more run lies beyond the threshold, by the prediction that `bounds`
takes the thresholds from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from dlcourse.thresholds.bounds import (
    CHANCE_OF_FAILING,
    CHANCE_OF_PASSING,
    chance_beyond,
    spread_of,
    thresholds_from,
)
from dlcourse.thresholds.claims import CLAIMS, Claim, Series

# Below this, the runs speak against a normal distribution.
_NOT_NORMAL = 0.05


@dataclass(frozen=True)
class Measured:
    """The runs of one kind of model against one threshold.

    `worst` is the run that comes nearest to the wrong verdict, or is furthest on its side; `spread`
    the scale of one more run's figure about `mean`, with the luck of picking examples where the
    judge has others; `margin` how many `sd` the mean lies on the right side of the threshold;
    `pass_interval` the 95% interval of Clopper and Pearson for the share that passes; `chance` that
    of the wrong verdict: a reference fails, a weak solution passes. `normality` is the p-value of
    the test of Shapiro and Wilk.
    """

    about: str
    values: tuple[float, ...]
    mean: float
    sd: float
    worst: float
    spread: float
    margin: float
    passed: int
    pass_interval: tuple[float, float]
    chance: float
    normality: float

    @property
    def n(self) -> int:
        """How many runs."""
        return len(self.values)

    @property
    def rests_on(self) -> str:
        """What the chance rests on, in words."""
        p = f"Shapiro–Wilk p = {self.normality:.2g}"
        doubt = (
            f"they do not look it ({p}), so the chance is only a guide"
            if self.normality < _NOT_NORMAL
            else f"nothing in them speaks against it ({p}), but so few say little about the tails"
        )
        return f"{self.about}: a normal distribution fitted to {self.n} runs; {doubt}."


@dataclass(frozen=True)
class Calibrated:
    """A threshold for one data source, with the runs that it has to let pass and to stop.

    `weak` are the solutions that it claims to tell apart, `not_told_apart` others that were
    measured against it, and of which it claims nothing. `chosen` is the threshold that `bounds`
    takes from the runs; `room` are the lowest and the highest that keep every chance within its
    limit, crossed where there is none, infinite where there is nothing to stop.
    """

    source: str
    name: str
    threshold: float
    at_least: bool
    reference: Measured
    weak: tuple[Measured, ...]
    not_told_apart: tuple[Measured, ...]
    chosen: float
    room: tuple[float, float]

    @property
    def direction(self) -> str:
        """Which side passes: "at least" or "at most"."""
        return "at least" if self.at_least else "at most"

    @property
    def holds(self) -> bool:
        """Whether the reference and every weak solution are within their limits."""
        return not self.faults

    @property
    def faults(self) -> tuple[str, ...]:
        """In words, each chance that is above its limit, and which threshold would do."""
        words = [
            f"{weak.about} passes by a chance of {odds(weak.chance)}, above "
            f"{odds(CHANCE_OF_PASSING)}."
            for weak in self.weak
            if weak.chance > CHANCE_OF_PASSING
        ]
        if self.reference.chance > CHANCE_OF_FAILING:
            words.insert(
                0,
                f"The reference fails by a chance of {odds(self.reference.chance)}, above "
                f"{odds(CHANCE_OF_FAILING)}.",
            )
        return (*words, _advice(*self.room)) if words else ()


def describe(file: Mapping[str, Any]) -> tuple[Calibrated, ...]:
    """What the runs in a thresholds file (see `dlcourse.thresholds.load`) say of each threshold.

    What a threshold claims to tell apart is what the file says. `KeyError` where it says nothing,
    and where runs are missing that a threshold rests on.
    """
    data, claims = file["data"], CLAIMS[file["source"]]
    others = data["measured_on"] if data["judge_has_others"] else None
    chosen = thresholds_from(claims, file["evidence"], others)["thresholds"]
    return tuple(_describe(claim, file, others, chosen[claim.name]) for claim in claims)


def _describe(
    claim: Claim, file: Mapping[str, Any], others: int | None, chosen: float
) -> Calibrated:
    runs, threshold = file["evidence"], file["thresholds"][claim.name]

    def measured(series: Series) -> Measured:
        # A reference errs below a threshold of "at least", a weak solution above it.
        errs_below = claim.at_least == (series is claim.reference)
        sampling = claim.sampling_sd(series, runs, others)
        values = series.values(runs)
        return _measured(series.about, values, sampling, threshold, claim.at_least, errs_below)

    claimed = file["told_apart"][claim.name]
    reference = measured(claim.reference)
    weak = tuple(measured(series) for series in claim.weak if claimed[series.about])
    return Calibrated(
        source=file["source"],
        name=claim.name,
        threshold=threshold,
        at_least=claim.at_least,
        reference=reference,
        weak=weak,
        not_told_apart=tuple(measured(s) for s in claim.weak if not claimed[s.about]),
        chosen=chosen,
        room=_room(reference, weak, claim.at_least),
    )


def _measured(
    about: str,
    values: tuple[float, ...],
    sampling_sd: float,
    threshold: float,
    at_least: bool,
    errs_below: bool,
) -> Measured:
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    ahead = mean - threshold if errs_below else threshold - mean
    passed = sum(v >= threshold if at_least else v <= threshold for v in values)
    interval = stats.binomtest(passed, len(values)).proportion_ci(method="exact")
    return Measured(
        about=about,
        values=values,
        mean=mean,
        sd=sd,
        worst=min(values) if errs_below else max(values),
        spread=spread_of(values, sampling_sd),
        margin=ahead / sd if sd else math.copysign(math.inf, ahead),
        passed=passed,
        pass_interval=(float(interval.low), float(interval.high)),
        chance=chance_beyond(threshold, values, errs_below, sampling_sd),
        normality=float(stats.shapiro(values).pvalue) if sd else 0.0,
    )


def _room(reference: Measured, weak: Sequence[Measured], at_least: bool) -> tuple[float, float]:
    def beyond(one: Measured, chance: float, upwards: bool) -> float:
        reach = float(stats.t.isf(chance, one.n - 1)) * one.spread
        return one.mean + reach if upwards else one.mean - reach

    passing = beyond(reference, CHANCE_OF_FAILING, not at_least)
    stopping = [beyond(one, CHANCE_OF_PASSING, at_least) for one in weak]
    if at_least:
        return max(stopping, default=-math.inf), passing
    return passing, min(stopping, default=math.inf)


def _advice(low: float, high: float) -> str:
    if low > high:
        return "No threshold keeps every chance within its limit."
    if math.isinf(low):
        return f"A threshold of at most {high:.4f} would do."
    if math.isinf(high):
        return f"A threshold of at least {low:.4f} would do."
    return f"A threshold from {low:.4f} to {high:.4f} would do."


def odds(chance: float) -> str:
    """A chance as people say it: "1 in 1,340", to three figures."""
    if chance < 1e-6:
        return "less than 1 in 1,000,000"
    if chance > 0.2:
        return f"{chance:.0%}"
    digits = 3 - math.ceil(math.log10(1 / chance))
    return f"1 in {round(1 / chance, min(digits, 0)):,.0f}"
