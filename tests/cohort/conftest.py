"""The repository's own course, to be graded and vetted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbjudge.course import load_course
from nbjudge.release.release import release

from dlcourse.sample_class import set_due_dates

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def course(tmp_path_factory, monkeypatch_session):
    """The repository's course in a folder of its own, released, with the stand-in as its data."""
    root = tmp_path_factory.mktemp("class")
    monkeypatch_session.setenv("DLCOURSE_DATA", "stand-in")
    monkeypatch_session.setenv("DLCOURSE_WEATHER", "stand-in")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    shutil.copytree(ROOT / "source", root / "source")
    (root / "gradebook").mkdir()
    shutil.copy(ROOT / "gradebook" / "policy.toml", root / "gradebook")
    course = load_course(root)
    for assignment in course.assignments():
        release(course, assignment)
    set_due_dates(course, course.assignments())
    return course
