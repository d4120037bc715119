"""Writing what workers found out into the gradebook, through nbgrader's own converter."""

from __future__ import annotations

import errno
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from nbgrader.api import Gradebook, InvalidEntry
from nbgrader.converters import Autograde
from sqlalchemy import make_url
from sqlalchemy.exc import InterfaceError, OperationalError, SAWarning

from nbjudge.admit.submissions import Submission, submission_digest
from nbjudge.assignment import Assignment
from nbjudge.assignment.recognise import HandedIn
from nbjudge.cohort.task import Worked
from nbjudge.content import Content, write_files
from nbjudge.course import Course
from nbjudge.errors import NbjudgeError, NotGraded
from nbjudge.extensions.converters import KeepsFailure
from nbjudge.extensions.preprocessors.take_trial import Replaced, TakeTrial
from nbjudge.files import remove_folder
from nbjudge.record.answers import answer_digests
from nbjudge.record.marks import (
    Totals,
    drop_void_extension,
    forget_scores,
    keep_marks,
    merge_marks,
    read_marks,
    read_totals,
    remove_submission,
)
from nbjudge.record.records import Record, add_notebook, read_record, write_record
from nbjudge.trial.judging import Judging

_JUDGE_CELLS = "nbjudge.extensions.preprocessors.judge_cells.JudgeCells"
_WRITE_RECORD = "nbjudge.extensions.preprocessors.write_record.WriteRecord"
# Seconds to wait for a gradebook that is locked or gone for a moment.
_PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0)

GO_ON = "Fix that, and grade again. Notebooks that were executed and kept are not run again."
Result = TypeVar("Result")


class CannotRecord(NbjudgeError):
    """Neither this grade nor any other can be written now; what was executed is kept."""


class Recorder:
    """Records one submission at a time. ``wait`` takes seconds."""

    def __init__(self, judging: Judging, wait: Callable[[float], object] = time.sleep) -> None:
        self._judging = judging
        self._course = judging.course
        self._wait = wait

    def record(
        self,
        item: Submission,
        assignment: Assignment,
        begun: Record,
        worked: Worked,
        handed_in: HandedIn | None = None,
    ) -> Totals:
        """Write the scores, ``autograded/`` and the record; returns the submission's totals.

        ``handed_in`` are the files that count, where they are others than those in the folder.
        Raises ``Replaced`` when the submission is another one by now, ``CannotRecord`` when the
        gradebook or the disk does not take it, and what nbgrader stumbled over.
        """
        if submission_digest(self._course, item.path) != item.digest:
            raise Replaced
        if handed_in is None:
            submitted = self._course.submitted
            return patiently(
                lambda: self._convert(item, assignment, begun, worked, submitted), self._wait
            )
        with tempfile.TemporaryDirectory(prefix="nbjudge-") as folder:
            submitted = Path(folder)
            write_files(handed_in.files, submitted / item.student / item.assignment)
            return patiently(
                lambda: self._convert(item, assignment, begun, worked, submitted), self._wait
            )

    def withdraw(self, begun: Record, reason: str, seconds: float = 0.0) -> None:
        """Write why a submission is not graded, and take away whatever shows a score of it.

        What a person entered is kept in the record. Raises ``CannotRecord``.
        """

        name, student = begun.assignment, begun.student

        def withdraw() -> None:
            folder = self._course.gradebook_folder
            # Recording may have begun, and taken scores back.
            known = read_record(folder, name, student) or begun
            with _gradebook(self._course) as gradebook:
                found = read_marks(gradebook, name, student, known.answers)
            write_record(
                folder,
                replace(
                    begun,
                    status="not graded",
                    reason=reason,
                    seconds=round(seconds, 3),
                    kept=merge_marks(known.kept, found),
                    answers=known.answers,
                ),
            )
            # Only now: what a person entered is in the record.
            with _gradebook(self._course) as gradebook:
                remove_submission(gradebook, name, student)
            for folder in (self._course.autograded, self._course.feedback):
                remove_folder(folder / student / name)

        patiently(withdraw, self._wait)

    def _convert(
        self,
        item: Submission,
        assignment: Assignment,
        begun: Record,
        worked: Worked,
        submitted: Path,
    ) -> Totals:
        converter = _Recording(
            coursedir=self._course.coursedir(
                assignment_id=item.assignment,
                student_id=item.student,
                submitted_directory=str(submitted),
            ),
            config=self._course.config,
            force=True,
        )
        converter.hand_over(self._judging, assignment, begun, worked)
        try:
            # nbgrader's own use of SQLAlchemy warns for every submission.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)
                converter.start()
        except Exception as error:
            raise converter.failure or error from error
        with _gradebook(self._course) as gradebook:
            totals = read_totals(gradebook, item.assignment, item.student)
        if totals is None:
            raise NbjudgeError("nbgrader entered no submission into the gradebook. Grade it again.")
        # Not before autograded/ is whole: this makes it "graded".
        for trial in worked.trials.values():
            add_notebook(
                self._course.gradebook_folder,
                item.assignment,
                item.student,
                trial.run,
                trial.scores,
                answer_digests(trial.notebook, trial.scores),
                assignment.notebooks,
            )
        return totals


