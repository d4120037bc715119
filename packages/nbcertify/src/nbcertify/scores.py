"""What nbgrader's gradebook holds, read in a few queries.

nbgrader's own objects ask the database anew for each grade of each student; a class of 300 takes
seconds that way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


@dataclass
class Scores:
    """One submission in the gradebook: points by cell, of those scored and of those that wait.

    `penalty` is what nbgrader's own late penalty takes off, `late_seconds` how late it was.
    """

    late_seconds: float
    penalty: float = 0.0
    certain: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class AllScores:
    """A gradebook: `possible` points and `due` times (aware) by assignment, `of` by submission.

    `of` is keyed by student and assignment.
    """

    students: frozenset[str]
    possible: Mapping[str, float]
    due: Mapping[str, datetime]
    of: Mapping[tuple[str, str], Scores]


def read_scores(gradebook: Gradebook, assignments: Collection[str]) -> AllScores:
    """What the gradebook knows of all students, and of their submissions of `assignments`."""
    from nbgrader import api
    from sqlalchemy import select

    ask = gradebook.db.execute
    students = frozenset(ask(select(api.Student.id)).scalars())
    possible, due = {}, {}
    for name, points, when in ask(
        select(api.Assignment.name, api.Assignment.max_score, api.Assignment.duedate)
    ):
        possible[name] = points
        if when is not None:
            due[name] = when.replace(tzinfo=UTC)
    submissions = select(
        api.SubmittedAssignment.id,
        api.SubmittedAssignment.student_id,
        api.Assignment.name,
        api.SubmittedAssignment.timestamp,
        api.SubmittedAssignment.extension,
    ).join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
    by_id, of = {}, {}
    for id_, student, name, handed_in, extension in ask(
        submissions.where(api.Assignment.name.in_(assignments))
    ):
        late = _late(handed_in, due.get(name), extension)
        by_id[id_] = of[student, name] = Scores(late)
    notebooks = select(
        api.SubmittedNotebook.id,
        api.SubmittedNotebook.assignment_id,
        api.SubmittedNotebook.late_submission_penalty,
    )
    by_notebook = {}
    for id_, submission, penalty in ask(notebooks):
        if submission in by_id:
            by_notebook[id_] = by_id[submission]
            by_id[submission].penalty += penalty or 0.0
    worth = _points_by_cell(gradebook)
    grades = select(
        api.Grade.notebook_id,
        api.Grade.cell_id,
        api.Grade.auto_score,
        api.Grade.manual_score,
        api.Grade.extra_credit,
        api.Grade.needs_manual_grade,
    )
    for notebook, cell, auto, manual, extra, needs_person in ask(grades):
        scores = by_notebook.get(notebook)
        if scores is None:
            continue
        score = auto if manual is None else manual
        # A score that needs review is open, whatever an earlier version of the answer got.
        if needs_person or score is None:
            scores.waiting.append(worth.get(cell, 0.0) + max(0.0, extra or 0.0))
        else:
            scores.certain.append(score + (extra or 0.0))
    return AllScores(students, possible, due, of)


def _points_by_cell(gradebook: Gradebook) -> dict[str, float]:
    """What each graded cell is worth: code and answers to read, and tasks."""
    from nbgrader import api
    from sqlalchemy import select

    worth = {}
    for kind in (api.GradeCell, api.TaskCell):
        for id_, points in gradebook.db.execute(select(kind.id, kind.max_score)):
            worth[id_] = points or 0.0
    return worth


def _late(handed_in: datetime | None, due: datetime | None, extension: timedelta | None) -> float:
    """Seconds after the deadline, with the student's own extension; 0 where either is unknown."""
    if handed_in is None or due is None:
        return 0.0
    deadline = due.replace(tzinfo=None) + (extension or timedelta())
    return max(0.0, (handed_in - deadline).total_seconds())
