"""The command that tests the tests: `vet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nbjudge.cli.terminal import (
    HERE,
    NEEDS_A_PERSON,
    Assignments,
    CourseOption,
    Jobs,
    console,
    errors_told,
    progress_bar,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import TaskID

    from nbjudge.course import Course

app = typer.Typer()


@dataclass(frozen=True)
class Appendix:
    """What a course has to say about its tests beside a vet report.

    ``tables`` are printed, ``html`` goes onto the page; ``problems`` are counted with the others.
    """

    tables: Sequence[RenderableType] = ()
    html: str = ""
    problems: int = 0


def vet_assignments(
    here: Course,
    names: Sequence[str],
    *,
    page: Path | None,
    changed: bool,
    force: bool,
    jobs: int | None,
    appendix: Appendix,
) -> None:
    """Vet assignments, print and write what was found; exit code 1 where something was."""
    from nbjudge.vet.page import write_page
    from nbjudge.vet.report import only_changed
    from nbjudge.vet.terminal import vet_tables
    from nbjudge.vet.vetting import vet as vet_one

    reports = []
    with progress_bar() as progress:
        for name in names:
            task = progress.add_task(f"Vetting {name}", total=None)

            def watch(done: int, of: int, what: str, name: str = name, task: TaskID = task) -> None:
                about = f"Vetting {name} {what}"
                progress.update(task, completed=done, total=of, description=about)

            reports.append(vet_one(here, name, jobs=jobs, force=force, watch=watch))
    told = [only_changed(report) for report in reports] if changed else reports
    for report in told:
        console.print(vet_tables(report))
    for table in () if changed else appendix.tables:
        console.print(table)
    # The page of all tells more than that of what changed.
    if page or not changed:
        target = page or here.gradebook_folder / "vet" / "report.html"
        write_page(target, told, "" if changed else appendix.html)
        console.print(f"Written to {target}", soft_wrap=True)
    problems = sum(one.problems for one in reports) + appendix.problems
    if changed and problems:
        console.print(f"{problems} to look at in all. Run without --changed to list them.")
    if problems:
        raise typer.Exit(NEEDS_A_PERSON)


VetPage = Annotated[
    Path | None,
    typer.Option(help="Where to write the report.", show_default="gradebook/vet/report.html"),
]
VetChanged = Annotated[
    bool,
    typer.Option(
        "--changed",
        help="Report only cases that are new or have changed. The exit code is about all.",
    ),
]
VetForce = Annotated[bool, typer.Option(help="Try all cases again, changed or not.")]


@app.command()
def vet(
    assignments: Assignments = None,
    course: CourseOption = HERE,
    page: VetPage = None,
    changed: VetChanged = False,
    force: VetForce = False,
    jobs: Jobs = None,
) -> None:
    """Test the tests: they must tell right from wrong.

    Mistakes are planted into the reference solution one by one. Right answers are written in other
    ways. The student version is tried as it is. Add misconceptions and answers of your own to
    source/ASSIGNMENT/vet.toml. Exit code 1: a test must be changed.

    Results are kept in gradebook/vet/. A case is tried again only if something that its result
    depends on has changed. If your CI keeps this folder between runs, it reports everything that
    must be changed each time, and waits only for what is new.
    """
    with errors_told():
        from nbjudge.course import load_course

        here = load_course(course)
        vet_assignments(
            here,
            assignments or here.assignments(),
            page=page,
            changed=changed,
            force=force,
            jobs=jobs,
            appendix=Appendix(),
        )
