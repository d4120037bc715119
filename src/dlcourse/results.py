"""What every student has reached, from nbgrader's gradebook and from how grading went.

The gradebook alone is not enough: it cannot tell a submission that could not be graded from one
that earned nothing, nor from one that was never handed in.
"""

import math
from typing import TYPE_CHECKING

from dlcourse.eligibility import Policy, PolicyError, Result
from nbjudge.course import Course
from nbjudge.records import read_record, record_path
from nbjudge.submissions import find_submissions

if TYPE_CHECKING:
    from nbgrader.api import SubmittedAssignment


def read_results(course: Course, policy: Policy) -> list[Result]:
    """A result for every known student and each of the policy's assignments.

    Known are the students in the gradebook and those who have a folder in `submitted/`.
    PolicyError if the gradebook has no points for one of the assignments.
    """
    digests = {(s.student, s.assignment): s.digest for s in find_submissions(course)}
    with course.gradebook() as gradebook:
        possible = {a.name: a.max_score for a in gradebook.assignments}
        for name in policy.assignments:
            if not possible.get(name):
                raise PolicyError(
                    f"{policy.source}: assignments: the gradebook has no points for {name!r}; "
                    f"it has {', '.join(sorted(possible)) or 'no assignments'}"
                )
        students = {s.id for s in gradebook.students} | {student for student, _ in digests}
        results = []
        for name in policy.assignments:
            rows = {s.student.id: s for s in gradebook.assignment_submissions(name)}
            for student in sorted(students):
                row, digest = rows.get(student), digests.get((student, name))
                recorded = record_path(course.gradebook_folder, name, student).exists()
                if row is None and digest is None and not recorded:
                    low, high, why = 0.0, 0.0, "not submitted"
                elif why := _not_graded(course, name, student, row is not None, digest):
                    low, high = 0.0, possible[name]
                else:
                    low, high, why = _points(row)
                results.append(Result(student, name, low, high, possible[name], why))
    return results


def _not_graded(
    course: Course, assignment: str, student: str, in_gradebook: bool, digest: str | None
) -> str:
    """Why there is no grade to go by; empty if there is one."""
    if not record_path(course.gradebook_folder, assignment, student).exists():
        return "not graded: there is no record of its grading"
    record = read_record(course.gradebook_folder, assignment, student)
    if record is None:
        return "not graded: the record of its grading is damaged"
    if record.status != "graded":
        return f"not graded: {' '.join(record.reason.split()) or 'no reason is given'}"
    if not in_gradebook:
        return "not graded: it is not in the gradebook"
    if digest is not None and digest != record.inputs.submission:
        return "not graded: handed in again after it was graded"
    return ""


def _points(row: "SubmittedAssignment") -> tuple[float, float, str]:
    """The points that are certain, those that are possible, and what the difference waits for."""
    certain, waiting = [], []
    for grade in (grade for notebook in row.notebooks for grade in notebook.grades):
        # A score that needs review is open, whatever an earlier version of the answer got.
        ungraded = grade.auto_score is None and grade.manual_score is None
        if grade.needs_manual_grade or ungraded:
            waiting.append(grade.max_score)
        else:
            certain.append(grade.score)
    low, open_, penalty = math.fsum(certain), math.fsum(waiting), row.late_submission_penalty
    why = ""
    if open_ > 0:
        answers = "1 answer waits" if len(waiting) == 1 else f"{len(waiting)} answers wait"
        why = f"{answers} for hand-grading ({open_:g} points)"
    return max(0.0, low - penalty), max(0.0, low + open_ - penalty), why
