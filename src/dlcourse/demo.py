"""A class from beginning to end: released, handed in, graded, read by a person, certified."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbcertify.deciding import Decided, decide_course, write_decisions
from nbcertify.decisions import Decision, Verdict
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
    """One line of the closing table; the verdicts by tier are told on a student's first line."""

    student: str
    assignment: str
    score: str
    status: str
    verdicts: tuple[Verdict, ...]
    why: str


@dataclass(frozen=True)
class Demo:
    """What the demo comes to: the table's rows under the names of the tiers, and the PDFs."""

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
    outcomes = {}
    steps = ("Grading", "Grading what was handed in again")
    for step, handed_in in zip(steps, rounds(attempts), strict=True):
        outcomes |= _grade(course, hand_in(course, handed_in), progress, jobs, step)
    grade_by_hand(course, attempts)

    places = Places(course.gradebook_folder)
    write_roster(recipes, places.roster)
    write_reports(recipes, read_policy(places.policy).sessions, places.attendance)
    decided = decide_course(course, datetime.now(UTC))
    tiers = tuple(tier.name for tier in decided.policy.tiers)
    rows = _rows(decided.policy.assignments, recipes, outcomes, decided)
    return Demo(tiers, tuple(rows), _certify(places, decided, progress))


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
) -> list[Row]:
    results = {(r.student, r.assignment): r for r in decided.results}
    rows = []
    for recipe in recipes:
        own = [d for d in decided.decisions if d.student == recipe.student]
        for assignment in assignments:
            first = assignment == assignments[0]
            outcome = outcomes.get((recipe.student, assignment))
            result = results[recipe.student, assignment]
            has_score = outcome is not None and outcome.status == "graded"
            rows.append(
                Row(
                    recipe.student if first else "",
                    assignment,
                    f"{result.low:g}/{result.possible:g}" if has_score else "–",
                    _status(outcome, result),
                    tuple(d.verdict for d in own) if first else (),
                    "; ".join(_reasons(own, assignment, assignments, first)),
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
    decisions: Sequence[Decision], assignment: str, assignments: Sequence[str], first: bool
) -> list[str]:
    """Why there is no certificate: what belongs on an assignment's line; the rest on the first."""
    remarks = dict.fromkeys(
        remark for decision in decisions if not decision.granted for remark in decision.reasons
    )
    own = [r.text for r in remarks if r.about == assignment and r.text != "not submitted"]
    others = [str(r) for r in remarks if r.about not in assignments]
    return [*others, *own] if first else own
