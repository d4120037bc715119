"""The thresholds that measured accuracies, gaps and losses are held to.

One JSON file for each data source, `cifar10.json` and `stand-in.json`, with the evidence beside
each figure: every run's seed and result, the versions, how many images. `calibrate` writes them.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from dlcourse.data import find_source

# A subset of CIFAR-10 is CIFAR-10.
_FILES = {"cifar10": "cifar10.json", "cifar10-subset": "cifar10.json", "stand-in": "stand-in.json"}


def load(source: str) -> dict[str, Any]:
    """Thresholds and evidence for the data source named `source`. Raises KeyError for others."""
    text = resources.files(__package__).joinpath(_FILES[source]).read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def threshold(name: str, source: str | None = None) -> float:
    """The threshold `name`, such as "convnet_accuracy", for `source`: by default the data in use.

    Raises KeyError where there is none of that name.
    """
    return float(load(source or find_source().name)["thresholds"][name])
