"""A person is removed."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from nbjudge.cli.terminal import HERE, NEEDS_A_PERSON, CourseOption, console, errors_told

from nbcertify.cli.options import YesOption

app = typer.Typer()


@app.command()
def purge(student: str, yes: YesOption = False, course: CourseOption = HERE) -> None:
    """Remove a person's data, and say what remains."""
    with errors_told():
        from nbjudge.cohort.lock import course_lock
        from nbjudge.course import load_course

        from nbcertify.purge import carry_out, plan_purge

        here = load_course(course)
        with course_lock(here.gradebook_folder, "A person is being removed from this course"):
            plan = plan_purge(here, student)
            console.print("This is removed:", style="bold")
            for what in plan.removes:
                console.print(f"  {what}", highlight=False)
            console.print("This remains:", style="bold")
            for what in plan.remains:
                console.print(f"  {what}", highlight=False)
            if not yes and not typer.confirm("Remove it for good?"):
                raise typer.Exit(NEEDS_A_PERSON)
            carry_out(here, plan, datetime.now(UTC))
        console.print("Removed.")
