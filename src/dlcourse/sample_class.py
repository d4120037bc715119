"""A made-up class: submissions baked from short recipes, each with the outcome that is right.

A recipe is one TOML file for each student, with a table for each assignment that was handed in:

    name = "Hana Hayashi"
    about = "Normalises twice."
    joins_as = "Hana's phone"         # the name in Zoom, if it is another
    attended = { "Half day 2" = ["09:00-10:20"] }   # the whole session where none is said
    [image-data]
    answer = "all"                    # as the reference does, or "none": as released
    but = ["show_images"]             # these the other way round
    late_hours = 3.5                  # after the due date; below 0: before it
    by_hand = { why_not_dense = 2 }   # points that a person gave for written answers
    [image-data.cells]                # these as the student wrote them, by grade id
    normalise = '''…'''
    [image-data.outcome]
    status = "graded"
    rest = "full"                     # of the points that tests give, or "none"
    points = { test_normalise = 0 }   # and these cells so
    says = { test_normalise = "normalised twice" }
    [image-data.earlier]              # cells of an earlier attempt, handed in before this one
    normalise = '''…'''
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
from nbgrader.api import MissingEntry
from nbjudge.admit.submissions import Submission, find_submissions
from nbjudge.assignment.markers import solved
from nbjudge.cells.metadata import is_solution
from nbjudge.course import Course

DUE = datetime(2026, 6, 12, 17, 0)  # UTC


@dataclass(frozen=True)
class Outcome:
    """What grading has to come to: points by grade id, and words that a message must have."""

    status: str = "graded"
    rest: str = "full"
    points: Mapping[str, float] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)

    def points_of(self, cell: str, possible: float) -> float:
        """What the test cell `cell`, worth `possible`, has to earn."""
        return self.points.get(cell, possible if self.rest == "full" else 0.0)


@dataclass(frozen=True)
class Attempt:
    """What one student did with one assignment. `earlier` holds the cells of a first attempt."""

    student: str
    assignment: str
    answer: str
    but: tuple[str, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, str] | None = None
    late_hours: float = -2.0
    by_hand: Mapping[str, float] = field(default_factory=dict)
    slow: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    def first(self) -> Attempt:
        """The attempt that was handed in first: this one, where there was no earlier."""
        if self.earlier is None:
            return self
        return replace(self, cells=self.earlier, earlier=None, late_hours=-24.0)


@dataclass(frozen=True)
class Recipe:
    """One student of the class. `attended` has the clock times of sessions not attended wholly."""

    student: str
    name: str
    about: str
    attempts: tuple[Attempt, ...]
    joins_as: str = ""
    attended: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_recipes(folder: Path) -> list[Recipe]:
    """All recipes in `folder`, by student. Raises ValueError naming file and key."""
    return [_read(path) for path in sorted(folder.glob("*.toml"))]


def _read(path: Path) -> Recipe:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    name, about = content.pop("name", ""), content.pop("about", "")
    joins_as, attended = content.pop("joins_as", ""), content.pop("attended", {})
    attempts = []
    for assignment, table in content.items():
        try:
            outcome = Outcome(**table.pop("outcome", {}))
            table["but"] = tuple(table.pop("but", ()))
            attempts.append(Attempt(path.stem, assignment, outcome=outcome, **table))
        except TypeError as error:
            raise ValueError(f"{path}: [{assignment}]: {error}") from error
    attended = {session: tuple(spans) for session, spans in attended.items()}
    return Recipe(path.stem, name, about, tuple(attempts), joins_as, attended)


def rounds(attempts: Sequence[Attempt]) -> tuple[list[Attempt], list[Attempt]]:
    """What is handed in first, and then what takes the place of some of it."""
    again = [attempt for attempt in attempts if attempt.earlier is not None]
    return [attempt.first() for attempt in attempts], again


def hand_in(course: Course, attempts: Sequence[Attempt]) -> list[Submission]:
    """Write each attempt to `submitted/STUDENT/ASSIGNMENT/`, over what is there.

    Returns the submissions that they are now, in the order of the attempts. Needs the release of
    its assignment. Raises ValueError for a cell that the notebook lacks.
    """
    for attempt in attempts:
        folder = course.submitted / attempt.student / attempt.assignment
        folder.mkdir(parents=True, exist_ok=True)
        notebook = _bake(course, attempt)
        nbformat.write(notebook, folder / f"{attempt.assignment}.ipynb")
        when = DUE + timedelta(hours=attempt.late_hours)
        (folder / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S} UTC\n")
    found = {(item.student, item.assignment): item for item in find_submissions(course)}
    return [found[attempt.student, attempt.assignment] for attempt in attempts]


def enrol(course: Course, recipes: Iterable[Recipe]) -> None:
    """Enter the students with their names into the gradebook."""
    with course.gradebook() as gradebook:
        for recipe in recipes:
            first, _, last = recipe.name.partition(" ")
            gradebook.update_or_create_student(recipe.student, first_name=first, last_name=last)


def set_due_dates(course: Course, assignments: Iterable[str]) -> None:
    """Enter the class's due date for each assignment into the gradebook."""
    with course.gradebook() as gradebook:
        for assignment in assignments:
            gradebook.update_or_create_assignment(assignment, duedate=DUE)


def grade_by_hand(course: Course, attempts: Iterable[Attempt]) -> None:
    """Enter the points that a person gave, as the formgrader does."""
    with course.gradebook() as gradebook:
        for attempt in attempts:
            for cell, points in attempt.by_hand.items():
                try:
                    grade = gradebook.find_grade(
                        cell, attempt.assignment, attempt.assignment, attempt.student
                    )
                except MissingEntry:
                    continue  # not graded, so there is nothing to read yet
                grade.manual_score = points
                grade.needs_manual_grade = False
        gradebook.db.commit()


def _bake(course: Course, attempt: Attempt) -> nbformat.NotebookNode:
    name = f"{attempt.assignment}/{attempt.assignment}.ipynb"
    source = nbformat.read(course.source / name, as_version=4)
    answers = {
        cell.metadata.nbgrader.grade_id: solved(cell.source)
        for cell in source.cells
        if is_solution(cell)
    }
    unknown = sorted({*attempt.cells, *attempt.but} - {*answers})
    if unknown:
        raise ValueError(
            f"{attempt.student}, {attempt.assignment}: no cell to answer is called "
            f"{', '.join(unknown)}"
        )
    notebook: nbformat.NotebookNode = nbformat.read(course.release / name, as_version=4)
    for cell in notebook.cells:
        if not is_solution(cell):
            continue
        grade_id = cell.metadata.nbgrader.grade_id
        if grade_id in attempt.cells:
            cell.source = attempt.cells[grade_id].strip("\n")
        elif (attempt.answer == "all") != (grade_id in attempt.but):
            cell.source = answers[grade_id]
    return notebook
