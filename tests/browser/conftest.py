"""A graded class, a JupyterLab in its folder, and a browser to look at it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import lab as jupyterlab
from browser.chromium import PATIENCE
from browser.lab import OFFLINE
from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
FOLDERS = ("source", "release", "submitted", "autograded", "feedback", "gradebook")


@pytest.fixture(scope="session")
def course(tmp_path_factory) -> Path:
    """A copy of the repository's course with a graded class."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, course / name)
    if not list((course / "autograded").glob("*/convnet")):
        grade_two(course)
    return course


def grade_two(course: Path) -> None:
    """Grade Ada, who handed in the solution, and Bob, who handed in what he was given."""
    nbgrader(course, "generate_assignment", "convnet", "--force")
    for student, whose in [("ada", "source"), ("bob", "release")]:
        shutil.copytree(course / whose / "convnet", course / "submitted" / student / "convnet")
    nbgrader(course, "autograde", "convnet", "--create")


def nbgrader(course: Path, *arguments: str) -> None:
    """Run nbgrader in the course's folder; what it says is shown if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=os.environ | OFFLINE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def lab(course, tmp_path_factory) -> Iterator[jupyterlab.Lab]:
    with jupyterlab.running(course, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page


@pytest.fixture
def screenshots(tmp_path) -> Path:
    """Where pictures go: $DLCOURSE_SCREENSHOTS if it is set."""
    folder = Path(os.environ.get("DLCOURSE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
