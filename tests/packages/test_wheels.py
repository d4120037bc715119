"""Each package installed alone, without the others, and used from the command line."""

from __future__ import annotations

import json
import subprocess
import zipfile

import pytest
from documentation.pages import DOCS, ROOT, follow, run
from packages.wheels import install

pytestmark = pytest.mark.slow

HEAVY = {"tensorflow", "keras", "torch"}


def test_the_engine_grades_a_course_without_tensorflow(wheels, tmp_path):
    """From an empty folder, as the instructor's tutorial says."""
    environment = install(wheels, "nbjudge", tmp_path / "environment")
    unneeded = HEAVY | {"pandas", "matplotlib", "scipy", "dlcourse", "nbcertify"}
    assert not environment.packages() & unneeded
    (course := tmp_path / "physics").mkdir()
    printed = follow(DOCS / "tutorials" / "instructor.md", course, environment.bin)
    assert "full marks" in printed
    grades = (course / "grades.csv").read_text().splitlines()
    assert len(grades) == 4
    assert (course / "feedback" / "ada" / "temperatures" / "temperatures.html").is_file()


GRADEBOOK = """
from nbgrader.api import Gradebook

with Gradebook("sqlite:///gradebook/gradebook.db") as gradebook:
    gradebook.add_assignment("ps1")
    gradebook.add_notebook("problem", "ps1")
    gradebook.add_grade_cell("code", "problem", "ps1", max_score=10, cell_type="code")
    for student, points in {"ada": 9, "bob": 2}.items():
        gradebook.add_student(student)
        gradebook.add_submission("ps1", student)
        grade = gradebook.find_grade("code", "problem", "ps1", student)
        grade.auto_score, grade.needs_manual_grade = points, False
    gradebook.db.commit()
"""
POLICY = """
timezone = "Europe/Amsterdam"

[rules.points]
kind = "points"
assignments = ["ps1"]
share = 0.6

[tiers.exercises]
title = "Certificate of exercises"
statement = ["solved the exercises."]
requires = "points"
hours = 6
"""


def test_the_certificates_decide_on_another_courses_gradebook(wheels, tmp_path):
    """One that stock nbgrader filled: neither this course nor TensorFlow is there."""
    environment = install(wheels, "nbcertify", tmp_path / "environment")
    assert not environment.packages() & (HEAVY | {"dlcourse"})
    course = tmp_path / "course"
    (course / "gradebook").mkdir(parents=True)
    (course / "source" / "ps1").mkdir(parents=True)
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    (course / "gradebook" / "policy.toml").write_text(POLICY)
    subprocess.run([environment.python, "-c", GRADEBOOK], cwd=course, check=True)
    run("nbcertify eligible || test $? = 1", course, environment.bin)
    decided = json.loads((course / "gradebook" / "certificates" / "decisions.json").read_text())
    verdicts = {one["student"]: one["verdict"] for one in decided["decisions"]}
    assert verdicts == {"ada": "eligible", "bob": "not eligible"}


def test_students_install_nothing_of_grading(wheels, tmp_path, monkeypatch):
    """And their notebooks check themselves."""
    environment = install(wheels, "dlcourse", tmp_path / "environment")
    grading = {"nbgrader", "nbjudge", "nbcertify", "scipy", "libcst", "typst"}
    assert not environment.packages() & grading
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    monkeypatch.setenv("DLCOURSE_CACHE", str(tmp_path / "cache"))
    assert "stand-in" in run("dlcourse data", tmp_path, environment.bin)

    released = ROOT / "release" / "image-data" / "image-data.ipynb"
    notebook = json.loads(released.read_text())
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["normalise"]["source"] = "def normalise(images):\n    return images / 255"
    (tmp_path / released.name).write_text(json.dumps(notebook))
    run(f"jupyter execute --inplace --allow-errors {released.name}", tmp_path, environment.bin)
    done = json.loads((tmp_path / released.name).read_text())
    shown = {
        cell["id"]: json.dumps(cell.get("outputs"), ensure_ascii=False) for cell in done["cells"]
    }
    assert "✓" in shown["test_normalise"]
    unanswered = [id for id, output in shown.items() if "○" in output]
    assert unanswered, "tasks without an answer say that there is nothing to check yet"
    assert not any("ModuleNotFoundError" in output for output in shown.values())


def test_no_wheel_holds_what_belongs_to_another(wheels):
    """Nor tests, nor a hidden test of the course."""
    for package in ("nbjudge", "nbcertify", "dlcourse"):
        (wheel,) = wheels.glob(f"{package}-*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        assert {name.split("/")[0].split("-")[0] for name in names} == {package}
        assert f"{package}/py.typed" in names
