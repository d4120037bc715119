"""Which test cells of an assignment can be judged outside the student's kernel, and which not."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from traitlets.config import Config

from nbjudge.admit.staging import stage_files
from nbjudge.assignment import Assignment, find_assignment
from nbjudge.cells.metadata import is_test
from nbjudge.course import Course
from nbjudge.errors import CourseError, NotGraded, Problem
from nbjudge.files import write_atomically
from nbjudge.record.scores import error_message
from nbjudge.release.release import generate, source_notebooks
from nbjudge.release.source_check import check_source
from nbjudge.trial import Setting, Trial, try_notebook
from nbjudge.trial.judging import Judging
from nbjudge.trial.reference import lost_cells, reference_notebook

MARKER = "### RUN IN STUDENT KERNEL"
# A cell that moves into the kernel may take along one that needs what it binds.
_ROUNDS = 3


class Place(StrEnum):
    """Where a test cell of the reference solution gets its full marks."""

    OUTSIDE = "outside"
    MARKED = "in the kernel, as asked"
    NEEDS_KERNEL = "only in the kernel"
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class CheckedCell:
    """A test cell: where it gives the reference solution full marks, and why not outside."""

    notebook: str
    grade_id: str
    place: Place
    why: str = ""


@dataclass(frozen=True)
class Checked:
    """What was found out about an assignment.

    ``problems`` are those of its source notebooks; ``stopped`` says, by notebook, why it could
    not be run at all, or which of its own cells failed.
    """

    assignment: str
    cells: tuple[CheckedCell, ...]
    problems: tuple[Problem, ...]
    stopped: Mapping[str, str]

    @property
    def need_kernel(self) -> tuple[CheckedCell, ...]:
        """The cells to mark."""
        return tuple(cell for cell in self.cells if cell.place is Place.NEEDS_KERNEL)


def check(judging: Judging, name: str, server: str) -> Checked:
    """Try the reference solution of an assignment cell by cell; it need not be released.

    Neither the gradebook nor ``release/`` is touched. Raises ``CourseError`` where there is no
    such assignment, and ``ReleaseError`` where nbgrader cannot make its student version.
    """
    course = judging.course
    problems = [
        problem for path in source_notebooks(course, name) for problem in check_source(path)
    ]
    with tempfile.TemporaryDirectory(prefix="nbjudge-check-") as folder:
        here = Path(folder)
        assignment = _generated(course, name, here)
        files = here / "files"
        conditions = judging.conditions(assignment)
        stage_files(assignment.files.path, files, conditions.ignore)
        setting = Setting(conditions, server, judging.store, files, files)
        cells: list[CheckedCell] = []
        stopped: dict[str, str] = {}
        for blueprint in assignment.blueprints:
            if blueprint.source is None:
                raise CourseError(f"source/{name}/{blueprint.notebook}.ipynb cannot be read.")
            found, words = _check_notebook(setting, blueprint.notebook)
            cells += found
            if words:
                stopped[blueprint.notebook] = words
    return Checked(name, tuple(cells), tuple(problems), stopped)


def mark(course: Course, checked: Checked) -> list[Path]:
    """Write the marker into the source cells that need it; the files that were changed."""
    changed = []
    for path in source_notebooks(course, checked.assignment):
        ids = {cell.grade_id for cell in checked.need_kernel if cell.notebook == path.stem}
        if ids:
            text = path.read_text(encoding="utf-8")
            write_atomically(path, marked(text, ids).encode())
            changed.append(path)
    return changed


def marked(text: str, grade_ids: Collection[str]) -> str:
    """A notebook's JSON text with the marker as the first line of these test cells."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        flags = cell.get("metadata", {}).get("nbgrader", {})
        if flags.get("grade_id") in grade_ids and cell["cell_type"] == "code":
            lines = "".join(cell["source"]).splitlines(keepends=True)
            # A cell magic has to stay the first line.
            at = 1 if lines and lines[0].startswith("%%") else 0
            lines.insert(at, f"{MARKER}\n" if lines[at:] else MARKER)
            cell["source"] = lines
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _generated(course: Course, name: str, folder: Path) -> Assignment:
    """The assignment as a release would enter it into the gradebook."""
    config = Config(course.config)
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    apart = replace(course, config=config)
    generate(apart, name, folder / "release", database=True)
    assignment = find_assignment(apart, name)
    if assignment is None:
        raise CourseError(f"source/{name} holds no notebook of nbgrader's.")
    return assignment


def _check_notebook(setting: Setting, name: str) -> tuple[list[CheckedCell], str]:
    blueprint = setting.conditions.assignment.blueprint(name)
    asked = {grade_id for grade_id in blueprint.tests if blueprint.in_kernel(grade_id)}
    why: dict[str, str] = {}
    lost: dict[str, str] = {}
    for _ in range(_ROUNDS):
        try:
            trial = _try(setting, name, [*asked, *why])
        except NotGraded as error:
            words = str(error)
            cells = [
                CheckedCell(name, grade_id, Place.NOWHERE, words) for grade_id in blueprint.tests
            ]
            return cells, words
        lost = {
            cell.grade_id: cell.message or "it gives no full marks"
            for cell in lost_cells(trial, blueprint)
        }
        new = [grade_id for grade_id in lost if grade_id not in why and grade_id not in asked]
        if not new:
            break
        why |= {grade_id: lost[grade_id] for grade_id in new}
    cells = []
    for grade_id in blueprint.tests:
        if grade_id in lost:
            # What stock nbgrader would say, where the test was tried in the kernel as well.
            cells.append(CheckedCell(name, grade_id, Place.NOWHERE, lost[grade_id]))
        elif grade_id in why:
            cells.append(CheckedCell(name, grade_id, Place.NEEDS_KERNEL, why[grade_id]))
        else:
            place = Place.MARKED if grade_id in asked else Place.OUTSIDE
            cells.append(CheckedCell(name, grade_id, place))
    return cells, "; ".join(_errors(trial))


def _try(setting: Setting, name: str, in_kernel: Sequence[str]) -> Trial:
    conditions = setting.conditions
    blueprints = tuple(
        item.with_kernel_tests(in_kernel) if item.notebook == name else item
        for item in conditions.assignment.blueprints
    )
    assignment = replace(conditions.assignment, blueprints=blueprints)
    here = replace(setting, conditions=replace(conditions, assignment=assignment))
    return try_notebook(reference_notebook(assignment.blueprint(name)), name, here)


def _errors(trial: Trial) -> list[str]:
    return [
        f"cell {number}: {error_message(cell)}"
        for number, cell in enumerate(trial.notebook.cells, start=1)
        if error_message(cell) and not is_test(cell)
    ]
