"""Telling one run of a notebook from another."""

from __future__ import annotations

import toy_course as toy
from nbjudge.course import Course

TOKEN = "import os\nprint(os.urandom(8).hex())\n"
"""For the beginning of the answer ``double``: no two runs print the same."""


def printed(course: Course, student: str = "anna") -> str:
    """What the answer ``double`` printed when it was graded."""
    notebook = toy.read(course.autograded / student / "ps1" / "toys.ipynb")
    return "".join(toy.by_id(notebook, "double")["outputs"][0]["text"])
