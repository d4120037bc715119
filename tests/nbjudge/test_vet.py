"""Vetting the tests of a course that knows nothing of deep learning."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from dataclasses import dataclass

import nbjudge.vet.vetting
import pytest
import toy_course as toy
from click.testing import Result
from nbjudge.cohort.workers import WorkerDied, Workers
from nbjudge.course import Course, load_course
from nbjudge.errors import CourseError
from nbjudge.release.release import ReleaseError, release
from nbjudge.vet.cases import Kind
from nbjudge.vet.trying import Tried
from nbjudge.vet.vetting import vet
from typer.testing import CliRunner

from dlcourse.cli import app

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

[[misconceptions]]
about = "Adds one, as what students see of the test shows."
task = "double"
answer = "def double(x):\\n    return x + 1"
caught_by = "test-double"
says = "3"

[[right_answers]]
about = "With os, which another cell imports."
task = "double"
answer = "def double(x):\\n    return x + x * len(os.sep)"

[[equivalents]]
task = "sums"
said = "nothing like this is planted"
reason = "It is not."
"""

SAME_SUM = """
[[equivalents]]
task = "sums"
said = "range(n + 1) → range(1, n + 1), line 2"
reason = "To add nothing changes no sum."
"""
STRICT = "(sums(2) == 3) + (sums(LIMIT) == 55)"


def change(course: Course, old: str, new: str) -> None:
    """Change the toy's source, and release it again."""
    path = course.source / "ps1" / "toys.ipynb"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    release(course, "ps1")


def run_vet(course: Course, *options: str) -> Result:
    return CliRunner().invoke(app, ["vet", "ps1", "--course", str(course.root), *options])


@pytest.fixture(scope="module")
def vetted(pristine_course, tmp_path_factory):
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


def test_the_report_tells_what_students_see_for_themselves(vetted):
    _, report = vetted
    # double(2) == 4 is all that they have of the test: to add two does that, to add one does not.
    assert {one.tried.case.change.said for one in report.unseen} == {
        "Adds two.",
        "Adds two, and is told something else.",
    }
    assert (report.seen.tried, report.seen.right) == (3, 1)


def test_an_equivalent_that_is_none_any_more_is_told(vetted):
    _, report = vetted
    assert [one.said for one in report.stale] == ["nothing like this is planted"]
    assert not report.is_clean


def test_what_was_tried_is_remembered(vetted, monkeypatch):
    course, first = vetted
    monkeypatch.setattr(nbjudge.vet.vetting, "_try", lambda *_: pytest.fail("tried again"))
    again = vet(course, "ps1")
    assert [f.tried.is_right for f in again.findings] == [f.tried.is_right for f in first.findings]


@dataclass(frozen=True)
class Mended:
    """What `dlcourse vet` printed of a weak test, of the mended one, and of that once more."""

    course: Course
    weak: Result
    mended: Result
    again: Result

    def page(self, name: str) -> str:
        return (self.course.root / name).read_text()


