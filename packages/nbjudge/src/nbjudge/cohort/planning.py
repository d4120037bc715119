"""What has to be done with each submission, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbgrader.api import Gradebook

from nbjudge.admit.submissions import Submission, name_problem
from nbjudge.assignment import Assignment, find_assignment
from nbjudge.course import Course
from nbjudge.record.marks import Totals, read_totals
from nbjudge.record.records import BEGUN, Inputs, Record, read_record
from nbjudge.trial.judging import Judging

# What may have changed since a submission was graded, in words. Another time of submission asks
# for no grading: see ``nbjudge.cohort.standing``.
_CHANGES = {
    "submission": "handed in again",
    "source": "tests or files changed",
    "versions": "packages changed",
    "context": "data changed",
    "limits": "limits changed",
    "environment": "environment changed",
    "seed": "seed changed",
    "tier": "isolation changed",
}


@dataclass(frozen=True)
class Refused:
    """A submission that cannot be graded at all; ``why`` in words.

    ``max_score``, in points, is 0 where there is no such assignment. ``can_be_recorded`` is
    whether a record can have the student's name.
    """

    submission: Submission
    why: str
    max_score: float
    can_be_recorded: bool


@dataclass(frozen=True)
class Holds:
    """A submission whose grade still holds; ``totals`` are those that it has.

    ``weaker_tests`` of its test cells ran in the student's kernel.
    """

    submission: Submission
    totals: Totals
    weaker_tests: int = 0


@dataclass(frozen=True)
class ToGrade:
    """A submission that is to be graded; ``why`` says what changed since the last time."""

    submission: Submission
    assignment: Assignment
    why: str


Planned = Refused | Holds | ToGrade
"""A submission with what is to be done."""


def plan(judging: Judging, submissions: Sequence[Submission], *, force: bool) -> list[Planned]:
    """What is to be done with each of ``submissions``, in their order.

    A grade holds as long as nothing that it follows from has changed; with ``force`` none does.
    """
    course = judging.course
    assignments = {
        name: find_assignment(course, name) for name in {item.assignment for item in submissions}
    }
    with course.gradebook() as gradebook:
        return [
            _plan(judging, gradebook, item, assignments[item.assignment], force)
            for item in submissions
        ]


def _plan(
    judging: Judging,
    gradebook: Gradebook,
    item: Submission,
    assignment: Assignment | None,
    force: bool,
) -> Planned:
    if problem := name_problem(item.student):
        # Neither a record nor the gradebook can have such a name.
        max_score = assignment.max_score if assignment is not None else 0.0
        return Refused(item, problem, max_score, can_be_recorded=False)
    if assignment is None:
        why = _not_released(judging.course, item.assignment)
        return Refused(item, why, 0.0, can_be_recorded=True)
    if force:
        return ToGrade(item, assignment, "asked for")
    record = read_record(judging.course.gradebook_folder, item.assignment, item.student)
    why = _why(record, judging.inputs(assignment, item.digest, item.student))
    if not why:
        totals = read_totals(gradebook, item.assignment, item.student)
        graded = judging.course.autograded / item.student / item.assignment
        if totals is not None and graded.is_dir():
            runs = record.notebooks if record is not None else ()
            return Holds(item, totals, sum(len(run.tests_in_kernel) for run in runs))
        why = "the gradebook or autograded/ lost it"
    return ToGrade(item, assignment, why)


def _why(record: Record | None, inputs: Inputs) -> str:
    """Why a submission is to be graded (again), in words; empty if its grade holds."""
    if record is None:
        return "new"
    changed = [
        words
        for name, words in _CHANGES.items()
        if getattr(record.inputs, name) != getattr(inputs, name)
    ]
    if changed:
        return ", ".join(changed)
    if record.reason == BEGUN:
        return "grading was cut short"
    return "" if record.status == "graded" else "could not be graded before"


def _not_released(course: Course, name: str) -> str:
    if name in course.assignments():
        return f"{name} has not been released yet, so nothing can be graded in it."
    released = [item for item in course.assignments() if find_assignment(course, item) is not None]
    return (
        f"{name} is not an assignment of this course. "
        f"Its assignments are: {', '.join(released) or 'none'}."
    )
