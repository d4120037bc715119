"""What each threshold claims: that the reference passes it, and certain weak solutions do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Run = Mapping[str, float]
# The results of each kind of run, one mapping for each seed.
Runs = Mapping[str, Sequence[Run]]


@dataclass(frozen=True)
class Series:
    """The runs of one kind of model, and the figure of each that a threshold is held against.

    Where `beside` names a kind of run, a run is judged together with that kind's of the same seed:
    figures that it does not have are theirs.
    """

    about: str
    run: str
    figure: Callable[[Run], float]
    beside: str = ""

    def values(self, runs: Runs) -> tuple[float, ...]:
        """The figure of each run. `KeyError` where runs are missing."""
        beside = {run["seed"]: run for run in runs.get(self.beside, ())}
        return tuple(
            float(self.figure({**beside.get(run["seed"], {}), **run})) for run in runs[self.run]
        )


@dataclass(frozen=True)
class Claim:
    """What a threshold tells apart; `sampling` names the examples' share of a run's deviation.

    Without it, the figure is a share of examples, whose deviation is a binomial's. `at_least` says
    that high figures pass. `asks` is what the notebook asks for in any case: an "at most" is not
    lower, an "at least" not higher, whatever the runs would allow.
    """

    name: str
    at_least: bool
    reference: Series
    weak: tuple[Series, ...]
    sampling: str = ""
    asks: float | None = None

    def sampling_sd(self, series: Series, runs: Runs, other_examples: int | None) -> float:
        """The deviation of a figure of `series` that comes from picking other examples.

        Args:
            other_examples: how many examples the figures were measured on; None if the judge
                measures on the same, which gives 0.
        """
        if other_examples is None:
            return 0.0
        if self.sampling:
            # Only the reference's runs have noted it; a weak solution's is a little larger.
            return float(np.mean([run[self.sampling] for run in runs[self.reference.run]]))
        share = float(np.mean(series.values(runs)))
        return math.sqrt(share * (1 - share) / other_examples)


def _accuracy(about: str, run: str) -> Series:
    return Series(about, run, lambda r: r["accuracy"])


# Both models are held to the threshold: the reference fails by its lower one. Of weak models the
# higher one counts, so that either is stopped, whatever the other is.
def _lower(about: str, run: str) -> Series:
    return Series(about, run, lambda r: min(r["plain_accuracy"], r["dropout_accuracy"]))


def _higher(about: str, run: str) -> Series:
    return Series(about, run, lambda r: max(r["plain_accuracy"], r["dropout_accuracy"]))


def _beside_the_plain_reference(about: str, run: str) -> Series:
    return Series(about, run, lambda r: r["dropout_loss"] - r["plain_loss"], beside="dropout")


_IMAGES = (
    Claim(
        "convnet_accuracy",
        True,
        _accuracy("the reference", "convnet"),
        (
            _accuracy("not trained", "untrained"),
            _accuracy("trained on images not normalised", "unnormalised"),
            _accuracy("without convolutions", "dense-only"),
        ),
    ),
    Claim(
        "dropout_accuracy",
        True,
        _lower("the reference, its lower model", "dropout"),
        (
            _higher("not trained, its higher model", "dropout-untrained"),
            _higher("one epoch, its higher model", "dropout-one-epoch"),
            _higher("not normalised, its higher model", "dropout-unnormalised"),
        ),
    ),
    Claim(
        "dropout_gap",
        False,
        Series("the reference", "dropout", lambda r: r["dropout_loss_gap"]),
        (Series("without dropout", "dropout", lambda r: r["plain_loss_gap"]),),
        sampling="gap_sampling_sd",
    ),
    Claim(
        "dropout_loss_tolerance",
        False,
        Series("the reference", "dropout", lambda r: -r["loss_saved"]),
        (
            _beside_the_plain_reference("its dropout model not trained", "dropout-untrained"),
            _beside_the_plain_reference("its dropout model, one epoch", "dropout-one-epoch"),
        ),
        sampling="saved_sampling_sd",
    ),
)

_NEURONS = (
    Claim(
        "neurons_error",
        False,
        Series("the reference", "xor", lambda r: r["error"]),
        (
            Series("not trained", "untrained", lambda r: r["error"]),
            Series("without tanh", "linear", lambda r: r["error"]),
        ),
        asks=0.2,
    ),
)
_PENGUINS = (
    Claim(
        "penguins_accuracy",
        True,
        _accuracy("the reference", "scaled"),
        (
            _accuracy("not trained", "untrained"),
            _accuracy("five epochs", "five-epochs"),
            _accuracy("trained on raw rows", "raw"),
            _accuracy("trained on scaled rows, fed with raw ones", "fed-raw-rows"),
        ),
    ),
)


def _rmse(about: str, run: str) -> Series:
    return Series(about, run, lambda r: r["rmse"])


_WEATHER = (
    Claim(
        "weather_gap",
        True,
        Series("the reference, the worst of its last 50 epochs", "unlucky", lambda r: r["gap"]),
        (
            Series("stopped early", "early", lambda r: r["gap"]),
            Series("one epoch", "one-epoch", lambda r: r["gap"]),
        ),
        sampling="sampling_sd",
        asks=1.5,
    ),
    Claim(
        "weather_early_rmse",
        False,
        _rmse("the reference", "early"),
        (
            _rmse("200 epochs, not stopped", "plain"),
            _rmse("one epoch", "one-epoch"),
        ),
        sampling="sampling_sd",
    ),
)

_PLACES = (
    Claim(
        "text_accuracy",
        True,
        _accuracy("the reference", "both"),
        (
            _accuracy("not trained", "untrained"),
            _accuracy("one epoch", "one-epoch"),
            Series("counting letters", "both", lambda r: r["bag_accuracy"]),
        ),
    ),
    Claim(
        "text_bag_accuracy",
        True,
        Series("the reference's bag", "both", lambda r: r["bag_accuracy"]),
        (
            Series("not trained", "untrained", lambda r: r["untrained_bag_accuracy"]),
            Series("one epoch", "one-epoch", lambda r: r["bag_accuracy"]),
        ),
    ),
    Claim(
        "text_gain",
        True,
        Series("the reference", "both", lambda r: r["gain"]),
        (
            Series(
                "its convolution not trained",
                "untrained",
                lambda r: r["accuracy"] - r["bag_accuracy"],
                beside="both",
            ),
        ),
        sampling="gain_sampling_sd",
    ),
)

_SIGNALS = (
    Claim(
        "augment_accuracy",
        True,
        _accuracy("the reference", "both"),
        (
            _accuracy("not trained", "untrained"),
            _accuracy("one epoch", "one-epoch"),
            _accuracy("copies that are not moved", "unmoved"),
            Series("without copies", "both", lambda r: r["plain_accuracy"]),
            Series("dropout in place of copies", "others", lambda r: r["dropout_accuracy"]),
        ),
    ),
    Claim(
        "augment_plain_accuracy",
        True,
        Series("the reference's plain model", "both", lambda r: r["plain_accuracy"]),
        (_accuracy("not trained", "untrained"),),
    ),
    Claim(
        "augment_gain",
        True,
        Series("the reference", "both", lambda r: r["gain"]),
        (
            Series(
                "copies that are not moved",
                "unmoved",
                lambda r: r["accuracy"] - r["plain_accuracy"],
                beside="both",
            ),
            Series(
                "dropout in place of copies",
                "others",
                lambda r: r["dropout_accuracy"] - r["plain_accuracy"],
                beside="both",
            ),
        ),
        sampling="gain_sampling_sd",
    ),
)

# By source (`dlcourse.thresholds.FILES`), the claims of its thresholds.
CLAIMS: Mapping[str, tuple[Claim, ...]] = {
    "cifar10": _IMAGES,
    "cifar10-subset": _IMAGES,
    "stand-in": _IMAGES,
    "neurons": _NEURONS,
    "penguins": _PENGUINS,
    "weather": _WEATHER,
    "weather-stand-in": _WEATHER,
    "places": _PLACES,
    "signals": _SIGNALS,
}
