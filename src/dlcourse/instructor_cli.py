"""What instructors and the certificate office have of the `dlcourse` command."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any

import typer
from nbcertify.cli import app as certificates
from nbhandin.cli import forget, links, serve
from nbjudge.cli.checking import check_machine
from nbjudge.cli.grading import grade
from nbjudge.cli.releasing import PackTarget, pack_assignments, release
from nbjudge.cli.terminal import (
    HERE,
    Assignments,
    CourseOption,
    Jobs,
    console,
    errors_told,
    progress_bar,
)
from nbjudge.cli.vetting import Appendix, VetChanged, VetForce, VetPage, vet_assignments

app = typer.Typer()


@app.command()
@functools.wraps(release)
def _release(*arguments: Any, **options: Any) -> None:
    release(*arguments, **options)
    _write_start_page(options["course"])


def _write_start_page(course: Path) -> None:
    """Write release/START.ipynb: it is no assignment, so nbgrader does not release it."""
    with errors_told():
        from nbjudge.course import load_course
        from nbjudge.files import write_atomically

        from dlcourse.finishing import START, start_page

        here = load_course(course)
        if page := start_page(here.source):
            write_atomically(here.release / START, page)


@app.command()
def pack(
    assignments: Assignments = None, course: CourseOption = HERE, target: PackTarget = None
) -> None:
    """Pack what students get into a zip file, and nothing else.

    In it are the released notebooks, and the package that they import, with which students install
    JupyterLab and Keras: `pip install .` in the unpacked folder. No source, no gradebook, nothing
    that grades. Release first.
    """
    pack_assignments(course, assignments, target, _package(course))


def _package(course: Path) -> dict[str, bytes]:
    """The files of the package that the notebooks import; none where the course has no such."""
    found = [course / name for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")]
    found += (course / "src" / "dlcourse").rglob("*")
    files = {
        path.relative_to(course).as_posix(): path.read_bytes()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    }
    start = course / "release" / "START.ipynb"
    return files | ({start.name: start.read_bytes()} if start.is_file() else {})


# The data of this course, whose thresholds are measured.
_OURS = "dlcourse.grading:grading_data"


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

    Like `nbjudge vet`, and it also shows the evidence for each threshold.
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
            appendix=_thresholds() if here.settings.data == _OURS else Appendix(),
        )


def _thresholds() -> Appendix:
    from dlcourse.thresholds import load, sources_in_use
    from dlcourse.thresholds.chances import describe
    from dlcourse.thresholds.report import make_fragment, threshold_tables

    calibrated = [one for source in sources_in_use() for one in describe(load(source))]
    return Appendix(
        tuple(threshold_tables(calibrated)),
        make_fragment(calibrated) if calibrated else "",
        sum(not one.holds for one in calibrated),
    )


app.command()(grade)


@app.command()
def demo(
    course: CourseOption = HERE,
    jobs: Annotated[
        int | None, typer.Option(help="How many at once.", show_default="one more than cores")
    ] = None,
) -> None:
    """Grade a made-up class and issue its certificates.

    This takes a few minutes. The results stay in submitted/, autograded/ and gradebook/. To look at
    them: `make lab`, then Nbgrader → Formgrader. A course that holds other submissions is left
    alone.
    """
    with errors_told():
        from nbjudge.course import load_course

        from dlcourse.demo import run_demo
        from dlcourse.demo_view import demo_report

        here = load_course(course)
        with progress_bar() as progress:
            done = run_demo(here, jobs=jobs, progress=progress)
    console.print(demo_report(done), highlight=False)
    console.print(f"{len(done.certificates)} certificates. One of them:")
    for path in done.certificates[:1]:
        console.print(f"  {path}", highlight=False, soft_wrap=True)
    console.print("To see the class on the hand-in page: .venv/bin/dlcourse serve")


app.command()(serve)
app.command()(links)
app.command()(forget)
app.command()(check_machine)
app.add_typer(certificates)
