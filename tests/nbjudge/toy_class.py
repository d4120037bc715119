"""What students of the toy course hand in, and the outcome that is right for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import toy_course as toy
from toy_course import RIGHT, Notebook, by_id


@dataclass(frozen=True)
class HandIn:
    """``score`` of 5 automatic points; ``None``: not graded, for a reason that ``says`` so."""

    score: float | None
    answers: dict[str, str] | None = None
    change: Callable[[Notebook], None] | None = None
    after: Callable[[Path], None] | None = None
    says: str = ""
    timestamp: str = "2030-01-01 12:00:00 UTC"


def right_but(**answers: str) -> dict[str, str]:
    return RIGHT | answers


def skip_tests(notebook: Notebook) -> None:
    for id in ("test-double", "test-sums"):
        by_id(notebook, id)["metadata"]["tags"] = ["skip-execution"]


def delete(*ids: str) -> Callable[[Notebook], None]:
    def change(notebook: Notebook) -> None:
        notebook["cells"] = [item for item in notebook["cells"] if item["id"] not in ids]

    return change


def copy_cells(notebook: Notebook) -> None:
    for id in ("double", "test-double"):
        item = by_id(notebook, id)
        notebook["cells"].insert(notebook["cells"].index(item), dict(item, id=f"{id}-copy"))


def edit_tests(notebook: Notebook) -> None:
    by_id(notebook, "test-double")["source"] = "pass"
    by_id(notebook, "test-sums")["source"] = "3.0"
    by_id(notebook, "test-sums")["metadata"]["nbgrader"]["points"] = 100
    by_id(notebook, "setup")["source"] = "LIMIT = 1"


def change_flags(notebook: Notebook) -> None:
    for id in ("test-double", "test-sums"):
        by_id(notebook, id)["metadata"]["nbgrader"].update(grade=False, solution=True, locked=False)


def old_schema(notebook: Notebook) -> None:
    for item in notebook["cells"]:
        if "nbgrader" in item["metadata"]:
            item["metadata"]["nbgrader"]["schema_version"] = 1
            item["metadata"]["nbgrader"].pop("task", None)


def old_format(notebook: Notebook) -> None:
    notebook["nbformat_minor"] = 4
    for item in notebook["cells"]:
        del item["id"]


def unknown_grade_id(notebook: Notebook) -> None:
    metadata = dict(by_id(notebook, "double")["metadata"]["nbgrader"], grade_id="invented")
    notebook["cells"].append(toy.code("invented", "1", **metadata))


def other_notebook(notebook: Notebook) -> None:
    notebook["cells"] = [toy.code("mine", "print('my own notebook')")]


def print_history(notebook: Notebook) -> None:
    notebook["cells"].append(toy.code("look", "print(In)\nIn"))


def own_kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "julia-1.9", "display_name": "Julia"}


def rename(folder: Path) -> None:
    (folder / "toys.ipynb").rename(folder / "toys(1).ipynb")


def break_json(folder: Path) -> None:
    file = folder / "toys.ipynb"
    file.write_text(file.read_text()[:-200])


def no_notebook(folder: Path) -> None:
    file = folder / "toys.ipynb"
    file.write_text(json.dumps({"cells": [{"cell_type": "code"}], "nbformat": 4}))


def link_out(folder: Path) -> None:
    (folder / "data.csv").symlink_to("/etc/passwd")


def fill(folder: Path) -> None:
    with (folder / "big.bin").open("wb") as file:
        file.truncate(200_000_000)


def bad_time(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("the day after tomorrow, maybe")


ENDLESS = "def double(x):\n    while True:\n        pass"
STUBBORN = (
    "while True:\n    try:\n        while True:\n            pass\n"
    "    except KeyboardInterrupt:\n        pass"
)
NO_STDERR_COST = "import warnings\ndef double(x):\n    warnings.warn('look out')\n    return 2 * x"

HAND_INS: dict[str, HandIn] = {
    "right": HandIn(5),
    "nothing": HandIn(0, {}),
    "wrong": HandIn(3, right_but(double="def double(x):\n    return x")),
    "only-visible": HandIn(3, right_but(double="def double(x):\n    return 4")),
    "partial": HandIn(4, right_but(sums="def sums(n):\n    return 55 if n == 10 else 1")),
    "indentation": HandIn(3, right_but(double="def double(x):\n    y = 2 * x\n  return y")),
    "stderr": HandIn(5, right_but(double=NO_STDERR_COST)),
    "np-float": HandIn(
        5,
        right_but(sums="import numpy as np\ndef sums(n):\n    return np.float64(n * (n + 1) / 2)"),
    ),
    "equals-everything": HandIn(
        2,
        right_but(
            sums="class Any:\n    def __eq__(self, other):\n        return 1\n"
            "def sums(n):\n    return Any()"
        ),
    ),
    "equals-fifty": HandIn(
        2,
        right_but(
            sums="class Much(int):\n    def __eq__(self, other):\n        return 50\n"
            "    __hash__ = int.__hash__\ndef sums(n):\n    return Much()"
        ),
    ),
    "skips": HandIn(0, {}, skip_tests),
    "deleted-tests": HandIn(5, None, delete("test-double", "test-sums", "setup")),
    "deleted-tests-wrong": HandIn(0, {}, delete("test-double", "test-sums")),
    "deleted-answer": HandIn(3, None, delete("double")),
    "copied": HandIn(5, None, copy_cells),
    "edited-tests": HandIn(0, {}, edit_tests),
    "changed-flags": HandIn(0, {}, change_flags),
    "old-schema": HandIn(5, None, old_schema),
    "old-format": HandIn(5, None, old_format),
    "unknown-id": HandIn(5, None, unknown_grade_id),
    "own-kernel": HandIn(5, None, own_kernel),
    "endless": HandIn(3, right_but(double=ENDLESS)),
    "stubborn": HandIn(None, right_but(double=STUBBORN), says="could not be stopped"),
    "exits": HandIn(None, right_but(double="import os\nos._exit(0)"), says="kernel died"),
    # Inside, the kernel is the first of all processes, and nothing there can kill that one.
    "kills-itself": HandIn(3, right_but(double="import os\nos.kill(os.getpid(), 9)")),
    "kills-grader": HandIn(3, right_but(double="import os\nos.kill(os.getppid(), 9)")),
    "crashes": HandIn(
        None, right_but(double="import ctypes\nctypes.string_at(0)"), says="kernel died"
    ),
    "broken-json": HandIn(None, after=break_json, says="not valid JSON"),
    "not-a-notebook": HandIn(None, after=no_notebook, says="JupyterLab"),
    "missing": HandIn(None, after=lambda f: (f / "toys.ipynb").unlink(), says="is missing"),
    "renamed": HandIn(5, after=rename),
    "other-notebook": HandIn(None, change=other_notebook, says="none of the cells"),
    "links-out": HandIn(None, after=link_out, says="outside the submission"),
    "huge": HandIn(None, after=fill, says="200 MB"),
    "bad-time": HandIn(None, after=bad_time, says="no date"),
    "[odd] name*": HandIn(None, says="takes the name"),
    "history": HandIn(3, right_but(double="def double(x):\n    return x"), print_history),
    "late": HandIn(5, timestamp="2030-01-03 12:00:00 UTC"),
}


def hand_in_all(root: Path) -> None:
    for student, made in HAND_INS.items():
        folder = toy.submit(root, student, made.answers, made.change, made.timestamp)
        if made.after is not None:
            made.after(folder)
    # What a student may leave beside the assignments.
    toy.write(root / "submitted" / "right" / "ps1-final" / "toys.ipynb", toy.toy_notebook())
    (root / "submitted" / "README.md").write_text("Submissions go here.")
