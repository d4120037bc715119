"""What the gradebook holds of one submission: read it, take it out, put a person's marks back."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from nbjudge.record.records import KeptMarks, Mark, Record, write_record


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


def read_marks(
    gradebook: Gradebook,
    assignment: str,
    student: str,
    answers: Mapping[str, Mapping[str, str]],
) -> KeptMarks:
    """What a person had entered for a submission.

    ``answers`` are the digests of the answers that were graded, by notebook and grade id.
    """
    try:
        found = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return KeptMarks()
    marks = []
    for notebook in found.notebooks:
        for grade in notebook.grades:
            if grade.manual_score is not None or grade.extra_credit is not None:
                answer = answers.get(notebook.name, {}).get(grade.name)
                answer = None if grade.needs_manual_grade else answer
                points = (grade.manual_score, grade.extra_credit)
                marks.append(Mark(notebook.name, grade.name, *points, answer=answer))
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


def merge_marks(kept: KeptMarks, found: KeptMarks) -> KeptMarks:
    """What was kept in a record, and what the gradebook has, which is newer.

    A mark that is the same in both is of the answer that was read when it was kept.
    """
    before = {(m.notebook, m.grade_id, m.comment is None): m for m in kept.marks}
    now = {(m.notebook, m.grade_id, m.comment is None): m for m in found.marks}
    for place, mark in now.items():
        old = before.get(place)
        if old is not None and mark.answer is None and replace(old, answer=None) == mark:
            now[place] = old
    extension = found.extension_seconds
    if extension is None:
        extension = kept.extension_seconds
    return KeptMarks(extension, tuple((before | now).values()))


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


def keep_marks(gradebook_folder: Path, gradebook: Gradebook, record: Record) -> Record:
    """Take what a person gave a submission into its record, before its scores are taken back.

    Returns the record. The gradebook gets back what it lost since.
    """
    name, student = record.assignment, record.student
    found = read_marks(gradebook, name, student, record.answers)
    kept = merge_marks(record.kept, found)
    if kept != record.kept:
        record = replace(record, kept=kept)
        write_record(gradebook_folder, record)
    restore_marks(gradebook, name, student, kept)
    return record
