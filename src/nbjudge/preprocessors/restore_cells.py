"""Give a submitted notebook back what the student must not change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.errors import NotGraded
from nbjudge.masters import read_masters, restore


class RestoreCells(NbGraderPreprocessor):
    """Restore test and read-only cells, nbgrader's flags, and drop the students' tags.

    Comes before ``OverwriteCells``, which then has nothing left to stumble over: a copied
    cell, an old metadata schema, a changed flag or a deleted cell raise in stock nbgrader.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Restore the notebook; ``NotGraded`` if it holds no cell of the assignment."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            masters = read_masters(
                gradebook, about["assignment"], about["notebook"], self._order(about)
            )
        found = restore(nb, masters)
        if masters and not found:
            raise NotGraded(
                f"{about['notebook']}.ipynb holds none of the cells of {about['assignment']}. "
                "Answer in the notebook that you were given, and hand that in."
            )
        return nb, resources

    def _order(self, about: dict[str, str]) -> list[str]:
        """The grade ids in the order of the source notebook; the gradebook does not keep it."""
        coursedir = self.parent.parent.coursedir
        folder = coursedir.format_path(coursedir.source_directory, ".", about["assignment"])
        try:
            source = json.loads(Path(folder, f"{about['notebook']}.ipynb").read_text("utf-8"))
            cells = [cell["metadata"].get("nbgrader", {}) for cell in source["cells"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return []
        return [cell["grade_id"] for cell in cells if "grade_id" in cell]
