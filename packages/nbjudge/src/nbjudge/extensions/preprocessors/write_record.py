"""Write the record beside a grade."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.course import course_of
from nbjudge.record.answers import answer_digests
from nbjudge.record.records import add_notebook


class WriteRecord(NbGraderPreprocessor):
    """Comes last, after the scores are in the gradebook."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Add the notebook to its submission's record; the last one makes it "graded"."""
        about = resources["nbgrader"]
        judged = resources["nbjudge"]
        add_notebook(
            course_of(self.config).gradebook_folder,
            about["assignment"],
            about["student"],
            judged["run"],
            judged["scores"],
            answer_digests(nb, judged["scores"]),
            judged["assignment"].notebooks,
        )
        return nb, resources
