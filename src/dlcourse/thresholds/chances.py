"""What a threshold's runs say about it: the chances of a wrong verdict.

The chances are those that one more run lies beyond the threshold, by Student's t prediction from
a normal distribution fitted to the runs, as in `bounds` (Hahn and Meeker, Statistical Intervals,
1991, section 4.7).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from dlcourse.thresholds.bounds import CHANCE_OF_FAILING, thresholds_from

CHANCE_OF_PASSING = 0.01
# Below this, the runs speak against a normal distribution.
_NOT_NORMAL = 0.05
Run = Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """The runs of one kind of model against one threshold.

    `worst` is the run that comes nearest to the wrong verdict, or is furthest on its side; `spread`
    the scale of one more run's figure about `mean`, with the luck of picking images where the judge
    has others; `margin` how many `sd` the mean lies on the right side of the threshold;
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

    `chosen` is the threshold that `bounds` takes from the runs; `room` are the lowest and the
    highest that keep every chance within its limit, crossed where there is none, infinite where
    there is nothing to stop.
    """

    source: str
    name: str
    threshold: float
    at_least: bool
    reference: Measured
    weak: tuple[Measured, ...]
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


@dataclass(frozen=True)
class _Series:
    about: str
    run: str
    figure: Callable[[Run], float]


@dataclass(frozen=True)
class _Claim:
    """What a threshold tells apart; `sampling` names the images' share of a run's deviation.

    Without it, the figure is a share of images, whose deviation is a binomial's.
    """

    name: str
    at_least: bool
    reference: _Series
    weak: tuple[_Series, ...] = ()
    sampling: str = ""


def _accuracy(about: str, run: str) -> _Series:
    return _Series(about, run, lambda r: r["accuracy"])


_CLAIMS = (
    _Claim(
        "convnet_accuracy",
        True,
        _accuracy("the reference", "convnet"),
        (
            _accuracy("not trained", "untrained"),
            _accuracy("trained on images not normalised", "unnormalised"),
            _accuracy("without convolutions", "dense-only"),
        ),
    ),
    _Claim(
        "dropout_accuracy",
        True,
        _Series(
            "the reference, its lower model",
            "dropout",
            lambda r: min(r["plain_accuracy"], r["dropout_accuracy"]),
        ),
    ),
    _Claim(
        "dropout_gap",
        False,
        _Series("the reference", "dropout", lambda r: r["dropout_loss_gap"]),
        (_Series("without dropout", "dropout", lambda r: r["plain_loss_gap"]),),
        sampling="gap_sampling_sd",
    ),
    _Claim(
        "dropout_loss_tolerance",
        False,
        _Series("the reference", "dropout", lambda r: -r["loss_saved"]),
        sampling="saved_sampling_sd",
    ),
)


def describe(file: Mapping[str, Any]) -> tuple[Calibrated, ...]:
    """What the runs in a thresholds file (see `dlcourse.thresholds.load`) say of each threshold.

    A weak network that the file does not call told apart is left out. `KeyError` where runs are
    missing that a threshold rests on.
    """
    images, runs = file["images"], file["evidence"]
    others = images["measured_on"] if images["judge_has_others"] else None
    chosen = thresholds_from(runs, others)["thresholds"]
    return tuple(
        _describe(claim, file["thresholds"][claim.name], file, others, chosen[claim.name])
        for claim in _CLAIMS
    )


def _describe(
    claim: _Claim, threshold: float, file: Mapping[str, Any], others: int | None, chosen: float
) -> Calibrated:
    def measured(series: _Series, is_reference: bool) -> Measured:
        runs = file["evidence"][series.run]
        values = tuple(float(series.figure(run)) for run in runs)
        mean = float(np.mean(values))
        # The weak solution's gap is given the images' share of the reference's.
        sampling = (
            0.0
            if others is None
            else float(np.mean([run[claim.sampling] for run in runs]))
            if claim.sampling
            else math.sqrt(mean * (1 - mean) / others)
        )
        return _measured(series.about, values, sampling, threshold, claim.at_least, is_reference)

    reference = measured(claim.reference, True)
    weak = tuple(
        measured(series, False) for series in claim.weak if file["told_apart"].get(series.run, True)
    )
    return Calibrated(
        file["source"],
        claim.name,
        threshold,
        claim.at_least,
        reference,
        weak,
        chosen,
        _room(reference, weak, claim.at_least),
    )


def _measured(
    about: str,
    values: tuple[float, ...],
    sampling_sd: float,
    threshold: float,
    at_least: bool,
    is_reference: bool,
) -> Measured:
    n, mean, sd = len(values), float(np.mean(values)), float(np.std(values, ddof=1))
    spread = math.sqrt(sd**2 * (1 + 1 / n) + sampling_sd**2)
    # A reference errs below a threshold of "at least", a weak solution above it.
    errs_below = at_least == is_reference
    ahead = mean - threshold if errs_below else threshold - mean
    passed = sum(v >= threshold if at_least else v <= threshold for v in values)
    interval = stats.binomtest(passed, n).proportion_ci(method="exact")
    return Measured(
        about=about,
        values=values,
        mean=mean,
        sd=sd,
        worst=min(values) if errs_below else max(values),
        spread=spread,
        margin=ahead / sd if sd else math.copysign(math.inf, ahead),
        passed=passed,
        pass_interval=(float(interval.low), float(interval.high)),
        chance=_chance(n, mean, spread, threshold, errs_below),
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


def _chance(n: int, mean: float, spread: float, threshold: float, below: bool) -> float:
    """The chance that one more run after `n` lies below `threshold`, or else above it."""
    ahead = mean - threshold if below else threshold - mean
    return float(stats.t.sf(ahead / spread, n - 1)) if spread else float(ahead < 0)


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
