"""What all commands share: where they print, how they fail, which course they are about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

# Names and reasons come from students: nothing in a text is taken for rich's markup.
console = Console(markup=False)
errors = Console(stderr=True, markup=False)

CourseOption = Annotated[
    Path,
    typer.Option(
        "--course",
        help="The course's folder: the one with nbgrader_config.py.",
        show_default="here",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(
        help="Names of assignments, such as convnet. By default: all.", show_default=False
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(help="How many at once.", show_default="cores + 1", min=1),
]
HERE = Path()
NEEDS_A_PERSON, FAILED = 1, 2


def progress_bar() -> Progress:
    """A bar with a count and the time, on the error stream."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
    )


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """Turn what a person can fix into one message and exit code 2, without a traceback."""
    from nbjudge.errors import NbjudgeError

    try:
        yield
    except (NbjudgeError, OSError) as error:
        stop(str(error))


def stop(message: str) -> NoReturn:
    """End the command with a message."""
    errors.print(message, style="red", highlight=False)
    raise typer.Exit(FAILED)
