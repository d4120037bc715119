"""The canary: before anybody is graded, the reference solution is, in the same sandbox.

If it does not get full marks, something is wrong with the tests, the data, the limits or the
sandbox, and nobody's grade could be trusted.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from nbjudge.admit.staging import stage_files
from nbjudge.assignment import Assignment
from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.markers import solved
from nbjudge.assignment.masters import restore
from nbjudge.cells.metadata import is_solution, is_test
from nbjudge.cells.names import replaced, replaced_functions
from nbjudge.digests import digest_of
from nbjudge.errors import CourseError, MachineTooBusy, NotGraded
from nbjudge.files import write_atomically
from nbjudge.record.scores import CellScore, error_message
from nbjudge.trial.judging import Judging
from nbjudge.trial.trial import Setting, Trial, try_notebook


class ReferenceFailed(CourseError):
    """The reference solution of an assignment does not get full marks: nothing of it is graded."""


def check_reference(judging: Judging, assignment: Assignment, server: str) -> None:
    """Grade the reference solution of ``assignment``, unless that was done with the same inputs.

    Raises ``ReferenceFailed`` with each cell that lost points, and why.
    """
    if has_passed(judging, assignment):
        return
    conditions = judging.conditions(assignment)
    with tempfile.TemporaryDirectory(prefix="nbjudge-reference-") as folder:
        files = Path(folder)
        stage_files(assignment.files.path, files, conditions.ignore)
        assignment.stage_libraries(files)
        problems = try_reference(Setting(conditions, server, judging.store, files, files))
    conclude(judging, assignment, problems)


def has_passed(judging: Judging, assignment: Assignment) -> bool:
    """Whether the reference solution got full marks before, with the same inputs.

    Raises ``ReferenceFailed`` where there is none.
    """
    for blueprint in assignment.blueprints:
        if blueprint.source is None:
            raise ReferenceFailed(
                f"There is no source/{assignment.name}/{blueprint.notebook}.ipynb, so the "
                "reference solution cannot be tried, and nothing of it is graded."
            )
    return _passed_file(judging, assignment).exists()


def conclude(judging: Judging, assignment: Assignment, problems: Sequence[str]) -> None:
    """Keep that the reference solution got full marks, or raise ``ReferenceFailed``."""
    if problems:
        raise ReferenceFailed(
            f"The reference solution of {assignment.name} does not get full marks in the sandbox "
            "that students' notebooks run in, so nobody is graded:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + "\nFix the tests, the data or the limits in nbgrader_config.py. Release the "
            "assignment again if you changed its source, and grade again. A test that cannot do "
            "with what is handed out (an object of a class of the notebook, plt.gcf(), a patch) "
            "asks for the student's process with the line ### RUN IN STUDENT KERNEL: 'nbjudge "
            f"check {assignment.name}' tells which cells need it, and can write it."
        )
    text = json.dumps({"assignment": assignment.name})
    write_atomically(_passed_file(judging, assignment), text.encode())


def try_reference(setting: Setting) -> list[str]:
    """What keeps the reference solution from full marks, in words; empty if nothing does."""
    problems: list[str] = []
    for blueprint in setting.conditions.assignment.blueprints:
        problems += _problems(blueprint, setting)
    return problems


def _passed_file(judging: Judging, assignment: Assignment) -> Path:
    inputs = judging.inputs(assignment, assignment.files.digest)
    return judging.store.folder / "reference" / digest_of(asdict(inputs))


def _problems(blueprint: Blueprint, setting: Setting) -> list[str]:
    try:
        trial = try_notebook(reference_notebook(blueprint), blueprint.notebook, setting)
        if trial.run.was_stored and lost_cells(trial, blueprint):
            # A sandbox that was broken then may be sound by now: no digest tells the two apart.
            grading = copy.copy(setting.conditions.grading)
            grading.reuse_executions = False
            conditions = replace(setting.conditions, grading=grading)
            setting = replace(setting, conditions=conditions)
            trial = try_notebook(reference_notebook(blueprint), blueprint.notebook, setting)
    except MachineTooBusy:
        raise
    except NotGraded as error:
        return [f"{blueprint.notebook}: {error}"]
    lost = [
        f"{cell.notebook}, {cell.grade_id}: "
        + ("no verdict" if cell.score is None else f"{cell.score:g} of {cell.max_score:g} points")
        + (f" ({cell.message})" if cell.message else "")
        + _hint(blueprint, cell.grade_id)
        for cell in lost_cells(trial, blueprint)
    ]
    # A test that misses a name says nothing of the cell that was to bind it.
    causes = [
        f"{blueprint.notebook}, cell {number}: {error_message(cell)}"
        for number, cell in enumerate(trial.notebook.cells, start=1)
        if error_message(cell) and not is_test(cell)
    ]
    return [*causes, *lost] if lost else []


def lost_cells(trial: Trial, blueprint: Blueprint) -> list[CellScore]:
    """The test cells that did not give full marks, those without a verdict among them."""
    return [
        cell
        for cell in trial.scores
        if cell.grade_id in blueprint.tests and (cell.score is None or cell.score < cell.max_score)
    ]


def _hint(blueprint: Blueprint, grade_id: str) -> str:
    if grade_id not in blueprint.tests or blueprint.in_kernel(grade_id):
        return ""
    names = replaced_functions(blueprint.cells, grade_id)
    return "; {}. {}, and release it again".format(*replaced(names)) if names else ""


def reference_notebook(blueprint: Blueprint) -> NotebookNode:
    """The notebook with every cell solved, of a blueprint that has its source."""
    notebook: NotebookNode = nbformat.reads(json.dumps(blueprint.source), as_version=4)
    restore(notebook, blueprint.masters)
    for cell in notebook.cells:
        if is_solution(cell):
            cell.source = solved(cell.source)
    return notebook
