"""Certificates and the log are verified."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from nbjudge.cli.terminal import HERE, NEEDS_A_PERSON, CourseOption, console, errors_told, stop

if TYPE_CHECKING:
    from nbcertify.verification import Facts

app = typer.Typer()


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


def _in_words(facts: Facts) -> str:
    name = f"{facts.name}: " if facts.name else ""
    days = f"{facts.first_day:%Y-%m-%d} to {facts.last_day:%Y-%m-%d}"
    return f"{name}{facts.title}, {facts.course}, {days}, {facts.hours:g} hours; {facts.id}"
