"""Take out of an answer cell what nbgrader leaves there with the solution."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_solution, is_task

# What says how a cell is shown and used, and nothing of what is in it.
_KEPT = ("nbgrader", "deletable", "editable", "tags", "jupyter", "slideshow", "collapsed")


class ClearAnswers(NbGraderPreprocessor):
    """Drop attachments that nothing refers to any more, and an answer's own metadata.

    Comes after ``ClearSolutions`` and ``ClearMarkScheme``: both leave the pictures of a model
    answer in the cell.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear one cell."""
        attachments = cell.get("attachments")
        if isinstance(attachments, dict):
            used = {name: data for name, data in attachments.items() if name in cell.source}
            if used:
                cell.attachments = NotebookNode(used)
            else:
                del cell["attachments"]
        if is_solution(cell) or is_task(cell):
            for key in set(cell.metadata) - set(_KEPT):
                del cell.metadata[key]
        return cell, resources
