"""Grading a class: every hand-in gets its outcome, and none stands in another's way."""

from __future__ import annotations

import json
import platform
from contextlib import closing
from datetime import datetime

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.errors import CourseError
from nbjudge.record.marks import read_totals
from nbjudge.record.records import read_record
from toy_class import HAND_INS


@pytest.mark.parametrize("student", HAND_INS)
def test_every_hand_in_gets_its_outcome(graded_class, student):
    wanted, got = HAND_INS[student], graded_class.outcomes[student]
    if wanted.score is None:
        assert got.status == "not graded"
        assert wanted.says in got.reason
    else:
        assert (got.status, got.reason) == ("graded", "")
        assert got.score == wanted.score
    assert got.max_score == 7
    assert not got.reused
    assert graded_class.record(student).status == got.status
    assert graded_class.record(student).reason == got.reason


def test_the_gradebook_holds_the_scores_and_nothing_of_what_was_not_graded(graded_class):
    course = graded_class.course
    with course.gradebook() as gradebook:
        found = {s.student.id: s.score for s in gradebook.assignment_submissions("ps1")}
    assert found == {
        student: made.score for student, made in HAND_INS.items() if made.score is not None
    }
    api = course.api()
    shown = api.get_autograded_students("ps1")
    assert shown == set(found)
    assert not api.get_submission("ps1", "exits")["autograded"]
    assert api.get_submission("ps1", "exits")["submitted"]
    for student, made in HAND_INS.items():
        folder = course.autograded / student / "ps1"
        assert folder.is_dir() == (made.score is not None)


def test_a_folder_that_is_no_assignment_is_not_graded_and_stops_nobody(graded_class):
    record = read_record(graded_class.course.gradebook_folder, "ps1-final", "right")
    assert record.status == "not graded"
    assert "not an assignment of this course. Its assignments are: ps1." in record.reason


def test_a_late_submission_is_told_apart(graded_class):
    assert graded_class.outcomes["late"].late_seconds == 24 * 3600
    assert graded_class.outcomes["right"].late_seconds == 0


def test_a_written_answer_waits_for_a_person_and_an_empty_one_does_not(graded_class):
    assert graded_class.outcomes["right"].needs_manual_grade
    assert not graded_class.outcomes["nothing"].needs_manual_grade


def test_the_record_says_what_was_graded_by_what(graded_class):
    record = graded_class.record("wrong")
    assert record.inputs.environment == {"TOY_SETTING": "from the config"}
    assert record.inputs.limits["cell_seconds"] == 3
    assert record.inputs.versions["python"] == platform.python_version()
    assert record.inputs.tier == "full"
    (run,) = record.notebooks
    assert (run.notebook, run.was_stored) == ("toys", False)
    assert run.usage["seconds"] > 0
    assert [attempt.shift for attempt in run.attempts] == [0]
    assert len(record.inputs.submission) == 64
    assert record.seconds > 0
    cells = {cell.grade_id: cell for cell in record.cells}
    assert (cells["test-double"].score, cells["test-double"].max_score) == (0, 2)
    assert cells["test-double"].message == "AssertionError: got 2 for 2, expected 4"
    assert (cells["test-sums"].score, cells["test-sums"].message) == (3, "")
    assert cells["why"].score is None


def test_a_failed_test_tells_its_message_and_never_its_source(graded_class):
    cells = {cell.grade_id: cell for cell in graded_class.record("only-visible").cells}
    assert cells["test-double"].message.startswith("AssertionError: double(21) should be 42\n")
    assert cells["test-double"].message.endswith(
        "(got 4, expected another number; a hidden test does not tell which)"
    )
    everything = json.dumps([str(graded_class.record(student)) for student in HAND_INS])
    assert "assert double(21)" not in everything


def test_an_endless_loop_fails_its_cell_and_says_why(graded_class):
    cells = {cell.grade_id: cell for cell in graded_class.record("endless").cells}
    assert cells["test-double"].score == 0
    assert "longer than 3 s" in cells["test-double"].message
    assert cells["test-sums"].score == 3


def outcomes(course, **options):
    return {o.student: o for o in grade(course, find_submissions(course), **options)}


def test_what_did_not_change_is_not_run_again(released_course, grades_here):
    course, root = released_course, released_course.root
    toy.submit(root, "anna")
    toy.submit(root, "bob", {})
    first = outcomes(course, jobs=1)
    with course.gradebook() as gradebook:  # without a due date, stock nbgrader trips over this
        gradebook.grant_extension("ps1", "anna", days=1)
    record = read_record(course.gradebook_folder, "ps1", "anna")
    again = outcomes(course)
    assert all(outcome.reused for outcome in again.values())
    assert [again[s].score for s in ("anna", "bob")] == [first[s].score for s in ("anna", "bob")]
    assert read_record(course.gradebook_folder, "ps1", "anna") == record

    toy.submit(root, "bob", toy.RIGHT)
    after = outcomes(course)
    assert (after["anna"].reused, after["bob"].reused) == (True, False)
    assert after["bob"].score == 5

    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.Grading.memory_megabytes = 3000\n")
    (anna,) = grade(load_course(root), find_submissions(course, students=["anna"]))
    assert (anna.reused, anna.score) == (False, 5)


