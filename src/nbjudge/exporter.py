"""How nbgrader reads a submitted notebook: strictly, and not beside an old score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from nbjudge.marks import forget_scores
from nbjudge.settings import Grading
from nbjudge.submissions import check_notebook_file


class SubmissionExporter(NotebookExporter):
    """The exporter of ``Autograde``.

    Before anything can go wrong with a notebook, its old automatic scores are taken out of
    the gradebook: stock nbgrader would leave them there beside the new submission's time.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read and convert a notebook; raises ``NotGraded`` when it is not one."""
        if resources and "nbgrader" in resources:
            about = resources["nbgrader"]
            with Gradebook(about["db_url"]) as gradebook:
                forget_scores(gradebook, about["assignment"], about["notebook"], about["student"])
        limit = 1_000_000 * Grading(parent=self).max_notebook_megabytes
        check_notebook_file(Path(filename), limit)
        return super().from_filename(filename, resources=resources, **kwargs)
