"""What the gradebook holds of one submission: read it, take it out, put a person's marks back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from nbgrader.api import Gradebook, MissingEntry

from nbjudge.record.records import KeptMarks, Mark


@dataclass(frozen=True)
class Totals:
    """A submission's standing in the gradebook, late penalty taken off, times in seconds."""

    score: float
    max_score: float
    needs_manual_grade: bool
    late_seconds: float


def no_totals(max_score: float) -> Totals:
    """Those of a submission that has no grade."""
    return Totals(0.0, max_score, needs_manual_grade=False, late_seconds=0.0)


def read_totals(gradebook: Gradebook, assignment: str, student: str) -> Totals | None:
    """The totals of a submission; ``None`` if the gradebook does not have it."""
    try:
        found = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return None
    is_due = found.assignment.duedate is not None
    penalty = sum(notebook.late_submission_penalty or 0.0 for notebook in found.notebooks)
    return Totals(
        score=float(found.score) - penalty,
        max_score=float(found.max_score),
        needs_manual_grade=bool(found.needs_manual_grade),
        late_seconds=float(found.total_seconds_late) if is_due else 0.0,
    )


def forget_scores(gradebook: Gradebook, assignment: str, notebook: str, student: str) -> None:
    """Take the automatic scores of a submitted notebook back; what a person gave stays."""
    try:
        submitted = gradebook.find_submission_notebook(notebook, assignment, student)
    except MissingEntry:
        return
    for grade in submitted.grades:
        grade.auto_score = None
        grade.needs_manual_grade = True
    gradebook.db.commit()


def read_marks(gradebook: Gradebook, assignment: str, student: str) -> KeptMarks:
    """What a person had entered for a submission."""
    try:
        found = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return KeptMarks()
    marks = []
    for notebook in found.notebooks:
        for grade in notebook.grades:
            if grade.manual_score is not None or grade.extra_credit is not None:
                marks.append(
                    Mark(notebook.name, grade.name, grade.manual_score, grade.extra_credit)
                )
        for comment in notebook.comments:
            if comment.manual_comment:
                marks.append(Mark(notebook.name, comment.name, comment=comment.manual_comment))
    extension = found.extension.total_seconds() if found.extension is not None else None
    return KeptMarks(extension, tuple(marks))


def remove_submission(gradebook: Gradebook, assignment: str, student: str) -> None:
    """Remove a submission from the gradebook; nothing happens if it is not there."""
    with contextlib.suppress(MissingEntry):
        gradebook.remove_submission(assignment, student)


def drop_void_extension(gradebook: Gradebook, assignment: str, student: str) -> None:
    """Take back an extension of an assignment that has no due date.

    It means nothing, and nbgrader cannot grade the submission as long as it is there.
    """
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return
    if submission.extension is not None and submission.assignment.duedate is None:
        submission.extension = None
        gradebook.db.commit()


def restore_marks(gradebook: Gradebook, assignment: str, student: str, kept: KeptMarks) -> None:
    """Enter what a person had given; the cells need a look again, as after a resubmission."""
    if kept == KeptMarks():
        return
    submission = gradebook.update_or_create_submission(assignment, student)
    if kept.extension_seconds is not None:
        submission.extension = timedelta(seconds=kept.extension_seconds)
    for mark in kept.marks:
        place = (mark.grade_id, mark.notebook, assignment, student)
        try:
            if mark.comment is not None:
                gradebook.find_comment(*place).manual_comment = mark.comment
            else:
                grade = gradebook.find_grade(*place)
                grade.manual_score = mark.score
                grade.extra_credit = mark.extra_credit
                grade.needs_manual_grade = True
        except MissingEntry:  # the cell is gone from the assignment
            continue
    gradebook.db.commit()
