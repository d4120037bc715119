"""Vetting the tests of a course that knows nothing of deep learning."""

from __future__ import annotations

import json

import pytest
import toy_course as toy
from typer.testing import CliRunner

import nbjudge.vet.vetting
from dlcourse.cli import app
from nbjudge.course import Course, load_course
from nbjudge.errors import CourseError
from nbjudge.release import ReleaseError, release
from nbjudge.vet.cases import Kind
from nbjudge.vet.vetting import vet

BY_HAND = """
[[misconceptions]]
about = "Adds two."
task = "double"
answer = "def double(x):\\n    return x + 2"
caught_by = "test-double"
says = "should be 42"

[[misconceptions]]
about = "Adds two, and is told something else."
task = "double"
answer = "def double(x):\\n    return x + 2"
caught_by = "test-double"
says = "is not doubled"

[[right_answers]]
about = "With os, which another cell imports."
task = "double"
answer = "def double(x):\\n    return x + x * len(os.sep)"

[[equivalents]]
task = "sums"
said = "nothing like this is planted"
reason = "It is not."
"""


@pytest.fixture(scope="module")
def vetted(pristine_course, tmp_path_factory):
    import shutil

    root = shutil.copytree(pristine_course, tmp_path_factory.mktemp("vetted") / "course")
    (root / "source" / "ps1" / "vet.toml").write_text(BY_HAND)
    course = load_course(root)
    return course, vet(course, "ps1", jobs=2)


def test_the_toys_tests_catch_nearly_every_planted_mistake(vetted):
    _, report = vetted
    planted = report.planted
    assert planted.planted >= 8
    assert planted.share > 0.8


def test_right_answers_get_full_marks_whatever_they_look_like(vetted):
    _, report = vetted
    assert report.count(Kind.RIGHT).tried >= 4
    assert not report.wrongly_rejected


def test_blank_and_partial_work_gets_what_is_due(vetted):
    _, report = vetted
    assert report.count(Kind.BLANK, Kind.ALONE).tried == 3
    assert not report.unjust


def test_a_misconception_is_told_in_its_words(vetted):
    _, report = vetted
    found = {one.tried.case.change.said: one.tried for one in report.of(Kind.MISCONCEPTION)}
    assert found["Adds two."].is_right
    assert not found["Adds two, and is told something else."].is_right


def test_an_equivalent_that_is_none_any_more_is_told(vetted):
    _, report = vetted
    assert [one.said for one in report.stale] == ["nothing like this is planted"]
    assert not report.is_clean


def test_what_was_tried_is_remembered(vetted, monkeypatch):
    course, first = vetted
    monkeypatch.setattr(nbjudge.vet.vetting, "_try", lambda *_: pytest.fail("tried again"))
    again = vet(course, "ps1")
    assert [f.tried.is_right for f in again.findings] == [f.tried.is_right for f in first.findings]


def test_a_weak_test_is_shown_up(released_course: Course):
    """A hidden test that asks for one value only lets mistakes pass, and the page says which."""
    path = released_course.source / "ps1" / "toys.ipynb"
    text = path.read_text().replace("(sums(2) == 3) + (sums(LIMIT) == 55)", "2.0")
    path.write_text(text)
    release(released_course, "ps1")
    page = released_course.root / "report.html"
    arguments = ["vet", "ps1", "--course", str(released_course.root), "--page", str(page)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 1, shown.output
    assert "slipped past test-sums" in shown.output
    assert "test-sums" in page.read_text()


def test_what_is_in_vet_toml_is_not_released(released_course: Course):
    (released_course.source / "ps1" / "vet.toml").write_text(BY_HAND)
    release(released_course, "ps1")
    assert not list((released_course.root / "release").rglob("vet.toml"))
    config = released_course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.CourseDirectory.ignore = []\n")
    with pytest.raises(ReleaseError, match=r"vet\.toml, which has answers"):
        release(load_course(released_course.root), "ps1")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[[misconceptions", "cannot be read"),
        ("[[mistakes]]\nabout = 'x'", r"no \[\[mistakes\]\]"),
        ("[[right_answers]]\nabout = 'x'", "entry 1: has to have the keys"),
        ("[[right_answers]]\nabout = ' '\ntask = 'double'\nanswer = 'x'", "has to be a text"),
        ("[[right_answers]]\nabout = 'x'\ntask = 'triple'\nanswer = 'x'", "no task 'triple'"),
        (BY_HAND.replace("test-double", "test-triple"), "no test 'test-triple'"),
    ],
)
def test_a_mistake_in_vet_toml_is_told(released_course: Course, text, wrong):
    (released_course.source / "ps1" / "vet.toml").write_text(text)
    with pytest.raises(CourseError, match=wrong):
        vet(released_course, "ps1")


def test_an_assignment_that_was_not_released(tmp_path):
    course = load_course(toy.make_course(tmp_path / "course"))
    with pytest.raises(CourseError, match="has to be released"):
        vet(course, "ps1")


def test_a_reference_that_fails_its_own_tests_is_told(released_course: Course):
    path = released_course.source / "ps1" / "toys.ipynb"
    content = json.loads(path.read_text())
    toy.by_id(content, "double")["source"] = toy.by_id(content, "double")["source"].replace(
        "2 * x", "3 * x"
    )
    path.write_text(json.dumps(content))
    release(released_course, "ps1")
    with pytest.raises(CourseError, match="does not get full marks in toys, test-double"):
        vet(released_course, "ps1")
