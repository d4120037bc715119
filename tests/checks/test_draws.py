"""What hidden tests hand in is another in every course, and the same in each grading of one."""

from __future__ import annotations

import pytest

from dlcourse import checks as check


@pytest.fixture(autouse=True)
def a_course(monkeypatch):
    monkeypatch.setenv("DLCOURSE_PRIVATE_SEED", "1000007")


def drawn(place: int) -> list[int]:
    return check.random(place).integers(0, 10**6, 4).tolist()


def test_it_is_the_same_in_each_grading_of_a_course():
    assert drawn(1) == drawn(1)


def test_another_test_has_others():
    assert drawn(1) != drawn(2)


def test_another_course_has_others(monkeypatch):
    one = drawn(1)
    monkeypatch.setenv("DLCOURSE_PRIVATE_SEED", "1000008")
    assert drawn(1) != one


def test_without_a_grader_there_are_some_too(monkeypatch):
    monkeypatch.delenv("DLCOURSE_PRIVATE_SEED")
    assert drawn(1) == drawn(1)
