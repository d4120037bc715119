"""A notebook of an assignment as its instructor has it: the cells, and what the tests ask for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbjudge.assignment.cells import MasterCell
from nbjudge.assignment.elsewhere import Given
from nbjudge.assignment.markers import normalise, seen
from nbjudge.assignment.masters import masters_digest, read_masters
from nbjudge.cells.names import Needs, SourceCell, needs_of, runs_in_kernel

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


@dataclass(frozen=True)
class Blueprint:
    """``masters`` are the cells as they were released, in the source's order.

    ``cells`` are all code cells of the source, test cells with the text that was released;
    ``source`` is the source notebook's JSON, ``None`` where there is none; ``released`` are the
    texts of the release's cells that nbgrader does not know, if they are others by now.
    """

    notebook: str
    masters: tuple[MasterCell, ...]
    cells: tuple[SourceCell, ...]
    source: Mapping[str, Any] | None
    released: frozenset[str] = frozenset()

    @property
    def is_library(self) -> bool:
        """Whether nothing in it is graded or to be answered: it is only for other notebooks."""
        return not any(cell.grade or cell.task or cell.solution for cell in self.masters)

    @property
    def given(self) -> Given:
        """What students were given in it beside the masters."""
        raw = [] if self.source is None else self.source["cells"]
        ids = {
            str(cell["id"]): str(_flags(cell)["grade_id"])
            for cell in raw
            if "id" in cell and "grade_id" in _flags(cell)
        }
        return Given(_plain_texts(self.source) | self.released, ids)

    @property
    def tests(self) -> dict[str, MasterCell]:
        """The cells that are scored by running them, by grade id."""
        return {cell.grade_id: cell for cell in self.masters if cell.is_test}

    @property
    def max_score(self) -> float:
        """The points of all cells, those that a person grades included."""
        return sum(cell.points or 0.0 for cell in self.masters)

    def needs(self, grade_id: str) -> Needs:
        """What a test cell needs from outside itself."""
        return needs_of(self.cells, grade_id)

    def in_kernel(self, grade_id: str) -> bool:
        """Whether a test cell is run in the student's kernel, by its own line or by a setting."""
        forced = any(c.grade_id == grade_id and c.forced_into_kernel for c in self.cells)
        return forced or runs_in_kernel(self.tests[grade_id].source)

    def with_kernel_tests(self, grade_ids: Collection[str]) -> Blueprint:
        """The same with these test cells run in the student's kernel."""
        cells = tuple(
            replace(cell, forced_into_kernel=True)
            if cell.is_test and cell.grade_id in grade_ids
            else cell
            for cell in self.cells
        )
        return replace(self, cells=cells)

    def as_seen(self) -> Blueprint:
        """The same with what students see of the test cells, and nothing that is hidden."""
        return replace(
            self,
            masters=tuple(
                replace(cell, source=seen(cell.source)) if cell.is_test else cell
                for cell in self.masters
            ),
            cells=tuple(
                replace(cell, source=seen(cell.source)) if cell.is_test else cell
                for cell in self.cells
            ),
        )

    def digest(self) -> str:
        """The sha256 (hex) of all that decides how a submission of it is judged."""
        texts = [
            [cell.grade_id, cell.source, *(["in kernel"] if cell.forced_into_kernel else [])]
            for cell in self.cells
        ]
        data = json.dumps([masters_digest({self.notebook: list(self.masters)}), texts])
        return hashlib.sha256(data.encode()).hexdigest()


def read_blueprint(
    gradebook: Gradebook,
    source_folder: Path,
    release_folder: Path,
    assignment: str,
    notebook: str,
    around: Sequence[Path | None] = (None, None),
) -> Blueprint:
    """Read a notebook's blueprint from the gradebook, ``source/ASSIGNMENT`` and the release.

    ``around`` are the notebooks that nbgrader puts before and after each of them.

    Raises ``nbgrader.api.MissingEntry`` for a notebook that was not released.
    """
    source = _read_source(source_folder / f"{notebook}.ipynb")
    if source is not None:
        before, after = (_read_source(path) if path else None for path in around)
        cells_around = [*(before or {}).get("cells", []), *source["cells"]]
        source = {**source, "cells": [*cells_around, *(after or {}).get("cells", [])]}
    raw = [] if source is None else source["cells"]
    order = [_flags(cell)["grade_id"] for cell in raw if "grade_id" in _flags(cell)]
    masters = tuple(read_masters(gradebook, assignment, notebook, order))
    released = {cell.grade_id: cell for cell in masters}
    if source is None:
        cells = [
            SourceCell(cell.grade_id, cell.source, cell.is_test, cell.solution, cell.source)
            for cell in masters
            if cell.cell_type == "code"
        ]
    else:
        cells = [_source_cell(cell, released) for cell in raw if cell["cell_type"] == "code"]
    others = _plain_texts(_read_source(release_folder / f"{notebook}.ipynb"))
    return Blueprint(notebook, masters, tuple(cells), source, others)


def _source_cell(cell: Mapping[str, Any], released: Mapping[str, MasterCell]) -> SourceCell:
    flags = _flags(cell)
    is_solution = bool(flags.get("solution"))
    is_test = bool(flags.get("grade")) and not is_solution
    grade_id = flags.get("grade_id", "")
    text = "".join(cell["source"])
    given = released[grade_id].source if grade_id in released else None
    if is_test and given is not None:
        text = given
    return SourceCell(grade_id, text, is_test, is_solution, given or "")


def _plain_texts(notebook: Mapping[str, Any] | None) -> frozenset[str]:
    """The texts, with white space made one, of the cells that nbgrader does not know."""
    raw = [] if notebook is None else notebook["cells"]
    return frozenset(
        normalise("".join(cell["source"])) for cell in raw if "grade_id" not in _flags(cell)
    )


def _flags(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    flags: Mapping[str, Any] = cell.get("metadata", {}).get("nbgrader", {})
    return flags


def _read_source(path: Path) -> Mapping[str, Any] | None:
    try:
        source = json.loads(path.read_text(encoding="utf-8"))
        return source if isinstance(source["cells"], list) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
