"""One class, graded once, that many tests look at."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbjudge.cohort.grading
import pytest
import toy_class
import toy_course
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import GradingOutcome, grade
from nbjudge.course import Course, load_course
from nbjudge.record.records import Record, read_record
from nbjudge.release.release import release
from nbjudge.warm.client import ADDRESS, WarmServer
from workers_here import workers_here


@pytest.fixture(scope="session", autouse=True)
def venv_on_path():
    """Nbgrader's commands look for each other on PATH."""
    before = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    yield
    os.environ["PATH"] = before


@dataclass(frozen=True)
class GradedClass:
    course: Course
    outcomes: dict[str, GradingOutcome]

    def record(self, student: str) -> Record:
        found = read_record(self.course.gradebook_folder, "ps1", student)
        assert found is not None
        return found


@pytest.fixture(scope="session")
def graded_class(pristine_course, tmp_path_factory) -> GradedClass:
    """Every hand-in of ``toy_class.py``, graded two at a time. Tests only read it."""
    root = shutil.copytree(pristine_course, tmp_path_factory.mktemp("class") / "course")
    course = load_course(root)
    toy_class.hand_in_all(root)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate="2030-01-02 12:00:00 UTC")
    outcomes = {outcome.student: outcome for outcome in grade(course, find_submissions(course))}
    return GradedClass(course, outcomes)


@pytest.fixture(scope="session")
def pristine_course(tmp_path_factory) -> Path:
    """A released course to copy, since making a gradebook takes seconds."""
    root = toy_course.make_course(tmp_path_factory.mktemp("pristine") / "course")
    release(load_course(root), "ps1")
    return root


@pytest.fixture
def released_course(pristine_course, tmp_path) -> Course:
    """A released course of the test's own."""
    return load_course(shutil.copytree(pristine_course, tmp_path / "course"))


@pytest.fixture(scope="session")
def warm_server():
    """One warm server for all tests that do not need one of their own."""
    with WarmServer(("numpy", "pandas", "matplotlib.pyplot")) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def grades_here(monkeypatch, warm_server):
    """Let `grade` work in this process and with the server that is there: a second, not ten."""

    @contextmanager
    def local(count, preload):
        yield workers_here(warm_server.address)

    monkeypatch.setenv(ADDRESS, warm_server.address)
    monkeypatch.setattr(nbjudge.cohort.grading, "local_workers", local)
