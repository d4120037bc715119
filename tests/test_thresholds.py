"""Each threshold follows from the evidence that stands beside it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.thresholds import load, threshold
from dlcourse.thresholds.bounds import lower_bound, thresholds_from

ROOT = Path(__file__).parents[1]


def luck_of(assignment: str) -> float:
    """The largest miss that a test of the assignment calls narrow."""
    text = (ROOT / "source" / assignment / f"{assignment}.ipynb").read_text()
    return max(map(float, re.findall(r"luck=([0-9.]+)", text)))


SOURCES = ("cifar10", "stand-in")


@pytest.mark.parametrize("source", SOURCES)
class TestFile:
    def test_the_thresholds_are_those_that_the_evidence_gives(self, source):
        file = load(source)
        images = file["images"]
        others = images["measured_on"] if images["judge_has_others"] else None
        again = thresholds_from(file["evidence"], others)
        assert file["thresholds"] == pytest.approx(again["thresholds"])
        assert file["told_apart"] == again["told_apart"]

    def test_there_are_ten_seeds_or_more_of_each_reference(self, source):
        for run in ("convnet", "dropout"):
            seeds = [result["seed"] for result in load(source)["evidence"][run]]
            assert len(seeds) == len(set(seeds)) >= 10

    def test_no_weak_network_comes_near_enough_to_be_tried_again(self, source):
        """A narrow miss gives other seeds a chance, so it must not be one of theirs."""
        limits, evidence = load(source)["thresholds"], load(source)["evidence"]
        for weak in ("untrained", "dense-only", "unnormalised"):
            best = max(run["accuracy"] for run in evidence[weak])
            assert best < limits["convnet_accuracy"] - luck_of("convnet")
        plain = min(run["plain_loss_gap"] for run in evidence["dropout"])
        assert plain > limits["dropout_gap"] + luck_of("dropout")

    def test_no_measured_reference_fails(self, source):
        limits, evidence = load(source)["thresholds"], load(source)["evidence"]
        assert min(r["accuracy"] for r in evidence["convnet"]) > limits["convnet_accuracy"]
        for run in evidence["dropout"]:
            assert min(run["plain_accuracy"], run["dropout_accuracy"]) > limits["dropout_accuracy"]
            assert run["dropout_loss_gap"] < limits["dropout_gap"]
            assert run["dropout_loss_gap"] < run["plain_loss_gap"]
            assert -run["loss_saved"] < limits["dropout_loss_tolerance"]

    def test_a_model_without_dropout_does_not_pass_for_one_with(self, source):
        gaps = [run["plain_loss_gap"] for run in load(source)["evidence"]["dropout"]]
        assert min(gaps) > load(source)["thresholds"]["dropout_gap"]

    def test_guessing_is_told_apart(self, source):
        assert load(source)["told_apart"]["untrained"]

    def test_versions_and_images_are_noted(self, source):
        assert {"tensorflow", "keras", "numpy", "python"} <= set(load(source)["versions"])
        assert load(source)["images"]["training"] == 5000


@pytest.mark.parametrize("source", SOURCES)
def test_every_threshold_that_a_notebook_asks_for_is_there(source):
    asked = {
        name
        for notebook in (Path(__file__).parents[1] / "source").glob("*/*.ipynb")
        for name in re.findall(r'threshold\(\\"(\w+)\\"\)', notebook.read_text())
    }
    assert len(asked) == 4
    assert asked <= set(load(source)["thresholds"])


def test_a_subset_of_cifar10_is_held_to_cifar10s_thresholds():
    name = "convnet_accuracy"
    assert threshold(name, "cifar10-subset") == threshold(name, "cifar10")


def test_the_data_in_use_decides(monkeypatch):
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    assert threshold("convnet_accuracy") == threshold("convnet_accuracy", "stand-in")


def test_an_unknown_threshold_is_an_error():
    with pytest.raises(KeyError):
        threshold("convent_accuracy", "stand-in")


def test_the_bound_fails_about_one_in_a_thousand():
    random = np.random.default_rng(0)
    samples = random.normal(0.5, 0.02, (20_000, 12))
    failed = [next_one < lower_bound(list(known)) for *known, next_one in samples]
    assert 0.0003 < np.mean(failed) < 0.002


@given(st.lists(st.floats(0, 1), min_size=3, max_size=20), st.floats(0.001, 1))
def test_sampling_only_ever_lowers_the_bound(values, sd):
    assert lower_bound(values, sd) <= lower_bound(values) <= np.mean(values) + 1e-12
