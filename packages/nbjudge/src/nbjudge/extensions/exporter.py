"""How nbgrader reads a submitted notebook: strictly, and not beside an old score."""

from __future__ import annotations

import glob
import io
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TextIO

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde

from nbjudge.admit.reading import read_notebook
from nbjudge.admit.submissions import (
    Submission,
    check_files,
    read_timestamp,
    submission_digest,
    submitted_files,
)
from nbjudge.assignment import Assignment, read_assignment
from nbjudge.assignment.recognise import recognise
from nbjudge.course import Course, course_of
from nbjudge.extensions.converters import KeepsFailure
from nbjudge.record.marks import forget_scores, keep_marks
from nbjudge.record.records import begin_record
from nbjudge.trial.judging import judging_here


class _Named(io.BytesIO):
    """Bytes that were handed in under another name."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def _ask_for_all(converter: Any) -> None:
    """Have nbgrader's command convert each notebook of the assignment for each student."""
    # Our own converter knows them, and must not make a gradebook where it has gone.
    if not isinstance(converter, Autograde) or isinstance(converter, KeepsFailure):
        return
    folders = converter.coursedir
    try:
        with Gradebook(folders.db_url, folders.course_id) as gradebook:
            found = gradebook.find_assignment(folders.assignment_id).notebooks
            names = [f"{notebook.name}.ipynb" for notebook in found]
    except MissingEntry:
        return  # nbgrader says so itself
    wanted = [name for name in names if fnmatch(name, f"{folders.notebook_id}.ipynb")]
    for folder in glob.glob(converter._format_source(folders.assignment_id, folders.student_id)):
        if Path(folder).is_dir():
            paths = {str(Path(folder, name)) for name in wanted}
            converter.assignments[folder] = sorted({*converter.assignments.get(folder, ()), *paths})


class SubmissionExporter(NotebookExporter):
    """The exporter of ``Autograde``.

    Before anything can go wrong with a notebook, its old automatic scores are taken out of
    the gradebook: stock nbgrader would leave them there beside the new submission's time. The
    record of its grading begins, and the time of submission is the instructor's where known.

    A notebook of the assignment that is not in a student's folder is asked for all the same: it
    may be there under another name, and is not graded, with the reason, where it is not. Stock
    nbgrader would pass over the student, or write down a zero.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._known: dict[str, Assignment] = {}
        self._bytes: bytes | None = None
        _ask_for_all(self.parent)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read and convert a notebook; raises ``NotGraded`` when it is not one."""
        # `nbjudge.cohort` has done that, for a notebook that a worker has looked at.
        if resources and "nbgrader" in resources and "nbjudge" not in resources:
            resources = self._begin(filename, resources)
        if self._bytes is not None and not Path(filename).is_file():
            with io.TextIOWrapper(_Named(self._bytes, filename)) as file:
                return self.from_file(file, resources=resources, **kwargs)
        return super().from_filename(filename, resources=resources, **kwargs)

    def from_file(
        self, file_stream: TextIO, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert what was handed in for the notebook, which may be another file."""
        data = self._bytes if self._bytes is not None else file_stream.buffer.read()
        notebook = read_notebook(data, file_stream.name, len(data))
        converted: tuple[NotebookNode, dict[str, Any]]
        converted = self.from_notebook_node(  # type: ignore[no-untyped-call]
            notebook, resources=resources, **kwargs
        )
        return converted

    def _begin(self, filename: str, resources: dict[str, Any]) -> dict[str, Any]:
        """What the preprocessors need beside nbgrader's own; see the class."""
        about = resources["nbgrader"]
        name, student = about["assignment"], about["student"]
        course = course_of(self.config)
        assignment = self._assignment(course, name)
        submitted = course.submitted / student / name
        self._bytes = None
        notes: tuple[str, ...] = ()
        if Path(filename).parent == submitted:  # and not the second time, in autograded/
            judging = judging_here(course)
            digest = submission_digest(course, submitted)
            inputs = judging.inputs(assignment, digest, student)
            begun = begin_record(course.gradebook_folder, name, student, inputs)
            with Gradebook(about["db_url"]) as gradebook:
                keep_marks(course.gradebook_folder, gradebook, begun)
                forget_scores(gradebook, name, about["notebook"], student)
                if (student, name) in judging.times:
                    time = judging.times[student, name]
                    gradebook.update_or_create_submission(name, student, timestamp=time)
            submission = Submission(student, name, submitted, digest, read_timestamp(submitted))
            check_files(course, submission)
            files = submitted_files(course, submission)
            limit = 1_000_000 * course.settings.max_notebook_megabytes
            handed_in = recognise(files, assignment.blueprints, limit)
            self._bytes, notes = handed_in.files[f"{about['notebook']}.ipynb"], handed_in.notes
            # nbgrader's command leaves a damaged notebook out, and grades the others.
            for notebook in assignment.notebooks:
                read_notebook(handed_in.files[f"{notebook}.ipynb"], f"{notebook}.ipynb", limit)
        return resources | {"nbjudge": {"assignment": assignment, "notes": notes}}

    def _assignment(self, course: Course, name: str) -> Assignment:
        """The assignment; a converter asks for it twice for each notebook."""
        if name not in self._known:
            self._known[name] = read_assignment(course, name)
        return self._known[name]
