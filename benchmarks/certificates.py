"""Time decisions on a large class, and the certificates of a part of it.

    python benchmarks/certificates.py [--students 300] [--rounds 5] [--certificates 200]

`eligible` and `nbgrader export` run in turn, as whole commands on the same gradebook: export reads
the scores, and decides nothing. The decisions are also timed without the imports. The class is made
up: three assignments, four sessions, two tiers, everybody's record at hand.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from nbcertify.deciding import decide_course, write_decisions
from nbcertify.keys import make_key
from nbcertify.places import Places
from nbcertify.policy import read_policy
from nbgrader import api
from nbjudge.course import Course, load_course
from nbjudge.digests import digest_folder
from nbjudge.record.records import Inputs, Record, write_record
from rich.console import Console
from rich.progress import track
from rich.table import Table
from typer.testing import CliRunner

from dlcourse.cli import app
from dlcourse.sample_attendance import write_reports, write_roster
from dlcourse.sample_class import Recipe

ROOT = Path(__file__).parents[1]
CELLS = 12


def make_class(root: Path, students: int) -> Course:
    """A course folder with a gradebook, records, a roster and Zoom's reports."""
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "gradebook").mkdir()
    for name in ("policy.toml", "issuer.toml"):
        shutil.copy(ROOT / "gradebook" / name, root / "gradebook")
    course = load_course(root)
    places = Places(course.gradebook_folder)
    policy = read_policy(places.policy)
    people = [
        Recipe(f"s{number:05}", f"Nomen Nescio {number}", "", ()) for number in range(students)
    ]
    write_roster(people, places.roster)
    write_reports(people, policy.sessions, places.attendance)
    with course.gradebook() as gradebook:
        for assignment in policy.assignments:
            (root / "source" / assignment).mkdir(parents=True)
            gradebook.add_assignment(assignment)
            gradebook.add_notebook(assignment, assignment)
            for cell in range(CELLS):
                gradebook.add_grade_cell(
                    f"cell-{cell}", assignment, assignment, max_score=3, cell_type="code"
                )
        gradebook.db.add_all(api.Student(id=person.student) for person in people)
        gradebook.db.commit()
        for assignment in policy.assignments:
            for person in track(people, f"Making {assignment}", console=Console(stderr=True)):
                _hand_in(course, gradebook, assignment, person.student)
            gradebook.db.commit()
    return course


def _hand_in(course: Course, gradebook: api.Gradebook, assignment: str, student: str) -> None:
    folder = course.submitted / student / assignment
    folder.mkdir(parents=True)
    (folder / f"{assignment}.ipynb").write_text("{}")
    with gradebook.db.no_autoflush:
        row = api.SubmittedAssignment(
            assignment=gradebook.find_assignment(assignment),
            student=gradebook.db.get(api.Student, student),
        )
        original = gradebook.find_notebook(assignment, assignment)
        notebook = api.SubmittedNotebook(notebook=original, assignment=row)
        notebook.grades = [
            api.Grade(cell=cell, auto_score=3, needs_manual_grade=False)
            for cell in original.grade_cells
        ]
        gradebook.db.add(row)
    inputs = Inputs(digest_folder(folder), "", {}, {}, {}, {}, 0, "full")
    record = Record(student, assignment, "graded", "", inputs, "", 0.0)
    write_record(course.gradebook_folder, record)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--certificates", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, keys = Path(folder, "course"), Path(folder, "keys")
        root.mkdir()
        course = make_class(root, arguments.students)
        places = Places(course.gradebook_folder)
        table = Table("what", "seconds")

        # The imports that wait for the first use are done then.
        decide_course(course, datetime.now(UTC))
        began, worked = time.monotonic(), time.process_time()
        decided = decide_course(course, datetime.now(UTC))
        write_decisions(decided, places)
        what = f"{len(decided.decisions)} decisions, without the imports"
        table.add_row(what, _since(began))
        table.add_row(f"{what}: processor time", f"{time.process_time() - worked:.1f}")

        scripts = Path(sys.executable).parent
        commands = {
            "nbgrader export": [scripts / "nbgrader", "export", "--to", root / "grades.csv"],
            "eligible": [scripts / "nbcertify", "eligible"],
        }
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                began = time.monotonic()
                subprocess.run(command, cwd=root, check=True, capture_output=True)
                took[name].append(time.monotonic() - began)
        for name, seconds in took.items():
            table.add_row(f"{name}, the whole command", f"{median(seconds):.1f}")
        ratio = median(took["eligible"]) / median(took["nbgrader export"])
        table.add_row("eligible ÷ nbgrader export", f"{ratio:.2f}")

        make_key(keys, datetime.now(UTC))
        os.environ["DLCOURSE_KEYS"] = str(keys)
        wanted = [f"s{number:05}" for number in range(arguments.certificates // 2)]
        flags = [flag for student in wanted for flag in ("--student", student)]
        for what in ("signed certificates with badge and mail", "again, nothing to do"):
            began = time.monotonic()
            with contextlib.redirect_stderr(io.StringIO()):
                done = CliRunner().invoke(app, ["certify", "--yes", "--course", str(root), *flags])
            if done.exit_code:
                sys.exit(done.output)
            table.add_row(f"{2 * len(wanted)} {what} (decisions included)", _since(began))
        Console().print(table)


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f}"


if __name__ == "__main__":
    main()
