"""The command that grades a class: `grade`."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
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
)

if TYPE_CHECKING:
    from nbjudge.admit.submissions import Submission
    from nbjudge.cohort import GradingOutcome, Planned
    from nbjudge.course import Course
    from nbjudge.trial.reference import ReferenceFailed

app = typer.Typer()


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
    others. Exit code 1: some were not graded, or not started. Exit code 2: nothing was graded of an
    assignment whose reference solution does not get full marks.

    Ctrl-C: what is running is finished and recorded. Ctrl-C again: everything stops at once. The
    next run goes on from there.
    """
    with errors_told():
        from nbjudge.admit.submissions import find_submissions
        from nbjudge.course import load_course

        here = load_course(course)
        if cluster is not None:
            from nbjudge.cohort import use_cluster

            use_cluster(here, cluster)
        names = [*(assignments or ()), *(assignment or ())] or None
        submissions = find_submissions(here, names, student)
        if not submissions:
            raise typer.BadParameter(f"There is nothing to grade in {here.submitted}.")
        if dry_run:
            from nbjudge.cohort import plan_grading

            _show_plan(plan_grading(here, submissions, force=force), as_json)
            return
        started = time.monotonic()
        outcomes, failed = _graded(here, submissions, jobs, force, as_json)
        from nbjudge.cli.grading_view import outcome_table, summary_text
        from nbjudge.cohort import summarise

        summary = summarise(outcomes, time.monotonic() - started)
        left = len(submissions) - len(outcomes)
        if outcomes or failed is None:
            if not as_json:
                console.print(outcome_table(outcomes))
            errors.print(summary_text(summary, left), highlight=False)
        if failed is not None:
            raise failed
    if left or summary.not_graded:
        raise typer.Exit(NEEDS_A_PERSON)


def _graded(
    here: Course,
    submissions: Sequence[Submission],
    jobs: int | None,
    force: bool,
    as_json: bool,
) -> tuple[list[GradingOutcome], ReferenceFailed | None]:
    """All outcomes, and why some assignments were not graded at all."""
    from nbjudge.cli.grading_view import GradingBar, two_step_interrupt
    from nbjudge.cohort import grade
    from nbjudge.trial.reference import ReferenceFailed

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
        try:
            with contextlib.closing(grading):
                for outcome in grading:
                    outcomes.append(outcome)
                    bar.advance(outcome)
                    if as_json:
                        print(json.dumps(asdict(outcome)), flush=True)
        except ReferenceFailed as failed:
            return outcomes, failed
    return outcomes, None


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
