"""The course that the hostile class hands in to: what is asked, what is hidden, what is right."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]

LIMITS = """
c.Grading.cell_seconds = 3
c.Grading.call_seconds = 2
c.Grading.interrupt_seconds = 2
c.Grading.notebook_seconds = 60
c.Grading.judge_seconds = 20
c.Grading.jobs = 2
c.Grading.memory_megabytes = 600
c.Grading.disk_megabytes = 50
c.Grading.processes = 64
c.Grading.max_output_megabytes = 2
c.Grading.max_value_megabytes = 20
c.Grading.luck_attempts = 1
c.Grading.expected_release_errors = ["NotImplementedError"]
"""
CONFIG = f"""
from nbjudge.configure import configure
c = get_config()
configure(c)
c.Grading.data = "hostile_data:find"
{LIMITS}
"""


def _token(kind: str) -> str:
    return f"SECRET-{kind}-{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Secrets:
    """Texts that nobody but the instructor may ever see, new in every session."""

    test: str = field(default_factory=lambda: _token("test"))
    data: str = field(default_factory=lambda: _token("data"))
    environment: str = field(default_factory=lambda: _token("env"))
    solution: str = field(default_factory=lambda: _token("solution"))
    classmate: str = field(default_factory=lambda: _token("classmate"))
    gradebook: str = field(default_factory=lambda: _token("gradebook"))

    def all(self) -> dict[str, str]:
        return dict(vars(self))


def cell(kind: str, id: str, source: str, **nbgrader: Any) -> Cell:
    """A cell; keywords are nbgrader's metadata, with its defaults filled in."""
    metadata: dict[str, Any] = {}
    if nbgrader:
        defaults = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
        metadata["nbgrader"] = defaults | {"task": False, "grade_id": id} | nbgrader
    made: Cell = {"cell_type": kind, "id": id, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def answer(id: str, solution: str) -> Cell:
    source = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    return cell("code", id, source, solution=True)


def test(id: str, visible: str, hidden: str, points: float) -> Cell:
    hidden = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return cell("code", id, f"{visible}\n{hidden}".strip(), grade=True, locked=True, points=points)


def notebook(*cells: Cell) -> Notebook:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


RIGHT = {
    "square": "def square(n):\n    return n * n",
    "scale": "grid = np.arange(12.0).reshape(3, 4)\n"
    "scaled = (grid - grid.mean()) / grid.std()\n"
    "def scale(values):\n    return (values - values.mean()) / values.std()",
    "guess": "predictions = ['even' if n % 2 == 0 else 'odd' for n in questions]",
    "even": "def is_even(n):\n    return n % 2 == 0",
}
WRONG = {
    "square": "def square(n):\n    return -1",
    "scale": "scaled = np.ones((3, 4))\ndef scale(values):\n    return values",
    "guess": "predictions = ['neither'] * 6",
    "even": "def is_even(n):\n    return None",
}
POINTS = {"test-square": 2.0, "test-scale": 2.0, "test-guess": 3.0, "test-even": 1.0}
ALL = sum(POINTS.values())
QUESTIONS = (3, 8, 12, 7, 21, 40)
LABELS = ["odd", "even", "even", "odd", "odd", "even"]
# A hidden argument and what only its tests compare with.
HIDDEN_INPUT, HIDDEN_EXPECTED = 1234.5, 1523990.25


def tasks(hidden: Secrets) -> Notebook:
    """The first assignment: eight points, and no TensorFlow."""
    square = (
        f"marker = '{hidden.test}'\nassert marker and square({HIDDEN_INPUT}) == {HIDDEN_EXPECTED}"
    )
    scale = (
        "import json, os\nfrom pathlib import Path\n"
        "secret_facts = json.loads(Path(os.environ['HOSTILE_LABELS']).read_text())\n"
        "np.testing.assert_allclose(scaled.mean(), 0, atol=1e-9)\n"
        "np.testing.assert_allclose(scaled.std(), 1)\n"
        "other = np.array([1.0, 5.0, 9.0])\n"
        "assert np.allclose(scale(other), [-1.22474487, 0, 1.22474487])"
    )
    guess = (
        "labels = json.loads(Path(os.environ['HOSTILE_LABELS']).read_text())['labels']\n"
        "0.5 * sum(str(said) == label for said, label in zip(predictions, labels))"
    )
    return notebook(
        cell("markdown", "title", "# Tasks"),
        cell("code", "setup", f"import numpy as np\nquestions = {QUESTIONS}", locked=True),
        answer("square", f"{RIGHT['square']}\n# {hidden.solution}"),
        test(
            "test-square",
            "import math\nfirst = [0, 1, 4]\nassert [square(n) for n in range(3)] == first",
            square,
            POINTS["test-square"],
        ),
        answer("scale", RIGHT["scale"]),
        test("test-scale", "assert scaled.shape == (3, 4)", scale, POINTS["test-scale"]),
        answer("guess", RIGHT["guess"]),
        test("test-guess", "assert len(predictions) == 6", guess, POINTS["test-guess"]),
        answer("even", RIGHT["even"]),
        test(
            "test-even",
            "assert all(map(is_even, [2, 4]))",
            "assert all(map(is_even, (0, 128)))\nassert not any(map(is_even, (1, 129)))",
            POINTS["test-even"],
        ),
        cell("markdown", "notes", "My notes."),
    )


def write(path: Path, content: Notebook) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))
    return path


def read(path: Path) -> Notebook:
    found = json.loads(path.read_text())
    for item in found["cells"]:
        item["source"] = "".join(item["source"])
    return found


def by_id(content: Notebook, id: str) -> Cell:
    return next(item for item in content["cells"] if item["id"] == id)


def make_course(root: Path, hidden: Secrets, config: str = CONFIG) -> Path:
    """Write the course, with its data: ``labels.json`` is the judge's alone."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(config)
    write(root / "source" / "h1" / "tasks.ipynb", tasks(hidden))
    (root / "labels.json").write_text(json.dumps({"labels": LABELS, "note": hidden.data}))
    (root / "given.txt").write_text("what students may read")
    return root


def hand_in(
    root: Path,
    student: str,
    answers: Mapping[str, str],
    first: str = "",
    last: str = "",
    change: Callable[[Notebook], None] | None = None,
    after: Callable[[Path], None] | None = None,
    places: Mapping[str, str] | None = None,
) -> Path:
    """Hand in h1: with ``answers``, own cells before and behind all others, then ``change``d.

    ``places`` are put into the cells' texts: ``@ROOT@`` and the like.
    """
    made = copy.deepcopy(read(root / "release" / "h1" / "tasks.ipynb"))
    for id, source in answers.items():
        by_id(made, id)["source"] = source
    if first:
        made["cells"].insert(0, cell("code", "own-first", first))
    if last:
        made["cells"].append(cell("code", "own-last", last))
    for item in made["cells"]:
        for name, text in (places or {}).items():
            item["source"] = item["source"].replace(name, text)
    if change is not None:
        change(made)
    folder = root / "submitted" / student / "h1"
    write(folder / "tasks.ipynb", made)
    if after is not None:
        after(folder)
    return folder
