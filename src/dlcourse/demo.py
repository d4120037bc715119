"""A class from beginning to end: released, handed in, graded, read by a person, decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import Progress

from dlcourse.eligibility import Decision, Result, Verdict, decide, read_policy
from dlcourse.results import read_results
from dlcourse.sample_class import (
    Recipe,
    enrol,
    grade_by_hand,
    hand_in,
    read_recipes,
    rounds,
    set_due_dates,
)
from nbjudge.cohort import GradingOutcome, Running, grade
from nbjudge.course import Course
from nbjudge.errors import CourseError
from nbjudge.release import release
from nbjudge.submissions import Submission, find_submissions

RECIPES = "tests/cohort/students"
# Every mistake of the class once, and of the long trainings as many as fit into five minutes.
STUDENTS = (
    "ada",
    "cara",
    "dan",
    "eva",
    "gus",
    "hana",
    "jun",
    "kim",
    "lea",
    "max",
    "nia",
    "oli",
    "pia",
    "quinn",
)


@dataclass(frozen=True)
class Row:
    """One line of the closing table; the verdict is told on a student's first line."""

    student: str
    assignment: str
    score: str
    status: str
    verdict: Verdict | None
    why: str


def run_demo(course: Course, *, progress: Progress, jobs: int | None = None) -> list[Row]:
    """Release the assignments, hand in the sample class, grade it, decide; the table's rows.

    Raises `CourseError` where others than the sample class have handed in, or where there are
    no recipes.
    """
    recipes = [r for r in read_recipes(course.root / RECIPES) if r.student in STUDENTS]
    if not recipes:
        raise CourseError(
            f"There are no recipes in {course.root / RECIPES}: run the demo in a "
            "clone of the repository."
        )
    _require_no_real_class(course, recipes)
    attempts = [attempt for recipe in recipes for attempt in recipe.attempts]
    assignments = course.assignments()

    task = progress.add_task("Releasing", total=len(assignments))
    for assignment in assignments:
        release(course, assignment)
        progress.advance(task)
    enrol(course, recipes)
    set_due_dates(course, assignments)

    # The longest first: none of them is left running alone at the end.
    attempts.sort(key=lambda a: (not a.slow, a.assignment != "dropout", a.assignment, a.student))
    outcomes = {}
    steps = ("Grading", "Grading what was handed in again")
    for step, handed_in in zip(steps, rounds(attempts), strict=True):
        outcomes |= _grade(course, hand_in(course, handed_in), progress, jobs, step)
    grade_by_hand(course, attempts)

    policy = read_policy(course.gradebook_folder / "policy.toml")
    decisions = {d.student: d for d in decide(policy, read_results(course, policy))}
    return _rows(policy.assignments, recipes, outcomes, decisions)


def _require_no_real_class(course: Course, recipes: Sequence[Recipe]) -> None:
    """Refuse to write over what people handed in; the mark tells that a demo made the class."""
    mark = course.submitted / ".made-up-class"
    there = {item.student for item in find_submissions(course)}
    others = there - {recipe.student for recipe in recipes} if mark.exists() else there
    if others:
        raise CourseError(
            f"{course.submitted} holds submissions of {', '.join(sorted(others)[:5])}. The demo "
            "would grade its made-up class among them: run it in another clone."
        )
    mark.parent.mkdir(exist_ok=True)
    mark.touch()


def _grade(
    course: Course,
    submissions: Sequence[Submission],
    progress: Progress,
    jobs: int | None,
    what: str,
) -> dict[tuple[str, str], GradingOutcome]:
    task = progress.add_task(what, total=len(submissions))
    outcomes = {}

    def watch(running: Running) -> None:
        progress.update(task, description=running.doing or what)

    for outcome in grade(course, submissions, jobs=jobs, watch=watch):
        outcomes[outcome.student, outcome.assignment] = outcome
        progress.update(
            task, advance=1, description=f"{what}: {outcome.student}, {outcome.assignment}"
        )
    return outcomes


def _rows(
    assignments: Sequence[str],
    recipes: Sequence[Recipe],
    outcomes: dict[tuple[str, str], GradingOutcome],
    decisions: dict[str, Decision],
) -> list[Row]:
    rows = []
    for recipe in recipes:
        decision = decisions[recipe.student]
        results = {result.assignment: result for result in decision.results}
        for assignment in assignments:
            first = assignment == assignments[0]
            outcome = outcomes.get((recipe.student, assignment))
            result = results[assignment]
            has_score = outcome is not None and outcome.status == "graded"
            rows.append(
                Row(
                    recipe.student if first else "",
                    assignment,
                    f"{result.low:g}/{result.possible:g}" if has_score else "–",
                    _status(outcome, result),
                    decision.verdict if first else None,
                    "; ".join(_reasons(decision, assignment, assignments, first)),
                )
            )
    return rows


def _status(outcome: GradingOutcome | None, result: Result) -> str:
    if outcome is None:
        return "not submitted"
    if outcome.status != "graded":
        return outcome.status
    late = f", {outcome.late_seconds / 3600:.1f} h late" if outcome.late_seconds > 0 else ""
    return ("to be read" if result.high > result.low else "graded") + late


def _reasons(
    decision: Decision, assignment: str, assignments: Sequence[str], first: bool
) -> list[str]:
    """The reasons that belong on an assignment's line; those about no single one on the first."""
    own = f"{assignment}: "
    others = tuple(f"{name}: " for name in assignments if name != assignment)
    return [
        reason.removeprefix(own)
        for reason in decision.reasons
        if (reason.startswith(own) and reason != f"{own}not submitted")
        or (first and not reason.startswith((own, *others)))
    ]
