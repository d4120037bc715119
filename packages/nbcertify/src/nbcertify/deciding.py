"""The decisions on a whole course, from its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbjudge.course import Course
from nbjudge.files import write_atomically

from nbcertify.attendance.reading import Attendance, read_attendance
from nbcertify.decisions import (
    Decision,
    Evidence,
    decide,
    make_evidence,
    to_bytes,
    to_rows,
)
from nbcertify.places import Places
from nbcertify.policy import Policy, read_policy
from nbcertify.results import Result, read_class
from nbcertify.roster import Person, read_roster
from nbcertify.spreadsheet import write_csv


@dataclass(frozen=True)
class Decided:
    """The decisions, and all that they follow from.

    `unknown` are the students of the roster of whom the gradebook knows nothing.
    """

    policy: Policy
    roster: Mapping[str, Person]
    attendance: Attendance
    results: tuple[Result, ...]
    decisions: tuple[Decision, ...]
    evidence: Evidence
    unknown: tuple[str, ...]


def decide_course(course: Course, now: datetime, policy_file: Path | None = None) -> Decided:
    """Read policy, roster, reports, gradebook and records; decide. Changes nothing.

    What is not due yet at `now` (aware, in UTC) is open. Without a roster nobody can be found in
    the reports, so attendance is open for all. `CertificateError` if a file cannot be used.
    """
    places = Places(course.gradebook_folder)
    policy = read_policy(policy_file or places.policy)
    roster = read_roster(places.roster) if places.roster.exists() else {}
    attendance = read_attendance(policy.sessions, places.attendance, roster, policy.recognition)
    everyone = read_class(
        course, policy.assignments, now=now, asked_by=policy.source, roster=roster
    )
    results = everyone.results
    decisions = decide(policy, results, attendance.attended, everyone.students)
    evidence = make_evidence(
        policy, results, attendance.attended, attendance.digests, attendance.remarks
    )
    unknown = tuple(sorted(set(roster) - everyone.known))
    return Decided(policy, roster, attendance, results, tuple(decisions), evidence, unknown)


def write_decisions(decided: Decided, places: Places) -> None:
    """Write the decision file, and the same as a table beside it."""
    write_atomically(places.decisions, to_bytes(decided.decisions, decided.evidence))
    write_csv(to_rows(decided.decisions), places.decisions.with_suffix(".csv"))
