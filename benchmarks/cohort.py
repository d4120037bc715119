"""Grade a whole class with stock nbgrader, with Otter, and with `dlcourse grade`.

    python benchmarks/cohort.py [--submissions 60] [--convnet 8] [--stock 15] [--otter 60]

Two classes of right submissions: light notebooks (an epoch of a small network on 500 images), and
the course's exercise `convnet`. Each way is timed as a user runs it, the whole command from its
start to its end, and every submission must get full marks with each. Stock nbgrader and Otter may
be timed on fewer submissions than the class has: the start of stock's command then counts once,
the rest is scaled. They grade one notebook after another, with all of TensorFlow's threads.

"Less warm server" takes off the time that such a server needs by itself until it is ready; "a
test mended" is grading all again after a hidden test was changed and released. `dlcourse release`,
which runs the released notebook and the reference solution, is timed in a line of its own; stock's
release is not timed.

The limit is the processor time in the students' cells and functions, as nbjudge recorded it,
divided by the number of cores: nothing can be faster that runs the notebooks.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import light_course
import otter_course
from grading import run, write_convnet
from nbgrader.api import Gradebook
from nbjudge.course import load_course
from nbjudge.trial.judging import judging_of
from nbjudge.warm.client import WarmServer
from rich.console import Console
from rich.table import Table

CORES = len(os.sched_getaffinity(0))
STOCK, OTTER, OURS = "nbgrader autograde", "otter run", "dlcourse grade"
WARM, MENDED = "  less warm server", "  a test mended"
console = Console(highlight=False)


@dataclass(frozen=True)
class Kind:
    """A class: `write(folder, configuration, submissions)` makes its course.

    `points` are those that tests give for a right submission. A test is mended by replacing the
    text `mend[0]` in the source by `mend[1]`.
    """

    assignment: str
    points: float
    write: Callable[[Path, str, int], None]
    mend: tuple[str, str]


@dataclass(frozen=True)
class Timed:
    """A way's seconds for the whole class, measured on so many submissions of it."""

    seconds: float
    measured_on: int


@dataclass(frozen=True)
class Round:
    """One round: each way's time, and the seconds of student compute and of `dlcourse release`."""

    timed: dict[str, Timed]
    compute: float
    compute_is: str
    release: float


def _write_convnet(folder: Path, configuration: str, submissions: int) -> None:
    write_convnet(folder, submissions, stock=configuration == light_course.STOCK)


LIGHT = Kind(
    light_course.ASSIGNMENT, light_course.POINTS, light_course.write_course, light_course.MEND
)
# Of 40 points, 3 are for a written answer.
CONVNET = Kind("convnet", 37.0, _write_convnet, ("returns(28, because=", "returns(28.0, because="))


def measure(kind: Kind, folder: Path, sizes: dict[str, int], otter: Path | None) -> Round:
    """Grade a class in every way once; `sizes` is how many submissions each way grades."""
    timed = {}
    if sizes[STOCK]:
        told(f"{kind.assignment}: {STOCK}, {sizes[STOCK]} submissions")
        timed[STOCK] = stock(kind, folder / "stock", sizes[STOCK], sizes[OURS])
    if otter is not None and sizes[OTTER]:
        told(f"{kind.assignment}: {OTTER}, {sizes[OTTER]} submissions")
        try:
            timed[OTTER] = with_otter(kind, folder, sizes[OTTER], sizes[OURS], otter)
        except otter_course.OtterUnavailable as error:
            console.print(f"Otter is left out: {error}", markup=False, style="red")
    told(f"{kind.assignment}: {OURS}, {sizes[OURS]} submissions")
    found = ours(kind, folder / "ours", sizes[OURS])
    return replace(found, timed=timed | found.timed)


def stock(kind: Kind, folder: Path, count: int, of: int) -> Timed:
    """`nbgrader autograde`, with nbgrader's own configuration."""
    kind.write(folder, light_course.STOCK, count)
    run(folder, "nbgrader", "generate_assignment", kind.assignment, "--force")
    start = run(folder, "nbgrader", "autograde", "--help")
    seconds = run(folder, "nbgrader", "autograde", kind.assignment)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "benchmark") as gradebook:
        check_scores(STOCK, kind, gradebook, count)
    return Timed(start + (seconds - start) * of / count, count)


def with_otter(kind: Kind, folder: Path, count: int, of: int, environment: Path) -> Timed:
    """`otter run`, one submission after another: the same exercise, translated."""
    kind.write(folder / "for-otter", light_course.STOCK, count)
    notebooks = otter_course.translate(folder / "for-otter", kind.assignment, folder / "otter")
    seconds = otter_course.grade_one_by_one(environment, notebooks, kind.points)
    return Timed(seconds * of / count, count)


def ours(kind: Kind, folder: Path, count: int) -> Round:
    """`dlcourse grade`, and again after a hidden test was mended."""
    kind.write(folder, light_course.OURS, count)
    course = load_course(folder)
    start = _warm_start(judging_of(course).preload)
    release = ("dlcourse", "release", "--course", str(folder))
    released = run(folder, *release)
    command = ("dlcourse", "grade", "--course", str(folder))
    seconds = run(folder, *command)
    with course.gradebook() as gradebook:
        check_scores(OURS, kind, gradebook, count)
    records = course.gradebook_folder / "records" / kind.assignment
    if any(run["was_stored"] for run in notebook_runs(records)):
        raise SystemExit("Some notebooks were not run: are there two of the same?")
    compute, compute_is = student_compute(records)
    source = course.source / kind.assignment / f"{kind.assignment}.ipynb"
    text = source.read_text(encoding="utf-8")
    if kind.mend[0] not in text:
        raise SystemExit(f"{source} has no test to mend: {kind.mend[0]!r}")
    source.write_text(text.replace(*kind.mend), encoding="utf-8")
    run(folder, *release)
    again = run(folder, *command)
    with course.gradebook() as gradebook:
        check_scores(MENDED, kind, gradebook, count)
    if ran := [run for run in notebook_runs(records) if not run["was_stored"]]:
        told(f"{len(ran)} notebooks were run again for a mended test: has the engine changed?")
    seconds_of = {OURS: seconds, WARM: seconds - start, MENDED: again}
    timed = {way: Timed(value, count) for way, value in seconds_of.items()}
    return Round(timed, compute, compute_is, released)


