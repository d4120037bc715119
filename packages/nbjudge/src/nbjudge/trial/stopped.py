"""Verdicts on a name that is not there since the cell that makes it stopped with an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nbformat import NotebookNode

from nbjudge.cells.metadata import is_test
from nbjudge.judge.messages import Judged
from nbjudge.record.scores import error_message

_NOT_DEFINED = re.compile(r"NameError: name '(?P<name>\w+)' is not defined")


def with_cause(judged: Judged, cells: Sequence[NotebookNode]) -> Judged:
    """The verdict, and which cell to mend where a name is missing since its cell stopped.

    ``cells`` are those before the test, with their outputs.
    """
    match = _NOT_DEFINED.match(judged.failure)
    if match is None:
        return judged
    name = match["name"]
    error = _error_where_made(name, cells)
    if not error:
        return judged
    why = f"The cell that makes {name} stopped: {error}. Mend that cell first."
    outputs = tuple(
        {**out, "evalue": f"{out['evalue']}\n{why}", "traceback": [*out["traceback"], why]}
        if out["output_type"] == "error"
        else out
        for out in judged.outputs
    )
    return replace(judged, failure=f"{judged.failure}\n{why}", outputs=outputs)


def _error_where_made(name: str, cells: Sequence[NotebookNode]) -> str:
    """The error of the last cell that stopped and seems to make ``name``; "" if there is none.

    A text with a syntax error cannot be parsed, so it is searched.
    """
    name = re.escape(name)
    made = rf"^[ \t]*((async )?def|class)[ \t]+{name}\b|^{name}[ \t]*=(?!=)"
    makes = re.compile(made, re.MULTILINE)
    errors = [
        error_message(cell)
        for cell in cells
        if cell.cell_type == "code" and not is_test(cell) and makes.search(cell.source)
    ]
    # A syntax error's place is in a text that has no name.
    return re.sub(r"\(<[^>]*>, line", "(line", next(filter(None, reversed(errors)), ""))
