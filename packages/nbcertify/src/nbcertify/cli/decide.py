"""Who was there, who may have a certificate, and the mails to those who may not."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from nbjudge.cli.terminal import HERE, NEEDS_A_PERSON, CourseOption, console, errors_told, stop

from nbcertify.cli.options import PolicyOption, StudentOption, office_of, require_known

app = typer.Typer()


@app.command()
def attendance(course: CourseOption = HERE, policy: PolicyOption = None) -> None:
    """Tell who was there, and for how long, from Zoom's reports in gradebook/attendance/.

    Participants whom only you can tell are written to gradebook/attendance/review.csv: fill in
    `student`, and move those rows to aliases.csv beside it. Exit code 1 says that there are such,
    or that a report is missing.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.attendance.reading import read_attendance
        from nbcertify.attendance.review import write_review
        from nbcertify.places import Places
        from nbcertify.policy import read_policy
        from nbcertify.roster import read_roster
        from nbcertify.view import attendance_table, review_table

        places = Places(load_course(course).gradebook_folder)
        sessions = read_policy(policy or places.policy).sessions
        there = read_attendance(sessions, places.attendance, read_roster(places.roster))
        console.print(attendance_table(there.attended, [session.name for session in sessions]))
        for note in there.notes:
            console.print(note, highlight=False)
        missing = [s.report for s in sessions if s.report not in there.digests]
        if missing:
            console.print(f"Missing in {places.attendance}: {', '.join(missing)}", style="yellow")
        if there.review:
            console.print(review_table(there.review))
            target = places.attendance / "review.csv"
            write_review(there.review, target)
            console.print(f"Written to {target}")
    if missing or there.review:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def eligible(
    course: CourseOption = HERE, policy: PolicyOption = None, student: StudentOption = None
) -> None:
    """Tell who may have a certificate, who may not, and who cannot be told yet, and why.

    Reads policy, roster, Zoom's reports, gradebook and records, and changes none. The decisions are
    written to gradebook/certificates/decisions.json and .csv. Exit code 1 says that some are
    undecided.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.deciding import decide_course, write_decisions
        from nbcertify.decisions import Verdict
        from nbcertify.places import Places
        from nbcertify.view import decision_table

        here = load_course(course)
        places = Places(here.gradebook_folder)
        decided = decide_course(here, datetime.now(UTC), policy)
        require_known(student, decided)
        shown = [d for d in decided.decisions if not student or d.student in student]
        console.print(decision_table(shown))
        if not decided.roster and decided.policy.sessions:
            console.print(f"There is no roster, {places.roster}: nobody's attendance is known.")
        if decided.unknown and decided.policy.assignments:
            console.print(
                f"In the roster, and unknown to the gradebook: {', '.join(decided.unknown)}. If "
                "they handed something in, their id is another there.",
                style="yellow",
            )
        if decided.attendance.review:
            count = len(decided.attendance.review)
            console.print(
                f"{count} on the review list may be anybody: see `dlcourse attendance` before you "
                "refuse a certificate.",
                style="yellow",
            )
        write_decisions(decided, places)
        console.print(f"Written to {places.decisions} and .csv")
    if any(decision.verdict is Verdict.UNDECIDED for decision in shown):
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def refusals(
    course: CourseOption = HERE, policy: PolicyOption = None, student: StudentOption = None
) -> None:
    """Write a mail to each who is not eligible: what was needed, and what was reached.

    The mails are drafts in gradebook/certificates/people/; nothing is sent.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.deciding import decide_course
        from nbcertify.issuing import write_refusals

        here = load_course(course)
        decided = decide_course(here, datetime.now(UTC), policy)
        require_known(student, decided)
        if decided.attendance.review:
            stop(
                "Somebody on the review list may be one of those who would be refused: see "
                "`dlcourse attendance` first."
            )
        office = office_of(here, decided.policy)
        wanted = [d for d in decided.decisions if not student or d.student in student]
        if left_out := [name for name in decided.unknown if not student or name in student]:
            console.print(f"Not written to, since the gradebook has no {', '.join(left_out)}.")
            wanted = [d for d in wanted if d.student not in left_out]
        written = write_refusals(office, wanted, decided.roster, datetime.now(UTC))
        for path in written:
            console.print(str(path), highlight=False)
        console.print(f"{len(written)} written; nothing was sent.")