def _warm_start(modules: tuple[str, ...]) -> float:
    """Seconds until a warm server has imported `modules`, by itself."""
    began = time.monotonic()
    with WarmServer(modules) as server:
        server.wait_until_ready()
        return time.monotonic() - began


def check_scores(way: str, kind: Kind, gradebook: Gradebook, count: int) -> None:
    """End the benchmark unless so many submissions have full marks: nothing could be compared."""
    found = gradebook.assignment_submissions(kind.assignment)
    wrong = [f"{item.student_id}: {item.score:g}" for item in found if item.score != kind.points]
    if wrong or len(found) != count:
        raise SystemExit(
            f"{way.strip()} of {kind.assignment}: {len(found)} of {count} submissions have a "
            f"score, and it is not {kind.points:g} for {len(wrong)}: {', '.join(wrong[:10])}"
        )


def notebook_runs(records: Path) -> list[dict]:
    """How each notebook was judged, from the records of an assignment."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in records.glob("*.json")]
    return [notebook for record in found for notebook in record["notebooks"]]


def student_compute(records: Path) -> tuple[float, str]:
    """Seconds in the cells and functions of all students; of processor time where it is known."""
    usages = [run["usage"] for run in notebook_runs(records)]
    if all("cell_cpu_seconds" in usage for usage in usages):
        seconds = (usage["cell_cpu_seconds"] + usage["call_cpu_seconds"] for usage in usages)
        return sum(seconds), "processor time"
    return sum(usage["cell_seconds"] + usage["call_seconds"] for usage in usages), "elapsed time"


def report(kind: Kind, rounds: list[Round], count: int) -> Table:
    """The table of one class: medians over all rounds."""
    compute = statistics.median(item.compute for item in rounds)
    limit = compute / CORES
    table = Table(
        "grading",
        "wall time",
        "timed on",
        "wall ÷ limit",
        "stock ÷ this",
        title=f"{count} of {kind.assignment}: student compute {compute:.1f} s "
        f"({rounds[0].compute_is}), {compute / count:.2f} s each; limit on {CORES} cores "
        f"{limit:.1f} s; medians of {len(rounds)} round(s)",
        title_justify="left",
    )
    medians = {
        way: statistics.median(item.timed[way].seconds for item in rounds if way in item.timed)
        for way in (STOCK, OTTER, OURS, WARM, MENDED)
        if any(way in item.timed for item in rounds)
    }
    for way, seconds in medians.items():
        on = next(item.timed[way].measured_on for item in rounds if way in item.timed)
        table.add_row(
            way,
            f"{seconds:.1f} s",
            f"{on}, scaled" if on != count else str(on),
            "" if way == MENDED else f"{seconds / limit:.2f}",
            f"{medians[STOCK] / seconds:.1f}" if STOCK in medians else "",
        )
    released = statistics.median(item.release for item in rounds)
    table.add_row("dlcourse release", f"{released:.1f} s")
    return table


def told(what: str) -> None:
    """Say what is going on."""
    console.print(f"{time.strftime('%H:%M:%S')} {what}", style="dim")


def prepare_otter(folder: Path) -> Path | None:
    """Otter's environment; `None`, and why, where it cannot be made."""
    told(f"Otter's environment in {folder}")
    try:
        otter_course.make_environment(folder)
    except otter_course.OtterUnavailable as error:
        console.print(f"Otter is left out: {error}", markup=False, style="red")
        return None
    return folder


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=60, help="light ones; 0: none")
    parser.add_argument("--convnet", type=int, default=8, help="submissions of convnet; 0: none")
    parser.add_argument("--stock", type=int, default=15, help="stock grades at most so many")
    parser.add_argument("--otter", type=int, default=60, help="Otter grades at most so many")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--otter-venv", type=Path, default=otter_course.ENVIRONMENT)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it tidies up, too
    os.environ |= {"DLCOURSE_DATA": "stand-in", "TF_CPP_MIN_LOG_LEVEL": "3"}
    otter = prepare_otter(options.otter_venv) if options.otter else None
    for environment in filter(None, (Path(sys.prefix), otter)):
        # From a cold disk, TensorFlow's first import takes 10 s and more: whoever is first.
        subprocess.run(
            [environment / "bin" / "python", "-c", "import tensorflow, keras"], capture_output=True
        )
    for kind, count in ((LIGHT, options.submissions), (CONVNET, options.convnet)):
        sizes = {
            STOCK: min(options.stock, count), OTTER: min(options.otter, count), OURS: count
        }  # fmt: skip
        rounds = []
        for _ in range(options.rounds if count else 0):
            folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
            try:
                rounds.append(measure(kind, folder, sizes, otter))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        if rounds:
            console.print(report(kind, rounds, count))


if __name__ == "__main__":
    main()
