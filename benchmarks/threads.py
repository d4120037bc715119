"""How many notebooks at once, with how many of TensorFlow's threads each, on two cores?

    python benchmarks/threads.py [--submissions 4] [--rounds 3] [--light]

The class is right submissions of `convnet`, or with ``--light`` of the light notebook, graded by
nbjudge. The reference solution has passed before the clock starts; the start of the warm server is
in each time, and is the same for both.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import light_course
from grading import write_convnet
from nbjudge.admit.submissions import Submission, find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.record.records import read_record
from nbjudge.release.release import release
from rich.console import Console
from rich.table import Table

console = Console(highlight=False)


@dataclass(frozen=True)
class Way:
    """So many notebooks at once, each with so many of TensorFlow's threads."""

    jobs: int
    threads: int

    def __str__(self) -> str:
        return f"{self.jobs} at once, {self.threads} thread{'s'[: self.threads - 1]} each"


WAYS = (Way(jobs=1, threads=2), Way(jobs=2, threads=1), Way(jobs=3, threads=1))


def write_course(folder: Path, way: Way, submissions: int, light: bool) -> Course:
    """The class in a folder of its own, where kernels have as many threads as `way` says."""
    if light:
        light_course.write_course(folder, light_course.OURS, submissions)
    else:
        write_convnet(folder, submissions)
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    environment = dict.fromkeys(names, str(way.threads)) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.Grading.kernel_environment = {environment!r}\n")
    course = load_course(folder)
    if light:
        release(course, light_course.ASSIGNMENT)
    return course


def timed(course: Course, submissions: list[Submission], jobs: int) -> float:
    """Seconds to run and grade all; each must get the points that tests give, at once."""
    began = time.monotonic()
    with closing(grade(course, submissions, jobs=jobs, force=True)) as outcomes:
        for outcome in outcomes:
            name, student = outcome.assignment, outcome.student
            if outcome.status != "graded":
                raise SystemExit(f"{student} was not graded: {outcome.reason}")
            record = read_record(course.gradebook_folder, name, student)
            tests = [cell for cell in record.cells if cell.score is not None]
            lost = [cell.grade_id for cell in tests if cell.score < cell.max_score]
            tries = len(record.notebooks[0].attempts)
            if lost or tries > 1:
                raise SystemExit(f"{student}: {tries} attempts; points lost in {lost}")
    return time.monotonic() - began


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--light", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it tidies up, too
    os.environ["DLCOURSE_DATA"] = "stand-in"
    seconds: dict[Way, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        courses = {}
        for way in WAYS:
            folder = Path(name) / f"jobs{way.jobs}"
            courses[way] = write_course(folder, way, options.submissions, options.light)
            console.print(f"{way}: the reference solution", style="dim")
            timed(courses[way], find_submissions(courses[way])[:1], 1)
        for number in range(options.rounds):
            for way, course in courses.items():
                taken = timed(course, find_submissions(course), way.jobs)
                seconds[way].append(taken)
                console.print(f"round {number + 1}, {way}: {taken:.1f} s", style="dim")
    table = Table("notebooks", f"class of {options.submissions}", "slowest", "rounds")
    for way, taken in seconds.items():
        table.add_row(
            str(way), f"{statistics.median(taken):.1f} s", f"{max(taken):.1f} s", str(len(taken))
        )
    console.print(table)


if __name__ == "__main__":
    main()
