"""nbgrader's metadata of a cell, read without importing nbgrader, which workers never need."""

from __future__ import annotations

import hashlib

from nbformat import NotebookNode


def is_grade(cell: NotebookNode) -> bool:
    """Whether a cell has points."""
    return _flag(cell, "grade")


def is_solution(cell: NotebookNode) -> bool:
    """Whether a cell holds a student's answer."""
    return _flag(cell, "solution")


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is one that nbgrader scores by running it."""
    return is_grade(cell) and not is_solution(cell) and cell.cell_type == "code"


def is_task(cell: NotebookNode) -> bool:
    """Whether a cell describes a task whose answer is in the student's own cells."""
    return _flag(cell, "task")


def is_locked(cell: NotebookNode) -> bool:
    """Whether a cell's text is the instructor's."""
    return not is_solution(cell) and (is_grade(cell) or _flag(cell, "locked"))


def is_unanswered(cell: NotebookNode) -> bool:
    """Whether an answer is still the text that was handed out, by nbgrader's own checksum."""
    checksum = cell.metadata.nbgrader.get("checksum")
    return checksum is not None and checksum == checksum_of(cell)


def checksum_of(cell: NotebookNode) -> str:
    """What ``nbgrader.utils.compute_checksum`` gives: an MD5 in hex."""
    metadata = cell.metadata.nbgrader
    texts = [cell.source, cell.cell_type, is_grade(cell), is_solution(cell), is_locked(cell)]
    texts.append(metadata["grade_id"])
    if is_grade(cell):
        texts.append(float(metadata["points"]))
    return hashlib.md5("".join(map(str, texts)).encode(), usedforsecurity=False).hexdigest()


def _flag(cell: NotebookNode, name: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get(name, False))
