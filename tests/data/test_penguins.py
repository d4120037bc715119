"""The penguins: what everybody gets, and the birds that only the judge has."""

from __future__ import annotations

import numpy as np
import pytest

from dlcourse.data import DamagedData, load_penguins, penguins, private_penguins
from dlcourse.data.penguins import MEASUREMENTS
from dlcourse.data.shipped import ShippedData


def test_the_table_is_the_published_one():
    table = load_penguins()
    assert table.shape == (344, 8)
    complete = table.dropna(subset=list(MEASUREMENTS))
    assert complete["species"].value_counts().to_dict() == {
        "Adelie": 151,
        "Gentoo": 123,
        "Chinstrap": 68,
    }
    assert table["sex"].isna().sum() == 11


def test_each_call_gives_a_table_of_its_own():
    load_penguins().loc[0, "species"] = "Emperor"
    assert load_penguins().loc[0, "species"] == "Adelie"


def test_the_source_is_told_once(capsys):
    penguins._say_once.cache_clear()
    load_penguins(), load_penguins()
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert "344 birds" in shown
    assert "CC0" in shown


def test_a_changed_file_is_noticed():
    changed = ShippedData("penguins", "penguins.csv", "0" * 64, "")
    with pytest.raises(DamagedData, match="Install dlcourse again"):
        changed.read()


def test_drawn_birds_look_like_the_measured_ones_and_are_not_among_them():
    known, drawn = load_penguins().dropna(), private_penguins(seed=7)
    assert list(drawn.columns) == ["species", *MEASUREMENTS]
    assert not drawn.isna().any(axis=None)
    columns = list(MEASUREMENTS)
    rows = set(map(tuple, known[columns].to_numpy()))
    assert np.mean([tuple(row) in rows for row in drawn[columns].to_numpy()]) < 0.01
    for name, birds in known.groupby("species"):
        new = drawn[drawn["species"] == name]
        assert len(new) / len(drawn) == pytest.approx(len(birds) / len(known), abs=0.05)
        off = (new[columns].mean() - birds[columns].mean()) / birds[columns].std()
        assert np.abs(off).max() < 0.2
        assert (new[columns].std() / birds[columns].std()).between(0.85, 1.15).all()


def test_another_seed_draws_others_and_the_course_s_is_the_default(monkeypatch):
    assert private_penguins(seed=7).equals(private_penguins(seed=7))
    assert not private_penguins(seed=7).equals(private_penguins(seed=8))
    monkeypatch.setenv("DLCOURSE_PRIVATE_SEED", "8")
    assert private_penguins().equals(private_penguins(seed=8))
