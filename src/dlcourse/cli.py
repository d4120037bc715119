"""The `dlcourse` command: what students have of it, and the instructors' commands if installed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

FAILED = 2


_ADVICE = (
    "This is a student's installation. The commands for grading and for certificates come with: "
    "pip install ./packages/nbjudge ./packages/nbcertify ./packages/nbhandin '.[grading]'"
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # to import rich for the help takes longer than all the rest
    help="Exercises for an introductory deep-learning workshop: release, grade, decide.\n\n"
    "Exit codes: 0 all is well, 1 a person must look at something, 2 the command failed.",
)


@app.command()
def data(
    picture: Annotated[
        Path | None,
        typer.Option(
            help="Also draw the first 25 images with their names into this PNG file.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show which data set the notebooks use here, or fetch it.

    The first of these is used: the file or folder in the environment variable DLCOURSE_DATA; what
    Keras or this course downloaded before; the official download (170 MB); or, if that fails,
    drawn pictures that stand in for CIFAR-10. With DLCOURSE_DATA=stand-in these are used at once.
    """
    from rich.table import Table

    from dlcourse.data import CLASS_NAMES, DataError, find_source, load_cifar10

    try:
        source = find_source()
        console = Console(markup=False)
        table = Table(show_header=False, box=None)
        for key, value in asdict(source).items():
            if value != "":
                table.add_row(key, f"{value:,}" if isinstance(value, int) else str(value))
        console.print(table)
        if picture:
            from dlcourse.picture import draw_grid

            (images, labels), _ = load_cifar10(source.path)
            draw_grid(images[:25], [CLASS_NAMES[i] for i in labels[:25].ravel()], picture)
            console.print(f"Written to {picture}")
    except (DataError, OSError) as error:
        Console(stderr=True, markup=False).print(str(error), style="red", highlight=False)
        raise typer.Exit(FAILED) from None


@app.callback()
def _app() -> None:
    # Makes a command of its own even of the only one that students have.
    pass


try:
    from dlcourse.instructor_cli import app as _instructors
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("nbjudge", "nbcertify", "nbhandin"):
        raise
    app.info.epilog = _ADVICE
else:
    app.add_typer(_instructors)

if __name__ == "__main__":
    sys.exit(app())
