"""A class that something happens to while it is graded, and what has to hold afterwards."""

from __future__ import annotations

import toy_course as toy
from nbjudge.admit.submissions import find_submissions, submission_digest
from nbjudge.cohort import GradingOutcome, grade
from nbjudge.course import Course
from nbjudge.record.records import Record, read_record
from toy_token import TOKEN

ANSWER = TOKEN + "def double(x):\n    return x + x\n"
RIGHT = toy.RIGHT | {"double": ANSWER}
WRONG = toy.RIGHT | {"double": ANSWER.replace("x + x", "x + 1")}
"""These have 5 and 3 points without those that a person gives."""
LOST = toy.RIGHT | {"double": "import os\nos._exit(1)"}
"""Cannot be graded."""


def graded(course: Course, **options) -> dict[str, GradingOutcome]:
    found = list(grade(course, find_submissions(course), **options))
    assert len({outcome.student for outcome in found}) == len(found)
    return {outcome.student: outcome for outcome in found}


def record(course: Course, student: str = "anna") -> Record:
    found = read_record(course.gradebook_folder, "ps1", student)
    assert found is not None
    return found


def in_gradebook(course: Course) -> dict[str, float]:
    """Every row of the assignment: a submission that is counted twice would have two."""
    with course.gradebook() as gradebook:
        rows = [(row.student.id, row.score) for row in gradebook.assignment_submissions("ps1")]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def require_no_grade(course: Course, student: str = "anna") -> None:
    """Nobody who reads the records takes anything for a grade."""
    assert record(course, student).status == "not graded"
    assert record(course, student).reason


def require_grade(course: Course, score: float, student: str = "anna") -> None:
    """The grade is that of what is handed in now; everything says the same, and it is done."""
    found = record(course, student)
    assert (found.status, found.reason) == ("graded", "")
    folder = course.submitted / student / "ps1"
    assert found.inputs.submission == submission_digest(course, folder)
    assert in_gradebook(course)[student] == score
    mine, theirs = (
        toy.by_id(toy.read(where / student / "ps1" / "toys.ipynb"), "double")
        for where in (course.submitted, course.autograded)
    )
    assert mine["source"] == theirs["source"]
    assert theirs["outputs"]
    assert next(grade(course, find_submissions(course, students=[student]))).reused


def give_mark(course: Course, student: str = "anna") -> None:
    """A point and a half, by a person."""
    with course.gradebook() as gradebook:
        gradebook.find_grade("why", "toys", "ps1", student).manual_score = 1.5
        gradebook.db.commit()
