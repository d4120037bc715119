"""The `nbjudge` command."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
    errors,
    errors_told,
    progress_bar,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import TaskID

    from nbjudge.admit.submissions import Submission
    from nbjudge.cohort import GradingOutcome, Planned
    from nbjudge.course import Course

_TIERS = {
    "full": "Students' code can read only its own files, has no network, and cannot outlive its "
    "grading.",
    "filters": "Students' code has no network and reads only what it needs, but shares the list "
    "of processes with others.",
    "none": "Students' code would run with the rights of whoever grades. Grading refuses that, "
    'unless the course sets c.Grading.isolation_floor = "none".',
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # to import rich for the help takes longer than all the rest
    help="Release, grade and vet the notebooks of a course.\n\n"
    "Exit codes: 0 all is well, 1 a person must look at something, 2 the command failed.",
)


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


@app.command()
def grade(
    assignments: Assignments = None,
    assignment: Annotated[
        list[str] | None, typer.Option(help="The same as the argument.", show_default=False)
    ] = None,
    student: Annotated[
        list[str] | None,
        typer.Option(help="Only this student. May be given several times.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option(help="Grade all again, changed or not.")] = False,
    jobs: Jobs = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Run them on a Dask cluster: its address, or a class such as "
            "dask_jobqueue.SLURMCluster.",
            show_default="c.Grading.cluster",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    course: CourseOption = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Grade what students handed in under submitted/.

    Submissions are in submitted/STUDENT/ASSIGNMENT/. Scores go into nbgrader's gradebook, graded
    notebooks into autograded/. A submission that has not changed since it was graded is not run
    again. One that cannot be graded gets no score, is listed with the reason, and does not stop the
    others. Exit code 1: some were not graded, or not started.

    Ctrl-C: what is running is finished and recorded. Ctrl-C again: everything stops at once. The
    next run goes on from there.
    """
    with errors_told():
        from nbjudge.admit.submissions import find_submissions
        from nbjudge.course import load_course

        here = load_course(course)
        if cluster is not None and cluster != here.settings.cluster:
            here.config.Grading.cluster = cluster
            here.config.Grading.cluster_options = {}  # those of another one
        names = [*(assignments or ()), *(assignment or ())] or None
        submissions = find_submissions(here, names, student)
        if not submissions:
            raise typer.BadParameter(f"There is nothing to grade in {here.submitted}.")
        if dry_run:
            from nbjudge.cohort import plan_grading

            _show_plan(plan_grading(here, submissions, force=force), as_json)
            return
        started = time.monotonic()
        outcomes = _graded(here, submissions, jobs, force, as_json)
        from nbjudge.cohort import summarise

        summary = summarise(outcomes, time.monotonic() - started)
    from nbjudge.cli.grading_view import outcome_table, summary_text

    left = len(submissions) - len(outcomes)
    if not as_json:
        console.print(outcome_table(outcomes))
    errors.print(summary_text(summary, left), highlight=False)
    if left or summary.not_graded:
        raise typer.Exit(NEEDS_A_PERSON)


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


def _graded(
    here: Course,
    submissions: Sequence[Submission],
    jobs: int | None,
    force: bool,
    as_json: bool,
) -> list[GradingOutcome]:
    from nbjudge.cli.grading_view import GradingBar, two_step_interrupt
    from nbjudge.cohort import grade

    outcomes = []
    with GradingBar(errors, len(submissions)) as bar, two_step_interrupt(bar) as interrupt:
        grading = grade(
            here,
            submissions,
            jobs=jobs,
            force=force,
            watch=bar.watch,
            stopping=lambda: interrupt.asked,
        )
        # Closed at once at the second Ctrl-C, so that what is running ends as "not graded".
        with contextlib.closing(grading):
            for outcome in grading:
                outcomes.append(outcome)
                bar.advance(outcome)
                if as_json:
                    print(json.dumps(asdict(outcome)), flush=True)
    return outcomes


def _show_plan(planned: Sequence[Planned], as_json: bool) -> None:
    if not as_json:
        from nbjudge.cli.grading_view import plan_report

        console.print(plan_report(planned), highlight=False)
        return
    from nbjudge.cohort import Holds, ToGrade

    for item in planned:
        plan = {
            "student": item.submission.student,
            "assignment": item.submission.assignment,
            "to_grade": isinstance(item, ToGrade),
            "why": "" if isinstance(item, Holds) else item.why,
        }
        print(json.dumps(plan))
