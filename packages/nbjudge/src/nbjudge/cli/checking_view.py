"""What `nbjudge check` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from nbjudge.release.checking import MARKER, Checked, Place

_LONGEST = 400


def check_tables(checked: Checked) -> list[RenderableType]:
    """One line on an assignment, and a table of the cells that are not judged outside."""
    counts = {place: sum(cell.place is place for cell in checked.cells) for place in Place}
    parts = [f"{count} {place.value}" for place, count in counts.items() if count]
    shown: list[RenderableType] = [
        f"{checked.assignment}: {len(checked.cells)} test cells; full marks for the reference "
        f"solution: {', '.join(parts) or 'none'}."
    ]
    shown += [f"  {notebook}: {why}" for notebook, why in checked.stopped.items()]
    rest = [cell for cell in checked.cells if cell.place in (Place.NEEDS_KERNEL, Place.NOWHERE)]
    if rest:
        table = Table("notebook", "test cell", "full marks", "why not outside")
        for cell in rest:
            table.add_row(cell.notebook, cell.grade_id, cell.place.value, cell.why[:_LONGEST])
        shown.append(table)
    if checked.problems:
        shown.append(
            f"  The source has {len(checked.problems)} more to change before a release; 'nbjudge "
            f"release {checked.assignment}' lists them."
        )
    return shown


def setting_lines(found: Sequence[Checked]) -> str:
    """What to write into the configuration, or into the cells."""
    lines = [
        "These cells can run in the student's kernel, which is weaker: a notebook can read them "
        "and change what they find.",
        f"Either write '{MARKER}' into them (nbjudge check --mark does), or put this into "
        "nbgrader_config.py:",
    ]
    for one in found:
        ids = [cell.grade_id for cell in one.need_kernel]
        lines.append(f"    c.Grading.tests_in_student_kernel[{one.assignment!r}] = {ids!r}")
    return "\n".join(lines)
