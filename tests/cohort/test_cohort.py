"""The sample class, graded: every recipe comes to the outcome that it states.

The class is graded once for all tests here, through the same door as `dlcourse grade`. What has a
reference solution that trains networks is marked slow; the quick tests grade `image-data`.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from nbcertify.places import Places
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.record.records import read_record

from dlcourse.sample_class import grade_by_hand, hand_in, read_recipes, rounds

ROOT = Path(__file__).parents[2]
RECIPES = read_recipes(Path(__file__).parent / "students")
ATTEMPTS = {(a.student, a.assignment): a for recipe in RECIPES for a in recipe.attempts}


def is_slow(attempt) -> bool:
    """The reference solution comes before anybody else, so it is not only what it trains."""
    return attempt.assignment != "image-data"


def chosen(slow: bool) -> list:
    return [
        pytest.param(*key, id="-".join(key), marks=[pytest.mark.slow] if slow else [])
        for key, attempt in ATTEMPTS.items()
        if is_slow(attempt) == slow
    ]


def graded(course, slow: bool) -> dict:
    """Hand in and grade one half of the class; outcomes by student and assignment."""
    attempts = [attempt for attempt in ATTEMPTS.values() if is_slow(attempt) == slow]
    outcomes = {}
    for handed_in in rounds(attempts):
        for outcome in grade(course, hand_in(course, handed_in)):
            outcomes.setdefault((outcome.student, outcome.assignment), []).append(outcome)
    return outcomes


@pytest.fixture(scope="session")
def quick_half(course):
    return graded(course, slow=False)


@pytest.fixture(scope="session")
def slow_half(course):
    return graded(course, slow=True)


def require_outcome(course, outcomes, student, assignment):
    """The record of a submission, cell by cell, is what the recipe says."""
    attempt, last = ATTEMPTS[student, assignment], outcomes[student, assignment][-1]
    record = read_record(course.gradebook_folder, assignment, student)
    assert last.status == record.status == attempt.outcome.status, last.reason
    if attempt.outcome.status != "graded":
        assert last.reason
        assert last.score == 0
        assert not (course.autograded / student / assignment).exists()
        return
    cells = {cell.grade_id: cell for cell in record.cells if cell.grade_id.startswith("test_")}
    unknown = {*attempt.outcome.points, *attempt.outcome.says} - {*cells}
    assert not unknown, "the recipe names cells that there are not"
    got = {name: cell.score for name, cell in cells.items()}
    expected = {
        name: attempt.outcome.points_of(name, cell.max_score) for name, cell in cells.items()
    }
    assert got == expected, {n: cells[n].message for n in got if got[n] != expected[n]}
    for name, words in attempt.outcome.says.items():
        assert words in cells[name].message


@pytest.mark.parametrize(("student", "assignment"), chosen(slow=False))
def test_a_quick_recipe_comes_to_its_outcome(course, quick_half, student, assignment):
    require_outcome(course, quick_half, student, assignment)


@pytest.mark.parametrize(("student", "assignment"), chosen(slow=True))
def test_a_slow_recipe_comes_to_its_outcome(course, slow_half, student, assignment):
    require_outcome(course, slow_half, student, assignment)


@pytest.mark.slow
@pytest.mark.skipif(
    "DLCOURSE_REAL_DATA" not in os.environ,
    reason="needs real CIFAR-10: set DLCOURSE_REAL_DATA to a file that `dlcourse data` can read",
)
def test_the_reference_earns_full_marks_on_real_data_too(course, monkeypatch):
    """On real images; and on measured weather where DLCOURSE_REAL_WEATHER names its table."""
    attempts = [
        replace(attempt, student="real")
        for attempt in ATTEMPTS.values()
        if attempt.student == "ada"
    ]
    monkeypatch.setenv("DLCOURSE_DATA", os.environ["DLCOURSE_REAL_DATA"])
    weather = os.environ.get("DLCOURSE_REAL_WEATHER", "stand-in")
    monkeypatch.setenv("DLCOURSE_WEATHER", weather)
    outcomes = list(grade(course, hand_in(course, attempts)))
    # All points but those of the answers that a person reads.
    assert {o.assignment: o.score for o in outcomes} == {
        "neurons": 27,
        "penguins": 37,
        "weather": 41,
        "image-data": 17,
        "convnet": 37,
        "dropout": 34,
        "text": 36,
        "augment": 32,
    }
    record = read_record(course.gradebook_folder, "convnet", "real")
    assert record.inputs.context["data"].startswith("cifar10")
    assert (record.inputs.context["weather"] == "weather") is (weather != "stand-in")


def test_a_second_attempt_replaces_the_first(quick_half):
    first, second = quick_half["quinn", "image-data"]
    assert first.score < second.score == 17


def test_lateness_is_noted_and_costs_nothing(quick_half):
    [outcome] = quick_half["pia", "image-data"]
    assert outcome.late_seconds == 3.5 * 3600
    assert outcome.score == 17


def test_the_data_used_is_recorded_with_the_grade(course, quick_half):
    context = read_record(course.gradebook_folder, "image-data", "ada").inputs.context
    assert context["data"] == "stand-in"
    assert len(context["data_sha256"]) == 64
    assert {"keras", "tensorflow", "numpy", "dlcourse"} <= set(context)


def test_grading_again_runs_nothing_that_has_not_changed(course, quick_half):
    submissions = find_submissions(course, ["image-data"], ["ada", "hana", "max"])
    again = list(grade(course, submissions))
    assert all(outcome.reused for outcome in again)
    before = {o.student: o.score for (_, a), [*_, o] in quick_half.items() if a == "image-data"}
    assert all(before[o.student] == o.score for o in again)


def test_feedback_shows_messages_and_no_hidden_test(course, quick_half):
    run("nbgrader", "generate_feedback", "image-data", "--student=hana", cwd=course.root)
    page = (course.feedback / "hana" / "image-data" / "image-data.html").read_text()
    assert "must not depend on the images at hand" in page
    for secret in ("random.default_rng(3)", "HIDDEN TESTS", "28·20·1", "names[:25]"):
        assert secret not in page


def test_nbgraders_own_export_has_the_class(course, quick_half):
    run("nbgrader", "export", "--to", str(course.root / "grades.csv"), cwd=course.root)
    lines = (course.root / "grades.csv").read_text().splitlines()
    assert any("image-data" in line and ",ada," in line and ",17.0," in line for line in lines)


@pytest.mark.parametrize(
    "assignment", ["image-data", pytest.param("convnet", marks=pytest.mark.slow)]
)
def test_nbgraders_validate_passes_what_is_right(course, tmp_path, assignment):
    """It fails a test cell for any line on stderr, and TensorFlow writes such lines."""
    hand_in(course, [ATTEMPTS["ada", assignment]])
    notebook = course.submitted / "ada" / assignment / f"{assignment}.ipynb"
    shutil.copy(notebook, tmp_path)
    # The default of 30 s is for each cell: training takes longer where the machine is busy.
    patient = "--ExecutePreprocessor.timeout=300"
    done = run("nbgrader", "validate", patient, notebook.name, cwd=tmp_path)
    assert "Success! Your notebook passes all the tests." in done.stdout


@pytest.mark.slow
def test_eligibility_tells_zero_from_not_graded(course, quick_half, slow_half):
    grade_by_hand(course, ATTEMPTS.values())
    done = run("dlcourse", "eligible", "--course", str(course.root), cwd=ROOT, check=False)
    assert done.returncode == 1  # some are undecided
    with Places(course.gradebook_folder).decisions.with_suffix(".csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file) if row["tier"] == "exercises"}
    assert "dropout: 0 to 40 of 40 points" in rows["nia"]["why"]
    assert "not graded: The kernel died" in rows["nia"]["why"]
    assert "convnet: 0 of 40 points" in rows["max"]["why"]
    assert rows["max"]["verdict"] == "not eligible"
    assert "not submitted" in rows["lea"]["why"]


def test_grade_can_be_read_by_programs(course, quick_half):
    done = run(
        "dlcourse", "grade", "image-data", "--json", "--student=max", "--student=lea",
        "--course", str(course.root), cwd=ROOT,
    )  # fmt: skip
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(o["student"], o["score"], o["status"]) for o in outcomes] == [
        ("lea", 9.0, "graded"),
        ("max", 0.0, "graded"),
    ]


def run(command, *arguments, cwd, check=True):
    """A command of this environment; its output is shown where it fails."""
    script = Path(sys.executable).parent / command
    done = subprocess.run(
        [script, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done
