"""The commands that make what students get: `release`, `pack`, `convert-otter`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nbjudge.cli.terminal import (
    HERE,
    Assignments,
    CourseOption,
    console,
    errors,
    errors_told,
    progress_bar,
)

app = typer.Typer()


@app.command()
def release(
    assignments: Assignments = None,
    course: CourseOption = HERE,
    run: Annotated[
        bool,
        typer.Option(help="Also run what was released, and grade the reference solution."),
    ] = True,
) -> None:
    """Make the student versions in release/ from source/.

    First the source notebooks are checked. Nothing is written if a solution or a hidden test is
    left in a student version, or if a second run gives other bytes. Then each student version is
    run, up to what students must write, and the reference solution is graded. It must get full
    marks. Its results are kept for grading on this machine.
    """
    with errors_told():
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        from nbjudge.assignment import read_assignment
        from nbjudge.course import load_course
        from nbjudge.errors import IsolationError
        from nbjudge.release.release import release as release_one
        from nbjudge.release.release_run import run_release
        from nbjudge.trial.judging import judging_of
        from nbjudge.trial.reference import check_reference
        from nbjudge.warm.client import server_address

        here = load_course(course)
        judging = None
        if run:
            try:
                judging = judging_of(here)
            except IsolationError as error:
                errors.print(f"The reference solution was not graded. {error}", style="yellow")
        table = Table(
            *("assignment", "points", "graded cells", "files", "release/", "reference"),
            box=SIMPLE_HEAD,
        )
        names = assignments or here.assignments()
        ungraded: list[str] = []
        with progress_bar() as progress:
            task = progress.add_task("Releasing", total=len(names))
            for name in names:
                progress.update(task, description=f"Releasing {name}")
                report = release_one(here, name)
                if run:
                    progress.update(task, description=f"Running the released {name}")
                    run_release(here, name)
                if judging is not None:
                    progress.update(task, description=f"Grading the reference solution of {name}")
                    server = server_address(judging.preload)
                    check_reference(judging, read_assignment(here, name), server)
                table.add_row(
                    name,
                    f"{report.points:g}",
                    str(report.graded_cells),
                    str(len(report.files)),
                    "new" if report.changed else "unchanged",
                    "not graded" if judging is None else "full marks",
                )
                if not report.graded_cells:
                    ungraded.append(name)
                progress.advance(task)
        console.print(table)
        for name in ungraded:
            errors.print(
                f"{name} gives no points: none of its cells is graded. In JupyterLab, choose "
                "Create Assignment, and a type and points for each cell with tests.",
                style="yellow",
            )


PackTarget = Annotated[
    Path | None,
    typer.Option("--to", help="The zip file to write.", show_default="handout.zip in the course"),
]


@app.command()
def pack(
    assignments: Assignments = None, course: CourseOption = HERE, target: PackTarget = None
) -> None:
    """Pack what students get into a zip file, and nothing else.

    In it are the released notebooks and the files that belong to them, as `release` proved them:
    no source, no gradebook, no configuration. Release first.
    """
    pack_assignments(course, assignments, target, {})


@app.command()
def convert_otter(
    master: Annotated[Path, typer.Argument(help="A master notebook of Otter Assign.")],
    to: Annotated[Path, typer.Argument(help="The source notebook to write.")],
) -> None:
    """Make a source notebook of one that was written for Otter.

    Each of Otter's test cells becomes a test cell with its points. What has to be done by hand is
    listed. Run the notebook in Jupyter before: Otter compares with the outputs that it holds.
    """
    with errors_told():
        from nbjudge.errors import CourseError
        from nbjudge.files import write_atomically
        from nbjudge.release.otter import convert_otter as convert

        try:
            notebook = json.loads(master.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CourseError(f"{master} cannot be read: {error}") from error
        if to.exists():
            raise CourseError(f"{to} is there already, and is not replaced.")
        found = convert(notebook)
        to.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(to, json.dumps(found.notebook, indent=1, ensure_ascii=False).encode())
        console.print(f"{to}: {found.tests} test cells", highlight=False, soft_wrap=True)
        for note in found.notes:
            console.print(f"  {note}", highlight=False, soft_wrap=True)


def pack_assignments(
    course: Path, assignments: Sequence[str] | None, target: Path | None, others: dict[str, bytes]
) -> None:
    """Pack released assignments, and other files by name; tell what is in the zip file."""
    with errors_told():
        from nbjudge.course import load_course
        from nbjudge.release.packing import pack as pack_files

        here = load_course(course)
        path = target or here.root / "handout.zip"
        names = pack_files(here, assignments or here.assignments(), path, others)
        for name in names:
            console.print(f"  {name}", highlight=False, soft_wrap=True)
        console.print(f"{len(names)} files in {path}", highlight=False, soft_wrap=True)
