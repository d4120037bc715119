"""Proof that a released notebook runs from top to bottom, but for what students must write."""

from __future__ import annotations

import ast
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from nbjudge.assignment.markers import is_cleared
from nbjudge.cells.metadata import is_solution
from nbjudge.cells.parsing import bindings, parse
from nbjudge.course import Course
from nbjudge.errors import ReleaseError
from nbjudge.release.release import copy_release
from nbjudge.release.sockets import use_private_sockets


@dataclass(frozen=True)
class ReleaseRun:
    """One released notebook as it ran: its code cells, and those that wait for an answer."""

    notebook: str
    code_cells: int
    waiting_cells: tuple[str, ...]


def run_release(course: Course, assignment: str) -> list[ReleaseRun]:
    """Run every notebook of ``release/ASSIGNMENT`` in a temporary copy.

    Raises ``ReleaseError`` for an error that ``Grading.expected_release_errors`` does not
    name, or that comes before there is anything for the student to write. A solution cell from
    which something was taken out may fail in any way, and so may a cell that reads what such a
    cell would have bound.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_release(course, assignment, Path(folder))
        return [
            _run(course, assignment, path, sockets=Path(folder, f"sockets-{number}"))
            for number, path in enumerate(sorted(copy.glob("*.ipynb")))
        ]


def _run(course: Course, assignment: str, path: Path, sockets: Path) -> ReleaseRun:
    settings = course.settings
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=settings.seconds_for(assignment),
        allow_errors=True,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(path.parent)}},
    )
    sockets.mkdir()
    use_private_sockets(client.create_kernel_manager(), sockets)
    place = f"release/{assignment}/{path.name}"
    try:
        environment = {**os.environ, **settings.all_environment}
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellTimeoutError as error:
        seconds = settings.seconds_for(assignment)
        raise ReleaseError(
            f"{place}: a cell ran longer than {seconds} s. Make it faster, or raise "
            f"c.Grading.cell_seconds.\n{error}"
        ) from error
    except DeadKernelError as error:
        raise ReleaseError(f"{place}: the kernel died while it ran.") from error
    waiting: list[str] = []
    something_to_write = False
    cleared, missing = _unanswered(course.source / assignment / path.name)
    for number, cell in enumerate(notebook.cells, start=1):
        something_to_write = something_to_write or is_solution(cell)
        bound, read = _names(cell.source) if cell.cell_type == "code" else (set(), set())
        depends = bool(missing & read)
        if depends:
            missing |= bound  # what it makes of a stub's value is as little of use
        raised = _error(cell)
        if raised is None:
            continue
        name = f"cell {number} ({cell.source.strip().splitlines()[0][:60]!r})"
        is_stub = is_solution(cell) and cell.metadata.nbgrader["grade_id"] in cleared
        if is_stub or depends or raised.ename in settings.expected_release_errors:
            missing |= bound
        else:
            raise ReleaseError(
                f"{place}, {name}: {raised.ename}: {raised.evalue}. Only "
                f"{', '.join(settings.expected_release_errors)} may come from an unanswered "
                "task. Fix the cell, or add to c.Grading.expected_release_errors."
            )
        if not something_to_write:
            raise ReleaseError(
                f"{place}, {name}: {raised.ename}, before there is anything to write."
            )
        waiting.append(name)
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    return ReleaseRun(path.name, code_cells, tuple(waiting))


def _unanswered(source: Path) -> tuple[set[str], set[str]]:
    """The grade ids of the solution cells that are cleared, and the names that these would make.

    Also those whose objects they would change.
    """
    try:
        cells = nbformat.read(source, as_version=4).cells
    except (OSError, ValueError):
        return set(), set()  # a release without its source
    code = [cell for cell in cells if cell.cell_type == "code"]
    answers = [cell for cell in code if is_solution(cell) and is_cleared(cell.source)]
    given = [cell for cell in code if cell not in answers]
    names = {found.name for cell in answers for found in bindings(cell.source)}
    names |= {name for cell in answers for name in _changed(cell.source)}
    imported = {found.name for cell in given for found in bindings(cell.source) if found.text}
    return {cell.metadata.nbgrader["grade_id"] for cell in answers}, names - imported


def _changed(source: str) -> set[str]:
    """The names whose objects a cell may change: ``x[0] = 1``, ``x.a = 1``, ``x.append(1)``."""
    changed: set[str] = set()
    for node in ast.walk(parse(source)):
        part: ast.expr | None = None
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            part = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            part = node.func
        while isinstance(part, ast.Subscript | ast.Attribute | ast.Call):
            part = part.func if isinstance(part, ast.Call) else part.value
        if isinstance(part, ast.Name):
            changed.add(part.id)
    return changed


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds, and those that it reads."""
    bound = {binding.name for binding in bindings(source)}
    loads = [node for node in ast.walk(parse(source)) if isinstance(node, ast.Name)]
    return bound, {node.id for node in loads if isinstance(node.ctx, ast.Load)}


def _error(cell: NotebookNode) -> NotebookNode | None:
    return next((out for out in cell.get("outputs", []) if out.output_type == "error"), None)
