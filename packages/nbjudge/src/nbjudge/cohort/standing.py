"""Grades that hold, brought up to date: due dates and rules for late work may have changed."""

from __future__ import annotations

from dataclasses import replace

from nbjudge.admit.submissions import Submission
from nbjudge.record.lateness import apply_lateness
from nbjudge.record.marks import Totals, read_totals
from nbjudge.record.records import read_record, write_record
from nbjudge.trial.judging import Judging


def bring_up_to_date(judging: Judging, item: Submission, totals: Totals) -> Totals:
    """Apply the time of submission, the due date and the penalties as they are now.

    Nothing is run or judged. ``totals`` are those before; returns those after.
    """
    course, name, student = judging.course, item.assignment, item.student
    known = judging.times.get((student, name))
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(name, student)
        submission.timestamp = known if known is not None else item.timestamp
        apply_lateness(gradebook, course.config, name, student)
        totals = read_totals(gradebook, name, student) or totals
    record = read_record(course.gradebook_folder, name, student)
    submitted = judging.submitted(name, student)
    if record is not None and record.inputs.submitted != submitted:
        inputs = replace(record.inputs, submitted=submitted)
        write_record(course.gradebook_folder, replace(record, inputs=inputs))
    return totals
