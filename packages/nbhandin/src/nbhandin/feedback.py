"""The pages that students get back: nbgrader's feedback, and one that withholds hidden messages."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import NbGraderPreprocessor
from nbjudge.assignment import Assignment
from nbjudge.assignment.markers import split
from nbjudge.cells.metadata import is_test
from nbjudge.course import Course
from nbjudge.extensions.converters import KeepsFailure
from nbjudge.files import read_files

from nbhandin.places import FULL, HELD_BACK

WITHHELD = "What this test says is not shown now."


class HoldBack(NbGraderPreprocessor):
    """Take away what a test with hidden parts says, before its hidden parts are taken out."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replace the outputs of these cells, in place."""
        for cell in nb.cells:
            if is_test(cell) and cell.outputs and split(cell.source, ("HIDDEN TESTS",))[1]:
                failed = any(out.output_type == "error" for out in cell.outputs)
                text = WITHHELD if failed else ""
                cell.outputs = [NotebookNode(output_type="stream", name="stdout", text=text)]
        return nb, resources


class _Pages(KeepsFailure, GenerateFeedback):
    """nbgrader's converter, for one submission."""


def make_pages(course: Course, assignment: str, student: str, *, hold_back: bool) -> dict[str, str]:
    """Make nbgrader's ``feedback/STUDENT/ASSIGNMENT``; the pages by folder and name.

    With ``hold_back`` there are also pages without what hidden tests say, which go nowhere else.
    """
    _convert(course, assignment, student, {})
    made = read_files(course.feedback / student / assignment)
    pages = {f"{FULL}/{name}": data for name, data in made.items() if name.endswith(".html")}
    if hold_back:
        with tempfile.TemporaryDirectory(prefix="nbhandin-") as folder:
            _convert(course, assignment, student, {"feedback_directory": folder})
            made = read_files(Path(folder, student, assignment))
        pages |= {
            f"{HELD_BACK}/{name}": data for name, data in made.items() if name.endswith(".html")
        }
    return {name: data.decode("utf-8", "replace") for name, data in pages.items()}


def _convert(course: Course, assignment: str, student: str, folders: Mapping[str, str]) -> None:
    config = course.config.copy()
    coursedir = course.coursedir(assignment_id=assignment, student_id=student, **folders)
    converter = _Pages(coursedir=coursedir, config=config, force=True)
    converter.log.setLevel(logging.ERROR)
    if folders:
        converter.preprocessors = [HoldBack(parent=converter), *converter.preprocessors]
    try:
        converter.start()
    except Exception as error:
        raise converter.failure or error from error


def hidden_tests(assignment: Assignment) -> frozenset[str]:
    """The grade ids of the tests that have parts which students are not shown."""
    return frozenset(
        grade_id
        for blueprint in assignment.blueprints
        for grade_id, master in blueprint.tests.items()
        if split(master.source, ("HIDDEN TESTS",))[1]
    )
