"""The `nbjudge` command."""

from __future__ import annotations

import typer

from nbjudge.cli import checking, grading, releasing, vetting

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # to import rich for the help takes longer than all the rest
    help="Release, grade and vet the notebooks of a course.\n\n"
    "Exit codes: 0 all is well, 1 a person must look at something, 2 the command failed.",
)
for _group in (releasing, vetting, grading, checking):
    app.add_typer(_group.app)
