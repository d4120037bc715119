"""The time of submission: what the instructor knows counts more than what came with the folder."""

from __future__ import annotations

from datetime import datetime

import pytest
import toy_course as toy
from nbjudge.admit.submission_times import read_submission_times
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.errors import CourseError
from nbjudge.record.records import read_record


def test_the_instructors_time_counts_and_is_recorded(released_course, grades_here):
    course, root = released_course, released_course.root
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate="2030-01-02 12:00:00 UTC")
    toy.submit(root, "anna", timestamp="2030-01-01 12:00:00 UTC")  # or so she says
    toy.submit(root, "bob", timestamp="2030-01-02 13:00:00 UTC")
    (course.gradebook_folder / "submission_times.csv").write_text(
        "\ufeffstudent,assignment,time\nanna,ps1,2030-01-03 12:00:00 UTC\n", encoding="utf-8"
    )
    found = {outcome.student: outcome for outcome in grade(course, find_submissions(course))}
    assert found["anna"].late_seconds == 24 * 3600
    assert found["bob"].late_seconds == 3600
    record = read_record(course.gradebook_folder, "ps1", "anna")
    assert record.inputs.submitted == "2030-01-03 12:00:00 UTC"
    assert read_record(course.gradebook_folder, "ps1", "bob").inputs.submitted == ""

    (course.gradebook_folder / "submission_times.csv").unlink()
    again = {o.student: o for o in grade(load_course(root), find_submissions(course))}
    assert (again["anna"].reused, again["anna"].late_seconds) == (True, 0)
    assert read_record(course.gradebook_folder, "ps1", "anna").inputs.submitted == ""
    assert again["bob"].reused


def test_times_are_read_in_any_zone(tmp_path):
    (tmp_path / "submission_times.csv").write_text(
        "assignment,student,time,note\nps1,anna,2030-01-01T14:00:00+02:00,\n"
    )
    assert read_submission_times(tmp_path) == {("anna", "ps1"): datetime(2030, 1, 1, 12)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("student,time\n", "assignment is missing"),
        ("student,assignment,time\nanna,ps1,tomorrow\n", "line 2, column time: 'tomorrow'"),
        ("student,assignment,time\nanna,ps1\n", "line 2, column time"),
        ("student,assignment,time\n,ps1,2030-01-01\n", "line 2: the student"),
        ("student,assignment,time\n" + "anna,ps1,2030-01-01\n" * 2, "line 3: anna, ps1 is there"),
        ('student,assignment,time\n"anna,ps1,2030', "cannot be read as CSV"),
        ("", "the first line"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path, text, says):
    (tmp_path / "submission_times.csv").write_text(text)
    with pytest.raises(CourseError, match=says):
        read_submission_times(tmp_path)
