"""Mistakes in a source notebook that would leak a solution, lose a grade or stop a release."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbjudge.assignment.markers import Kind, Marker, markers
from nbjudge.errors import Problem

_FIRST_WITH_IDS = 5  # notebook format 4.5
# A grade id goes into URLs, HTML anchors and the database; this is nbgrader's own rule.
_GRADE_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True)
class _Cell:
    """A source cell with the defaults of nbgrader's metadata filled in."""

    index: int
    cell_type: str
    id: object
    source: str
    nbgrader: dict[str, Any]

    @property
    def grade(self) -> bool:
        return bool(self.nbgrader.get("grade"))

    @property
    def solution(self) -> bool:
        return bool(self.nbgrader.get("solution"))

    @property
    def task(self) -> bool:
        return bool(self.nbgrader.get("task"))

    @property
    def is_test(self) -> bool:
        return self.grade and not self.solution

    @property
    def is_answer(self) -> bool:
        """A solution cell that a test cell grades, not a person."""
        return self.solution and not self.grade and not self.task

    @property
    def is_nbgrader(self) -> bool:
        return self.grade or self.solution or self.task or bool(self.nbgrader.get("locked"))

    @property
    def name(self) -> str:
        first = next((line.strip() for line in self.source.split("\n") if line.strip()), "(empty)")
        grade_id = self.nbgrader.get("grade_id")
        known = f"'{grade_id}'" if grade_id else f"{first[:60]!r}"
        return f"cell {self.index + 1} ({known})"


def check_source(path: Path) -> list[Problem]:
    """All the problems of the source notebook at ``path``, in the order of its cells.

    Never raises for a bad notebook: what cannot be read is a problem too.
    """
    path = Path(path)
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return [
            Problem(path.name, "", f"it cannot be read ({error})", "Save it again from JupyterLab")
        ]
    return check_notebook(notebook, path.name)


def check_notebook(notebook: Any, file: str) -> list[Problem]:
    """All the problems of a notebook given as parsed JSON; ``file`` is its name in the messages."""
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        what = "it is JSON, but not a notebook: it has no list of cells"
        return [Problem(file, "", what, "Save it again from JupyterLab")]
    found = list(_check_format(notebook, file))
    has_ids = notebook.get("nbformat_minor") == _FIRST_WITH_IDS
    cells = []
    for index, raw in enumerate(notebook["cells"]):
        try:
            cells.append(_read_cell(index, raw))
        except (TypeError, ValueError) as error:
            fix = "Delete the cell and write it again in JupyterLab"
            found.append(Problem(file, f"cell {index + 1}", str(error), fix))
    for cell in cells:
        found += [Problem(file, cell.name, *pair) for pair in _check_markers(cell)]
        found += [Problem(file, cell.name, *pair) for pair in _check_metadata(cell)]
    found += [Problem(file, cell.name, *pair) for cell, pair in _check_grade_ids(cells)]
    if has_ids:
        found += [Problem(file, cell.name, *pair) for cell, pair in _check_cell_ids(cells)]
    return found


def _read_cell(index: int, raw: Any) -> _Cell:
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown", "raw"):
        raise ValueError("it is neither a code, a markdown nor a raw cell")
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(source)
    metadata = raw.get("metadata", {})
    nbgrader = metadata.get("nbgrader", {}) if isinstance(metadata, dict) else None
    if not isinstance(source, str) or not isinstance(nbgrader, dict):
        raise ValueError("its source or metadata is damaged")
    return _Cell(index, raw["cell_type"], raw.get("id"), source, nbgrader)


def _check_format(notebook: dict[str, Any], file: str) -> Iterator[Problem]:
    fix = "Open it in JupyterLab 4 and save it"
    version = f"{notebook.get('nbformat')}.{notebook.get('nbformat_minor')}"
    if version not in (f"4.{minor}" for minor in range(_FIRST_WITH_IDS + 1)):
        yield Problem(
            file, "", f"it has notebook format {version}, which is not one of 4.0 to 4.5", fix
        )
    elif version != f"4.{_FIRST_WITH_IDS}" and any(
        isinstance(cell, dict) and "id" in cell for cell in notebook["cells"]
    ):
        what = f"it has notebook format {version}, but its cells have ids, which need 4.5"
        yield Problem(file, "", what, fix)


