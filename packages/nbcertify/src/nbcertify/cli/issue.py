"""Certificates are issued and revoked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from nbjudge.cli.terminal import (
    HERE,
    NEEDS_A_PERSON,
    CourseOption,
    console,
    errors_told,
    progress_bar,
)

from nbcertify.cli.options import (
    PolicyOption,
    StudentOption,
    YesOption,
    command,
    office_of,
    require_known,
    say_next,
)
from nbcertify.cli.sending import send_letters, show_letters

app = typer.Typer()


@app.command()
def certify(
    course: CourseOption = HERE,
    policy: PolicyOption = None,
    student: StudentOption = None,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    send: Annotated[
        bool,
        typer.Option("--send", help="Send the mails, after they were shown and you said yes."),
    ] = False,
    send_again: Annotated[
        list[str] | None,
        typer.Option(
            help="With --send: the id of a certificate, or how it begins, whose mail is to be sent "
            "though it was sent, or may have been.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Issue certificates to all who are eligible.

    Who has one already keeps it. The command shows first what it will do, and asks. Each
    person's PDF, credential, badge and mail are written to gradebook/certificates/people/.
    Nothing is sent without --send. What is to be published, so that anyone can verify them, is
    in gradebook/certificates/site/. Doing it again issues nothing twice, and sends nothing
    twice. Exit code 1 says that something needs a person.
    """
    with errors_told():
        from nbjudge.cohort.lock import course_lock
        from nbjudge.course import load_course

        from nbcertify.deciding import decide_course, write_decisions
        from nbcertify.issued import read_issued
        from nbcertify.issuing import certify as issue
        from nbcertify.keys import signing_key
        from nbcertify.planning import Action, plan
        from nbcertify.view import plan_table

        here = load_course(course)
        with course_lock(here.gradebook_folder, "Certificates of this course are being issued"):
            decided = decide_course(here, datetime.now(UTC), policy)
            require_known(student, decided)
            office = office_of(here, decided.policy)
            issued = read_issued(office.places.issued)
            steps = plan(
                decided.decisions,
                issued,
                decided.roster,
                office.places,
                decided.policy,
                office.texts,
            )
            steps = [step for step in steps if not student or step.student in student]
            console.print(plan_table(steps, decided.roster))
            counts = Counter(step.action for step in steps)
            todo = counts[Action.ISSUE] + counts[Action.REMAKE]
            console.print(", ".join(f"{count} × {action}" for action, count in counts.items()))
            if ".example." in office.issuer.site:
                console.print(f"{office.places.issuer} still names an example.", style="yellow")
            # Said before anybody is asked, and by a dry run, too.
            signing_key(office.keys)
            if dry_run:
                if send:
                    show_letters(office, decided.roster, student, send_again)
                console.print("Nothing was done.")
                say_next(f"{command('certify')}, the same without --dry-run.")
                return
            if todo and not yes and not typer.confirm(f"Make {todo} certificates?"):
                raise typer.Exit(NEEDS_A_PERSON)
            write_decisions(decided, office.places)
            now = datetime.now(UTC)
            problems: list[str] = []
            with progress_bar() as progress:
                task = progress.add_task("Certificates", total=todo)
                for made in issue(
                    office, decided.decisions, steps, issued, decided.roster, now, decided.results
                ):
                    progress.advance(task)
                    problems += [made.problem] if made.problem else []
            for problem in problems:
                console.print(problem, style="red", highlight=False)
            if send:
                problems += send_letters(office, decided.roster, student, send_again, yes=yes)
            elif todo:
                console.print(f"To hand over: {office.places.people}")
            console.print(f"To publish at {office.issuer.site}: {office.places.site}")
    if problems or counts[Action.BLOCKED] or counts[Action.REVIEW]:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def preview(
    target: Annotated[Path, typer.Argument(help="The PDF to write.")],
    tier: Annotated[
        str, typer.Option(help="Of which certificates.", show_default="the first of the policy")
    ] = "",
    language: Annotated[
        str, typer.Option(help="In which language.", show_default="the tier's")
    ] = "",
    name: Annotated[str, typer.Option(help="The name on it.")] = "Johanna van den Berg-Özdemir",
    policy: PolicyOption = None,
    course: CourseOption = HERE,
) -> None:
    """Make one sample certificate, to look at its style.

    It reads policy.toml and issuer.toml alone, no roster, no gradebook and no key. It says on it
    that it is a sample, and its code leads to no certificate.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.preview import write_preview

        office = office_of(load_course(course), policy_file=policy)
        write_preview(office, target, tier, language, name)
        console.print(f"Written to {target}", highlight=False)


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
        with course_lock(here.gradebook_folder, "A certificate of this course is being revoked"):
            office = office_of(here)
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
