"""Measure the evidence for a data source's thresholds: `python -m dlcourse.thresholds.calibrate`.

Trains the reference solutions and the weak ones on many seeds, as the notebooks train them, and
measures each on examples that it has not seen. Runs are kept one by one in a file of JSON lines, so
a stopped calibration goes on where it was; those from before a change of notebooks, data or
packages do not count. Models of images can be kept, too, to be measured on other images (remove
them when a notebook has changed). On two cores: about 40 minutes for each source of images, 10 for
penguins, places and signals.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from nbjudge.files import write_atomically

from dlcourse.thresholds.bounds import thresholds_from
from dlcourse.thresholds.claims import CLAIMS
from dlcourse.thresholds.freshness import Basis, basis_now
from dlcourse.thresholds.measures import images, neurons, penguins, places, signals, weather
from dlcourse.thresholds.measures.study import Study

STUDIES = {
    "neurons": neurons.study,
    "penguins": penguins.study,
    "weather": weather.study,
    "images": images.study,
    "places": places.study,
    "signals": signals.study,
}


def run(study: Study, evidence: Path, which: Sequence[str], basis: Basis) -> None:
    """Measure whatever of `which` the file `evidence` does not have yet, from `basis`."""
    for name in which:
        done = {r["seed"] for r in _runs(evidence, basis) if r["run"] == name}
        for seed in sorted(set(range(1, study.seeds[name] + 1)) - done):
            study.begin(name, seed)
            keras.utils.set_random_seed(seed)
            result = study.measures[name]()
            keras.backend.clear_session()
            line = {"run": name, "seed": seed} | {k: round(float(v), 4) for k, v in result.items()}
            line["basis"] = basis.digest()
            with evidence.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(line, flush=True)


def summarise(study: Study, evidence: Path, basis: Basis) -> dict[str, Any]:
    """Thresholds with their evidence from `basis`, as the file that `dlcourse.thresholds` reads."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for result in _runs(evidence, basis):
        runs.setdefault(result.pop("run"), []).append(result)
    return {
        "source": study.source,
        "data": {
            "training": study.n_train,
            "measured_on": study.n_unseen,
            "judge_has_others": study.judge_has_others,
            "sha256": basis.data,
        },
        "cells": basis.cells,
        "measured": str(date.today()),
        "versions": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        **thresholds_from(
            CLAIMS[study.source], runs, study.n_unseen if study.judge_has_others else None
        ),
        "evidence": runs,
    }


def _runs(evidence: Path, basis: Basis) -> Iterator[dict[str, Any]]:
    if evidence.exists():
        for result in map(json.loads, evidence.read_text().splitlines()):
            if result.pop("basis", "") == basis.digest():
                yield result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", nargs="?", default="images", choices=STUDIES, help="which data")
    parser.add_argument("--data", type=Path, help="the data set's file (default: as notebooks do)")
    parser.add_argument("--course", type=Path, default=Path(), help="the course's folder")
    parser.add_argument("--evidence", type=Path, required=True, help="the file of runs")
    parser.add_argument("--write", type=Path, help="write the thresholds here")
    parser.add_argument(
        "--models", type=Path, help="keep trained image models here, and use those that are there"
    )
    parser.add_argument("--only", nargs="*", help="these kinds of runs (default: all)")
    options = parser.parse_args()
    study = (
        images.study(options.data, options.models)
        if options.kind == "images"
        else STUDIES[options.kind](options.data)
    )
    basis = basis_now(options.course, study.source, study.sha256)
    run(study, options.evidence, options.only or list(study.measures), basis)
    if options.write:
        summary = summarise(study, options.evidence, basis)
        write_atomically(options.write, json.dumps(summary, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main()
