"""Grade the same class with stock nbgrader and with nbjudge, one submission at a time.

    python benchmarks/grading.py [--submissions 6] [--rounds 3] [--convnet]

The class is right submissions of a light notebook (an epoch of a small network on 500 images), or
with ``--convnet`` of the course's exercise, which trains for about a minute. Both ways grade the
same notebooks in the same run; the medians count. Of nbjudge's time per submission, the warm
server's start and the reference solution, once for a class, are told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import light_course
import nbformat
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.release.release import release
from rich.console import Console
from rich.table import Table

from dlcourse.sample_class import Attempt, hand_in

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Timed:
    """One way of grading: seconds for the class, and for each submission once all was warm.

    ``own`` is the time in the student's cells and functions, of each submission.
    """

    total: float
    each: list[float]
    own: list[float]


def stock(folder: Path, assignment: str) -> Timed:
    """`nbgrader autograde` as a command, with nbgrader's own configuration."""
    run(folder, "nbgrader", "generate_assignment", assignment, "--force")
    seconds = run(folder, "nbgrader", "autograde", assignment)
    count = len(list((folder / "submitted").iterdir()))
    graded = len(list((folder / "autograded").glob("*/*/*.ipynb")))
    if graded != count:
        raise SystemExit(f"stock nbgrader graded {graded} of {count} submissions")
    return Timed(seconds, [seconds / count], [])


def ours(course: Course, assignment: str) -> Timed:
    """`nbjudge.grading.grade`, one at a time; every submission must be graded."""
    began = last = time.monotonic()
    each, own = [], []
    for outcome in grade(course, find_submissions(course), jobs=1):
        if outcome.status != "graded":
            raise SystemExit(f"{outcome.student} was not graded: {outcome.reason}")
        now = time.monotonic()
        each.append(now - last)
        last = now
        file = course.gradebook_folder / "records" / assignment / f"{outcome.student}.json"
        usage = json.loads(file.read_text())["notebooks"][0]["usage"]
        own.append(usage["cell_seconds"] + usage["call_seconds"])
    # The first one waits for the server and for the reference solution.
    return Timed(last - began, each[1:], own[1:])


def run(folder: Path, command: str, *arguments: str) -> float:
    """Run a command of this environment in `folder`; seconds. Ends with its output if it fails."""
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"  # nbgrader runs alembic by name
    began = time.monotonic()
    done = subprocess.run(
        [scripts / command, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PATH": path},
    )
    if done.returncode:
        told = f"{command} {' '.join(arguments)} in {folder} ended with {done.returncode}"
        raise SystemExit(f"{told}:\n{done.stdout[-10_000:]}")
    return time.monotonic() - began


def light(folder: Path, count: int) -> dict[str, Timed]:
    """The light class, each way in a folder of its own."""
    light_course.write_course(folder / "stock", light_course.STOCK, count)
    light_course.write_course(folder / "ours", light_course.OURS, count)
    course = load_course(folder / "ours")
    release(course, light_course.ASSIGNMENT)
    timed = {"nbgrader autograde": stock(folder / "stock", light_course.ASSIGNMENT)}
    timed["nbjudge"] = ours(course, light_course.ASSIGNMENT)
    light_course.mend_test(folder / "ours")
    release(course, light_course.ASSIGNMENT)
    timed["nbjudge, a test mended"] = ours(course, light_course.ASSIGNMENT)
    return timed


def convnet(folder: Path, count: int) -> dict[str, Timed]:
    """The course's own exercise, each way in a folder of its own."""
    write_convnet(folder / "stock", count, stock=True)
    write_convnet(folder / "ours", count)
    return {
        "nbgrader autograde": stock(folder / "stock", "convnet"),
        "nbjudge": ours(load_course(folder / "ours"), "convnet"),
    }


def write_convnet(folder: Path, submissions: int, *, stock: bool = False) -> None:
    """Write a course of the exercise `convnet`, released, with so many right submissions.

    With `stock` it is left with nbgrader's own configuration, and is to be released again.
    """
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "source" / "convnet", folder / "source" / "convnet")
    for part in ("header.ipynb", "footer.ipynb"):
        shutil.copy(ROOT / "source" / part, folder / "source")
    course = load_course(folder)
    release(course, "convnet")
    hand_in(course, [Attempt(f"student{i:03}", "convnet", "all") for i in range(submissions)])
    for number, path in enumerate(sorted(course.submitted.glob("*/*/*.ipynb"))):
        notebook = nbformat.read(path, as_version=4)
        light_course.sign(notebook, number)
        nbformat.write(notebook, path)
    if stock:
        shutil.rmtree(course.gradebook_folder)
        (folder / "nbgrader_config.py").write_text(light_course.STOCK.replace("300", "900"))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--convnet", action="store_true")
    options = parser.parse_args()
    os.environ["DLCOURSE_DATA"] = "stand-in"
    # Stock nbgrader trains with the threads that nbjudge gives each notebook.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    rounds: dict[str, list[Timed]] = {}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as name:
            make = convnet if options.convnet else light
            for way, timed in make(Path(name), options.submissions).items():
                rounds.setdefault(way, []).append(timed)
    Console().print(report(rounds, options.submissions))


def report(rounds: dict[str, list[Timed]], count: int) -> Table:
    """The table: medians over all rounds."""
    table = Table(
        "grading",
        "class of " + str(count),
        "per submission",
        "own work",
        "all else",
        "stock ÷ this",
    )
    base = statistics.median(timed.each[0] for timed in rounds["nbgrader autograde"])
    for way in ("nbgrader autograde", "nbjudge", "nbjudge, a test mended"):
        if way not in rounds:
            continue
        each = statistics.median(value for timed in rounds[way] for value in timed.each)
        own = [value for timed in rounds[way] for value in timed.own]
        ran = bool(own) and "mended" not in way
        rest = [
            all_of_it - mine
            for timed in rounds[way]
            for all_of_it, mine in zip(timed.each, timed.own, strict=False)
        ]
        table.add_row(
            way,
            f"{statistics.median(timed.total for timed in rounds[way]):.1f} s",
            f"{each:.2f} s",
            f"{statistics.median(own):.2f} s" if ran else "",
            f"{statistics.median(rest):.2f} s" if ran else "",
            f"{base / each:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
