"""A test that luck in training may fail is tried again at other seeds; the best attempt counts."""

from __future__ import annotations

import random
import shutil

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.record.records import NotebookRun, read_record

pytestmark = pytest.mark.usefixtures("grades_here")

SHIFTS = (0, 1000, 2000)
DRAWS = [1 - random.Random(shift).random() for shift in SHIFTS]
DRAW = "import random\nrandom.seed(0)\ndrawn = 1 - random.random()\n"
UNSEEDED = "import random\ndrawn = random.random()\n"


def luck_notebook(limit: float, narrow: bool = True) -> toy.Notebook:
    """Two points for a number that is not below the limit, and up to three for its size."""
    miss = "NarrowMiss(words, {'drawn': drawn})" if narrow else "AssertionError(words)"
    return toy.notebook(
        toy.answer("draw", "### BEGIN SOLUTION\ndrawn = 1.0\n### END SOLUTION"),
        toy.test_cell(
            "test-draw",
            "from nbjudge.judge.luck import NarrowMiss\n### BEGIN HIDDEN TESTS\n"
            f"words = f'{{drawn:.3f}} is below {limit}'\nif drawn < {limit}:\n    raise {miss}\n"
            "### END HIDDEN TESTS",
        ),
        toy.test_cell("test-size", "round(3.0 * drawn, 3)", 3),
    )


def graded(tmp_path, limit: float, answer: str = DRAW, setting: str = "", **options) -> Course:
    """A course with one submission, graded."""
    root = toy.make_course(tmp_path / "course", {"ps1/toys": luck_notebook(limit, **options)})
    config = root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\n{setting}\n")
    course = load_course(root)
    assert course.api().generate_assignment("ps1")["success"]
    toy.submit(root, "anna", {"draw": answer})
    run(course)
    return course


def run(course: Course) -> None:
    (outcome,) = grade(load_course(course.root), find_submissions(course))
    assert (outcome.reason, outcome.reused) == ("", False)


def result(course: Course) -> tuple[float, NotebookRun]:
    found = read_record(course.gradebook_folder, "ps1", "anna")
    (only,) = found.notebooks
    with course.gradebook() as gradebook:
        score = gradebook.find_submission("ps1", "anna").score
    assert score == sum(cell.score for cell in found.cells)
    return score, only


def size(draw: float) -> float:
    return round(3.0 * draw, 3)


def test_the_draws_are_what_the_tests_below_take_them_for():
    assert DRAWS[0] < 0.2 < DRAWS[1] < 0.5 < DRAWS[2]


def test_a_narrow_miss_is_tried_again_until_it_is_none(tmp_path):
    score, notebook = result(graded(tmp_path, limit=0.5))
    assert score == pytest.approx(2 + size(DRAWS[2]))
    assert [attempt.shift for attempt in notebook.attempts] == list(SHIFTS)
    assert [attempt.score for attempt in notebook.attempts] == pytest.approx(
        [size(DRAWS[0]), size(DRAWS[1]), score]
    )
    assert [attempt.measured for attempt in notebook.attempts] == [
        {"test-draw": {"drawn": DRAWS[0]}},
        {"test-draw": {"drawn": DRAWS[1]}},
        {},
    ]


def test_no_attempt_is_made_after_one_that_is_not_narrow(tmp_path):
    score, notebook = result(graded(tmp_path, limit=0.2))
    assert score == pytest.approx(2 + size(DRAWS[1]))
    assert [attempt.shift for attempt in notebook.attempts] == [0, 1000]


def test_the_best_of_the_attempts_counts_and_its_outputs_are_kept(tmp_path):
    course = graded(tmp_path, limit=0.99, answer=f"{DRAW}print('drew', drawn)")
    score, notebook = result(course)
    assert score == pytest.approx(size(DRAWS[2]))
    assert [attempt.shift for attempt in notebook.attempts] == list(SHIFTS)
    kept = toy.read(course.autograded / "anna" / "ps1" / "toys.ipynb")
    assert f"drew {DRAWS[2]}" in "".join(toy.by_id(kept, "draw")["outputs"][0]["text"])
    # And of those that are equally good, the first.
    course = graded(tmp_path / "other", limit=0.99, answer=f"{DRAW}print(drawn)\ndrawn = 0.5")
    assert [attempt.score for attempt in result(course)[1].attempts] == [1.5] * 3
    kept = toy.read(course.autograded / "anna" / "ps1" / "toys.ipynb")
    assert f"{DRAWS[0]}" in "".join(toy.by_id(kept, "draw")["outputs"][0]["text"])


def test_a_miss_that_is_not_narrow_is_a_miss(tmp_path):
    score, notebook = result(graded(tmp_path, limit=0.5, narrow=False))
    assert score == pytest.approx(size(DRAWS[0]))
    assert [attempt.shift for attempt in notebook.attempts] == [0]


@pytest.mark.parametrize("attempts", [0, 1])
def test_an_instructor_decides_how_often_it_is_tried(tmp_path, attempts):
    setting = f"c.Grading.luck_attempts = {attempts}"
    score, notebook = result(graded(tmp_path, limit=0.5, setting=setting))
    assert score == pytest.approx(size(DRAWS[attempts]))
    assert [attempt.shift for attempt in notebook.attempts] == list(SHIFTS[: 1 + attempts])


def test_without_a_seed_of_its_own_the_notebook_gets_another_too(tmp_path):
    _, notebook = result(graded(tmp_path, limit=1.0, answer=UNSEEDED))
    drawn = [attempt.measured["test-draw"]["drawn"] for attempt in notebook.attempts]
    assert len(set(drawn)) == 3
    _, again = result(graded(tmp_path / "again", limit=1.0, answer=UNSEEDED))
    assert again.attempts == notebook.attempts


def test_attempts_are_kept_and_not_made_again(tmp_path):
    unseeded = "import os\nprint(os.urandom(8).hex())\n"  # tells one run from another
    course = graded(tmp_path, limit=0.5, answer=f"{unseeded}{DRAW}")
    before = result(course)
    notebook = course.autograded / "anna" / "ps1" / "toys.ipynb"
    kept = toy.by_id(toy.read(notebook), "draw")["outputs"]
    shutil.rmtree(course.autograded)
    run(course)
    score, again = result(course)
    assert again.was_stored
    assert (score, again.attempts) == (before[0], before[1].attempts)
    assert toy.by_id(toy.read(notebook), "draw")["outputs"] == kept


def test_a_lower_limit_is_judged_without_a_run(tmp_path):
    course = graded(tmp_path, limit=0.5)
    toy.write(course.source / "ps1" / "toys.ipynb", luck_notebook(0.1))
    assert course.api().generate_assignment("ps1", force=True)["success"]
    run(course)
    score, notebook = result(course)
    assert notebook.was_stored
    assert score == pytest.approx(2 + size(DRAWS[0]))
    assert [attempt.shift for attempt in notebook.attempts] == [0]
