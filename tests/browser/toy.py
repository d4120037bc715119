"""A course of one tiny assignment, for when the repository's own is not there."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "toy"
c.Exchange.root = {exchange!r}
"""

STUB = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''


def cell(make, text: str, name: str, **kind):
    """A cell with nbgrader's metadata."""
    made = make(text)
    made.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": name,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
    } | kind
    return made


def write(course: Path) -> None:
    """Write the source of the toy course, its assignment named like the real one."""
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Doubling"),
            new_code_cell("import sys\nsys.version"),
            cell(new_code_cell, STUB, "double", solution=True),
            cell(new_code_cell, "assert double(2) == 4", "test", grade=True, locked=True, points=3),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    folder = course / "source" / "convnet"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "convnet.ipynb")
    (course / "exchange").mkdir()
    (course / "nbgrader_config.py").write_text(CONFIG.format(exchange=str(course / "exchange")))
