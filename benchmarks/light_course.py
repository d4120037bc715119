"""A course of one notebook: light, an epoch of a small network on 500 images, or cheap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

ASSIGNMENT, NOTEBOOK = "light", "light"
POINTS = 5.0
# A hidden test, and what an instructor mends it to.
MEND = ("min() == 0.25", "min() <= 0.25")
OURS = """from nbjudge.configure import configure

c = get_config()
configure(c)
c.Grading.kernel_environment = {
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"
}
"""
# Stock nbgrader takes TensorFlow's log lines for a failed test, and 30 s are short for its import.
STOCK = """import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
c = get_config()
c.CourseDirectory.course_id = "benchmark"
c.Execute.timeout = 300
"""

Cells = Sequence[tuple[str, Mapping[str, object], str]]

# About a second of a student's own work, 5 points.
LIGHT: Cells = [
    ("load", {"locked": True}, """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers
random = np.random.default_rng(1)
labels = random.integers(0, 10, 500)
images = (random.random((500, 32, 32, 3)) + labels[:, None, None, None]).astype("float32")
"""),
    ("normalise", {"solution": True}, """
def normalise(images):
    ### BEGIN SOLUTION
    return images / images.max()
    ### END SOLUTION
"""),
    ("test_normalise", {"grade": True, "locked": True, "points": 2}, """
import numpy as np
assert normalise(np.array([1.0, 2.0, 4.0])).max() == 1
### BEGIN HIDDEN TESTS
assert normalise(np.array([1.0, 2.0, 4.0])).min() == 0.25
### END HIDDEN TESTS
"""),
    ("build", {"solution": True}, """
def build():
    ### BEGIN SOLUTION
    return keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10),
    ])
    ### END SOLUTION
"""),
    ("test_build", {"grade": True, "locked": True, "points": 2}, """
assert build().output_shape == (None, 10)
### BEGIN HIDDEN TESTS
assert build().count_params() == 36458
### END HIDDEN TESTS
"""),
    ("train", {"locked": True}, """
keras.utils.set_random_seed(1)
model = build()
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
history = model.fit(normalise(images), labels, epochs=1, verbose=2)
"""),
    ("test_train", {"grade": True, "locked": True, "points": 1}, """
assert len(history.history["loss"]) == 1
### BEGIN HIDDEN TESTS
assert model.count_params() == 36458 and np.isfinite(history.history["loss"][0])
### END HIDDEN TESTS
"""),
]  # fmt: skip
# An answer and a test: 0.05 s, without TensorFlow.
CHEAP: Cells = [
    ("total", {"solution": True}, """
def total(last):
    ### BEGIN SOLUTION
    return sum(range(last + 1))
    ### END SOLUTION
"""),
    ("test_total", {"grade": True, "locked": True, "points": 2}, """
assert total(10) == 55
### BEGIN HIDDEN TESTS
assert total(3_000_000) == 4_500_001_500_000
### END HIDDEN TESTS
"""),
]  # fmt: skip


def write_course(folder: Path, config: str, submissions: int, cells: Cells = LIGHT) -> None:
    """Write the course with its configuration and so many right submissions."""
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(config)
    _write(folder / "source" / ASSIGNMENT, _notebook(cells, solved=False))
    for number in range(submissions):
        notebook = _notebook(cells, solved=True)
        sign(notebook, number)
        _write(folder / "submitted" / f"student{number:04}" / ASSIGNMENT, notebook)


def sign(notebook: NotebookNode, number: int) -> None:
    """Make a submission unlike all others: the second of two would be taken from the store."""
    answer = next(
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    )
    answer.source += f"\n# handed in by student {number}"


def mend_test(folder: Path) -> None:
    """Change a hidden test as an instructor would who mends it."""
    path = folder / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    path.write_text(path.read_text().replace(*MEND))


def _notebook(cells: Cells, *, solved: bool) -> NotebookNode:
    notebook = v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
    )
    for grade_id, flags, source in cells:
        lines = source.strip().split("\n")
        if solved:
            lines = [line for line in lines if "### " not in line]
        cell = v4.new_code_cell("\n".join(lines), id=grade_id.replace("_", "-"))
        defaults = {"grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata.nbgrader = {"schema_version": 3, "grade_id": grade_id, **defaults, **flags}
        notebook.cells.append(cell)
    return notebook


def _write(folder: Path, notebook: NotebookNode) -> None:
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
