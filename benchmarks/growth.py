"""Grade a simulated class of cheap notebooks: does the time, or the memory, grow with its size?

    python benchmarks/growth.py [--submissions 1000] [--window 100] [--stock 100 300]

An answer and a test, without TensorFlow; 0.05 s of a student's own work. nbjudge grades them in
this process, with a worker for each core; the figures are of each window of so many submissions.
Recording is what this process alone does for each: the gradebook, `autograded/`, the record.
Beside it stands the loop of `nbgrader autograde` over smaller classes, each one a command.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import light_course
import psutil
from grading import run
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.cohort.recording import Recorder
from nbjudge.course import load_course
from nbjudge.release.release import release
from rich.console import Console
from rich.table import Table

console = Console(highlight=False)


@dataclass(frozen=True)
class Window:
    """Some submissions one after another, up to the number ``last``.

    ``each`` are the seconds from one outcome to the next, ``recording`` those of recording alone,
    ``processor`` the processor time in these: the workers leave this process less than a core.
    The head's memory and that of its largest worker, at the end, are resident megabytes.
    """

    last: int
    each: Sequence[float]
    recording: Sequence[float]
    processor: Sequence[float]
    head: float
    worker: float


def ours(folder: Path, count: int, size: int) -> tuple[float, list[Window]]:
    """Grade the class with `nbjudge.cohort.grade`: seconds to the first outcome, and the windows.

    A class that does not fill its last window is measured up to the last full one.
    """
    light_course.write_course(folder, light_course.OURS, count, light_course.CHEAP)
    course = load_course(folder)
    release(course, light_course.ASSIGNMENT)
    recording: list[float] = []
    processor: list[float] = []
    record = Recorder.record

    def timed(*arguments: Any) -> Any:
        began, used = time.perf_counter(), time.thread_time()
        try:
            return record(*arguments)
        finally:
            recording.append(time.perf_counter() - began)
            processor.append(time.thread_time() - used)

    windows: list[Window] = []
    ends = [time.monotonic()]
    outcomes = grade(course, find_submissions(course))
    with mock.patch.object(Recorder, "record", timed), closing(outcomes):
        for outcome in outcomes:
            if outcome.status != "graded" or outcome.score != outcome.max_score:
                raise SystemExit(f"{outcome.student}: {outcome.score:g} points; {outcome.reason}")
            ends.append(time.monotonic())
            if (done := len(ends) - 1) % size == 0:
                each = [after - before for before, after in pairwise(ends[done - size :])]
                # The first one waits for the server and for the reference solution.
                each = each[1:] if done == size else each
                figures = (each, recording[done - size :], processor[done - size :])
                windows.append(Window(done, *figures, *_memory()))
                console.print(f"{done} of {count} are graded", style="dim")
    if not windows:
        raise SystemExit(f"--submissions {count} does not fill a window of {size}")
    return ends[1] - ends[0], windows


def _memory() -> tuple[float, float]:
    """Resident megabytes of this process, and of its largest worker."""
    head = psutil.Process()
    workers = [0]
    for child in head.children(recursive=True):
        try:
            if any("multiprocessing.forkserver" in text for text in child.cmdline()):
                workers.append(child.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return head.memory_info().rss / 2**20, max(workers) / 2**20


def stock(folder: Path, count: int, size: int) -> tuple[float, float]:
    """`nbgrader autograde`: seconds for each submission, and for each of the last `size`."""
    light_course.write_course(folder, light_course.STOCK, count, light_course.CHEAP)
    run(folder, "nbgrader", "generate_assignment", light_course.ASSIGNMENT, "--force")
    seconds = run(folder, "nbgrader", "autograde", light_course.ASSIGNMENT)
    written = sorted(path.stat().st_mtime for path in folder.glob("autograded/*/*/*.ipynb"))
    if len(written) != count:
        raise SystemExit(f"stock nbgrader graded {len(written)} of {count} submissions")
    last = [after - before for before, after in pairwise(written)][-size:]
    return seconds / count, statistics.mean(last or [0.0])


def report(windows: Sequence[Window]) -> Table:
    """The table of nbjudge's windows: means and medians of time, recording with its largest."""
    table = Table("up to", "each", "median", "recording", "at most", "its CPU", "head", "worker")
    for window in windows:
        table.add_row(
            str(window.last),
            f"{1000 * statistics.mean(window.each):.0f} ms",
            f"{1000 * statistics.median(window.each):.0f} ms",
            f"{1000 * statistics.median(window.recording):.0f} ms",
            f"{1000 * max(window.recording):.0f} ms",
            f"{1000 * statistics.median(window.processor):.0f} ms",
            f"{window.head:.0f} MB",
            f"{window.worker:.0f} MB",
        )
    return table


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--stock", type=int, nargs="*", default=[100, 300], help="stock's classes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it tidies up, too
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        first, windows = ours(Path(name) / "ours", options.submissions, options.window)
        console.print(report(windows))
        print(
            f"Until the first outcome: {first:.1f} s. Of all recordings the median is "
            f"{1000 * statistics.median(s for window in windows for s in window.recording):.0f} ms."
        )
        table = Table("nbgrader autograde", "time each", f"of the last {options.window}")
        for count in options.stock:
            console.print(f"nbgrader autograde, {count} submissions", style="dim")
            each, last = stock(Path(name) / f"stock{count}", count, options.window)
            table.add_row(f"class of {count}", f"{1000 * each:.0f} ms", f"{1000 * last:.0f} ms")
        if options.stock:
            console.print(table)


if __name__ == "__main__":
    main()
