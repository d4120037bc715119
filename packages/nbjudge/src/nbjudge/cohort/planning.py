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
class Planned:
    """A submission with what is to be done.

    ``assignment`` is ``None`` and ``refusal`` says why where it cannot be graded at all;
    ``totals`` are those of a grade that still holds. Otherwise it is to be graded, and ``why``
    says what changed.
    """

    submission: Submission
    assignment: Assignment | None = None
    refusal: str = ""
    totals: Totals | None = None
    why: str = ""

    @property
    def to_grade(self) -> bool:
        """Whether anything is to be done."""
        return not self.refusal and self.totals is None


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
        return Planned(item, assignment, refusal=problem)
    if assignment is None:
        return Planned(item, refusal=_not_released(judging.course, item.assignment))
    if force:
        return Planned(item, assignment, why="asked for")
    record = read_record(judging.course.gradebook_folder, item.assignment, item.student)
    why = _why(record, judging.inputs(assignment, item.digest, item.student))
    if not why:
        totals = read_totals(gradebook, item.assignment, item.student)
        graded = judging.course.autograded / item.student / item.assignment
        if totals is not None and graded.is_dir():
            return Planned(item, assignment, totals=totals)
        why = "the gradebook or autograded/ lost it"
    return Planned(item, assignment, why=why)


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
