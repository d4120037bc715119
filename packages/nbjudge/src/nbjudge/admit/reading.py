"""Reading a notebook that somebody handed in: whatever nbformat can read, without its outputs."""

from __future__ import annotations

import codecs
import json
import re
import warnings
from typing import Any

import nbformat
from nbformat import NotebookNode

from nbjudge.errors import NotGraded

_AGAIN = "Open it in JupyterLab, save it, and hand in again."
# Restoring a cell takes about a millisecond.
_MOST_CELLS = 5_000
# What nbformat 4.5 takes for the id of a cell.
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_notebook(data: bytes, name: str, size_limit: int) -> NotebookNode:
    """The notebook of these bytes in nbformat 4.5, with text, type, metadata and attachments.

    Outputs are dropped unread: they are made anew. ``name`` is the file's, for the messages;
    ``size_limit`` is in bytes. Raises ``NotGraded`` with the reason.
    """
    if len(data) > size_limit:
        raise NotGraded(
            f"{name} has {len(data) / 1e6:.0f} MB; a notebook may have {size_limit / 1e6:.0f} MB. "
            "Clear its outputs (Edit > Clear Outputs of All Cells), save it, and hand in again."
        )
    try:
        raw = json.loads(_text(data))
    except (ValueError, RecursionError) as error:
        raise NotGraded(f"{name} is damaged: it is not valid JSON. {_AGAIN}") from error
    not_a_notebook = f"{name} is not a Jupyter notebook. {_AGAIN}"
    if not isinstance(raw, dict):
        raise NotGraded(not_a_notebook)
    try:
        raw.setdefault("metadata", {})
        number = _drop_outputs(raw)
    except Exception as error:  # whatever is not where it belongs
        raise NotGraded(not_a_notebook) from error
    if number > _MOST_CELLS:
        raise NotGraded(
            f"{name} has {number:,} cells; a notebook may have {_MOST_CELLS:,}. Answer in the "
            "notebook that you were given, and hand that in."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cell ids that are missing or doubled
            found = nbformat.reads(json.dumps(raw), as_version=4)
        cells = list(found.cells)
    except Exception as error:  # nbformat raises whatever a strange notebook makes it stumble on
        raise NotGraded(not_a_notebook) from error
    metadata = found.metadata if isinstance(found.get("metadata"), dict) else NotebookNode()
    try:
        ids = [cell.get("id") for cell in raw.get("cells", [])] or [None] * len(cells)
        cells = [
            _cell(cell, id if _ID.fullmatch(id or "") else f"cell-{n}")
            for n, (cell, id) in enumerate(zip(cells, ids, strict=True))
        ]
    except (AttributeError, TypeError, ValueError) as error:
        raise NotGraded(f"{name} is damaged: a cell has no text or no type. {_AGAIN}") from error
    return NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)


def _text(data: bytes) -> str:
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return data.decode("utf-16" if data.startswith(marks) else "utf-8-sig")


def _drop_outputs(raw: dict[str, Any]) -> int:
    """Take outputs and counts out, in every format of notebooks; returns how many cells there are.

    What nbformat does not know there would keep it from reading the rest.
    """
    sheets = [raw, *raw.get("worksheets", [])]
    number = 0
    for sheet in sheets:
        for cell in sheet.get("cells", []):
            number += 1
            cell.setdefault("metadata", {})
            if not isinstance(cell.get("id"), str):
                cell.pop("id", None)
            if cell.get("cell_type") != "code":
                continue
            cell["outputs"] = []
            for count in ("execution_count", "prompt_number"):
                cell.pop(count, None)
            if "nbformat" in raw and raw["nbformat"] >= 4:
                cell["execution_count"] = None
    return number


def _cell(cell: NotebookNode, id: str) -> NotebookNode:
    source = cell["source"] if "source" in cell else cell.get("input")
    if isinstance(source, list):
        source = "".join(source)
    if not isinstance(source, str) or not isinstance(cell.get("cell_type"), str):
        raise ValueError
    kind = cell.cell_type if cell.cell_type in ("code", "markdown") else "raw"
    metadata = cell.metadata if isinstance(cell.get("metadata"), dict) else NotebookNode()
    # Not the id that nbformat draws at random for a cell without one.
    read = NotebookNode(cell_type=kind, source=source, metadata=metadata, id=id)
    if kind == "code":
        read.outputs, read.execution_count = [], None
    elif isinstance(cell.get("attachments"), dict):
        read.attachments = cell.attachments
    return read
