"""What is committed under release/ is what the sources give, and the sources are in order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from nbjudge.course import load_course
from nbjudge.files import read_files
from nbjudge.release.release import expected_release
from nbjudge.release.source_check import check_source

from dlcourse.finishing import START, start_page

ROOT = Path(__file__).parents[1]
COURSE = load_course(ROOT)
ASSIGNMENTS = COURSE.assignments()


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_committed_release_is_the_sources(assignment):
    assert read_files(ROOT / "release" / assignment) == expected_release(COURSE, assignment), (
        "run `make release` and commit what it writes"
    )


def test_the_committed_start_page_is_the_sources():
    assert (ROOT / "release" / START).read_bytes() == start_page(ROOT / "source"), (
        "run `make release` and commit what it writes"
    )


def test_the_start_page_has_its_map_inside_and_names_all_assignments():
    text = start_page(ROOT / "source").decode()
    assert "data:image/png;base64," in text
    assert all(name in text for name in ASSIGNMENTS)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_source_has_no_problems(assignment):
    assert check_source(ROOT / "source" / assignment / f"{assignment}.ipynb") == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
class TestNotebook:
    @staticmethod
    def cells(assignment):
        path = ROOT / "source" / assignment / f"{assignment}.ipynb"
        return json.loads(path.read_text())["cells"]

    def test_the_points_told_to_students_are_those_given(self, assignment):
        cells = self.cells(assignment)
        given = sum(c["metadata"].get("nbgrader", {}).get("points", 0) for c in cells)
        headings = [
            line
            for c in cells
            if c["cell_type"] == "markdown"
            for line in "".join(c["source"]).splitlines()
            if line.startswith("###")
        ]
        told = sum(int(m[1]) for line in headings if (m := re.search(r"\((\d+) point", line)))
        assert told == given
        assert f"{given} points:" in "".join(cells[0]["source"])

    def test_there_is_a_question_that_a_person_reads(self, assignment):
        kinds = [c["metadata"].get("nbgrader", {}) for c in self.cells(assignment)]
        assert any(kind.get("grade") and kind.get("solution") for kind in kinds)

    def test_the_workflow_stands_at_the_top(self, assignment):
        assert "](workflow.embedded.png)" in "".join(self.cells(assignment)[0]["source"])

    def test_tests_bring_along_what_they_use(self, assignment):
        """A test may run in another process than the notebook, so it imports for itself."""
        for cell in self.cells(assignment):
            kind = cell["metadata"].get("nbgrader", {})
            if kind.get("grade") and not kind.get("solution"):
                assert "from dlcourse import checks as check" in "".join(cell["source"])
