"""The cells of an assignment as the gradebook keeps them, and a submission restored to them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from nbjudge.assignment.cells import MasterCell, cell_grade_id, released_text
from nbjudge.assignment.elsewhere import (
    Given,
    recover_grade_ids,
    show_answers_from_elsewhere,
)
from nbjudge.assignment.markers import normalise

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
# A release may have it on a cell, so that Jupyter runs the next one after an error.
_GOES_ON = "raises-exception"
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


def read_masters(
    gradebook: Gradebook, assignment: str, notebook: str, order: Sequence[str] = ()
) -> list[MasterCell]:
    """The cells of a released notebook, in the ``order`` of the given grade ids where known."""
    found = gradebook.find_notebook(notebook, assignment)
    points = {cell.name: float(cell.max_score) for cell in [*found.grade_cells, *found.task_cells]}
    grades = {cell.name for cell in found.grade_cells}
    tasks = {cell.name for cell in found.task_cells}
    solutions = {cell.name for cell in found.solution_cells}
    cells = [
        MasterCell(
            grade_id=cell.name,
            cell_type=cell.cell_type,
            source=cell.source,
            checksum=cell.checksum,
            grade=cell.name in grades,
            solution=cell.name in solutions,
            locked=bool(cell.locked),
            task=cell.name in tasks,
            points=points.get(cell.name),
        )
        for cell in found.source_cells
    ]
    place = {grade_id: number for number, grade_id in enumerate(order)}
    return sorted(cells, key=lambda cell: (place.get(cell.grade_id, len(place)), cell.grade_id))


def masters_digest(masters: dict[str, list[MasterCell]]) -> str:
    """The sha256 (hex) of the cells that grade an assignment: {notebook: cells}."""
    data = {name: [asdict(cell) for cell in cells] for name, cells in masters.items()}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Restored:
    """How a submission was restored: the masters it held, and what the student has to know."""

    found: int
    notes: tuple[str, ...]


def restore(
    notebook: NotebookNode, masters: Sequence[MasterCell], given: Given | None = None
) -> Restored:
    """Make a submitted notebook safe to grade, in place.

    Every cell loses its tags and other metadata; a known cell gets nbgrader's flags, and,
    unless it is an answer, its text from the master. Of a cell that was copied the last copy
    counts, as in stock nbgrader. Test, task and read-only cells that are missing are put back
    before the next known cell, so that all that the student wrote for them comes first. Known
    cells in another order go back to the masters', each with the student's own cells behind it.
    With ``given``, cells that lost nbgrader's marks are recognised, and answers that stand in
    other cells are shown where they were asked for.
    """
    recovered = [] if given is None else recover_grade_ids(notebook.cells, masters, given)
    known = {master.grade_id: master for master in masters}
    last = {
        grade_id: index
        for index, cell in enumerate(notebook.cells)
        if (grade_id := cell_grade_id(cell)) in known
    }
    notes = [*recovered, *_changes(notebook, known, last)]
    in_questions = _written_in_questions(notebook, known, last)
    cells = []
    ids: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        grade_id = cell_grade_id(cell)
        if grade_id is not None and last.get(grade_id) == index:
            master = known[grade_id]
            source = cell.source if master.solution else master.source
            cells.append(_cell(master.cell_type, source, master.metadata))
        else:
            cells.append(_cell(cell.cell_type, cell.source, None))
        cells[-1].id = _fresh_id(cell.get("id"), index, ids)
        if cells[-1].cell_type == cell.cell_type == "markdown" and "attachments" in cell:
            cells[-1].attachments = _sound_attachments(cell.attachments)
    ordered = _in_order(cells, masters)
    if [cell.id for cell in ordered] != [cell.id for cell in cells]:
        notes.append("The cells were in another order; they were put back into the one they had.")
    cells = ordered
    for master in reversed(masters):
        if master.grade_id not in last and master.must_be_there:
            cells.insert(_place(cells, masters, master), _missing_cell(master, ids))
            notes.append(f"The cell '{master.grade_id}' was missing; it was put back.")
    if given is not None:
        notes += show_answers_from_elsewhere(cells, masters, given, in_questions)
    notebook.cells = cells
    # The kernel to use is the master's: nbgrader's OverwriteKernelspec puts it in.
    notebook.metadata = NotebookNode()
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return Restored(len(last), tuple(notes))


def _changes(
    notebook: NotebookNode, known: Mapping[str, MasterCell], last: Mapping[str, int]
) -> list[str]:
    """What a student did to cells that were not theirs to change, in words."""
    notes = []
    for grade_id, index in last.items():
        cell, master = notebook.cells[index], known[grade_id]
        copies = sum(cell_grade_id(other) == grade_id for other in notebook.cells)
        if copies > 1:
            notes.append(f"The cell '{grade_id}' was there {copies} times; the last one counts.")
        if not master.solution and normalise(cell.source) != normalise(released_text(master)):
            kind = "test cell" if master.grade else "read-only cell"
            notes.append(f"The {kind} '{grade_id}' had been changed; its own text was put back.")
        if cell.metadata.get("tags") not in (None, [], [_GOES_ON]):
            notes.append(f"The cell '{grade_id}' had tags; they were taken off.")
        flags = cell.metadata.nbgrader
        kept = ("grade", "solution", "locked", *(["points"] if master.grade else []))
        if any(key in flags and flags[key] != getattr(master, key) for key in kept):
            notes.append(f"nbgrader's marks of the cell '{grade_id}' were put back.")
    return notes


def _written_in_questions(
    notebook: NotebookNode, known: Mapping[str, MasterCell], last: Mapping[str, int]
) -> dict[str, str]:
    """The student's versions of text cells that are put back, where something was added."""
    found = {}
    for grade_id, index in last.items():
        master, text = known[grade_id], notebook.cells[index].source
        if master.cell_type != "markdown" or master.solution:
            continue
        ours, theirs = normalise(released_text(master)), normalise(text)
        if ours in theirs and len(theirs) > len(ours):
            found[grade_id] = text
    return found


