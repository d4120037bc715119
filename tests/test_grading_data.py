"""What kernels and the judge get of the data when a class is graded."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from dlcourse.data import (
    DataError,
    find_source,
    load_cifar10,
    load_weather,
    private_split,
    private_weather,
    standin,
)
from dlcourse.data.weather_standin import draw_weather
from dlcourse.grading import grading_data


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The data of a course in an empty folder, with the stand-in."""
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    monkeypatch.setenv("DLCOURSE_WEATHER", "stand-in")
    return grading_data(tmp_path)


def test_kernels_get_the_students_part_and_cannot_make_the_rest(data, monkeypatch):
    file = data.environment["DLCOURSE_DATA"]
    expected = load_cifar10()
    monkeypatch.setenv("DLCOURSE_DATA", str(file))
    for part, wanted in zip(load_cifar10(), expected, strict=True):
        assert all(map(np.array_equal, part, wanted))
    with pytest.raises(DataError, match="only the part"):
        private_split()


def test_the_judges_pictures_are_the_courses_own_secret(data, tmp_path, monkeypatch):
    for key, value in data.judge_environment.items():
        monkeypatch.setenv(key, str(value))
    images, _ = private_split()
    known, _ = private_split(seed=standin.PRIVATE_SEED)
    assert images.shape == known.shape
    assert not np.array_equal(images, known)
    seed = tmp_path / "gradebook" / "private_seed"
    assert stat.S_IMODE(seed.stat().st_mode) == 0o600
    other = grading_data(tmp_path / "other").judge_environment
    assert other != data.judge_environment
    assert grading_data(tmp_path).judge_environment == data.judge_environment


def test_the_record_will_say_which_data_it_was(data):
    assert data.context["data"] == "stand-in"
    assert len(data.context["penguins_sha256"]) == 64
    assert data.context["data_sha256"] == find_source().sha256


def test_the_file_is_made_once(data, tmp_path):
    file = data.environment["DLCOURSE_DATA"]
    before = Path(file).stat().st_mtime_ns
    assert grading_data(tmp_path).environment == data.environment
    assert Path(file).stat().st_mtime_ns == before


def test_simulated_days_need_no_file_and_the_judges_are_the_courses_own_secret(data, monkeypatch):
    assert data.environment["DLCOURSE_WEATHER"] == "stand-in"
    assert data.context["weather"] == "weather-stand-in"
    known = private_weather("stand-in")
    for key, value in data.judge_environment.items():
        monkeypatch.setenv(key, str(value))
    assert not private_weather().equals(known)


def test_of_measured_days_kernels_get_the_students_part(tmp_path, monkeypatch):
    whole = tmp_path / "whole.csv"
    draw_weather(7, 1500).to_csv(whole, index=False)
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    monkeypatch.setenv("DLCOURSE_WEATHER", str(whole))
    data = grading_data(tmp_path)
    part = data.environment["DLCOURSE_WEATHER"]
    assert len(load_weather(part)) == 1097
    with pytest.raises(DataError, match="only the part"):
        private_weather(part)
    assert len(private_weather(data.judge_environment["DLCOURSE_WEATHER"])) == 1500 - 1097
    assert data.context["weather"] == "weather"
