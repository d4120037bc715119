"""What the formgrader's buttons do, for many assignments in one process.

    python benchmarks/formgrader_steps.py generate ASSIGNMENT …
    python benchmarks/formgrader_steps.py autograde:STUDENT ASSIGNMENT …

Called in a course's folder by ``public_courses.py``: nbgrader's own commands import nbgrader anew
for each assignment, which takes longer than most notebooks. Prints what failed.
"""

from __future__ import annotations

import sys

from nbgrader.apps import NbGraderAPI
from nbgrader.apps.baseapp import NbGrader


def main(step: str, *assignments: str) -> None:
    """Do the step for each assignment."""
    app = NbGrader()
    app.initialize([])
    buttons = NbGraderAPI(config=app.config)
    name, _, student = step.partition(":")
    for assignment in assignments:
        if name == "generate":
            said = buttons.generate_assignment(assignment, force=True)
        else:
            said = buttons.autograde(assignment, student, force=True)
        if not said["success"]:
            print(f"{step}, {assignment}: {said.get('error') or said.get('log', '')[-300:]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
