"""Each mistake in a source notebook is found, and named with its cell and its fix."""

from __future__ import annotations

import json

import pytest
import toy_course as toy
from nbjudge.release.source_check import check_notebook, check_source


def problems_of(*cells, **changes):
    return check_notebook(toy.notebook(*cells) | changes, "toys.ipynb")


def test_a_sound_notebook_has_no_problems(tmp_path):
    assert check_source(toy.write(tmp_path / "toys.ipynb", toy.toy_notebook())) == []


SOLUTION = "### BEGIN SOLUTION\nanswer = 1\n### END SOLUTION"
TESTS = "assert answer\n### BEGIN HIDDEN TESTS\nassert answer == 1\n### END HIDDEN TESTS"
ANSWER = toy.answer("a", SOLUTION)
TEST = toy.test_cell("t", TESTS)

MISTAKES = {
    "no end": ([toy.answer("a", "### BEGIN SOLUTION\nx = 1"), TEST], "BEGIN SOLUTION has no end"),
    "no beginning": ([toy.answer("a", "x = 1\n### END SOLUTION"), TEST], "has no beginning"),
    "nested": (
        [toy.answer("a", f"### BEGIN SOLUTION\n{SOLUTION}\n### END SOLUTION"), TEST],
        "inside the region",
    ),
    "crossed": (
        [ANSWER, toy.test_cell("t", "### BEGIN HIDDEN TESTS\nx\n### END SOLUTION")],
        "ends a region that began with BEGIN HIDDEN TESTS",
    ),
    "unbalanced mark scheme": (
        [toy.text("m", "### BEGIN MARK SCHEME\nyes", task=True, grade_id="m", points=1)],
        "BEGIN MARK SCHEME has no end",
    ),
    "solution elsewhere": ([toy.code("x", SOLUTION)], "a SOLUTION region in a cell that is not"),
    "hidden tests elsewhere": (
        [toy.code("x", "### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS")],
        "a HIDDEN TESTS region in a cell that is not",
    ),
    "hidden tests in an answer": (
        [toy.answer("a", "### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS"), TEST],
        "a HIDDEN TESTS region",
    ),
    "mark scheme elsewhere": (
        [toy.text("x", "### BEGIN MARK SCHEME\nx\n### END MARK SCHEME")],
        "a MARK SCHEME region",
    ),
    "duplicate grade_id": (
        [ANSWER, TEST, toy.test_cell("t", TESTS) | {"id": "t2"}],
        "the grade_id 't' is used 2 times",
    ),
    "no grade_id": ([ANSWER, toy.code("t", TESTS, grade=True, points=1)], "has no grade_id"),
    "odd grade_id": (
        [ANSWER, toy.code("t", TESTS, grade=True, points=1, grade_id="a b")],
        "characters other than",
    ),
    "no points": ([ANSWER, toy.test_cell("t", TESTS, None)], "it is graded, but has no points"),
    "points in words": ([ANSWER, toy.test_cell("t", TESTS, "two")], "'two', which is not a number"),
    "negative points": ([ANSWER, toy.test_cell("t", TESTS, -1)], "its points are -1"),
    "task as code": (
        [toy.code("m", "pass", task=True, grade_id="m", points=1)],
        "a 'Manually graded task', but a code cell",
    ),
    "task and answer": (
        [toy.text("m", "Why?", task=True, solution=True, grade=True, grade_id="m", points=1)],
        "it is a task, and an answer or a test as well",
    ),
    "empty answer": ([toy.answer("a", "  "), TEST], "a solution cell without a solution"),
    "no cell id": ([toy.text("x", "hello") | {"id": None}], "it has no cell id"),
    "same cell id": ([toy.text("x", "one"), toy.text("x", "two")], "the cell id 'x' is used 2"),
    "written answer without points": (
        [toy.text("w", "why", solution=True, grade_id="w")],
        "a written answer without points",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_its_cell_and_mend_are_named(name):
    cells, says = MISTAKES[name]
    found = problems_of(*cells)
    matching = [problem for problem in found if says in problem.what]
    assert matching, found
    assert all(
        problem.file == "toys.ipynb" and problem.cell.startswith("cell ") and problem.fix
        for problem in matching
    )
    # Nothing is called a mistake that is not: the same cell may only be named twice for a
    # duplicate, or for a marker that is in the wrong cell and misplaced too.
    assert len(found) <= 2, found


def test_a_solution_without_a_test_is_released_as_in_stock():
    second = toy.answer("b", SOLUTION.replace("answer", "other"))
    assert problems_of(ANSWER, toy.text("h", "## Next"), second) == []


def test_a_manually_graded_answer_needs_no_test():
    manual = toy.code("m", SOLUTION, solution=True, grade=True, grade_id="m", points=1)
    assert problems_of(manual) == []


def without_ids(*cells):
    return [{key: value for key, value in cell.items() if key != "id"} for cell in cells]


def test_a_notebook_from_before_cell_ids_is_as_good():
    assert problems_of(*without_ids(ANSWER, TEST), nbformat_minor=0) == []


@pytest.mark.parametrize("changes", [{"nbformat": 3}, {"nbformat_minor": 6}, {"nbformat": None}])
def test_a_format_that_nobody_can_release_is_named(changes):
    (problem,) = [p for p in problems_of(ANSWER, TEST, **changes) if not p.cell]
    assert "it has notebook format" in problem.what
    assert "JupyterLab" in problem.fix


def test_cell_ids_in_an_older_format_are_named():
    (problem,) = problems_of(ANSWER, TEST, nbformat_minor=4)
    assert "4.4" in problem.what
    assert "JupyterLab" in problem.fix


@pytest.mark.parametrize("content", ["{", "", "[]", '"x"', '{"cells": 3}', '{"cells": [7, {}]}'])
def test_a_file_that_is_no_notebook_is_a_problem_not_a_crash(tmp_path, content):
    path = tmp_path / "bad.ipynb"
    path.write_text(content)
    found = check_source(path)
    assert found
    assert all(problem.file == "bad.ipynb" and problem.fix for problem in found)


def test_bytes_that_are_no_text_are_a_problem_too(tmp_path):
    path = tmp_path / "bad.ipynb"
    path.write_bytes(json.dumps(toy.toy_notebook()).encode("utf-16"))
    assert "cannot be read" in check_source(path)[0].what


def test_points_of_0_are_allowed_as_in_nbgrader():
    written = toy.text("w", "Why?", solution=True, grade=True, grade_id="w", points=0)
    assert check_notebook(toy.notebook(ANSWER, toy.test_cell("t", TESTS, 0), written), "n") == []
