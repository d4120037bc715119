"""Certificates and the log are verified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from nbjudge.cli.terminal import HERE, NEEDS_A_PERSON, CourseOption, console, errors_told, stop

if TYPE_CHECKING:
    from nbcertify.verification import Verification

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
        str,
        typer.Option(
            help="With --log: the digest of one of the log's lines that you noted elsewhere, or a "
            "copy of log/heads.txt from the site.",
            show_default=False,
        ),
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
    """Verify certificates, or the log, offline.

    What is shown is what the issuer signed, not what a file shows: compare it with the paper or the
    PDF. Exit code 1 says that one is not valid, or that the log was changed.

    `--log` finds lines that were changed, moved or removed, and certificates that the log does not
    know. It does not find a log that was rewritten from its start together with the list of
    certificates, nor lines that were cut off at its end: for these it needs `--head`, a digest that
    was noted elsewhere, or a copy of log/heads.txt that was downloaded from the site earlier.
    """
    with errors_told():
        from nbjudge.course import load_course

        from nbcertify.ledger import verify_log
        from nbcertify.places import Places
        from nbcertify.view import verification_panel

        if not files and not log:
            stop("Name a certificate's file, or say --log.")
        places = Places(load_course(course).gradebook_folder)
        published = site or places.site
        bad = False
        for file, found in _verified(files or [], published):
            other = bool(name and found.facts and not found.facts.is_of(name))
            bad |= other or not found.is_valid
            console.print(verification_panel(file, found, name if other else ""))
        if log:
            problems, said = verify_log(places, published, head)
            bad |= bool(problems)
            for problem in problems:
                console.print(problem, style="red", highlight=False)
            for sentence in said:
                console.print(sentence, highlight=False, soft_wrap=True)
    if bad:
        raise typer.Exit(NEEDS_A_PERSON)


def _verified(files: list[str], site: Path) -> Iterator[tuple[str, Verification]]:
    from nbcertify.credential_files import certificate_in
    from nbcertify.document import Document, verify_document
    from nbcertify.published import read_published, signer_keys
    from nbcertify.verification import verify as verify_one

    if not files:
        return
    keys, status = read_published(site)
    signers = signer_keys(site, keys)
    now = datetime.now(UTC)
    for file in files:
        given = certificate_in(file)
        if isinstance(given, Document):
            yield file, verify_document(given, keys, status, signers, now)
        else:
            yield file, verify_one(given, keys, status, now)
