"""What a person who gives points to a cell has looked at, as digests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbformat import NotebookNode

from nbjudge.cells.metadata import is_grade, is_locked, is_solution, is_task, is_test
from nbjudge.digests import digest_of
from nbjudge.record.scores import CellScore


def answer_digests(nb: NotebookNode, scores: Sequence[CellScore]) -> dict[str, str]:
    """The sha256 (hex) of each graded cell's answer, by grade id.

    A written answer is its own cell; for a task it is all that the student wrote, and for a test
    the student's code and the points that the test gave.
    """
    written = [cell.source for cell in nb.cells if not is_locked(cell)]
    code = [cell.source for cell in nb.cells if cell.cell_type == "code" and not is_test(cell)]
    given = {score.grade_id: score.score for score in scores}
    digests = {}
    for cell in nb.cells:
        answer: dict[str, Any]
        if is_task(cell):
            answer = {"written": written}
        elif is_grade(cell) and is_solution(cell):
            answer = {"text": cell.source, "attachments": cell.get("attachments", {})}
        elif is_grade(cell):
            answer = {"code": code, "points": given.get(cell.metadata.nbgrader["grade_id"])}
        else:
            continue
        digests[cell.metadata.nbgrader["grade_id"]] = digest_of(answer)
    return digests
