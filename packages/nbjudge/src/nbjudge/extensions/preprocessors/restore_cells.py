"""Give a submitted notebook back what the student must not change."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor


class RestoreCells(NbGraderPreprocessor):
    """Restore test and read-only cells, nbgrader's flags, and drop the students' tags.

    Comes before ``OverwriteCells``, which then has nothing left to stumble over: a copied
    cell, an old metadata schema, a changed flag or a deleted cell raise in stock nbgrader.
    What was changed is kept in the notebook's metadata, for the feedback.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Restore the notebook; ``NotGraded`` if it holds no cell of the assignment."""
        about = resources["nbgrader"]
        restored = resources["nbjudge"]["assignment"].restore(nb, about["notebook"])
        # Which files were taken is said once, in the notebook that is read first.
        nb.metadata["nbjudge"] = {"notes": [*resources["nbjudge"].get("notes", ()), *restored]}
        return nb, resources
