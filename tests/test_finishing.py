"""What a release adds to a notebook."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbjudge.course import load_course
from nbjudge.release.release import expected_release

from dlcourse.finishing import FinishNotebook, embed_pictures, number_checks
from dlcourse.progress import read_tasks

ROOT = Path(__file__).parents[1]
RELEASED = sorted((ROOT / "release").glob("*/*.ipynb"))
PNG = bytes.fromhex("89504e470d0a1a0a")


def graded(source: str, points: float, solution: bool = False):
    flags = {"grade": True, "solution": solution, "points": points, "grade_id": source}
    make = new_markdown_cell if solution else new_code_cell
    return make(source, metadata={"nbgrader": flags})


def test_a_task_has_the_points_and_checks_up_to_the_next_heading():
    one, two, three = graded("a == 1", 2), graded("b == 2", 1), graded("words", 3, solution=True)
    heading = new_markdown_cell("## Step 1\n\n### Task 1: sums (3 points)\n\nWrite `a`.")
    later = new_markdown_cell("### Task 2: why? (3 points, read by a person)")
    tasks = number_checks([graded("c", 9), heading, one, two, later, three])
    assert [(t.number, t.name, t.points, t.by_hand, t.checks) for t in tasks] == [
        ("1", "sums", 3, 0, 2),
        ("2", "why?", 0, 3, 0),
    ]
    assert one.source.startswith("#@title Check of task 1, part 1")
    assert one.metadata["jupyter"] == {"source_hidden": True} and one.metadata["cellView"] == "form"
    assert "jupyter" not in three.metadata


def test_a_picture_beside_the_notebook_goes_into_it(tmp_path):
    (tmp_path / "cat.png").write_bytes(PNG)
    text = embed_pictures("![A cat](cat.png) and ![a dog](dog.png)", tmp_path)
    assert text == (
        "![A cat][cat] and ![a dog](dog.png)\n\n[cat]: data:image/png;base64,iVBORw0KGgo="
    )


def test_the_address_and_the_badge_are_settings_of_the_course():
    course = load_course(ROOT)
    course.config.FinishNotebook.address = "git+https://example.org/course"
    course.config.FinishNotebook.colab = "https://colab.example.org/release/"
    course.config.FinishNotebook.hand_in = "Use the website."
    files = expected_release(course, "image-data")
    cells = json.loads(files["image-data.ipynb"])["cells"]
    badge, first, last = ("".join(cells[i]["source"]) for i in (0, 1, -1))
    assert "https://colab.example.org/release/image-data/image-data.ipynb" in badge
    assert "python -m pip install git+https://example.org/course" in first
    assert "%pip install git+https://example.org/course" in first
    assert "Use the website." in last


def test_without_an_address_colab_is_not_told_to_install_a_folder_that_it_does_not_have():
    released = expected_release(load_course(ROOT), "image-data")["image-data.ipynb"]
    cells = json.loads(released)["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert "python -m pip install ." in text
    assert "%pip install ." not in text
    assert "%pip install /content/course.zip" in text


def test_a_picture_that_a_student_hands_in_is_not_left_out():
    ignored = load_course(ROOT).coursedir().ignore
    assert not any(fnmatch("cat.png", pattern) for pattern in ignored)
    assert any(fnmatch("workflow.embedded.png", pattern) for pattern in ignored)


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
class TestReleased:
    @staticmethod
    def cells(path):
        return json.loads(path.read_text())["cells"]

    def test_the_first_code_cell_looks_for_the_package(self, path):
        first = next(cell for cell in self.cells(path) if cell["cell_type"] == "code")
        assert "progress.begin()" in "".join(first["source"])
        assert "tags" not in first["metadata"]

    def test_all_others_go_on_after_an_error(self, path):
        code = [cell for cell in self.cells(path) if cell["cell_type"] == "code"][1:]
        assert all("raises-exception" in cell["metadata"]["tags"] for cell in code)

    def test_the_last_cell_lists_all_tasks_with_all_points(self, path):
        cells = self.cells(path)
        table = "".join(cells[-1]["source"]).split('"""')[1]
        given = sum(c["metadata"].get("nbgrader", {}).get("points", 0) for c in cells)
        assert sum(task.total for task in read_tasks(table)) == given

    def test_checks_are_folded_and_answers_are_not(self, path):
        for cell in self.cells(path):
            flags = cell["metadata"].get("nbgrader", {})
            is_check = flags.get("grade") and not flags.get("solution")
            hidden = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
            if is_check:
                assert hidden and "".join(cell["source"]).startswith("#@title Check of task ")
            elif flags.get("solution"):
                assert not hidden

    def test_pictures_are_in_it_and_have_words(self, path):
        texts = ["".join(c["source"]) for c in self.cells(path) if c["cell_type"] == "markdown"]
        for alt, address in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", "\n".join(texts)):
            assert address.startswith("https://"), address
            assert alt
        assert not list(path.parent.glob("*.png"))


def test_what_is_filled_in_is_nowhere_left_open():
    marks = ("«", "»")
    assert FinishNotebook.colab.default_value == ""
    for path in RELEASED:
        assert not any(mark in path.read_text() for mark in marks), path
