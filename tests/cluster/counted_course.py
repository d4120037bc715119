"""The toy course, whose hidden test notes whom it judged where, and what is handed in to it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import GradingOutcome, grade
from nbjudge.course import Course, load_course
from nbjudge.record.records import Record, read_record
from toy_token import TOKEN

LOG = "TOY_LOG"
"""The variable that names the file of a judge's notes, one line each: NAME and SLURM's job."""

_NOTE = f"""
import os
with open(os.environ.get("{LOG}", os.devnull), "a") as log:
    print(NAME, os.environ.get("SLURM_JOB_ID", "-"), file=log)
"""
DOUBLE = "def double(x):\n    return 2 * x\n"
# What students can see of the test does not notice.
WRONG = "def double(x):\n    return 2 * x if x < 10 else 0\n"
# Long enough to be found at it; starting takes a kernel far less.
LONG = "import time\nwhile time.process_time() < 3:\n    pass\n"
ENDLESS = "while True:\n    pass\n"


def counted_notebook() -> toy.Notebook:
    made = toy.toy_notebook()
    answer, test = toy.by_id(made, "double"), toy.by_id(made, "test-double")
    answer["source"] = answer["source"].replace("SOLUTION\n", "SOLUTION\n    pass\n", 1)
    answer["source"] += "\n### BEGIN SOLUTION\nNAME = 'reference'\n### END SOLUTION"
    test["source"] = test["source"].replace(toy.HIDDEN, f"{_NOTE}\n{toy.HIDDEN}")
    return made


def copy_course(pristine: Path, root: Path, settings: str = "") -> Course:
    """A course of the test's own, with ``settings`` added to its configuration."""
    shutil.copytree(pristine, root)
    config = root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Grading.cell_seconds = 60\n{settings}\n")
    return load_course(root)


def on(address: str) -> str:
    """The setting that has the class graded by the workers of this scheduler."""
    return f"c.Grading.cluster = {address!r}"


def hand_in(course: Course, answers: Mapping[str, str]) -> None:
    """Hand in an answer ``double`` for each student; each run of it prints another token."""
    for student, answer in answers.items():
        text = f"NAME = {student!r}\n{TOKEN}{answer}"
        toy.submit(course.root, student, toy.RIGHT | {"double": text})


def outcomes(course: Course, **options: object) -> dict[str, GradingOutcome]:
    return {item.student: item for item in grade(course, find_submissions(course), **options)}


def scores(found: Mapping[str, GradingOutcome]) -> dict[str, float]:
    """The scores of those that are graded."""
    return {student: item.score for student, item in found.items() if item.status == "graded"}


def record(course: Course, student: str) -> Record:
    found = read_record(course.gradebook_folder, "ps1", student)
    assert found is not None
    return found


def judged(log: Path) -> list[str]:
    """Whom the tests judged, in the order of their notes."""
    return [line.split()[0] for line in log.read_text().splitlines()]
