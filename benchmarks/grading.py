"""Grade the same class with stock nbgrader and with `dlcourse grade`, side by side.

    python benchmarks/grading.py [--submissions 6] [--rounds 3]

The class is copies of a right `image-data` notebook, which trains nothing, so what is measured is
nearly all overhead. Both grade the same folders on the same machine, in turn; the medians count.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dlcourse.sample_class import Attempt, hand_in
from nbjudge.course import load_course
from nbjudge.release import release

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "image-data"
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'benchmark'\n"


def prepare(folder: Path, count: int) -> None:
    """A course in `folder` with `count` submissions."""
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "source" / ASSIGNMENT, folder / "source" / ASSIGNMENT)
    course = load_course(folder)
    release(course, ASSIGNMENT)
    hand_in(course, [Attempt(f"student{i:03}", ASSIGNMENT, "all") for i in range(count)])


def stock(folder: Path) -> float:
    """Seconds that `nbgrader autograde` takes, under nbgrader's own configuration."""
    (folder / "nbgrader_config.py").write_text(STOCK)
    shutil.rmtree(folder / "gradebook")
    run(folder, "nbgrader", "generate_assignment", ASSIGNMENT, "--force")
    return run(folder, "nbgrader", "autograde", ASSIGNMENT)


def ours(folder: Path) -> float:
    """Seconds that `dlcourse grade` takes."""
    return run(folder, "dlcourse", "grade", ASSIGNMENT)


def regrade(folder: Path) -> float:
    """Seconds that `dlcourse grade` takes when nothing has changed."""
    ours(folder)
    return run(folder, "dlcourse", "grade", ASSIGNMENT)


def run(folder: Path, command: str, *arguments: str) -> float:
    """Run a command of this environment in `folder`; seconds. Raises where it fails."""
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "DLCOURSE_DATA": "stand-in",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",  # nbgrader runs alembic by name
    }
    began = time.monotonic()
    subprocess.run(
        [scripts / command, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env=environment,
    )
    return time.monotonic() - began


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for way in (stock, ours, regrade):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                prepare(folder, options.submissions)
                seconds.setdefault(way.__name__, []).append(way(folder))
    base = statistics.median(seconds["stock"])
    table = Table("grading", "seconds, median", "seconds, range", "per submission", "stock ÷ this")
    for name, times in seconds.items():
        middle = statistics.median(times)
        table.add_row(
            {"stock": "nbgrader autograde", "ours": "dlcourse grade",
             "regrade": "dlcourse grade, nothing changed"}[name],
            f"{middle:.1f}", f"{min(times):.1f} to {max(times):.1f}",
            f"{middle / options.submissions:.2f}", f"{base / middle:.1f}",
        )  # fmt: skip
    Console().print(f"{options.submissions} submissions of {ASSIGNMENT}, {os.cpu_count()} cores")
    Console().print(table)


if __name__ == "__main__":
    main()
