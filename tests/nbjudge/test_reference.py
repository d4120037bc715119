"""The canary: what the reference solution does not pass, no student is graded by."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbjudge.trial.reference
import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course, settings
from nbjudge.record.marks import read_totals
from nbjudge.record.records import read_record
from nbjudge.trial.reference import ReferenceFailed

pytestmark = pytest.mark.usefixtures("grades_here")


def release_with(course: Course, **sources: str) -> None:
    """Release the toy with other texts in the cells of these ids (with _ for -)."""
    notebook = toy.toy_notebook()
    for id, source in sources.items():
        toy.by_id(notebook, id.replace("_", "-"))["source"] = source
    toy.write(course.source / "ps1" / "toys.ipynb", notebook)
    result = course.api().generate_assignment("ps1", force=True)
    assert result["success"], result


def run(course: Course, **options):
    return list(grade(load_course(course.root), find_submissions(course), **options))


def everything(course: Course) -> dict[str, object]:
    """What grading leaves behind, to be compared."""
    with course.gradebook() as gradebook:
        totals = read_totals(gradebook, "ps1", "anna")
    files = {
        path: path.read_bytes()
        for folder in ("autograded", "gradebook/records")
        for path in (course.root / folder).rglob("*")
        if path.is_file()
    }
    return {"totals": totals, "files": files}


WRONG_ANSWER = (
    "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * min(x, 20)\n    ### END SOLUTION"
)


def test_a_solution_that_fails_its_own_test_stops_all_until_it_is_mended(released_course):
    course = released_course
    toy.submit(course.root, "anna")
    (anna,) = run(course)
    assert anna.score == 5
    before = everything(course)

    release_with(course, double=WRONG_ANSWER)
    toy.submit(course.root, "bob")
    with pytest.raises(ReferenceFailed) as refused:
        run(course)
    assert "The reference solution of ps1 does not get full marks" in str(refused.value)
    assert "toys, test-double: 0 of 2 points" in str(refused.value)
    assert "double(21) should be 42" in str(refused.value)
    assert "test-sums" not in str(refused.value)
    assert everything(course) == before
    assert read_record(course.gradebook_folder, "ps1", "bob") is None

    release_with(course)
    assert {outcome.student: (outcome.score, outcome.reused) for outcome in run(course)} == {
        "anna": (5, True),
        "bob": (5, False),
    }


SLOW = """### BEGIN SOLUTION
import time
end = time.process_time() + 1.8
while time.process_time() < end:
    pass
def double(x):
    return 2 * x
### END SOLUTION"""


def test_a_limit_that_is_too_small_for_the_reference_is_refused_likewise(released_course):
    course = released_course
    release_with(course, double=SLOW)
    toy.submit(course.root, "anna")
    config = course.root / "nbgrader_config.py"
    enough = config.read_text()
    config.write_text(f"{enough}\nc.Grading.cell_seconds = 1\n")
    with pytest.raises(ReferenceFailed) as refused:
        run(course)
    assert "longer than 1 s" in str(refused.value), str(refused.value)
    assert "the limits in nbgrader_config.py" in str(refused.value)
    assert read_record(course.gradebook_folder, "ps1", "anna") is None
    config.write_text(enough)
    (anna,) = run(course)
    assert anna.score == 5


IMPORTS = "### BEGIN SOLUTION\nimport mailbox\ndef double(x):\n    return 2 * x\n### END SOLUTION"


def test_a_sandbox_in_which_imports_fail_grades_nobody(released_course, monkeypatch):
    """Such a sandbox once gave everybody 2 points, and looked faster."""
    course, unreadable = released_course, Path(os.__file__).resolve()
    release_with(course, double=IMPORTS)
    toy.submit(course.root, "anna", toy.RIGHT | {"double": IMPORTS})
    shown = settings.readable_paths()
    with monkeypatch.context() as broken:
        broken.setattr(
            settings,
            "readable_paths",
            lambda: tuple(p for p in shown if not unreadable.is_relative_to(p)),
        )
        with pytest.raises(ReferenceFailed, match="so nobody is graded") as refused:
            run(course)
    assert "No module named 'mailbox'" in str(refused.value)
    assert read_record(course.gradebook_folder, "ps1", "anna") is None
    (anna,) = run(course)  # what the broken sandbox left behind does not count
    assert anna.score == 5


@pytest.fixture
def tried(monkeypatch) -> list[str]:
    """The notebooks whose reference solution is tried."""
    names: list[str] = []
    try_notebook = nbjudge.trial.reference.try_notebook

    def note(notebook, name, setting):
        names.append(name)
        return try_notebook(notebook, name, setting)

    monkeypatch.setattr(nbjudge.trial.reference, "try_notebook", note)
    return names


