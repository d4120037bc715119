"""This course's own tests, tried: some cases of `image-data`, and more where there is time.

`dlcourse vet` tries all of them; what came of that is in docs/reports/vet.html.
"""

from __future__ import annotations

import nbjudge.vet.vetting
import pytest
from nbjudge.vet.cases import Kind, make_cases
from nbjudge.vet.vetting import vet


def told(findings) -> list[str]:
    return [f"{one.tried.case.task}: {one.tried.case.change.said}" for one in findings]


def vet_some(monkeypatch, course, name, is_chosen):
    """The report on those cases of an assignment that ``is_chosen(number, case)``."""

    def some(subject, by_hand):
        cases = enumerate(make_cases(subject, by_hand))
        return (case for number, case in cases if is_chosen(number, case))

    monkeypatch.setattr(nbjudge.vet.vetting, "make_cases", some)
    return vet(course, name, jobs=2)


def assert_nothing_to_look_at(report):
    assert report.findings
    assert not told(report.missed)
    assert not told(report.overlooked)
    assert not told(report.unspoken)
    assert not told(report.wrongly_rejected)
    assert not told(report.unjust)


def test_some_cases_of_image_data(course, monkeypatch):
    report = vet_some(monkeypatch, course, "image-data", lambda number, case: number % 12 == 0)
    assert_nothing_to_look_at(report)
    assert {one.tried.case.kind for one in report.findings} >= {
        Kind.MISTAKE,
        Kind.RIGHT,
        Kind.MISCONCEPTION,
    }


@pytest.mark.slow
def test_some_misconceptions_of_convnet_are_told_in_their_words(course, monkeypatch):
    report = vet_some(
        monkeypatch,
        course,
        "convnet",
        lambda number, case: case.kind is Kind.MISCONCEPTION and number % 3 == 0,
    )
    assert_nothing_to_look_at(report)
