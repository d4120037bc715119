"""The commands that say what can be graded, and where: `check`, `check-machine`."""

from __future__ import annotations

from typing import Annotated

import typer

from nbjudge.cli.terminal import (
    HERE,
    NEEDS_A_PERSON,
    Assignments,
    CourseOption,
    console,
    errors,
    errors_told,
    progress_bar,
)

_TIERS = {
    "full": "Students' code can read only its own files, has no network, and cannot outlive its "
    "grading.",
    "filters": "Students' code has no network and reads only what it needs, but shares the list "
    "of processes with others.",
    "none": "Students' code would run with the rights of whoever grades. Grading refuses that, "
    'unless the course sets c.Grading.isolation_floor = "none".',
}

app = typer.Typer()


@app.command()
def check(
    assignments: Assignments = None,
    course: CourseOption = HERE,
    write_marks: Annotated[
        bool,
        typer.Option(
            "--mark",
            help="Write the line '### RUN IN STUDENT KERNEL' into the source cells that need it.",
        ),
    ] = False,
) -> None:
    """List test cells that need the student's kernel.

    Lists the cells that cannot be judged there, why, and what to do: such a test can run in the
    student's kernel, as in stock nbgrader, where a notebook can read it. Nothing needs to be
    released before, and nothing is changed, unless you say --mark. Exit code 1 says that there are
    such cells.
    """
    with errors_told():
        from nbjudge.cli.checking_view import check_tables, setting_lines
        from nbjudge.course import load_course
        from nbjudge.errors import NbjudgeError
        from nbjudge.release.checking import Place, mark
        from nbjudge.release.checking import check as check_one
        from nbjudge.trial.judging import judging_of
        from nbjudge.warm.client import server_address

        here = load_course(course)
        judging = judging_of(here)
        names = assignments or here.assignments()
        found, failed = [], False
        with progress_bar() as progress:
            task = progress.add_task("Checking", total=len(names))
            for name in names:
                progress.update(task, description=f"Checking {name}")
                try:
                    found.append(check_one(judging, name, server_address(judging.preload)))
                except NbjudgeError as error:
                    errors.print(f"{name}: {error}", style="red", highlight=False)
                    failed = True
                progress.advance(task)
        for one in found:
            for table in check_tables(one):
                console.print(table)
        needing = [one for one in found if one.need_kernel]
        if needing and write_marks:
            for one in needing:
                for path in mark(here, one):
                    console.print(f"Marked in {path}", soft_wrap=True)
        elif needing:
            console.print(setting_lines(needing), highlight=False, soft_wrap=True)
        is_well = all(
            cell.place in (Place.OUTSIDE, Place.MARKED) for one in found for cell in one.cells
        )
    if failed or not is_well or any(one.stopped for one in found):
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def check_machine() -> None:
    """Report how well this machine isolates students' code.

    Exit code 1: less than a course asks for by default.
    """
    with errors_told():
        from nbjudge.sandbox import find_tier

        found = find_tier()
        console.print(f"Sandbox: {found.tier}. {_TIERS[found.tier]}", highlight=False)
        for reason in found.missing:
            console.print(f"  Missing: {reason}.", highlight=False)
    if found.tier == "none":
        raise typer.Exit(NEEDS_A_PERSON)
