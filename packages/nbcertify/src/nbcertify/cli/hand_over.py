"""Certificates are handed to other services."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from nbjudge.cli.terminal import HERE, CourseOption, console, errors_told

app = typer.Typer()


@app.command()
def edubadges(
    target: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    tier: Annotated[str, typer.Option(help="Of which certificates.")],
    course: CourseOption = HERE,
) -> None:
    """Write a file for edubadges' direct award."""
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
