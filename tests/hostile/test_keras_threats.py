"""Hostile models: none runs anything in the judge, none gets points that it does not earn."""

from __future__ import annotations

import copy
import shutil

import hostile_class
import hostile_course
import pytest
from hostile_course import CONFIG
from nbjudge.course import load_course
from nbjudge.release.release import release
from threats_keras import FLAG, THREATS, assignment

pytestmark = pytest.mark.slow
# TensorFlow is slow the first time it does something.
LIMITS = (
    "\nc.Grading.cell_seconds = 30\nc.Grading.call_seconds = 20\nc.Grading.judge_seconds = 60\n"
)
LIMITS += "c.Grading.memory_megabytes = 2000\nc.Grading.notebook_seconds = 120\n"


@pytest.fixture(scope="module")
def models(hidden, tmp_path_factory):
    root = tmp_path_factory.mktemp("models") / "course"
    hostile_course.make_course(root, hidden, CONFIG + LIMITS)
    shutil.rmtree(root / "source" / "h1")
    hostile_course.write(root / "source" / "h2" / "tasks.ipynb", assignment())
    course = load_course(root)
    release(course, "h2")
    released = hostile_course.read(root / "release" / "h2" / "tasks.ipynb")
    for name, (_, build, own, _) in THREATS.items():
        made = copy.deepcopy(released)
        hostile_course.by_id(made, "build")["source"] = build
        hostile_course.by_id(made, "own")["source"] = own
        hostile_course.write(root / "submitted" / name / "h2" / "tasks.ipynb", made)
    return hostile_class.grade_all(course, jobs=2)


@pytest.mark.parametrize("name", THREATS)
def test_a_model_gets_what_it_earns_and_runs_nothing(models, name):
    outcome = models[name]
    assert "unexpected error" not in outcome.reason
    assert outcome.status == "graded", outcome
    assert outcome.score == THREATS[name][3]
    assert not FLAG.exists()
