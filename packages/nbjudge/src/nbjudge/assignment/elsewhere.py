"""Answers that do not stand where they were asked for: recognised, and shown to a person.

A student may answer in a new cell, in one that lost nbgrader's marks (Colab, VS Code, copy and
paste), or in the text of the question. What such a text is worth is for a person to say.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from nbformat import NotebookNode

from nbjudge.assignment.cells import MasterCell, cell_grade_id, released_text
from nbjudge.assignment.markers import normalise

_MOST_LETTERS = 20_000
_MOST_PARSED = 64


@dataclass(frozen=True)
class Given:
    """What students were given beside the cells that nbgrader knows.

    ``texts`` are those of all other cells, with white space made one; ``ids`` are the grade ids of
    nbgrader's cells by their cell ids.
    """

    texts: frozenset[str] = frozenset()
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Found:
    place: int
    text: str
    cell_type: str
    attachments: Mapping[str, object]


def recover_grade_ids(
    cells: Iterable[NotebookNode], masters: Sequence[MasterCell], given: Given
) -> list[str]:
    """Give cells back, in place, the grade ids that they lost; returns notes for the student.

    A cell is known by its cell id, or by a text that only one of the missing cells has.
    """
    cells = list(cells)
    known = {master.grade_id: master for master in masters}
    present = {cell_grade_id(cell) for cell in cells}
    missing = {grade_id for grade_id in known if grade_id not in present}
    texts = {grade_id: normalise(released_text(known[grade_id])) for grade_id in missing}
    times = Counter(texts.values())
    by_text = {text: grade_id for grade_id, text in texts.items() if text and times[text] == 1}
    notes = []
    for cell in cells:
        if cell_grade_id(cell) in known:
            continue
        grade_id = given.ids.get(cell.get("id") or "")
        if grade_id not in missing or known[grade_id].cell_type != cell.cell_type:
            grade_id = by_text.get(normalise(cell.source))
        if grade_id in missing:
            missing.remove(grade_id)
            cell.metadata["nbgrader"] = NotebookNode(grade_id=grade_id)
            notes.append(
                f"The cell '{grade_id}' had lost the marks by which nbgrader knows it; it was "
                "recognised."
            )
    return notes


def show_answers_from_elsewhere(
    cells: Sequence[NotebookNode],
    masters: Sequence[MasterCell],
    given: Given,
    in_questions: Mapping[str, str],
) -> list[str]:
    """Show, in a written answer that was left as it was, what the student wrote in other cells.

    Changes ``cells``, which are restored, in place: an answer with such a text is not empty any
    more, so nbgrader leaves it to a person. ``in_questions`` are the student's versions of text
    cells that were restored, by grade id. Returns notes for the student.
    """
    known = {master.grade_id: master for master in masters}
    found = _written_elsewhere(cells, known, given, in_questions)
    notes = []
    for place, cell in enumerate(cells):
        master = known.get(cell_grade_id(cell) or "")
        if master is None or not _is_left(cell, master) or not master.is_written:
            continue
        first, last = _neighbours(cells, place, known)
        shown = [item for item in found if first < item.place < last or _is_prose(item)]
        if not shown:
            continue
        _show(cell, place, shown)
        notes.append(
            f"The answer '{master.grade_id}' was left as it was given, but you wrote in other "
            "cells. Whether your answer is there, a person will see."
        )
    return notes


def _is_left(cell: NotebookNode, master: MasterCell) -> bool:
    return normalise(cell.source) == normalise(master.source)


def _written_elsewhere(
    cells: Sequence[NotebookNode],
    known: Mapping[str, MasterCell],
    given: Given,
    in_questions: Mapping[str, str],
) -> list[_Found]:
    """The texts that the student added, in their order."""
    ours = given.texts | {normalise(released_text(master)) for master in known.values()}
    found = []
    for place, cell in enumerate(cells):
        grade_id = cell_grade_id(cell)
        text = in_questions.get(grade_id or "") if grade_id in known else cell.source
        if text and text.strip() and normalise(text) not in ours:
            found.append(_Found(place, text, cell.cell_type, cell.get("attachments", {})))
    return found


def added_texts(
    cells: Iterable[NotebookNode], masters: Sequence[MasterCell], given: Given
) -> list[str]:
    """The texts of cells that students were not given, without white space around them."""
    known = {master.grade_id: master for master in masters}
    return [item.text.strip() for item in _written_elsewhere(list(cells), known, given, {})]


def _is_prose(item: _Found) -> bool:
    return item.cell_type != "code" or not _is_code(item.text)


@lru_cache(_MOST_PARSED)
def _is_code(text: str) -> bool:
    """Whether a code cell holds more than words: a student may write an answer into one."""
    if len(text) > _MOST_LETTERS:
        return True
    lines = [line for line in text.split("\n") if not line.lstrip().startswith(("%", "!"))]
    try:
        body = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    only_a_text = all(
        isinstance(item, ast.Expr)
        and isinstance(item.value, ast.Constant | ast.Name)
        and not isinstance(getattr(item.value, "value", None), int | float)
        for item in body
    )
    return len(lines) < text.count("\n") + 1 or not only_a_text


def _neighbours(
    cells: Sequence[NotebookNode], place: int, known: Mapping[str, MasterCell]
) -> tuple[int, int]:
    """The places of the nearest cells of the assignment before and after this one."""
    others = [i for i, cell in enumerate(cells) if cell_grade_id(cell) in known and i != place]
    before = max((i for i in others if i < place), default=-1)
    return before, min((i for i in others if i > place), default=len(cells))


def _show(cell: NotebookNode, place: int, shown: Sequence[_Found]) -> None:
    parts = []
    for item in shown:
        where = "above" if item.place < place else "below"
        if abs(item.place - place) > 1:
            where = f"further {where}"
        title = f"Not written in this cell, but {where}:"
        if cell.cell_type == "code":
            lines = "\n".join(f"#   {line}" for line in item.text.split("\n"))
            parts.append(f"# {title}\n{lines}")
        else:
            parts.append(f"---\n\n**{title}**\n\n{item.text}")
            if item.attachments:
                cell["attachments"] = {**item.attachments, **cell.get("attachments", {})}
    text = "\n\n".join(parts)
    if len(text) > _MOST_LETTERS:
        text = text[:_MOST_LETTERS] + "\n\n(and more, which is not shown here)"
    cell.source = f"{cell.source}\n\n{text}"
