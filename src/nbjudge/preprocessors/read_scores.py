"""Read partial scores strictly, and let nothing on stderr cost points."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.scores import is_test, tidy_test_outputs


class ReadScores(NbGraderPreprocessor):
    """Leave only a verdict in a test cell's outputs, so that nbgrader reads it right.

    Comes after the notebook is run and before ``SaveAutoGrades``. Raises ``NotGraded``.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Tidy the outputs of a test cell."""
        if is_test(cell):
            tidy_test_outputs(cell)
        return cell, resources
