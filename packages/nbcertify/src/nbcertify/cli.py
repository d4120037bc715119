"""The commands from Zoom's reports to certificates: `dlcourse attendance`, `eligible`, …"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from nbjudge.cli.terminal import (
    HERE,
    NEEDS_A_PERSON,
    CourseOption,
    console,
    errors,
    errors_told,
    progress_bar,
    stop,
)

if TYPE_CHECKING:
    from nbjudge.course import Course

    from nbcertify.deciding import Decided
    from nbcertify.issuing import Office
    from nbcertify.policy import Policy
    from nbcertify.verification import Facts

app = typer.Typer()
keys_app = typer.Typer(no_args_is_help=True, help="The keys that certificates are signed with.")
app.add_typer(keys_app, name="keys")

PolicyOption = Annotated[
    Path | None,
    typer.Option(help="What certificates take.", show_default="gradebook/policy.toml"),
]
StudentOption = Annotated[
    list[str] | None,
    typer.Option(help="Only this student; may be given several times.", show_default=False),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


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
        _require_known(student, decided)
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
def certify(
    course: CourseOption = HERE,
    policy: PolicyOption = None,
    student: StudentOption = None,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
) -> None:
    """Issue the certificates of all who are eligible and have none yet.

    It shows first what it will do, and asks. Each person's PDF, credential and mail are written to
    gradebook/certificates/people/; nothing is sent. What is to be published, so that anyone can
    verify them, is in gradebook/certificates/site/. Doing it again issues nothing twice. Exit code
    1 says that something needs a person.
    """
    with errors_told():
        from nbjudge.cohort.lock import course_lock
        from nbjudge.course import load_course

        from nbcertify.deciding import decide_course, write_decisions
        from nbcertify.issued import read_issued
        from nbcertify.issuing import certify as issue
        from nbcertify.planning import Action, plan
        from nbcertify.view import plan_table

        here = load_course(course)
        with course_lock(here.gradebook_folder):
            decided = decide_course(here, datetime.now(UTC), policy)
            _require_known(student, decided)
            office = _office(here, decided.policy)
            issued = read_issued(office.places.issued)
            steps = plan(decided.decisions, issued, decided.roster, office.places)
            steps = [step for step in steps if not student or step.student in student]
            console.print(plan_table(steps, decided.roster))
            counts = Counter(step.action for step in steps)
            todo = counts[Action.ISSUE] + counts[Action.REMAKE]
            console.print(", ".join(f"{count} × {action}" for action, count in counts.items()))
            if dry_run:
                return
            if todo and not yes and not typer.confirm(f"Make {todo} certificates?"):
                raise typer.Exit(NEEDS_A_PERSON)
            write_decisions(decided, office.places)
            now = datetime.now(UTC)
            problems: list[str] = []
            with progress_bar() as progress:
                task = progress.add_task("Certificates", total=todo)
                for made in issue(office, decided.decisions, steps, issued, decided.roster, now):
                    progress.advance(task)
                    problems += [made.problem] if made.problem else []
            for problem in problems:
                console.print(problem, style="red", highlight=False)
            if todo:
                console.print(f"To hand over: {office.places.people}")
            if ".example." in office.issuer.site:
                console.print(f"{office.places.issuer} still names an example.", style="yellow")
            console.print(f"To publish at {office.issuer.site}: {office.places.site}")
    if problems or counts[Action.BLOCKED] or counts[Action.REVIEW]:
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
        _require_known(student, decided)
        if decided.attendance.review:
            stop(
                "Somebody on the review list may be one of those who would be refused: see "
                "`dlcourse attendance` first."
            )
        office = _office(here, decided.policy)
        wanted = [d for d in decided.decisions if not student or d.student in student]
        if left_out := [name for name in decided.unknown if not student or name in student]:
            console.print(f"Not written to, since the gradebook has no {', '.join(left_out)}.")
            wanted = [d for d in wanted if d.student not in left_out]
        written = write_refusals(office, wanted, decided.roster, datetime.now(UTC))
        for path in written:
            console.print(str(path), highlight=False)
        console.print(f"{len(written)} written; nothing was sent.")


@app.command()
def verify(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="PDFs, credentials (.jwt), or the address in a QR code.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="The name printed on them, or the e-mail: is it theirs?")
    ] = "",
    log: Annotated[bool, typer.Option("--log", help="Check the log of the course.")] = False,
    head: Annotated[
        str, typer.Option(help="The digest of the log's last line, if you kept one.")
    ] = "",
    site: Annotated[
        Path | None,
        typer.Option(
            help="The published folder: keys and status list.",
            show_default="gradebook/certificates/site",
        ),
    ] = None,
    course: CourseOption = HERE,
) -> None:
    """Verify certificates, or the log: nothing is asked of the network.

    Exit code 1 says that one is not valid, or that the log was changed.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.credential_files import credential_in
        from nbcertify.issuing import verify_log
        from nbcertify.places import Places
        from nbcertify.published import read_published
        from nbcertify.verification import Outcome
        from nbcertify.verification import verify as verify_one

        if not files and not log:
            stop("Name a certificate's file, or say --log.")
        places = Places(load_course(course).gradebook_folder)
        bad = False
        if files:
            keys, status = read_published(site or places.site)
            now = datetime.now(UTC)
            for file in files:
                found = verify_one(credential_in(file), keys, status, now)
                bad |= found.outcome is not Outcome.VALID
                other = bool(name and found.facts and not found.facts.is_of(name))
                bad |= other
                style = "green" if found.outcome is Outcome.VALID else "red"
                console.print(f"{file}: {found.outcome}", style=style, highlight=False)
                console.print(f"  {found.words}", highlight=False)
                if found.facts is not None:
                    console.print(f"  {_in_words(found.facts)}", highlight=False)
                if other:
                    console.print(f"  It is not {name}'s.", style="red", highlight=False)
        if log:
            problems, said = verify_log(places, head)
            bad |= bool(problems)
            for problem in problems:
                console.print(problem, style="red", highlight=False)
            console.print(said, highlight=False, soft_wrap=True)
    if bad:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def revoke(
    certificate: Annotated[str, typer.Argument(help="Its id, or how it begins.")],
    reason: Annotated[str, typer.Option(help="Why. It stays in the log: name nobody.")],
    author: Annotated[str, typer.Option(help="Who decided it.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="`dlcourse certify` may issue another in its place.")
    ] = False,
    yes: YesOption = False,
    course: CourseOption = HERE,
) -> None:
    """Revoke a certificate. Publish the folder gradebook/certificates/site/ again afterwards."""
    with errors_told():
        from nbjudge.cohort.lock import course_lock
        from nbjudge.course import load_course

        from nbcertify.issued import Revocation, find_issued, read_issued
        from nbcertify.issued import revoke as revoke_one
        from nbcertify.issuing import record_revocation

        here = load_course(course)
        with course_lock(here.gradebook_folder):
            office = _office(here)
            issued = read_issued(office.places.issued)
            which = find_issued(issued, certificate)
            console.print(
                f"{which.id}: {which.title}, issued to {which.student} on {which.issued:%Y-%m-%d}"
            )
            now = datetime.now(UTC)
            revocation = Revocation(now.replace(microsecond=0), reason, author, replace)
            left = revoke_one(issued, which, revocation)
            if not yes and not typer.confirm("Revoke it?"):
                raise typer.Exit(NEEDS_A_PERSON)
            record_revocation(office, left, now)
        console.print(f"Revoked. Publish {office.places.site} again, so that others can see it.")


@app.command()
def edubadges(
    target: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    tier: Annotated[str, typer.Option(help="Of which certificates.")],
    course: CourseOption = HERE,
) -> None:
    """Write who holds certificates of a tier as edubadges' direct award takes it."""
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.edubadges import DirectAward, write_direct_awards
        from nbcertify.issued import read_issued
        from nbcertify.places import Places
        from nbcertify.roster import read_roster

        places = Places(load_course(course).gradebook_folder)
        roster = read_roster(places.roster)
        awards = [
            DirectAward(roster[one.student].email, roster[one.student].eppn)
            for one in read_issued(places.issued)
            if one.tier == tier and one.revoked is None and one.student in roster
        ]
        write_direct_awards(awards, target)
        console.print(f"{len(awards)} written to {target}")


@app.command()
def purge(student: str, yes: YesOption = False, course: CourseOption = HERE) -> None:
    """Remove a person's data from this course, and say what remains and why."""
    with errors_told():
        from nbjudge.cohort.lock import course_lock
        from nbjudge.course import load_course

        from nbcertify.purge import carry_out, plan_purge

        here = load_course(course)
        with course_lock(here.gradebook_folder):
            plan = plan_purge(here, student)
            console.print("This is removed:", style="bold")
            for what in plan.removes:
                console.print(f"  {what}", highlight=False)
            console.print("This remains:", style="bold")
            for what in plan.remains:
                console.print(f"  {what}", highlight=False)
            if not yes and not typer.confirm("Remove it for good?"):
                raise typer.Exit(NEEDS_A_PERSON)
            carry_out(here, plan, datetime.now(UTC))
        console.print("Removed.")


@keys_app.command("new")
def new_key() -> None:
    """Make a key; from now on it signs. Certificates signed with earlier keys stay valid."""
    with errors_told():
        from nbcertify.keys import keys_folder, make_key

        key = make_key(keys_folder(), datetime.now(UTC))
        console.print(f"Made {key.kid} in {keys_folder()}", highlight=False)
        errors.print("Keep a copy of that folder where only you can read it.")


@keys_app.command("list")
def list_keys() -> None:
    """List the keys; the first one signs."""
    with errors_told():
        from nbcertify.keys import keys_folder, public_keys

        for key in public_keys(keys_folder()):
            console.print(key["kid"], highlight=False)


def _require_known(students: list[str] | None, decided: Decided) -> None:
    known = {decision.student for decision in decided.decisions}
    if unknown := sorted(set(students or ()) - known):
        stop(f"There is no student {', '.join(unknown)}.")


def _in_words(facts: Facts) -> str:
    name = f"{facts.name}: " if facts.name else ""
    days = f"{facts.first_day:%Y-%m-%d} to {facts.last_day:%Y-%m-%d}"
    return f"{name}{facts.title}, {facts.course}, {days}, {facts.hours:g} hours; {facts.id}"


def _office(course: Course, policy: Policy | None = None) -> Office:
    from nbcertify.issuer import read_issuer
    from nbcertify.issuing import Office
    from nbcertify.keys import keys_folder
    from nbcertify.places import Places
    from nbcertify.policy import read_policy

    places = Places(course.gradebook_folder)
    policy = policy or read_policy(places.policy)
    return Office(places, policy, read_issuer(places.issuer), keys_folder())