def test_the_canary_is_tried_once_for_the_same_tests_limits_and_data(released_course, tried):
    course = released_course
    toy.submit(course.root, "anna")
    assert run(course)[0].score == 5
    assert tried == ["toys"]
    toy.submit(course.root, "bob", {})
    assert [outcome.score for outcome in run(course)] == [5, 0]
    assert [outcome.score for outcome in run(course, force=True)] == [5, 0]
    assert tried == ["toys"]
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Grading.cell_seconds = 4\n")
    run(course)
    assert tried == ["toys"] * 2
    release_with(course, test_sums="3.0 * (sums(3) == 6)")
    assert [outcome.score for outcome in run(course)] == [5, 0]
    assert tried == ["toys"] * 3


def test_one_assignment_that_fails_holds_no_other_back(released_course):
    course = released_course
    release_with(course, double=WRONG_ANSWER)
    toy.write(course.source / "ps0" / "toys.ipynb", toy.toy_notebook())
    toy.write(course.source / "ps2" / "toys.ipynb", toy.toy_notebook())
    for name in ("ps0", "ps2"):
        assert course.api().generate_assignment(name)["success"]
    (course.source / "ps2" / "toys.ipynb").unlink()
    for student in ("anna", "bob"):
        answers = toy.read(toy.submit(course.root, student) / "toys.ipynb")
        for name in ("ps0", "ps2"):
            toy.write(course.root / "submitted" / student / name / "toys.ipynb", answers)
    outcomes = []
    with pytest.raises(ReferenceFailed) as refused:
        outcomes.extend(grade(course, find_submissions(course)))
    assert "solution of ps1 does not get full marks" in str(refused.value)
    assert "There is no source/ps2/toys.ipynb" in str(refused.value)
    assert read_record(course.gradebook_folder, "ps1", "anna") is None
    assert read_record(course.gradebook_folder, "ps2", "bob") is None
    assert [
        read_record(course.gradebook_folder, "ps0", student).status for student in ("anna", "bob")
    ] == ["graded", "graded"]


def test_without_a_source_nothing_is_graded(released_course):
    toy.submit(released_course.root, "anna")
    (released_course.source / "ps1" / "toys.ipynb").unlink()
    with pytest.raises(ReferenceFailed, match="There is no source/ps1/toys.ipynb"):
        run(released_course)


NUMBERS = "import numpy as np\nassert sums(1) == 1\n"
MISTAKES = {
    "more than there is": ("4.0", "is 4.0. It must be"),
    "less than nothing": ("-1", "is -1. It must be"),
    "no number": ("float('nan')", "is nan. It must be"),
    "text": ("'3'", "is '3'. It must be"),
    "false": ("sums(1) == 2", "is False. It must be"),
    "a name that is not there": ("sumz(1)", "test-sums: 0 of 3 points (NameError: "),
    "no Python": ("assert (", "is not valid Python"),
    "no module": ("import no_such_module", "cannot import what it needs"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_test_is_told_to_the_instructor(released_course, name):
    last, says = MISTAKES[name]
    release_with(released_course, test_sums=f"{NUMBERS}{last}")
    toy.submit(released_course.root, "anna")
    with pytest.raises(ReferenceFailed) as refused:
        run(released_course)
    assert says in str(refused.value)
    assert "test-sums" in str(refused.value)
    assert read_record(released_course.gradebook_folder, "ps1", "anna") is None


def test_a_mistake_that_only_a_students_answer_brings_out_is_no_zero(released_course):
    release_with(released_course, test_sums="3 * sums(1)")
    toy.submit(released_course.root, "anna")
    toy.submit(released_course.root, "bob", toy.RIGHT | {"sums": "def sums(n):\n    return 2 * n"})
    anna, bob = run(released_course)
    assert (anna.status, anna.score) == ("graded", 5)
    # The other cell keeps its points, and this one waits for a person.
    assert (bob.status, bob.score, bob.needs_manual_grade) == ("graded", 2, True)
    record = read_record(released_course.gradebook_folder, "ps1", "bob")
    (undecided,) = [cell for cell in record.cells if cell.grade_id == "test-sums"]
    assert undecided.score is None
    assert "'test-sums' is 6. It must be" in undecided.message
    assert "The instructor must fix the test" in undecided.message


@pytest.mark.parametrize(
    "last", ["np.float64(3.0)", "np.float32(3.0)", "np.array(3.0)", "0.1 * 30"]
)
def test_numbers_of_other_kinds_are_numbers(released_course, last):
    release_with(released_course, test_sums=f"{NUMBERS}{last}")
    toy.submit(released_course.root, "anna")
    (anna,) = run(released_course)
    assert (anna.reason, anna.score) == ("", 5)
    record = json.dumps(str(read_record(released_course.gradebook_folder, "ps1", "anna")))
    assert "np.float" not in record
