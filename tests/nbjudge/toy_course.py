"""A tiny course of plain Python notebooks, and submissions made from its release."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]

CONFIG = """
from nbjudge.configure import configure
c = get_config()
configure(c)
c.Grading.cell_seconds = 3
c.Grading.interrupt_seconds = 2
c.Grading.jobs = 2
c.Grading.kernel_environment = {"TOY_SETTING": "from the config"}
c.Grading.expected_release_errors = ["NotImplementedError"]
"""

HIDDEN = "assert double(21) == 42, 'double(21) should be 42'"


def cell(kind: str, id: str, source: str, **nbgrader: Any) -> Cell:
    """A cell with an id; keywords are nbgrader's metadata, with its defaults filled in."""
    metadata: dict[str, Any] = {}
    if nbgrader:
        defaults = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
        metadata["nbgrader"] = defaults | {"task": False} | nbgrader
    made: Cell = {"cell_type": kind, "id": id, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def text(id: str, source: str, **nbgrader: Any) -> Cell:
    return cell("markdown", id, source, **nbgrader)


def code(id: str, source: str, **nbgrader: Any) -> Cell:
    return cell("code", id, source, **nbgrader)


def answer(id: str, source: str) -> Cell:
    return code(id, source, solution=True, grade_id=id)


def test_cell(id: str, source: str, points: Any = 2) -> Cell:
    return code(id, source, grade=True, locked=True, grade_id=id, points=points)


def notebook(*cells: Cell) -> Notebook:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def toy_notebook() -> Notebook:
    """Seven points: two for `double`, up to three for `sums`, two given by hand."""
    return notebook(
        text("title", "# Toys"),
        code("setup", "import os\nLIMIT = 10", locked=True, grade_id="setup"),
        text("task1", "## Double"),
        answer(
            "double",
            "def double(x):\n    ### BEGIN SOLUTION\n    twofold_value = 2 * x\n"
            "    return twofold_value\n    ### END SOLUTION",
        ),
        test_cell(
            "test-double",
            "import sys\nprint('a log line', file=sys.stderr)\nassert double(2) == 4\n"
            f"### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS",
        ),
        text("task2", "## Sums"),
        answer(
            "sums",
            "def sums(n):\n    ### BEGIN SOLUTION\n    return sum(range(n + 1))\n"
            "    ### END SOLUTION",
        ),
        test_cell("test-sums", "1.0 * (sums(1) == 1) + (sums(2) == 3) + (sums(LIMIT) == 55)", 3),
        text("task3", "## Why"),
        text(
            "why",
            "Because of the reference answer.",
            solution=True,
            grade=True,
            grade_id="why",
            points=2,
        ),
    )


def write(path: Path, notebook: Notebook) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1))
    return path


def read(path: Path) -> Notebook:
    found = json.loads(path.read_text())
    for item in found["cells"]:
        item["source"] = "".join(item["source"])
    return found


def by_id(notebook: Notebook, id: str) -> Cell:
    return next(item for item in notebook["cells"] if item["id"] == id)


def make_course(root: Path, notebooks: dict[str, Notebook] | None = None) -> Path:
    """Write a course: {"ASSIGNMENT/NAME": notebook}, by default the toy as ``ps1/toys``."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    for name, content in (notebooks or {"ps1/toys": toy_notebook()}).items():
        write(root / "source" / f"{name}.ipynb", content)
    return root


RIGHT = {
    "double": "def double(x):\n    return x + x",
    "sums": "def sums(n):\n    return n * (n + 1) // 2",
    "why": "Since I say so.",
}


def submit(
    root: Path,
    student: str,
    answers: dict[str, str] | None = None,
    change: Callable[[Notebook], None] | None = None,
    timestamp: str = "2030-01-01 12:00:00 UTC",
) -> Path:
    """Hand in the release of ps1 with ``answers`` (cell id: text), then ``change``d in place."""
    made = copy.deepcopy(read(root / "release" / "ps1" / "toys.ipynb"))
    for id, source in (RIGHT if answers is None else answers).items():
        by_id(made, id)["source"] = source
    if change is not None:
        change(made)
    folder = root / "submitted" / student / "ps1"
    write(folder / "toys.ipynb", made)
    (folder / "timestamp.txt").write_text(timestamp)
    return folder
