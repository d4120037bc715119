"""The weather: which data it is, who gets which days, and that the stand-in is like it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlcourse.data import (
    DataError,
    DownloadFailed,
    find_weather,
    load_weather,
    private_weather,
    sources,
    students_weather,
    weather,
    weather_split,
    weather_standin,
)

SUN = "BASEL_sunshine"
FIRST_ROWS = ([458, 181, 427], [583, 794, 721], [634, 1050, 403])
DIGEST = "a772a694715725f6505a5c659e984cff4cfb0e5065c3e3bc6dcc9ab819dbbb47"


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    """A table as long as the students' three years, and a year more."""
    return weather_standin.draw_weather(7, weather.STUDENTS_DAYS + 365)


@pytest.fixture
def file(tmp_path, days) -> Path:
    path = tmp_path / "weather.csv"
    days.to_csv(path, index=False)
    return path


class TestSources:
    def test_nothing_named_and_nothing_kept_is_the_stand_in_without_any_network(self):
        source = find_weather()
        assert source.name == "weather-stand-in"
        assert "STAND-IN" in str(source)
        assert "DLCOURSE_WEATHER=official" in str(source)

    def test_a_file_is_used_in_part_and_the_rest_is_the_judges(self, file, days):
        known, later = load_weather(file), private_weather(file)
        pd.testing.assert_frame_equal(known, days.iloc[:1097])
        assert later["DATE"].tolist() == days["DATE"].iloc[1097:].tolist()
        assert find_weather(file).name == "weather"

    def test_the_students_file_gives_the_same_days_and_none_of_the_judges(self, file, tmp_path):
        part = tmp_path / "part.csv"
        students_weather(part, file)
        pd.testing.assert_frame_equal(load_weather(part), load_weather(file))
        assert find_weather(part).sha256 == find_weather(file).sha256
        with pytest.raises(DataError, match="only the part"):
            private_weather(part)

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            (lambda table: table.drop(columns=SUN), SUN),
            (lambda table: table.iloc[:900], "900 days"),
            (lambda table: table.assign(TOURS_humidity="wet"), "not numbers"),
        ],
    )
    def test_another_table_is_an_error_that_names_the_file(self, tmp_path, days, change, word):
        path = tmp_path / "other.csv"
        change(days).to_csv(path, index=False)
        with pytest.raises(DataError, match=word) as caught:
            load_weather(path)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"\x00\x01\xff" * 99, b'"never closed'])
    def test_what_is_no_table_is_an_error(self, tmp_path, content):
        path = tmp_path / "noise.csv"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"noise\.csv"):
            load_weather(path)

    def test_what_is_named_and_missing_is_an_error(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            load_weather(tmp_path / "away.csv")

    def test_the_official_file_is_asked_for_by_its_word_only(self, monkeypatch):
        monkeypatch.setenv("DLCOURSE_WEATHER", "official")
        with pytest.raises(DownloadFailed, match=r"zenodo\.org could not be reached"):
            load_weather()

    def test_what_was_downloaded_is_used_from_then_on(self, monkeypatch, days, tmp_path):
        content = days.to_csv(index=False).encode()
        official = sources.Archive(
            "https://zenodo.org/x", weather.hashlib.sha256(content).hexdigest()
        )
        monkeypatch.setattr(weather, "OFFICIAL", official)

        def fetched(archive: sources.Archive, file: Path) -> Path:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            return file

        monkeypatch.setattr(weather, "fetched", fetched)
        assert find_weather("official").name == "weather"
        assert find_weather().name == "weather"
        (tmp_path / "cache" / "weather_prediction_dataset_light.csv").write_bytes(content[:-9])
        assert find_weather().name == "weather-stand-in"

    def test_it_is_told_once_which_data_it_is(self, capsys):
        load_weather("stand-in")
        load_weather("stand-in")
        assert capsys.readouterr().out.count("STAND-IN for the weather table") == 1

    def test_the_judges_days_follow_the_seed_and_are_not_the_students(self):
        one, other = private_weather("stand-in", seed=1), private_weather("stand-in", seed=2)
        assert not one.equals(other)
        pd.testing.assert_frame_equal(one, private_weather("stand-in", seed=1))
        assert not set(one["DATE"]) & set(load_weather("stand-in")["DATE"])
        with pytest.raises(ValueError, match="students' own days"):
            private_weather("stand-in", seed=weather_standin.STUDENTS_SEED)


def test_the_rows_are_those_of_the_lessons_two_calls():
    train, validation, test = weather_split()
    assert sorted([*train, *validation, *test]) == list(range(1096))
    assert [len(rows) for rows in (train, validation, test)] == [767, 164, 165]
    # From scikit-learn 1.7: train_test_split(…, test_size=.3, random_state=0), then .5.
    assert (train[:3].tolist(), validation[:3].tolist(), test[:3].tolist()) == FIRST_ROWS


def rmse(true, predicted) -> float:
    return float(np.sqrt(np.mean((np.ravel(true) - np.ravel(predicted)) ** 2)))


def errors(path) -> dict[str, float]:
    """Each baseline's error, in hours, on the students' test days."""
    table = load_weather(path)
    rows, hours = (
        table.drop(columns=["DATE", "MONTH"]).to_numpy(float)[:-1],
        table[SUN].to_numpy()[1:],
    )
    today, months = table[SUN].to_numpy()[:-1], table["MONTH"].to_numpy()[:-1]
    train, _, test = weather_split()
    month = np.array([hours[train][months[train] == m].mean() for m in months[test]])
    center, scale = rows[train].mean(axis=0), rows[train].std(axis=0)
    z, mean = (rows - center) / scale, hours[train].mean()
    weights = np.linalg.solve(
        z[train].T @ z[train] + 100 * np.eye(89), z[train].T @ (hours[train] - mean)
    )
    return {
        "mean": rmse(hours[test], mean),
        "persistence": rmse(hours[test], today[test]),
        "month": rmse(hours[test], month),
        "ridge": rmse(hours[test], z[test] @ weights + mean),
    }


class TestStandIn:
    def test_it_is_laid_out_as_the_real_table_is(self):
        table = load_weather("stand-in")
        assert tuple(table.columns) == weather.COLUMNS
        assert table.shape == (1097, 91)
        assert table["DATE"].iloc[[0, -1]].tolist() == [20000101, 20030101]
        assert table.filter(like="cloud_cover").isin(range(9)).all(axis=None)
        assert table.filter(like="humidity").stack().between(0, 1).all()
        sunshine = table.filter(like="sunshine").stack()
        assert sunshine.between(0, 17).all()
        assert 0.1 < (table[SUN] == 0).mean() < 0.3

    def test_the_baselines_stand_in_the_same_order_as_on_real_days(self):
        """On real days: 4.569, 3.877, 3.768 and 3.158 hours."""
        got = errors("stand-in")
        real = {"mean": 4.569, "persistence": 3.877, "month": 3.768, "ridge": 3.158}
        assert sorted(got, key=got.get) == sorted(real, key=real.get)
        assert got == pytest.approx(real, abs=0.2)

    def test_the_same_bytes_come_every_time(self):
        content = io.StringIO()
        load_weather("stand-in").to_csv(content, index=False)
        digest = weather.hashlib.sha256(content.getvalue().encode()).hexdigest()
        assert digest == DIGEST
