"""A class from beginning to end: released, handed in, graded, read by a person, certified."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbcertify.deciding import Decided, decide_course, write_decisions
from nbcertify.decisions import Decision
from nbcertify.issuer import read_issuer
from nbcertify.issuing import certify
from nbcertify.keys import make_key
from nbcertify.office import Office
from nbcertify.places import Places
from nbcertify.planning import files_of, plan
from nbcertify.policy import read_policy
from nbcertify.results import Result
from nbcertify.texts import shipped
from nbjudge.admit.submissions import Submission, find_submissions
from nbjudge.cohort import GradingOutcome, Running, grade
from nbjudge.course import Course
from nbjudge.errors import CourseError
from nbjudge.files import remove_folder
from nbjudge.release.release import release
from rich.progress import Progress

from dlcourse.sample_attendance import write_reports, write_roster
from dlcourse.sample_class import (
    Recipe,
    enrol,
    grade_by_hand,
    hand_in,
    read_recipes,
    rounds,
    set_due_dates,
)

LATE = "*"
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
    """A student of the class: points by assignment, in words, and the decisions."""

    student: str
    points: tuple[str, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Demo:
    """The result: assignments in teaching order, the names of the tiers, a row each, the PDFs."""

    assignments: tuple[str, ...]
    tiers: tuple[str, ...]
    rows: tuple[Row, ...]
    certificates: tuple[Path, ...]


def run_demo(course: Course, *, progress: Progress, jobs: int | None = None) -> Demo:
    """Release the assignments, hand in the sample class, grade it, decide, issue certificates.

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
    outcomes: dict[tuple[str, str], GradingOutcome] = {}
    steps = ("Grading", "Grading what was handed in again")
    for step, handed_in in zip(steps, rounds(attempts), strict=True):
        outcomes |= _grade(course, hand_in(course, handed_in), progress, jobs, step)
    grade_by_hand(course, attempts)

    places = Places(course.gradebook_folder)
    write_roster(recipes, places.roster)
    write_reports(recipes, read_policy(places.policy).sessions, places.attendance)
    decided = decide_course(course, datetime.now(UTC))
    tiers = tuple(tier.name for tier in decided.policy.tiers)
    names = tuple(decided.policy.assignments)
    rows = tuple(_rows(names, recipes, outcomes, decided))
    return Demo(names, tiers, rows, _certify(places, decided, progress))


def _certify(places: Places, decided: Decided, progress: Progress) -> tuple[Path, ...]:
    """Issue the certificates with a key that is thrown away; the PDFs."""
    remove_folder(places.certificates)
    write_decisions(decided, places)
    now = datetime.now(UTC)
    steps = plan(decided.decisions, [], decided.roster, places, decided.policy, shipped())
    task = progress.add_task("Issuing certificates", total=len(steps))
    made = []
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder, "keys")
        make_key(keys, now)
        office = Office(places, decided.policy, read_issuer(places.issuer), keys)
        for one in certify(office, decided.decisions, steps, [], decided.roster, now):
            made.append(files_of(places, one.issued)[0])
            progress.advance(task)
    return tuple(made)


def _require_no_real_class(course: Course, recipes: Sequence[Recipe]) -> None:
    """Refuse to write over what people handed in; the mark tells that a demo made the class."""
    mark = course.submitted / ".made-up-class"
    roster = Places(course.gradebook_folder).roster
    if roster.exists() and not mark.exists():
        raise CourseError(
            f"There is a roster, {roster}. The demo would write over it: run it in another clone."
        )
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
    outcomes: Mapping[tuple[str, str], GradingOutcome],
    decided: Decided,
) -> Iterator[Row]:
    results = {(r.student, r.assignment): r for r in decided.results}
    for recipe in recipes:
        student = recipe.student
        points = [
            _points(outcomes.get((student, name)), results[student, name]) for name in assignments
        ]
        own = tuple(d for d in decided.decisions if d.student == student)
        yield Row(student, tuple(points), own)


def _points(outcome: GradingOutcome | None, result: Result) -> str:
    """Such as `8/10`, or `6–8/10` while a person has to read an answer.

    `none` is for a submission that could not be graded, `–` for no submission.
    """
    if outcome is None:
        return "–"
    if outcome.status != "graded":
        return "none"
    high = f"–{result.high:g}" if result.high > result.low else ""
    late = LATE if outcome.late_seconds > 0 else ""
    return f"{result.low:g}{high}/{result.possible:g}{late}"
