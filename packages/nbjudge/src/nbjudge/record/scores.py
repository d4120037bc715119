"""What a graded cell's outputs are worth, read strictly. Pure functions over notebook nodes."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from nbjudge.cells.metadata import is_solution, is_unanswered
from nbjudge.cells.parsing import parse
from nbjudge.errors import NotGraded
from nbjudge.judge.credit import NotPoints, checked_score, is_credit

# numpy 2 prints its scalars like this.
_NUMPY_SCALAR = re.compile(r"(?:np|numpy)\.(?:float|int|uint|longdouble)\d*\((?P<number>[^()]*)\)")
_LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class CellScore:
    """The verdict on one graded cell; ``score`` is ``None`` when a person has to grade it.

    ``message`` is the error that failed it (``name: text``), empty if there was none;
    ``seconds`` is how long its judging took.
    """

    notebook: str
    grade_id: str
    score: float | None
    max_score: float
    message: str
    seconds: float = 0.0


def tidy_test_outputs(cell: NotebookNode) -> None:
    """Leave in a test cell's outputs, in place, only what may decide its score.

    What was written to stderr is dropped: a library's log line is not a failed test. Of the
    values shown only the last counts, none if the cell failed or if it is not meant as points,
    and it becomes a plain number. Raises ``NotGraded`` when that is not a number from 0 to the
    points of the cell.
    """
    kept = [
        out for out in cell.outputs if not (out.output_type == "stream" and out.name == "stderr")
    ]
    results = [out for out in kept if out.output_type == "execute_result"]
    failed = any(out.output_type == "error" for out in kept)
    kept = [out for out in kept if out.output_type != "execute_result"]
    if results and not failed:
        points = float(cell.metadata.nbgrader["points"])
        grade_id = cell.metadata.nbgrader["grade_id"]
        result = results[-1]
        text = str(result.data.get("text/plain", ""))
        if _is_meant_as_points(cell.source, text):
            score = partial_score(text, points, grade_id)
            result.data = NotebookNode({"text/plain": repr(score)})
            kept.append(result)
    cell.outputs = kept


def _is_meant_as_points(source: str, text: str) -> bool:
    """Whether what a cell shows last is a number of points; what is shown only is not."""
    body = parse(source).body
    if not body or not isinstance(body[-1], ast.Expr) or is_credit(body[-1].value, body[:-1]):
        return True
    if text in ("False", "None", "nan"):
        return True
    try:
        float(text)
    except ValueError:
        return _NUMPY_SCALAR.fullmatch(text.strip()) is not None
    return True


def partial_score(text: str, points: float, grade_id: str) -> float:
    """The score that a test cell's printed last value stands for.

    Raises ``NotGraded``, naming the cell, for anything but a number from 0 to ``points``.
    """
    scalar = _NUMPY_SCALAR.fullmatch(text.strip())
    try:
        score = float(scalar["number"] if scalar else text)
    except ValueError:
        score = math.nan
    try:
        return checked_score(score, points, grade_id, text)
    except NotPoints as problem:
        raise NotGraded(str(problem)) from None


def score_of(cell: NotebookNode) -> float | None:
    """The score of a graded cell by its outputs, those of a test tidied; ``None``: for a person.

    It is what nbgrader reads out of the same cell. An answer that was not touched has 0.
    """
    if is_solution(cell):
        return 0.0 if is_unanswered(cell) else None
    if cell.cell_type != "code":
        return None
    if any(out.output_type == "error" for out in cell.outputs):
        return 0.0
    for out in cell.outputs:
        if out.output_type == "execute_result":
            return float(out.data["text/plain"])
    return float(cell.metadata.nbgrader["points"])


def error_message(cell: NotebookNode) -> str:
    """The last error of a cell as ``name: text``, never its traceback; empty if it has none."""
    errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
    if not errors:
        return ""
    last = errors[-1]
    return f"{last.ename}: {last.evalue}".removesuffix(": ")[:_LONGEST_MESSAGE]
