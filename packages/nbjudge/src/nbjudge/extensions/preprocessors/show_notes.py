"""Tell the student what was put back or set aside before the notebook was graded."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, v4
from nbgrader.preprocessors import NbGraderPreprocessor


class ShowNotes(NbGraderPreprocessor):
    """Put the notes of grading on top of the feedback, if there are any."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Add a cell with the notes."""
        notes = nb.metadata.get("nbjudge", {}).get("notes", [])
        if notes:
            lines = "\n".join(f"* {note.replace('<', '&lt;')}" for note in notes)
            text = f"**Before your notebook was graded**, this was changed in it:\n\n{lines}"
            nb.cells.insert(0, v4.new_markdown_cell(text))
        return nb, resources
