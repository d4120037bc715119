"""Certificates are issued and revoked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
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

from nbcertify.cli.options import PolicyOption, StudentOption, YesOption, office_of, require_known

app = typer.Typer()


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
            require_known(student, decided)
            office = office_of(here, decided.policy)
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