@pytest.fixture(scope="module")
def mended(pristine_course, tmp_path_factory) -> Mended:
    """A hidden test that asks for one value only, and then for all."""
    root = shutil.copytree(pristine_course, tmp_path_factory.mktemp("mended") / "course")
    (root / "source" / "ps1" / "vet.toml").write_text(SAME_SUM)
    course, all_points, some_points = load_course(root), STRICT, "2.0"
    change(course, all_points, some_points)
    weak = run_vet(course, "--page", str(root / "weak.html"))
    change(course, some_points, all_points)
    mended = run_vet(course, "--changed", "--page", str(root / "mended.html"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nbjudge.vet.vetting, "local_workers", lambda *_: pytest.fail("started"))
        again = run_vet(course, "--changed")
    return Mended(course, weak, mended, again)


def test_a_weak_test_is_shown_up(mended: Mended):
    assert mended.weak.exit_code == 1, mended.weak.output
    assert "slipped past test-sums" in mended.weak.output
    assert "test-sums" in mended.page("weak.html")


def test_a_mended_test_is_tried_again_and_what_it_is_no_part_of_is_not(mended: Mended):
    assert mended.mended.exit_code == 0, mended.mended.output
    assert "slipped past" not in mended.mended.output
    rows = (line.split() for line in mended.mended.output.splitlines() if line.strip())
    planted = {row[0]: row[1] for row in rows if row[0] in ("double", "sums")}
    assert planted["double"] == "0" != planted["sums"]
    assert " cases as before, none to look at" in mended.mended.output
    assert "This is a partial report" in mended.page("mended.html")
    assert "This is a partial report" not in mended.page("weak.html")


def test_where_nothing_changed_one_line_says_so_and_no_worker_is_started(mended: Mended):
    assert mended.again.exit_code == 0, mended.again.output
    line = r"ps1  nothing changed: \d+ cases as before, none to look at\n"
    assert re.fullmatch(line, mended.again.stdout)
    assert not (mended.course.gradebook_folder / "vet" / "report.html").exists()


def unfinished_and(*tasks: str) -> set[str]:
    """What all cells and tests are a part of, and all cases of these tasks."""
    return {Kind.BLANK, Kind.ALONE, "all at once", *tasks}


@pytest.fixture
def tried_again(monkeypatch) -> set[str]:
    """The tasks and kinds of the cases that are tried from now on, which is not really done."""
    again: set[str] = set()

    def note(judging, assignment, subjects, cases, jobs):
        for case in cases:
            unfinished = case.kind in (Kind.BLANK, Kind.ALONE)
            again.add(case.kind if unfinished else case.task or case.change.operator)
            yield Tried(case, ()), False

    monkeypatch.setattr(nbjudge.vet.vetting, "_try", note)
    return again


@pytest.mark.parametrize(
    ("old", "new", "asked"),
    [
        ("# Toys", "# Games", set()),
        ("LIMIT = 10", "LIMIT = 20", unfinished_and("sums")),
        ("double(21) == 42,", "double(22) == 44,", unfinished_and("double")),
        ('"points": 3', '"points": 4', unfinished_and("sums")),
        ("twofold_value", "twice", unfinished_and("double") - {Kind.BLANK}),
    ],
)
def test_only_what_a_change_concerns_is_tried_again(
    released_course: Course, tried_again, old, new, asked
):
    vet(released_course, "ps1")
    assert tried_again == unfinished_and("double", "sums")
    tried_again.clear()
    change(released_course, old, new)
    vet(released_course, "ps1")
    assert tried_again == asked
    tried_again.clear()
    vet(released_course, "ps1")
    assert not tried_again


def test_a_cell_that_no_test_names_is_a_part_of_unfinished_work_alone(
    released_course: Course, tried_again
):
    path = released_course.source / "ps1" / "toys.ipynb"
    content = toy.read(path)
    content["cells"].insert(1, toy.code("greet", "print('Hello')"))
    toy.write(path, content)
    release(released_course, "ps1")
    vet(released_course, "ps1")
    tried_again.clear()
    change(released_course, "Hello", "Good morning")
    vet(released_course, "ps1")
    assert tried_again == {Kind.BLANK, Kind.ALONE}


def test_with_other_limits_or_files_all_is_tried_again(released_course: Course, tried_again):
    vet(released_course, "ps1")
    config = released_course.root / "nbgrader_config.py"
    file = released_course.source / "ps1" / "numbers.txt"
    for path, text in ((config, config.read_text() + "c.Grading.cell_seconds = 4"), (file, "1")):
        tried_again.clear()
        path.write_text(text)
        vet(load_course(released_course.root), "ps1")
        assert tried_again == unfinished_and("double", "sums")


@pytest.mark.slow
def test_what_names_do_not_tell_is_tried_again_too(tmp_path):
    """The answer reads a file that another cell writes."""
    content = toy.notebook(
        toy.code("write", "with open('n.txt', 'w') as file:\n    file.write('41')"),
        toy.answer(
            "add", "### BEGIN SOLUTION\nn = int(open('n.txt').read()) + 1\n### END SOLUTION"
        ),
        toy.test_cell("test-add", "assert n == 42, 'n is not 42'"),
    )
    course = load_course(toy.make_course(tmp_path / "course", {"ps1/toys": content}))
    release(course, "ps1")
    assert run_vet(course).exit_code == 0
    change(course, "'41'", "'4' + '1'")
    shown = run_vet(course, "--changed")
    assert shown.exit_code == 0, shown.output
    assert "left out" not in shown.output


def test_what_is_still_to_be_mended_stays_in_the_exit_code(released_course: Course):
    change(released_course, STRICT, "2.0")
    assert run_vet(released_course).exit_code == 1
    shown = run_vet(released_course, "--changed")
    assert shown.exit_code == 1
    assert re.search(r"nothing changed: \d+ cases as before, [1-9]\d* to look at", shown.stdout)


@pytest.mark.slow
def test_a_test_that_takes_a_name_from_an_earlier_one(tmp_path):
    def share(name, text):
        source = f"def {name}(x):\n    ### BEGIN SOLUTION\n    return {text}\n    ### END SOLUTION"
        return toy.answer(name, source)

    content = toy.notebook(
        share("half", "-x / 2"),
        toy.test_cell("test-half", "expected = -21\nassert half(42) == expected, 'not -21'"),
        share("third", "-x / 3"),
        toy.test_cell("test-third", "assert third(63) == expected, 'not -21'"),
    )
    course = load_course(toy.make_course(tmp_path / "course", {"ps1/toys": content}))
    release(course, "ps1")
    report = vet(course, "ps1")
    assert report.is_clean
    right = [one.tried for one in report.of(Kind.RIGHT) if one.tried.case.task == "third"]
    assert {v.test for one in right for v in one.verdicts} == {"test-third"}


def test_a_worker_that_ends_is_told_and_not_taken_for_a_verdict(
    released_course: Course, monkeypatch
):
    class Dying(Executor):
        def submit(self, *_):
            future = Future()
            future.set_exception(WorkerDied())
            return future

    workers = Workers(Dying(), lambda: 1)
    monkeypatch.setattr(nbjudge.vet.vetting, "local_workers", lambda *_: nullcontext(workers))
    with pytest.raises(CourseError, match=r"A worker ended .* vet again"):
        vet(released_course, "ps1", jobs=1)


@pytest.mark.parametrize("damage", ["[1]", '{"key": {"verdicts": [3]}}', "{", '{"key": null}'])
def test_a_damaged_memory_is_as_none(released_course: Course, tried_again, damage):
    path = released_course.gradebook_folder / "vet" / "ps1.json"
    path.parent.mkdir()
    path.write_text(damage)
    vet(released_course, "ps1")
    assert tried_again == unfinished_and("double", "sums")


def test_what_was_tried_is_kept_while_a_vetting_goes_on(released_course: Course, monkeypatch):
    path = released_course.gradebook_folder / "vet" / "ps1.json"
    kept = []

    def look(judging, assignment, subjects, cases, jobs):
        for case in list(cases)[:3]:
            yield Tried(case, ()), False
            kept.append(len(json.loads(path.read_text())) if path.exists() else 0)

    monkeypatch.setattr(nbjudge.vet.vetting, "_try", look)
    vet(released_course, "ps1", clock=itertools.count(0.0, 20.0).__next__)
    assert kept == [0, 2, 2]
    assert len(json.loads(path.read_text())) == 3


def test_what_no_case_has_any_more_is_forgotten(released_course: Course, monkeypatch):
    def try_all(judging, assignment, subjects, cases, jobs):
        return ((Tried(case, ()), False) for case in cases)

    monkeypatch.setattr(nbjudge.vet.vetting, "_try", try_all)
    path = released_course.gradebook_folder / "vet" / "ps1.json"
    before = len(vet(released_course, "ps1").findings)
    change(released_course, "LIMIT = 10", "LIMIT = 20")
    assert len(vet(released_course, "ps1").findings) == before
    assert len(json.loads(path.read_text())) == before


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
    with pytest.raises(CourseError, match="has not been released yet"):
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
