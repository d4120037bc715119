"""What machines and people do to a run: nothing is lost, counted twice, or graded as it was not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import toy_course as toy
from nbgrader.converters import Autograde
from nbgrader.preprocessors import SaveAutoGrades
from toy_token import TOKEN, printed

import nbjudge.cohort.run as run_module
import nbjudge.records
from nbjudge.cohort import GradingOutcome, grade
from nbjudge.cohort.recording import CannotRecord, Recorder
from nbjudge.course import Course, load_course
from nbjudge.marks import read_totals
from nbjudge.records import BEGUN, Record, read_record
from nbjudge.store import Store
from nbjudge.submissions import find_submissions, submission_digest

pytestmark = pytest.mark.usefixtures("grades_here")

ANSWER = TOKEN + "def double(x):\n    return x + x\n"
RIGHT = toy.RIGHT | {"double": ANSWER}
WRONG = toy.RIGHT | {"double": ANSWER.replace("x + x", "x + 1")}
LOST = toy.RIGHT | {"double": "import os\nos._exit(1)"}


@pytest.fixture(scope="module")
def tried(pristine_course, tmp_path_factory) -> list[Path]:
    """Where the course is, or is to be, whose reference solution has had full marks."""
    return [shutil.copytree(pristine_course, tmp_path_factory.mktemp("tried") / "course")]


@pytest.fixture
def course(tried, tmp_path) -> Course:
    """A course whose reference solution has had full marks, with one submission."""
    (root,) = tried
    if not (root / "submitted").exists():
        toy.submit(root, "anna", {})
        assert graded(load_course(root))["anna"].score == 0
        shutil.rmtree(root / "submitted")
        with load_course(root).gradebook() as gradebook:
            gradebook.remove_student("anna")
        (root / "submitted").mkdir()
    copy = load_course(shutil.copytree(root, tmp_path / "course"))
    toy.submit(copy.root, "anna", RIGHT)
    return copy


def graded(course: Course, **options) -> dict[str, GradingOutcome]:
    found = list(grade(course, find_submissions(course), **options))
    assert len({outcome.student for outcome in found}) == len(found)
    return {outcome.student: outcome for outcome in found}


def record(course: Course, student: str = "anna") -> Record:
    found = read_record(course.gradebook_folder, "ps1", student)
    assert found is not None
    return found


def in_gradebook(course: Course) -> dict[str, float]:
    """Every row of the assignment: a submission that is counted twice would have two."""
    with course.gradebook() as gradebook:
        rows = [(row.student.id, row.score) for row in gradebook.assignment_submissions("ps1")]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def require_no_grade(course: Course, student: str = "anna") -> None:
    """Nobody who reads the records takes anything for a grade."""
    assert record(course, student).status == "not graded"
    assert record(course, student).reason


def require_grade(course: Course, score: float, student: str = "anna") -> None:
    """The grade is that of what is handed in now; everything says the same."""
    found = record(course, student)
    assert (found.status, found.reason) == ("graded", "")
    folder = course.submitted / student / "ps1"
    assert found.inputs.submission == submission_digest(course, folder)
    assert in_gradebook(course)[student] == score
    mine, theirs = (
        toy.by_id(toy.read(where / student / "ps1" / "toys.ipynb"), "double")
        for where in (course.submitted, course.autograded)
    )
    assert mine["source"] == theirs["source"]
    assert graded(course)[student].reused


@pytest.fixture
def at_work(monkeypatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen while a worker is at a student's notebook, which was sent already."""

    def have(happen: Callable[[], object]) -> None:
        work = run_module.work

        def work_meanwhile(task):
            worked = work(task)
            happen()
            return worked

        monkeypatch.setattr(run_module, "work", work_meanwhile)

    return have


# ---- a submission that is replaced


def submit_late(root: Path) -> None:
    toy.submit(root, "anna", RIGHT, timestamp="2031-01-01 12:00:00 UTC")


def add_file(root: Path) -> None:
    (root / "submitted" / "anna" / "ps1" / "notes.txt").write_text("mine")


def submit_wrong(root: Path) -> None:
    toy.submit(root, "anna", WRONG)


REPLACED = {"other answers": (submit_wrong, 3), "another time": (submit_late, 5), "": (add_file, 5)}


@pytest.mark.parametrize("name", REPLACED)
def test_a_submission_replaced_while_it_is_graded_gets_its_own_grade(course, at_work, name):
    replace, score = REPLACED[name]
    at_work(lambda: replace(course.root))
    assert graded(course)["anna"].score == score
    require_grade(course, score)


def test_a_submission_replaced_while_it_is_recorded_gets_its_own_grade(course, monkeypatch):
    start = Autograde.start

    def replace_and_start(self):
        if not self.autograde_preprocessors[0].trials["toys"].run.was_stored:
            submit_wrong(course.root)
        start(self)

    monkeypatch.setattr(Autograde, "start", replace_and_start)
    assert graded(course)["anna"].score == 3
    require_grade(course, 3)


def test_a_submission_changed_and_changed_back_gets_its_own_grade(course, monkeypatch):
    """The worker is sent what was there only between two looks at the folder."""
    read = run_module.submitted_files
    reads = []

    def read_another(here, submission):
        reads.append(1)
        if len(reads) > 1:
            return read(here, submission)
        toy.submit(course.root, "anna", WRONG)
        found = read(here, submission)
        toy.submit(course.root, "anna", RIGHT)
        return found

    monkeypatch.setattr(run_module, "submitted_files", read_another)
    assert graded(course)["anna"].score == 5
    require_grade(course, 5)
    assert len(reads) == 2


def test_a_submission_replaced_again_and_again_is_not_graded(course, at_work, monkeypatch):
    toy.submit(course.root, "bob", RIGHT)
    times = iter(range(1, 29))
    with monkeypatch.context():
        at_work(
            lambda: toy.submit(
                course.root, "anna", RIGHT, timestamp=f"2030-01-{next(times)} 12:00:00 UTC"
            )
        )
        found = graded(course)
    assert (found["anna"].status, found["anna"].score) == ("not graded", 0)
    assert "replaced again and again" in found["anna"].reason
    assert found["bob"].score == 5
    require_no_grade(course)
    assert in_gradebook(course) == {"bob": 5}
    assert not (course.autograded / "anna" / "ps1").exists()
    monkeypatch.undo()


def test_a_submission_deleted_while_it_is_graded_is_not_graded(course, at_work):
    toy.submit(course.root, "bob", RIGHT)
    at_work(lambda: shutil.rmtree(course.submitted / "anna", ignore_errors=True))
    found = graded(course)
    assert found["anna"].status == "not graded"
    assert found["anna"].reason
    assert found["bob"].score == 5
    require_no_grade(course)
    assert in_gradebook(course) == {"bob": 5}