def _check_markers(cell: _Cell) -> Iterator[tuple[str, str]]:
    open_marker: Marker | None = None
    kinds: dict[Kind, None] = {}
    for marker in markers(cell.source):
        where = f"line {marker.line + 1}"
        kinds[marker.kind] = None
        if marker.begins:
            if open_marker is not None:
                yield (
                    f"{where}: {marker} is inside the region that begins with {open_marker} "
                    f"in line {open_marker.line + 1}",
                    f"End that region first, with '### END {open_marker.kind}'",
                )
            open_marker = marker
        elif open_marker is None:
            yield f"{where}: {marker} has no beginning", f"Write '### BEGIN {marker.kind}' above"
        elif open_marker.kind != marker.kind:
            yield (
                f"{where}: {marker} ends a region that began with {open_marker}",
                f"End it with '### END {open_marker.kind}'",
            )
            open_marker = None
        else:
            open_marker = None
    if open_marker is not None:
        yield (
            f"line {open_marker.line + 1}: {open_marker} has no end",
            f"Write '### END {open_marker.kind}' where the region ends",
        )
    allowed: dict[Kind, tuple[bool, str]] = {
        "SOLUTION": (cell.solution, "a solution cell ('Autograded answer' or 'Manually graded')"),
        "HIDDEN TESTS": (cell.is_test, "an 'Autograded tests' cell"),
        "MARK SCHEME": (cell.task, "a 'Manually graded task' cell"),
    }
    for kind in kinds:
        fits, wanted = allowed[kind]
        if not fits:
            yield (
                f"a {kind} region in a cell that is not {wanted}",
                "Set the cell's type in JupyterLab's nbgrader side bar, or remove the markers",
            )


def _check_metadata(cell: _Cell) -> Iterator[tuple[str, str]]:
    if not cell.is_nbgrader:
        return
    grade_id = cell.nbgrader.get("grade_id")
    if not isinstance(grade_id, str) or not grade_id:
        yield "it has no grade_id", "Give it an ID in JupyterLab's nbgrader side bar"
    elif not _GRADE_ID_LETTERS.issuperset(grade_id):
        yield (
            f"its grade_id {grade_id!r} has characters other than letters, digits, - and _",
            "Rename it in JupyterLab's nbgrader side bar",
        )
    if cell.task and cell.cell_type == "code":
        yield (
            "it is a 'Manually graded task', but a code cell, which nbgrader does not know",
            "Make it a markdown cell that describes the task, or take its type off",
        )
    if cell.task and (cell.grade or cell.solution):
        yield (
            "it is a task, and an answer or a test as well",
            "Choose one type in JupyterLab's nbgrader side bar",
        )
    if cell.grade or cell.task:
        yield from _check_points(cell)
    if cell.is_test and cell.cell_type != "code" and not cell.task:
        yield "it is a test, but not a code cell", "Make it a code cell, or remove its type"
    if cell.is_answer and cell.cell_type != "code":
        yield (
            "it is a written answer without points",
            "Make it a 'Manually graded answer' and give it points",
        )
    if cell.is_answer and cell.cell_type == "code" and not cell.source.strip():
        yield (
            "it is a solution cell without a solution",
            "Write the answer between '### BEGIN SOLUTION' and '### END SOLUTION'",
        )


def _check_points(cell: _Cell) -> Iterator[tuple[str, str]]:
    points = cell.nbgrader.get("points")
    fix = "Set its points in JupyterLab's nbgrader side bar"
    if points is None:
        yield "it is graded, but has no points", fix
    elif isinstance(points, bool) or not isinstance(points, int | float):
        yield f"its points are {points!r}, which is not a number", fix
    elif not math.isfinite(points) or points < 0:
        yield f"its points are {points}", f"{fix} to 0 or more"


def _check_grade_ids(cells: list[_Cell]) -> Iterator[tuple[_Cell, tuple[str, str]]]:
    graded = Counter(cell.nbgrader.get("grade_id") for cell in cells if cell.is_nbgrader)
    for cell in cells:
        grade_id = cell.nbgrader.get("grade_id")
        if cell.is_nbgrader and grade_id and graded[grade_id] > 1:
            yield (
                cell,
                (
                    f"the grade_id {grade_id!r} is used {graded[grade_id]} times",
                    "Give each cell an ID of its own in JupyterLab's nbgrader side bar",
                ),
            )


def _check_cell_ids(cells: list[_Cell]) -> Iterator[tuple[_Cell, tuple[str, str]]]:
    ids = Counter(cell.id for cell in cells if isinstance(cell.id, str))
    for cell in cells:
        if not isinstance(cell.id, str) or not cell.id:
            yield (
                cell,
                (
                    "it has no cell id, so each release would give it a new one",
                    "Save it in JupyterLab 4",
                ),
            )
        elif ids[cell.id] > 1:
            yield (
                cell,
                (
                    f"the cell id {cell.id!r} is used {ids[cell.id]} times",
                    "Delete one of the cells and write it again, so that it gets an id of its own",
                ),
            )