def test_a_failed_resubmission_leaves_no_old_score_and_loses_no_mark(released_course, grades_here):
    course, root = released_course, released_course.root
    toy.submit(root, "anna")
    assert outcomes(course)["anna"].score == 5
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate="2030-01-02 12:00:00 UTC")
        gradebook.find_grade("why", "toys", "ps1", "anna").manual_score = 1.5
        gradebook.find_comment("why", "toys", "ps1", "anna").manual_comment = "Nearly."
        gradebook.grant_extension("ps1", "anna", days=3)
        gradebook.db.commit()
    (course.feedback / "anna" / "ps1").mkdir(parents=True)

    toy.submit(root, "anna", toy.RIGHT | {"double": "import os\nos._exit(1)"})
    failed = outcomes(course)["anna"]
    assert (failed.status, failed.score) == ("not graded", 0)
    with course.gradebook() as gradebook:
        assert read_totals(gradebook, "ps1", "anna") is None
    assert not (course.autograded / "anna" / "ps1").exists()
    assert not (course.feedback / "anna" / "ps1").exists()

    toy.submit(root, "anna")
    mended = outcomes(course)["anna"]
    assert (mended.status, mended.score) == ("graded", 6.5)
    assert mended.needs_manual_grade
    with course.gradebook() as gradebook:
        comment = gradebook.find_comment("why", "toys", "ps1", "anna")
        assert comment.manual_comment == "Nearly."
        assert gradebook.find_submission("ps1", "anna").extension.days == 3


def test_an_interrupted_class_is_never_half_graded(released_course):
    course, root = released_course, released_course.root
    for student in ("anna", "bob", "cleo"):
        toy.submit(root, student)
    toy.submit(root, "bob", toy.RIGHT | {"double": "while True: pass"})
    with closing(grade(course, find_submissions(course), jobs=1)) as running:
        first = next(running)
    assert first.student == "anna"
    records = {s: read_record(course.gradebook_folder, "ps1", s) for s in ("anna", "bob", "cleo")}
    assert records["anna"].status == "graded"
    assert records["bob"].status == "not graded"
    assert "Grade it again" in records["bob"].reason
    assert records["cleo"] is None
    with course.gradebook() as gradebook:
        assert [s.student.id for s in gradebook.assignment_submissions("ps1")] == ["anna"]
    assert sorted(p.name for p in course.autograded.glob("*/ps1")) == ["ps1"]


DATA = """
from pathlib import Path
from nbjudge.course.data import GradingData

def find(root):
    return GradingData(
        environment={"TOY_FILE": root / "open.txt"},
        judge_environment={"TOY_SECRET": root / "secret.txt"},
        context={"data": "toy"},
    )
"""


def test_kernels_see_the_students_side_of_the_data_and_nothing_else(
    released_course, tmp_path, monkeypatch, grades_here
):
    root = released_course.root
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "toy_data.py").write_text(DATA)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    (root / "open.txt").write_text("2")
    (root / "secret.txt").write_text("42")
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.Grading.data = 'toy_data:find'\n")
    seen = (
        "import os\nfrom pathlib import Path\nfile = Path(os.environ['TOY_FILE'])\n"
        "secret = file.with_name('secret.txt').exists() or 'TOY_SECRET' in os.environ\n"
        "def double(x):\n    return 0 if secret else x * int(file.read_text())"
    )
    toy.submit(root, "anna", toy.RIGHT | {"double": seen})
    (outcome,) = grade(load_course(root), find_submissions(released_course))
    assert (outcome.reason, outcome.score) == ("", 5)
    record = read_record(released_course.gradebook_folder, "ps1", "anna")
    assert record.inputs.context == {"data": "toy"}


def test_find_submissions_reads_names_times_and_contents(released_course):
    course, root = released_course, released_course.root
    assert find_submissions(course) == []
    toy.submit(root, "bob")
    toy.submit(root, "anna", timestamp="2030-01-01 12:00:00 UTC")
    (root / "submitted" / "notes.txt").write_text("not a student")
    found = find_submissions(course)
    assert [(s.student, s.assignment) for s in found] == [("anna", "ps1"), ("bob", "ps1")]
    assert found[0].timestamp == datetime(2030, 1, 1, 12)
    assert found[0].digest == found[1].digest
    (root / "submitted" / "bob" / "ps1" / "empty.txt").touch()
    assert find_submissions(course, students=["bob"])[0].digest != found[1].digest
    with pytest.raises(CourseError, match="no assignment ps9"):
        find_submissions(course, ["ps9"])


def test_an_unreleased_assignment_is_not_graded_and_says_so(tmp_path):
    root = toy.make_course(tmp_path)
    toy.write(root / "submitted" / "anna" / "ps1" / "toys.ipynb", toy.toy_notebook())
    (outcome,) = outcomes(load_course(root)).values()
    assert outcome.status == "not graded"
    assert "not been released" in outcome.reason
