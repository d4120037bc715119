"""The `dlcourse` command."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from dlcourse.certificates.cli import app as certificates
from dlcourse.grading_view import (
    GradingBar,
    outcome_table,
    plan_table,
    summary_text,
    two_step_interrupt,
)
from dlcourse.terminal import (
    HERE,
    NEEDS_A_PERSON,
    CourseOption,
    console,
    errors,
    errors_told,
    progress_bar,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Exercises for an introductory deep-learning workshop: release, grade, decide.\n\n"
    "Exit codes: **0** all is well, **1** something needs a person, **2** the command could not "
    "be carried out.",
)
Assignments = Annotated[
    list[str] | None,
    typer.Argument(
        help="Names of assignments, such as convnet. Without any: all of them.", show_default=False
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(help="How many at once.", show_default="one more than cores", min=1),
]


@app.command()
def release(
    assignments: Assignments = None,
    course: CourseOption = HERE,
    run: Annotated[
        bool,
        typer.Option(help="Also run what was released, and grade the reference solution."),
    ] = True,
) -> None:
    """Make the student versions in release/ from the notebooks in source/.

    The source is checked first, and it is proved that no solution and no hidden test is left and
    that a second run gives the same bytes: nothing is written otherwise. Then each student version
    is run, up to what students must write, and the reference solution is graded, which must get
    full marks. What it yielded is kept for grading on this machine.
    """
    with errors_told():
        from nbjudge.assignment import read_assignment
        from nbjudge.course import load_course
        from nbjudge.errors import IsolationError
        from nbjudge.judging import judging_of
        from nbjudge.reference import check_reference
        from nbjudge.release import release as release_one
        from nbjudge.release_run import run_release
        from nbjudge.warm.client import server_address

        here = load_course(course)
        judging = None
        if run:
            try:
                judging = judging_of(here)
            except IsolationError as error:
                errors.print(f"The reference solution is not graded. {error}", style="yellow")
        table = Table("assignment", "points", "graded cells", "files", "release/", "reference")
        names = assignments or here.assignments()
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
                    "new" if report.changed else "as it was",
                    "not graded" if judging is None else "full marks",
                )
                progress.advance(task)
        console.print(table)


# The data of this course, whose thresholds are measured.
_OURS = "dlcourse.grading:grading_data"


@app.command()
def vet(
    assignments: Assignments = None,
    course: CourseOption = HERE,
    page: Annotated[
        Path | None,
        typer.Option(help="Where to write the report.", show_default="gradebook/vet/report.html"),
    ] = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="Tell only what was not tried before as it is now, and no thresholds. The exit "
            "code still speaks of all.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option(help="Try again what was tried before on the same cells and tests.")
    ] = False,
    jobs: Jobs = None,
) -> None:
    """Try an assignment's tests: do they reject what is wrong, and accept what is right?

    Mistakes are planted into the reference solution one by one, right answers are written in other
    ways, and what is handed out is tried as it is. Misconceptions and answers of your own stand in
    source/ASSIGNMENT/vet.toml. Exit code 1 says that a test is to be mended.

    What was tried is remembered in gradebook/vet/, and only tried again when something that it
    rests on has changed. A CI that keeps this folder between its runs is told all that is to be
    mended, each time, and waits for what changed alone.
    """
    with errors_told():
        from dlcourse.data import find_source
        from dlcourse.thresholds import load
        from dlcourse.thresholds.chances import describe
        from dlcourse.thresholds.report import make_fragment, threshold_tables
        from nbjudge.course import load_course
        from nbjudge.vet.page import write_page
        from nbjudge.vet.report import only_changed
        from nbjudge.vet.terminal import vet_tables
        from nbjudge.vet.vetting import vet as vet_one

        here = load_course(course)
        reports = []
        with progress_bar() as progress:
            for name in assignments or here.assignments():
                task = progress.add_task(f"Vetting {name}", total=None)

                def watch(done: int, of: int, what: str, name=name, task=task) -> None:
                    about = f"Vetting {name} {what}"
                    progress.update(task, completed=done, total=of, description=about)

                reports.append(vet_one(here, name, jobs=jobs, force=force, watch=watch))
        told = [only_changed(report) for report in reports] if changed else reports
        for report in told:
            console.print(vet_tables(report))
        calibrated = describe(load(find_source().name)) if here.settings.data == _OURS else ()
        shown = () if changed else calibrated
        for table in threshold_tables(shown):
            console.print(table)
        # The page of all tells more than that of what changed.
        if page or not changed:
            target = page or here.gradebook_folder / "vet" / "report.html"
            write_page(target, told, make_fragment(shown) if shown else "")
            console.print(f"Written to {target}", soft_wrap=True)
        problems = sum(one.problems for one in reports) + sum(not one.holds for one in calibrated)
        if changed and problems:
            console.print(f"{problems} to look at in all: without --changed they are told.")
    if problems:
        raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def grade(
    assignments: Assignments = None,
    assignment: Annotated[
        list[str] | None, typer.Option(help="The same as naming it.", show_default=False)
    ] = None,
    student: Annotated[
        list[str] | None,
        typer.Option(help="Only this student; may be given several times.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Grade again what has not changed since it was graded.")
    ] = False,
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
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    course: CourseOption = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Grade what students handed in under submitted/STUDENT/ASSIGNMENT/.

    Scores go into nbgrader's gradebook, graded notebooks into autograded/. What has not changed
    since it was graded is not run again. A submission that cannot be graded has no score and is
    listed with the reason; it stops no other. Exit code 1 says that there are such, or that
    some were not begun.

    Ctrl-C finishes and records what is running; a second one stops at once. Either way the
    next run goes on from there.
    """
    with errors_told():
        from nbjudge.cohort import plan_grading, summarise
        from nbjudge.course import load_course
        from nbjudge.submissions import find_submissions

        here = load_course(course)
        if cluster is not None and cluster != here.settings.cluster:
            here.config.Grading.cluster = cluster
            here.config.Grading.cluster_options = {}  # those of another one
        names = [*(assignments or ()), *(assignment or ())] or None
        submissions = find_submissions(here, names, student)
        if not submissions:
            raise typer.BadParameter(f"There is nothing to grade under {here.submitted}.")
        if dry_run:
            _show_plan(plan_grading(here, submissions, force=force), as_json)
            return
        started = time.monotonic()
        outcomes = _graded(here, submissions, jobs, force, as_json)
        summary = summarise(outcomes, time.monotonic() - started)
    left = len(submissions) - len(outcomes)
    if not as_json:
        console.print(outcome_table(outcomes))
    errors.print(summary_text(summary, left), highlight=False)
    if left or summary.not_graded:
        raise typer.Exit(NEEDS_A_PERSON)


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
    """Tell which data set the notebooks load here, and fetch it if it is not here yet.

    It is the first of these that there is: the file or folder in the environment variable
    DLCOURSE_DATA; what Keras or this course downloaded before; the official download (170 MB); and
    where none can be had, drawn pictures that stand in for CIFAR-10. DLCOURSE_DATA=stand-in asks
    for those without trying the download.
    """
    with errors_told():
        from dlcourse.data import CLASS_NAMES, find_source, load_cifar10

        source = find_source()
        table = Table(show_header=False)
        for key, value in asdict(source).items():
            if value != "":
                table.add_row(key, f"{value:,}" if isinstance(value, int) else str(value))
        console.print(table)
        if picture:
            from dlcourse.picture import draw_grid

            (images, labels), _ = load_cifar10(source.path)
            draw_grid(images[:25], [CLASS_NAMES[i] for i in labels[:25].ravel()], picture)
            console.print(f"Drawn into {picture}")


