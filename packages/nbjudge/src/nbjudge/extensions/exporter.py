"""How nbgrader reads a submitted notebook: strictly, and not beside an old score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from nbjudge.admit.submissions import (
    Submission,
    check_files,
    check_notebooks,
    read_timestamp,
    submission_digest,
)
from nbjudge.assignment import Assignment, read_assignment
from nbjudge.course import Course, course_of
from nbjudge.record.marks import forget_scores
from nbjudge.record.records import begin_record
from nbjudge.trial.judging import judging_here


class SubmissionExporter(NotebookExporter):
    """The exporter of ``Autograde``.

    Before anything can go wrong with a notebook, its old automatic scores are taken out of
    the gradebook: stock nbgrader would leave them there beside the new submission's time. The
    record of its grading begins, and the time of submission is the instructor's where known.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._known: dict[str, Assignment] = {}

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read and convert a notebook; raises ``NotGraded`` when it is not one."""
        # `nbjudge.cohort` has done that, for a notebook that a worker has looked at.
        if resources and "nbgrader" in resources and "nbjudge" not in resources:
            resources = self._begin(filename, resources)
        return super().from_filename(filename, resources=resources, **kwargs)

    def _begin(self, filename: str, resources: dict[str, Any]) -> dict[str, Any]:
        """What the preprocessors need beside nbgrader's own; see the class."""
        about = resources["nbgrader"]
        name, student = about["assignment"], about["student"]
        course = course_of(self.config)
        assignment = self._assignment(course, name)
        submitted = course.submitted / student / name
        if Path(filename).parent == submitted:  # and not the second time, in autograded/
            judging = judging_here(course)
            digest = submission_digest(course, submitted)
            inputs = judging.inputs(assignment, digest, student)
            begin_record(course.gradebook_folder, name, student, inputs)
            with Gradebook(about["db_url"]) as gradebook:
                forget_scores(gradebook, name, about["notebook"], student)
                if (student, name) in judging.times:
                    time = judging.times[student, name]
                    gradebook.update_or_create_submission(name, student, timestamp=time)
            submission = Submission(student, name, submitted, digest, read_timestamp(submitted))
            check_files(course, submission, assignment.notebooks)
            limit = 1_000_000 * course.settings.max_notebook_megabytes
            check_notebooks(submitted, assignment.notebooks, limit)
        return resources | {"nbjudge": {"assignment": assignment}}

    def _assignment(self, course: Course, name: str) -> Assignment:
        """The assignment; a converter asks for it twice for each notebook."""
        if name not in self._known:
            self._known[name] = read_assignment(course, name)
        return self._known[name]
