"""A graded class of this course to follow the pages in."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from documentation.pages import ROOT, run

ASSIGNMENT = "image-data"
# Full marks; an answer in words that nobody has read; not graded.
STUDENTS = ("ada", "jun", "nia")


@pytest.fixture(scope="session")
def demo_course(tmp_path_factory) -> Path:
    """What `make demo` leaves behind, with one assignment and few students. Tests copy it."""
    root = tmp_path_factory.mktemp("demo") / "course"
    shutil.copytree(ROOT / "source" / ASSIGNMENT, root / "source" / ASSIGNMENT)
    for part in ("header.ipynb", "footer.ipynb"):
        shutil.copy(ROOT / "source" / part, root / "source")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "gradebook").mkdir()
    shutil.copy(ROOT / "gradebook" / "issuer.toml", root / "gradebook")
    policy = (ROOT / "gradebook" / "policy.toml").read_text()
    policy = re.sub(r"^assignments = .*$", f'assignments = ["{ASSIGNMENT}"]', policy, flags=re.M)
    policy = re.sub(r"^shares = .*$", f"shares = {{ {ASSIGNMENT} = 0.5 }}", policy, flags=re.M)
    (root / "gradebook" / "policy.toml").write_text(policy)
    recipes = root / "tests" / "cohort" / "students"
    recipes.mkdir(parents=True)
    for student in STUDENTS:
        recipe = (ROOT / "tests" / "cohort" / "students" / f"{student}.toml").read_text()
        # The tables of the other assignments are left out.
        tables = re.split(r"^(?=\[)", recipe, flags=re.M)
        kept = [t for t in tables if not t.startswith("[") or t.startswith(f"[{ASSIGNMENT}")]
        (recipes / f"{student}.toml").write_text("".join(kept))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLCOURSE_DATA", "stand-in")
        patch.setenv("DLCOURSE_KEYS", str(root.parent / "keys"))
        run("dlcourse demo", root)
    return root


@pytest.fixture
def course(demo_course, tmp_path, monkeypatch) -> Path:
    """A copy of the demo's class of the test's own, under the same path in the gradebook."""
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    monkeypatch.setenv("DLCOURSE_KEYS", str(demo_course.parent / "keys"))
    return shutil.copytree(demo_course, tmp_path / "course")


@pytest.fixture(scope="session", autouse=True)
def no_terminal():
    """What is printed must not depend on who runs the tests."""
    os.environ.pop("FORCE_COLOR", None)
