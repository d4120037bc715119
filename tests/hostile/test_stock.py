"""The same threats against stock nbgrader, where they succeed: the tests above bite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import hostile_class
import hostile_course
import pytest
from hostile_class import THREATS, student_of
from nbjudge.course import load_course

pytestmark = pytest.mark.slow
CONFIG = "c = get_config()\nc.CourseDirectory.root = {root!r}\nc.ExecutePreprocessor.timeout = 30\n"
CHOSEN = {n: t for n, t in THREATS.items() if t.stock is not None or t.stock_shows}


@pytest.fixture(scope="session")
def stock(hidden, tmp_path_factory):
    """The chosen threats, graded by nbgrader's own commands: {student: score}, and the course."""
    root = tmp_path_factory.mktemp("stock") / "course"
    hostile_course.make_course(root, hidden, CONFIG.format(root=str(root)))
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    labels = str(root / "labels.json")
    environment = os.environ | {"PATH": paths, "HOSTILE_LABELS": labels}
    environment |= {"HOSTILE_SECRET": hidden.environment}

    def nbgrader(*arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=550)

    nbgrader("generate_assignment", "h1")
    course = load_course(root)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student("classmate", last_name=hidden.gradebook)
    with hostile_class.listening(root.parent) as listener:
        places = hostile_class.places_of(root, listener)
    hostile_class.hand_in_classmate(root, hidden)
    hostile_class.hand_in_all(root, CHOSEN, places)
    nbgrader("autograde", "h1")
    nbgrader("generate_feedback", "h1")
    with course.gradebook() as gradebook:
        scores = {s.student.id: s.score for s in gradebook.assignment_submissions("h1")}
    return course, scores


@pytest.mark.parametrize("name", [name for name, threat in CHOSEN.items() if threat.stock])
def test_it_gets_points_for_nothing(stock, name):
    assert stock[1][student_of(name)] == CHOSEN[name].stock


@pytest.mark.parametrize("name", [name for name, threat in CHOSEN.items() if threat.stock_shows])
def test_it_shows_what_is_hidden(stock, hidden, name):
    course, _ = stock
    student, kind = student_of(name), CHOSEN[name].stock_shows
    if kind == "script":
        page = (course.feedback / student / "h1" / "tasks.html").read_text()
        assert "<script>window.stolen = 1</script>" in page
        return
    notebook = json.loads((course.autograded / student / "h1" / "tasks.ipynb").read_text())
    shown = json.dumps([cell.get("outputs") for cell in notebook["cells"]])
    assert hidden.all()[kind] in shown
