"""The names of towns, and the invented ones that only the judge has."""

from __future__ import annotations

from collections import Counter

from dlcourse.data import COUNTRIES, PLACES, load_places, private_places


def test_each_country_has_as_many_names_and_no_name_stands_twice():
    table = load_places()
    assert dict(Counter(table["country"])) == dict.fromkeys(COUNTRIES, 800)
    assert table["name"].is_unique
    assert table["name"].str.fullmatch(r"[a-z '-]{3,20}").all()


def test_who_changes_the_table_changes_only_a_copy():
    load_places().loc[0, "name"] = "atlantis"
    assert "atlantis" not in set(load_places()["name"])


def test_invented_names_are_in_no_table_and_look_alike():
    known, invented = load_places(), private_places(7, 400)
    assert not set(invented["name"]) & set(known["name"])
    assert invented["name"].is_unique
    assert set("".join(invented["name"])) <= set("".join(known["name"]))
    assert set(Counter(invented["country"]).values()) == {50}


def test_another_course_has_other_names(monkeypatch):
    monkeypatch.setenv("DLCOURSE_PRIVATE_SEED", "11")
    mine = private_places(count=80)
    assert mine.equals(private_places(11, 80))
    assert set(mine["name"]) != set(private_places(12, 80)["name"])


def test_the_licence_is_said():
    assert "CC BY" in str(PLACES)
