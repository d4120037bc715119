"""The commands of the tutorials and how-to pages, carried out as they are written."""

from __future__ import annotations

import csv

import pytest
from documentation.pages import DOCS, fences, follow

pytestmark = pytest.mark.slow

IN_A_CLASS = sorted(
    str(page.relative_to(DOCS))
    for kind in ("tutorials", "how-to")
    for page in (DOCS / kind).glob("*.md")
    if page.name not in ("instructor.md", "class.md")
    and any(fence.language == "sh" for fence in fences(page))
)


def test_the_instructors_tutorial_from_an_empty_folder(tmp_path):
    """What the page tells of its own end is so."""
    printed = follow(DOCS / "tutorials" / "instructor.md", tmp_path)
    assert "Sandbox: full" in printed
    assert "full marks" in printed
    assert "answers to read" in printed
    released = (tmp_path / "release" / "temperatures" / "temperatures.ipynb").read_text()
    assert "YOUR CODE HERE" in released
    assert "9 / 5" not in released and "-40" not in released
    with (tmp_path / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    assert scores == {"ada": 2, "ben": 0, "cleo": 0}
    feedback = (tmp_path / "feedback" / "ben" / "temperatures" / "temperatures.html").read_text()
    assert "-40 °C is -40 °F" in feedback
    assert "BEGIN HIDDEN TESTS" not in feedback


@pytest.mark.parametrize("name", IN_A_CLASS)
def test_a_page_in_a_graded_class(name, course):
    """Each command of the page succeeds in the class that the demo leaves behind."""
    follow(DOCS / name, course)


def test_the_tutorial_of_a_class(course):
    """Grades are given back, and the certificate that is looked at is good."""
    follow(DOCS / "tutorials" / "class.md", course)  # `verify` fails for one that is not
    assert (course / "feedback" / "ada" / "image-data" / "image-data.html").is_file()
    assert (course / "autograded" / "you" / "image-data").is_dir()
