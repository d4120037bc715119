"""Who was there, who may have a certificate, and the mails to those who may not."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from nbjudge.cli.terminal import HERE, NEEDS_A_PERSON, CourseOption, console, errors_told

from nbcertify.cli.options import (
    PolicyOption,
    StudentOption,
    command,
    office_of,
    require_known,
    say_next,
)

app = typer.Typer()


@app.command()
def attendance(course: CourseOption = HERE, policy: PolicyOption = None) -> None:
    """Show who attended and for how long.

    The reports of Zoom, Microsoft Teams and Google Meet in gradebook/attendance/ are read.
    Participants whom only you can tell are written to review.csv there: fill in `student`, and
    move those rows to aliases.csv beside it. Exit code 1: there are such rows, or a
    report is missing.
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
        asked = read_policy(policy or places.policy)
        sessions = asked.sessions
        there = read_attendance(
            sessions, places.attendance, read_roster(places.roster), asked.recognition
        )
        console.print(attendance_table(there.attended, [session.name for session in sessions]))
        for note in there.notes:
            console.print(note, highlight=False)
        for remark in there.remarks:
            console.print(remark, style="yellow", highlight=False)
        missing = [s.report for s in sessions if s.report not in there.digests]
        if missing:
            console.print(f"Missing in {places.attendance}: {', '.join(missing)}", style="yellow")
        target = places.attendance / "review.csv"
        write_review(there.review, target)
        if there.review:
            console.print(review_table(there.review))
            console.print(f"Written to {target}", highlight=False)
            say_next(
                "in each row of review.csv, write the student's id into the column student (- for "
                "somebody who is no student; ? with a reason to put the row aside), move the row "
                f"to aliases.csv beside it, and run {command('attendance')} again."
            )
        elif missing:
            say_next(f"put the missing reports there, and run {command('attendance')} again.")
        else:
            say_next(command("eligible"))
    if missing or there.review:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def eligible(
    course: CourseOption = HERE, policy: PolicyOption = None, student: StudentOption = None
) -> None:
    """Decide who may have a certificate, and say why.

    Who is undecided or not eligible comes first, with the reasons; then a count of the others.
    With --student it shows all of that student. It reads policy, roster, reports, gradebook and
    records, and changes none. The decisions are written to gradebook/certificates/decisions.json
    and .csv. Exit code 1 says that some are undecided.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.deciding import decide_course, write_decisions
        from nbcertify.decisions import Verdict
        from nbcertify.places import Places
        from nbcertify.view import decision_lines

        here = load_course(course)
        places = Places(here.gradebook_folder)
        decided = decide_course(here, datetime.now(UTC), policy)
        require_known(student, decided)
        shown = [d for d in decided.decisions if not student or d.student in student]
        for line in decision_lines(shown, decided.roster, everybody=bool(student)):
            console.print(line, highlight=False)
        for remark in decided.attendance.remarks:
            console.print(remark, style="yellow", highlight=False)
        if not decided.roster and decided.policy.sessions:
            console.print(f"There is no roster, {places.roster}: nobody's attendance is known.")
        if decided.unknown and decided.policy.assignments:
            console.print(
                f"In the roster, and unknown to the gradebook: {', '.join(decided.unknown)}. If "
                "they handed something in, their id is another there.",
                style="yellow",
            )
        write_decisions(decided, places)
        console.print(f"Written to {places.decisions} and .csv", highlight=False)
        undecided = any(decision.verdict is Verdict.UNDECIDED for decision in shown)
        if decided.attendance.review:
            count = len(decided.attendance.review)
            who = "1 participant" if count == 1 else f"{count} participants"
            say_next(
                f"{command('attendance')}: {who} on the review list may be anybody who was not "
                "there all the time."
            )
        elif undecided:
            say_next(
                "settle what is undecided, or have it decided (overrides in policy.toml). "
                f"Meanwhile {command('certify --dry-run')} shows who can get a certificate."
            )
        else:
            say_next(command("certify --dry-run"))
    if undecided:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def refusals(
    course: CourseOption = HERE, policy: PolicyOption = None, student: StudentOption = None
) -> None:
    """Draft a mail to each person who is not eligible.

    It says what was needed and what was reached. Who is undecided gets none, and is listed. The
    mails are drafts in gradebook/certificates/people/; nothing is sent. Exit code 1 says that
    somebody is undecided.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.deciding import decide_course
        from nbcertify.decisions import Verdict
        from nbcertify.issuing import write_refusals

        here = load_course(course)
        decided = decide_course(here, datetime.now(UTC), policy)
        require_known(student, decided)
        office = office_of(here, decided.policy)
        wanted = [d for d in decided.decisions if not student or d.student in student]
        for remark in decided.attendance.remarks:
            console.print(remark, style="yellow", highlight=False)
        waiting = dict.fromkeys(d.student for d in wanted if d.verdict is Verdict.UNDECIDED)
        if waiting:
            listed = " (somebody on the review list may be one of them)"
            console.print(
                f"No mail yet to {', '.join(waiting)}: undecided"
                f"{listed if decided.attendance.review else ''}. {command('eligible')} says why.",
                style="yellow",
                highlight=False,
            )
        if left_out := [name for name in decided.unknown if not student or name in student]:
            console.print(f"Not written to, since the gradebook has no {', '.join(left_out)}.")
            wanted = [d for d in wanted if d.student not in left_out]
        written = write_refusals(office, wanted, decided.roster, datetime.now(UTC))
        for path in written:
            console.print(str(path), highlight=False)
        console.print(f"{len(written)} written; nothing was sent.")
        if written:
            say_next("read each of them, and send it from your mail program.")
    if waiting:
        raise typer.Exit(NEEDS_A_PERSON)