@app.command()
def demo(
    course: CourseOption = HERE,
    jobs: Annotated[
        int | None, typer.Option(help="How many at once.", show_default="one more than cores")
    ] = None,
) -> None:
    """Grade a made-up class, and issue certificates to those of it who are eligible.

    Takes a few minutes. What it does is left in submitted/, autograded/ and gradebook/ to look at:
    `make lab`, then Nbgrader → Formgrader. A course where somebody else's work has been handed in
    is left alone.
    """
    with errors_told():
        from dlcourse.certificates.view import short_text
        from dlcourse.demo import run_demo
        from nbjudge.course import load_course

        here = load_course(course)
        with progress_bar() as progress:
            done = run_demo(here, jobs=jobs, progress=progress)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("student", "assignment", "score", "status"):
        table.add_column(column, no_wrap=True)
    for tier in done.tiers:
        table.add_column(tier)
    table.add_column("why")
    for row in done.rows:
        if row.verdicts:
            table.add_section()
        told = map(short_text, row.verdicts) if row.verdicts else ("" for _ in done.tiers)
        table.add_row(row.student, row.assignment, row.score, row.status, *told, row.why)
    console.print(table)
    console.print(f"{len(done.certificates)} certificates. One of them:")
    for path in done.certificates[:1]:
        console.print(f"  {path}", highlight=False, soft_wrap=True)


def _graded(here, submissions, jobs: int | None, force: bool, as_json: bool) -> list:
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


def _show_plan(planned: list, as_json: bool) -> None:
    if not as_json:
        console.print(plan_table(planned))
        return
    for item in planned:
        about = {"student": item.submission.student, "assignment": item.submission.assignment}
        print(json.dumps({**about, "to_grade": item.to_grade, "why": item.refusal or item.why}))


app.add_typer(certificates)

if __name__ == "__main__":
    sys.exit(app())
