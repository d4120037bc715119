"""Nbgrader's own commands work with the one-line configuration, and give the same grades."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest
import toy_course as toy
from nbjudge.course import load_course
from nbjudge.record.marks import read_totals
from nbjudge.record.records import read_record


def nbgrader(course, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def feedback(graded_class):
    """The feedback pages of the class: {student: html}."""
    done = nbgrader(graded_class.course, "generate_feedback", "ps1", "--student", "right")
    assert done.returncode == 0, done.stderr
    for student in ("wrong", "only-visible", "history"):
        result = graded_class.course.api().generate_feedback("ps1", student)
        assert result["success"], result
    folder = graded_class.course.feedback
    return {path.parts[-3]: path.read_text() for path in folder.glob("*/ps1/toys.html")}


def test_feedback_shows_scores_messages_and_visible_tests(feedback):
    assert "(Score: 5.0 / 7.0)" in feedback["right"]
    assert "double(21) should be 42" in feedback["only-visible"]
    assert "hidden tests" in feedback["right"]
    assert "YOUR CODE HERE" not in feedback["right"]


@pytest.mark.parametrize("student", ["right", "wrong", "only-visible", "history"])
def test_feedback_never_shows_hidden_tests(feedback, student):
    page = feedback[student].replace("</span>", "").replace("&#39;", "'")
    assert "assert double(21)" not in page
    assert "double(21) == 42" not in page.replace('<span class="mi">', "")
    assert "21</span>" not in feedback[student]


def test_export_writes_the_class(graded_class, tmp_path):
    done = nbgrader(graded_class.course, "export", "--to", str(tmp_path / "grades.csv"))
    assert done.returncode == 0, done.stderr
    with (tmp_path / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(rows["right"]["score"]) == 5
    assert float(rows["only-visible"]["score"]) == 3


def test_stock_autograde_grades_as_we_do(released_course):
    course, root = released_course, released_course.root
    noisy = "import warnings\ndef double(x):\n    warnings.warn('look')\n    return 2 * x"
    toy.submit(root, "anna", toy.RIGHT | {"double": noisy})
    toy.submit(root, "bob", toy.RIGHT | {"double": "import os\nos._exit(1)"})
    toy.submit(root, "cleo", {}, skip_tests_of_copied_cells)
    done = nbgrader(course, "autograde", "ps1")
    assert "The kernel died in" in done.stderr
    assert done.returncode == 1
    with course.gradebook() as gradebook:
        totals = {s: read_totals(gradebook, "ps1", s) for s in ("anna", "bob", "cleo")}
    assert totals["anna"].score == 5
    assert totals["cleo"].score == 0

    # A resubmission that cannot even be read: stock nbgrader alone would keep the 5 points.
    toy.submit(root, "anna", timestamp="2030-01-05 12:00:00 UTC")
    (root / "submitted" / "anna" / "ps1" / "toys.ipynb").write_text("{")
    done = nbgrader(course, "autograde", "ps1", "--student", "anna")
    assert "not valid JSON" in done.stderr
    with course.gradebook() as gradebook:
        assert read_totals(gradebook, "ps1", "anna").score == 0


def renamed(root, student, *names, text=None):
    """Hand in the solved notebook under these names only."""
    path = toy.submit(root, student) / "toys.ipynb"
    solved = path.read_text()
    path.unlink()
    for name in names:
        path.with_name(name).write_text(solved if text is None else text)


def test_stock_autograde_never_gives_a_silent_zero_for_a_file_of_another_name(released_course):
    course, root = released_course, released_course.root
    renamed(root, "copy", "toys (2).ipynb")
    renamed(root, "text", "toys.ipynb.txt")
    two = toy.read(root / "submitted" / "copy" / "ps1" / "toys (2).ipynb")
    renamed(root, "two", "a.ipynb", "b.ipynb")
    toy.by_id(two, "double")["source"] = "def double(x):\n    return 3"
    toy.write(root / "submitted" / "two" / "ps1" / "b.ipynb", two)
    renamed(root, "page", "toys.html", text="<p>printed</p>")
    renamed(root, "nothing")
    done = nbgrader(course, "autograde", "ps1")
    assert done.returncode == 1
    assert "not certain which file is toys.ipynb: a.ipynb or b.ipynb" in done.stderr
    assert "toys.html" in done.stderr
    with course.gradebook() as gradebook:
        for student in ("copy", "text"):
            assert read_totals(gradebook, "ps1", student).score == 5
    for student in ("two", "page", "nothing"):
        record = read_record(course.gradebook_folder, "ps1", student)
        assert record.status == "not graded"
        assert record.reason
    assert read_record(course.gradebook_folder, "ps1", "copy").status == "graded"


def skip_tests_of_copied_cells(notebook):
    item = toy.by_id(notebook, "test-double")
    item["metadata"]["tags"] = ["skip-execution"]
    notebook["cells"].append(dict(item, id="copy"))


def test_the_formgraders_button_does_the_same(released_course):
    toy.submit(released_course.root, "anna")
    api = load_course(released_course.root).api()
    result = api.autograde("ps1", "anna")
    assert result["success"], result
    assert api.get_submission("ps1", "anna")["score"] == 5
    assert api.get_submission("ps1", "anna")["autograded"]
    assert api.generate_feedback("ps1", "anna")["success"]


def test_the_configuration_finds_the_gradebook_from_any_folder(released_course, tmp_path):
    found = load_course(released_course.root).config
    assert found.CourseDirectory.db_url.endswith("course/gradebook/gradebook.db?timeout=60")
    assert (released_course.root / "gradebook" / "gradebook.db").is_file()
    assert not (released_course.root / "gradebook.db").exists()
