"""After the class is graded, nothing outside of the sandboxes is other than before."""

from __future__ import annotations

import os
import shutil

import hostile_class
import hostile_course
import pytest
from hostile_class import THREATS, student_of
from nbjudge.course import load_course
from nbjudge.digests import digest_folder
from nbjudge.record.records import read_record
from nbjudge.sandbox.copying import remove_tree
from threats_files import STUDENTS

HONEST = ("tests.honest", "tests.honest-wrong", "outputs.magics")


def test_no_file_of_the_course_has_changed(hostile):
    assert hostile.after.files == hostile.before.files


def test_nothing_is_left_in_the_temporary_folder(hostile):
    assert hostile.after.temporary == hostile.before.temporary


def test_no_process_is_left(hostile):
    assert hostile.after.processes == []


def test_the_mounts_are_as_before(hostile):
    assert hostile.after.mounts == hostile.before.mounts


def test_nobody_was_called(hostile):
    assert hostile.listener.heard == []


def test_the_gradebook_holds_what_was_graded_and_nothing_else(hostile):
    with hostile.course.gradebook() as gradebook:
        found = {s.student.id: s.score for s in gradebook.assignment_submissions("h1")}
        assignments = [assignment.name for assignment in gradebook.assignments]
    expected = {student_of(n): t.score for n, t in THREATS.items() if t.score is not None}
    assert found == expected | {"classmate": 8.0, "honest": 8.0}
    assert assignments == ["h1"]


def test_an_honest_submission_is_graded_as_if_it_were_alone(hostile, released, tmp_path):
    root = shutil.copytree(released, tmp_path / "alone")
    places = hostile_class.places_of(root, hostile.listener)
    hostile_class.hand_in_all(root, {name: THREATS[name] for name in HONEST}, places)
    alone = hostile_class.grade_all(load_course(root), jobs=1)
    for name in HONEST:
        student = student_of(name)
        assert alone[student].score == hostile[name].outcome.score
        cells = [(c.grade_id, c.score, c.message) for c in hostile[name].record.cells]
        record = read_record(root / "gradebook", "h1", student)
        assert [(c.grade_id, c.score, c.message) for c in record.cells] == cells


def test_no_name_of_a_student_stops_the_others(released, tmp_path):
    root = shutil.copytree(released, tmp_path / "course")
    for student in (*STUDENTS, "honest"):
        hostile_course.hand_in(root, student, hostile_course.RIGHT)
    outcomes = hostile_class.grade_all(load_course(root), jobs=2)
    assert outcomes["honest"].score == 8
    assert len(outcomes) == len({*STUDENTS, "honest"})
    for outcome in outcomes.values():
        assert (outcome.status, outcome.score) in [("graded", 8.0), ("not graded", 0.0)]
        assert "unexpected error" not in outcome.reason
        assert outcome.status == "graded" or "name" in outcome.reason


@pytest.fixture
def very_deep_folder(tmp_path):
    top = tmp_path / "deep"
    top.mkdir()
    here = os.getcwd()
    os.chdir(top)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
    yield top
    remove_tree(str(top))


def test_a_folder_may_be_deeper_than_python_can_call(very_deep_folder):
    assert digest_folder(very_deep_folder)
