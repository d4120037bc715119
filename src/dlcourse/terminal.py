"""What all commands share: where they print, how they fail, which course they are about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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
HERE = Path()
NEEDS_A_PERSON, FAILED = 1, 2
_GRADING = ("nbgrader", "nbclient", "nbformat", "sqlalchemy")
_CERTIFICATES = (
    "cryptography",
    "fontTools",
    "jwt",
    "openbadgeslib",
    "pikepdf",
    "rapidfuzz",
    "segno",
    "typst",
)


def progress_bar() -> Progress:
    """A bar with a count and the time, on the error stream."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
    )


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """Turn what a person can mend into one message and exit code 2, without a traceback."""
    from dlcourse.certificates.errors import CertificateError
    from dlcourse.data import DataError
    from nbjudge.errors import NbjudgeError

    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").split(".")[0]
        if name not in (*_GRADING, *_CERTIFICATES):
            raise
        what = "grading" if name in _GRADING else "grading,certificates"
        stop(
            f"This command needs {name}, which the student's installation does not have. "
            f"Install the rest: pip install '.[{what}]'"
        )
    except (CertificateError, DataError, NbjudgeError, OSError) as error:
        stop(str(error))


def stop(message: str) -> NoReturn:
    """End the command with a message."""
    errors.print(message, style="red", highlight=False)
    raise typer.Exit(FAILED)
