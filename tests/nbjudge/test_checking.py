"""`nbjudge check`: which test cells cannot be judged outside the student's kernel."""

from __future__ import annotations

import io
import json

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cli.grading_view import outcome_table, summary_text
from nbjudge.cohort import grade
from nbjudge.cohort.outcomes import summarise
from nbjudge.course import load_course
from nbjudge.record.records import read_record
from nbjudge.release.checking import MARKER, Place, check, mark, marked
from nbjudge.trial.judging import judging_of
from rich.console import Console

pytestmark = pytest.mark.usefixtures("grades_here")

NEEDS_KERNEL = """assert sums(1) == 1
assert any("sums" in cell for cell in In)"""


def course_with(root, **sources):
    notebook = toy.toy_notebook()
    for id, source in sources.items():
        toy.by_id(notebook, id.replace("_", "-"))["source"] = source
    toy.write(root / "source" / "ps1" / "toys.ipynb", notebook)
    return load_course(root)


def checked(course, warm_server):
    return check(judging_of(course), "ps1", warm_server.address)


def places(found):
    return {cell.grade_id: cell.place for cell in found.cells}


def test_each_test_cell_is_tried_outside_and_then_in_the_kernel(tmp_path, warm_server):
    root = toy.make_course(tmp_path / "course")
    course = course_with(root, test_sums=NEEDS_KERNEL)
    before = (root / "source/ps1/toys.ipynb").read_bytes()
    found = checked(course, warm_server)
    assert places(found)["test-double"] is Place.OUTSIDE
    assert places(found)["test-sums"] is Place.NEEDS_KERNEL
    (only,) = found.need_kernel
    assert (only.grade_id, only.notebook) == ("test-sums", "toys")
    assert only.why
    # Nothing was released, and the source is as it was.
    assert not (root / "release").exists()
    assert (root / "source/ps1/toys.ipynb").read_bytes() == before

    assert [path.name for path in mark(course, found)] == ["toys.ipynb"]
    again = checked(load_course(root), warm_server)
    assert places(again)["test-sums"] is Place.MARKED
    assert again.need_kernel == ()


def test_a_test_that_the_solution_fails_everywhere_is_no_reason_to_mark_it(tmp_path, warm_server):
    course = course_with(toy.make_course(tmp_path / "course"), test_sums="assert sums(1) == 7")
    found = checked(course, warm_server)
    assert places(found)["test-sums"] is Place.NOWHERE
    assert places(found)["test-double"] is Place.OUTSIDE
    assert found.need_kernel == ()


def test_a_setting_runs_just_those_in_the_kernel_and_the_record_says_so(released_course):
    course = released_course
    course_with(course.root, test_sums=NEEDS_KERNEL)
    assert course.api().generate_assignment("ps1", force=True)["success"]
    config = course.root / "nbgrader_config.py"
    line = "c.Grading.tests_in_student_kernel = {'ps1': ['test-sums']}"
    config.write_text(f"{config.read_text()}\n{line}\n")
    toy.submit(course.root, "anna")
    here = load_course(course.root)
    (anna,) = grade(here, find_submissions(here))
    assert (anna.reason, anna.score) == ("", 5)
    record = read_record(course.gradebook_folder, "ps1", "anna")
    assert record.notebooks[0].tests_in_kernel == ("test-sums",)
    # Whoever reads the table sees it, also where nothing was graded anew.
    (again,) = grade(here, find_submissions(here))
    assert again.reused and (anna.weaker_tests, again.weaker_tests) == (1, 1)
    with Console(width=100, record=True, file=io.StringIO()) as shown:
        shown.print(outcome_table([again]), summary_text(summarise([again], 1.0), 0))
    text = shown.export_text()
    assert "1 weaker test" in text and "a notebook can read them" in text


def test_marking_changes_nothing_but_the_cell():
    cells = [
        toy.test_cell("a", "assert x\n", 1),
        toy.test_cell("b", "%%time\nassert y", 1),
        toy.test_cell("c", "", 1),
        toy.test_cell("d", "assert z", 1),
    ]
    before = {"cells": cells, "metadata": {"é": 1}, "nbformat": 4, "nbformat_minor": 5}
    after = json.loads(marked(json.dumps(before), {"a", "b", "c"}))
    texts = ["".join(cell["source"]) for cell in after["cells"]]
    assert texts == [f"{MARKER}\nassert x\n", f"%%time\n{MARKER}\nassert y", MARKER, "assert z"]
    for cell in (*after["cells"], *before["cells"]):
        del cell["source"]
    assert after == before