def patiently(act: Callable[[], Result], wait: Callable[[float], object] = time.sleep) -> Result:
    """What ``act`` returns; it is tried again while the gradebook is locked or gone.

    ``wait`` takes seconds. Raises ``CannotRecord`` when that lasts, or the disk is full.
    """
    for seconds in (*_PATIENCE, None):
        try:
            return act()
        except Exception as error:
            words = getattr(error, "orig", None) or error
            if _is_full(error):
                raise CannotRecord(f"The disk is full ({words}). {GO_ON}") from error
            if not _is_unreachable(error):
                raise
            if seconds is None:
                raise CannotRecord(f"The gradebook does not answer: {words}. {GO_ON}") from error
            wait(seconds)
    raise AssertionError("the last time raises")


class _Recording(KeepsFailure, Autograde):
    """Nbgrader's converter, for one submission that a worker has tried."""

    def hand_over(
        self, judging: Judging, assignment: Assignment, begun: Record, worked: Worked
    ) -> None:
        """Say what is to be recorded."""
        self._judging, self._assignment, self._begun = judging, assignment, begun
        take = TakeTrial(parent=self)
        take.trials = worked.trials
        self.autograde_preprocessors: list[str | TakeTrial] = [
            take if name == _JUDGE_CELLS else name
            for name in self.autograde_preprocessors
            if name != _WRITE_RECORD
        ]

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Also take old scores back, before anything can go wrong, and put a person's in."""
        with self._keep():
            self._prepare()
            super().init_assignment(assignment_id, student_id)
            self._enter_time()

    def init_single_notebook_resources(self, notebook_filename: str) -> dict[str, Any]:
        """Also what nbjudge's preprocessors need."""
        resources: dict[str, Any] = super().init_single_notebook_resources(notebook_filename)
        return resources | {"nbjudge": {"assignment": self._assignment}}

    def _prepare(self) -> None:
        name, student = self._begun.assignment, self._begun.student
        with _gradebook(self._judging.course) as gradebook:
            if not self.create_student and student not in {s.id for s in gradebook.students}:
                raise NotGraded(
                    f"The gradebook has no student {student!r}, and c.Autograde.create_student is "
                    "off. Add the student, or rename the folder to the right id."
                )
            gradebook.update_or_create_student(student)
            keep_marks(self._judging.course.gradebook_folder, gradebook, self._begun)
            drop_void_extension(gradebook, name, student)
            for notebook in self._assignment.notebooks:
                forget_scores(gradebook, name, notebook, student)

    def _enter_time(self) -> None:
        name, student = self._begun.assignment, self._begun.student
        if (known := self._judging.times.get((student, name))) is not None:
            with _gradebook(self._judging.course) as gradebook:
                gradebook.update_or_create_submission(name, student, timestamp=known)


def _gradebook(course: Course) -> Gradebook:
    # `course.gradebook()` would also look each time whether it has its tables.
    address = make_url(course.db_url)
    file = address.database
    if address.get_backend_name() == "sqlite" and file and not Path(file).is_file():
        # SQLite would put an empty one in its place.
        raise OperationalError("", None, FileNotFoundError(f"{file} is not there"))
    return Gradebook(course.db_url, course.coursedir().course_id)


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, OperationalError) and "disk is full" in str(error)


def _is_unreachable(error: BaseException) -> bool:
    # nbgrader wraps what SQLAlchemy raises when it adds an entry.
    wrapped = isinstance(error, InvalidEntry) and "locked" in str(error)
    return wrapped or isinstance(error, OperationalError | InterfaceError)


def refuse(judging: Judging, item: Submission, reason: str) -> None:
    """Keep a record of a submission of something that is no assignment."""
    unknown = Assignment(item.assignment, (), Content(judging.course.source, ""))
    inputs = judging.inputs(unknown, item.digest)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    record = Record(item.student, item.assignment, "not graded", reason, inputs, started, 0.0)
    write_record(judging.course.gradebook_folder, record)
