"""Mails are shown, and sent after a yes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer
from nbjudge.cli.terminal import NEEDS_A_PERSON, console, progress_bar, stop

if TYPE_CHECKING:
    from nbcertify.office import Office
    from nbcertify.roster import Person
    from nbcertify.sending import Letter


def show_letters(
    office: Office,
    roster: Mapping[str, Person],
    students: list[str] | None,
    again: list[str] | None,
) -> list[Letter]:
    """Show what would be sent to whom; all letters."""
    from nbcertify.issued import find_issued, read_issued
    from nbcertify.log import read_log
    from nbcertify.sending import letters
    from nbcertify.view import letter_table

    if office.issuer.server is None:
        stop(
            f"{office.places.issuer} names no server to send mails through: add [mail_server] "
            "with host."
        )
    issued = read_issued(office.places.issued)
    chosen = [find_issued(issued, one).id for one in again or ()]
    found = letters(issued, roster, office.places, read_log(office.places.log), chosen)
    found = [one for one in found if not students or one.issued.student in students]
    console.print(letter_table(found))
    counts = Counter(one.action for one in found)
    console.print(", ".join(f"{count} × {action}" for action, count in counts.items()))
    return found


def send_letters(
    office: Office,
    roster: Mapping[str, Person],
    students: list[str] | None,
    again: list[str] | None,
    *,
    yes: bool,
) -> list[str]:
    """Show what will be sent, ask, and send it; what needs a person, in words."""
    from nbcertify.sending import Sending, send

    found = show_letters(office, roster, students, again)
    todo = [one for one in found if one.action is Sending.SEND]
    problems = [
        f"{one.issued.student}: {one.action}"
        for one in found
        if one.action not in (Sending.SEND, Sending.SENT)
    ]
    server = office.issuer.server
    if not todo or server is None:
        console.print("Nothing is to be sent.")
        return problems
    question = f"Send {len(todo)} mails through {server.host}?"
    if not yes and not typer.confirm(question):
        raise typer.Exit(NEEDS_A_PERSON)
    with progress_bar() as progress:
        task = progress.add_task("Mails", total=len(todo))
        for sent in send(todo, server, office.issuer.email, office.places.log):
            progress.advance(task)
            if sent.problem:
                problems.append(f"{sent.letter.issued.student}: {sent.problem}")
    for problem in problems:
        console.print(problem, style="red", highlight=False)
    return problems
