"""Run a submitted notebook in the sandbox, and judge its test cells outside."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.admit.staging import stage_files, stage_submission
from nbjudge.course import course_of
from nbjudge.trial import Setting, try_notebook, with_notes
from nbjudge.trial.judging import judging_here
from nbjudge.trial.reference import check_reference
from nbjudge.warm.client import server_address


class JudgeCells(NbGraderPreprocessor):
    """Takes the place of nbgrader's ``Execute``.

    Raises ``NotGraded`` where there is no verdict, and ``ReferenceFailed`` where the reference
    solution would not get full marks either.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Leave the cells' outputs in the notebook, and how it was judged in ``resources``."""
        about = resources["nbgrader"]
        course = course_of(self.config)
        judging = judging_here(course)
        assignment = resources["nbjudge"]["assignment"]
        server = server_address(judging.preload)
        check_reference(judging, assignment, server)
        conditions = judging.conditions(assignment)
        given, ignore = assignment.files.path, conditions.ignore
        submitted = course.submitted / about["student"] / assignment.name
        with tempfile.TemporaryDirectory(prefix="nbjudge-") as folder:
            files, judge_files = Path(folder, "student"), Path(folder, "judge")
            notes = stage_submission(
                submitted, given, files, ignore, assignment.graded_files, conditions.own
            )
            assignment.stage_libraries(files)
            stage_files(given, judge_files, ignore)
            setting = Setting(conditions, server, judging.store, files, judge_files)
            trial = try_notebook(nb, about["notebook"], setting)
        trial = with_notes(trial, [*nb.metadata.get("nbjudge", {}).get("notes", []), *notes])
        resources["nbjudge"] |= {"run": trial.run, "scores": trial.scores}
        return trial.notebook, resources
