"""What a person did to a grade stays done, and dates and rules are part of a grade."""

from __future__ import annotations

from datetime import timedelta

import pytest
import toy_course as toy
from nbgrader.converters import GenerateFeedback
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.record.records import read_record
from nbjudge.release.release import release

pytestmark = pytest.mark.usefixtures("grades_here")


def graded(course, **options):
    course = load_course(course.root)
    return {o.student: o for o in grade(course, find_submissions(course), **options)}


def read(course, student: str, score: float, comment: str = "Well said.") -> None:
    """Grade the written answer as the formgrader does."""
    with course.gradebook() as gradebook:
        found = gradebook.find_grade("why", "toys", "ps1", student)
        found.manual_score, found.needs_manual_grade = score, False
        gradebook.find_comment("why", "toys", "ps1", student).manual_comment = comment
        gradebook.db.commit()


def mend_test(course) -> None:
    source = toy.toy_notebook()
    test = toy.by_id(source, "test-double")
    test["source"] = test["source"].replace("assert double(2) == 4", "assert double(3) == 6")
    toy.write(course.source / "ps1" / "toys.ipynb", source)
    release(course, "ps1")


def test_a_read_answer_stays_read_when_a_test_changes(released_course):
    course = released_course
    toy.submit(course.root, "anna")
    assert graded(course)["anna"].needs_manual_grade
    read(course, "anna", 2)
    mend_test(course)
    again = graded(course)["anna"]
    assert not again.reused
    assert (again.score, again.needs_manual_grade) == (7, False)
    assert not graded(course, force=True)["anna"].needs_manual_grade


def test_an_answer_that_changed_is_to_be_read_again(released_course):
    course = released_course
    toy.submit(course.root, "anna")
    graded(course)
    read(course, "anna", 2)
    toy.submit(course.root, "anna", toy.RIGHT | {"double": "def double(x):\n    return 2 * x"})
    assert not graded(course)["anna"].needs_manual_grade
    toy.submit(course.root, "anna", toy.RIGHT | {"why": "For another reason."})
    again = graded(course)["anna"]
    assert again.needs_manual_grade
    with course.gradebook() as gradebook:
        assert gradebook.find_grade("why", "toys", "ps1", "anna").manual_score == 2
        comment = gradebook.find_comment("why", "toys", "ps1", "anna")
        assert comment.comment == "Well said."


def test_what_was_read_survives_a_submission_that_cannot_be_graded(released_course):
    course = released_course
    folder = toy.submit(course.root, "anna")
    graded(course)
    read(course, "anna", 1.5)
    whole = (folder / "toys.ipynb").read_bytes()
    (folder / "toys.ipynb").write_text("{")
    assert graded(course)["anna"].status == "not graded"
    (folder / "toys.ipynb").write_bytes(whole)
    again = graded(course)["anna"]
    assert (again.score, again.needs_manual_grade) == (6.5, False)


def test_an_answer_that_nobody_read_still_waits(released_course):
    course = released_course
    toy.submit(course.root, "anna")
    graded(course)
    mend_test(course)
    assert graded(course)["anna"].needs_manual_grade


def late_course(course) -> None:
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate="2029-12-31 12:00:00 UTC")


def test_dates_rules_and_later_points_are_applied_without_running_anything(released_course):
    course = released_course
    toy.submit(course.root, "anna")
    assert graded(course)["anna"].score == 5
    started = read_record(course.gradebook_folder, "ps1", "anna").started

    late_course(course)
    assert graded(course)["anna"].score == 0
    read(course, "anna", 2)  # a penalty of all points is one of these, too
    assert graded(course)["anna"].score == 0

    with course.gradebook() as gradebook:
        submission = gradebook.find_submission("ps1", "anna")
        submission.extension = timedelta(days=2)
        gradebook.db.commit()
    assert graded(course)["anna"].score == 7
    with course.gradebook() as gradebook:
        gradebook.find_submission("ps1", "anna").extension = None
        gradebook.db.commit()
    assert graded(course)["anna"].score == 0

    (course.gradebook_folder / "submission_times.csv").write_text(
        "student,assignment,time\nanna,ps1,2029-12-30 12:00:00 UTC\n"
    )
    found = graded(course)["anna"]
    assert (found.score, found.reused, found.late_seconds) == (7, True, 0)
    assert read_record(course.gradebook_folder, "ps1", "anna").started == started


def make_feedback(course) -> None:
    """As nbgrader's command does."""
    folder = course.coursedir(assignment_id="ps1", student_id="anna")
    GenerateFeedback(coursedir=folder, config=course.config).start()


def test_feedback_shows_what_a_person_said_later(released_course):
    course = released_course
    toy.submit(course.root, "anna")
    graded(course)
    page = course.feedback / "anna" / "ps1" / "toys.html"
    make_feedback(course)
    assert "Well said." not in page.read_text()
    read(course, "anna", 2)
    make_feedback(course)
    assert "Well said." in page.read_text()