def _in_order(cells: list[NotebookNode], masters: Sequence[MasterCell]) -> list[NotebookNode]:
    """The known cells in the masters' order, each followed by what followed it."""
    place = {master.grade_id: number for number, master in enumerate(masters)}
    blocks: list[tuple[int, list[NotebookNode]]] = [(-1, [])]
    for cell in cells:
        grade_id = cell_grade_id(cell)
        if grade_id in place:
            blocks.append((place[grade_id], []))
        blocks[-1][1].append(cell)
    blocks.sort(key=lambda block: block[0])
    return [cell for _, block in blocks for cell in block]


def _place(cells: list[NotebookNode], masters: Sequence[MasterCell], missing: MasterCell) -> int:
    at = {cell_grade_id(cell): index for index, cell in enumerate(cells) if cell_grade_id(cell)}
    following = [master.grade_id for master in masters[list(masters).index(missing) + 1 :]]
    return next((at[grade_id] for grade_id in following if grade_id in at), len(cells))


def _missing_cell(master: MasterCell, ids: set[str]) -> NotebookNode:
    cell = _cell(master.cell_type, master.source, master.metadata)
    cell.id = _fresh_id(hashlib.sha256(master.grade_id.encode()).hexdigest()[:8], 0, ids)
    return cell


def _sound_attachments(attachments: object) -> NotebookNode:
    """The images among a text cell's attachments: of known types, and base64 throughout."""
    kept = NotebookNode()
    for name, data in attachments.items() if isinstance(attachments, dict) else ():
        sound = {
            kind: text
            for kind, text in data.items()
            if kind in _IMAGES and isinstance(text, str) and _BASE64.fullmatch(text)
        }
        kept[_writable(name)] = NotebookNode(sound)
    return kept


def _writable(text: str) -> str:
    """The text without the halves of characters that JSON can hold and no file can."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _cell(cell_type: str, source: str, nbgrader: dict[str, str | float] | None) -> NotebookNode:
    cell = NotebookNode(cell_type=cell_type, source=_writable(source), metadata=NotebookNode())
    if nbgrader is not None:
        cell.metadata.nbgrader = NotebookNode(nbgrader)
    if cell_type == "code":
        cell.execution_count = None
        cell.outputs = []
    return cell


def _fresh_id(wanted: object, index: int, used: set[str]) -> str:
    """A cell id that no other cell has: the wanted one if it can be, else one made of it."""
    is_sound = isinstance(wanted, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wanted)
    base = str(wanted)[:48] if is_sound else f"cell-{index}"
    candidate = base
    number = 1
    while candidate in used:
        number += 1
        candidate = f"{base}-{number}"
    used.add(candidate)
    return candidate
