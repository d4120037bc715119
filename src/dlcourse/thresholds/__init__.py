"""The thresholds that measured accuracies, gaps and losses are held to.

One JSON file for each data source, such as `cifar10.json` and `penguins.json`, with the evidence
beside each figure: every run's seed and result, the versions, how many examples. `calibrate` writes
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from dlcourse.data import PENGUINS, PLACES, SIGNALS, find_source, find_weather
from dlcourse.thresholds.claims import CLAIMS

# A subset of CIFAR-10 is CIFAR-10.
FILES = {
    "cifar10": "cifar10.json",
    "cifar10-subset": "cifar10.json",
    "stand-in": "stand-in.json",
    "neurons": "neurons.json",
    PENGUINS.name: "penguins.json",
    "weather": "weather.json",
    "weather-stand-in": "weather-stand-in.json",
    PLACES.name: "places.json",
    SIGNALS.name: "signals.json",
}


def load(source: str) -> dict[str, Any]:
    """Thresholds and evidence for the data source named `source`. Raises KeyError for others."""
    text = resources.files(__package__).joinpath(FILES[source]).read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def sources_in_use() -> Iterator[str]:
    """The names of the sources that the notebooks load here: one for each kind of data."""
    yield "neurons"  # four rows, written in the notebook
    yield PENGUINS.name
    yield find_weather().name
    yield PLACES.name
    yield SIGNALS.name
    yield find_source().name


def threshold(name: str, source: str | None = None) -> float:
    """The threshold `name`, such as "convnet_accuracy", for `source`: by default the data in use.

    Raises KeyError where there is none of that name.
    """
    for one in [source] if source else sources_in_use():
        if name in {claim.name for claim in CLAIMS[one]}:
            return float(load(one)["thresholds"][name])
    raise KeyError(f"There is no threshold {name!r} for {source or 'the data in use'}.")
