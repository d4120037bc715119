"""Thresholds from measured runs: low enough for luck, and which weak networks they tell apart."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

CHANCE_OF_FAILING = 1e-3
WEAK = ("untrained", "unnormalised", "dense-only")
Runs = dict[str, list[dict[str, float]]]


def lower_bound(values: list[float], sampling_sd: float = 0.0) -> float:
    """What one more run stays above, but for a chance of `CHANCE_OF_FAILING`.

    The one-sided prediction bound of a normal distribution fitted to `values` (Student's t; see
    Hahn and Meeker, Statistical Intervals, 1991, section 4.7), its variance widened by
    `sampling_sd`² where the judge measures on other images than these were measured on.
    """
    n, spread = len(values), float(np.std(values, ddof=1))
    quantile = stats.t.ppf(1 - CHANCE_OF_FAILING, n - 1)
    return float(np.mean(values)) - quantile * math.sqrt(spread**2 * (1 + 1 / n) + sampling_sd**2)


def thresholds_from(runs: Runs, other_images: int | None) -> dict:
    """Thresholds, and whether every run of a weak network stays below the convnet's.

    Args:
        runs: the results of each kind of run, one dictionary for each seed.
        other_images: how many images they were measured on, if the judge has others; else None.
    """

    def accuracy(values: list[float]) -> float:
        share = float(np.mean(values))
        sampling = math.sqrt(share * (1 - share) / other_images) if other_images else 0.0
        return lower_bound(values, sampling)

    def loss(key: str, sampling_key: str, sign: int) -> float:
        """The bound below (`sign` 1) or above (-1) the losses' differences `key`."""
        values = [sign * result[key] for result in runs["dropout"]]
        sampling = float(np.mean([result[sampling_key] for result in runs["dropout"]]))
        return lower_bound(values, sampling if other_images else 0.0)

    convnet = _rounded_down(accuracy([result["accuracy"] for result in runs["convnet"]]))
    # Both models are held to it, so the lower of the two decides.
    lower = [min(r["plain_accuracy"], r["dropout_accuracy"]) for r in runs["dropout"]]
    return {
        "thresholds": {
            "convnet_accuracy": convnet,
            "dropout_accuracy": _rounded_down(accuracy(lower)),
            "dropout_gap": -_rounded_down(loss("dropout_loss_gap", "gap_sampling_sd", -1)),
            "dropout_loss_tolerance": -_rounded_down(
                min(0.0, loss("loss_saved", "saved_sampling_sd", 1))
            ),
        },
        "told_apart": {
            weak: max(result["accuracy"] for result in runs[weak]) < convnet for weak in WEAK
        },
    }


def _rounded_down(value: float) -> float:
    return math.floor(value * 200) / 200
