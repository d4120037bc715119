"""What a run waits for until the first grade, beside the import of TensorFlow in the same rounds.

    python benchmarks/first_grade.py [--rounds 5] [--submissions 3]

A class of light notebooks is released, and graded again and again with `dlcourse grade --force`.
Each round also times the imports that such a run needs, each in a process of its own. Times are by
the clock; processor time is that of the process and of what it started. Medians.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import light_course
from nbjudge.warm.client import WarmServer
from rich.console import Console
from rich.table import Table

BIN = Path(sys.executable).parent
TENSORFLOW = "import tensorflow"
MODULES = ("keras", "numpy")
Figures = tuple[float, float]


def run(*command: str) -> Figures:
    """Seconds by the clock, and of processor time, of a command that must end well."""
    used, began = processor_seconds(), time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - began, processor_seconds() - used


def python(code: str) -> Callable[[], Figures]:
    """A measurement of ``python -c CODE``."""
    return lambda: run(sys.executable, "-c", code)


def processor_seconds() -> float:
    """What all processes used that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def warm_server() -> Figures:
    """Until the warm server has imported what the light notebooks need."""
    used, began = processor_seconds(), time.monotonic()
    with WarmServer(MODULES) as server:
        server.wait_until_ready()
        seconds = time.monotonic() - began
    return seconds, processor_seconds() - used


def grading(course: Path) -> tuple[Figures, Figures]:
    """Until the first grade is recorded, and until the command ends."""
    command = [str(BIN / "dlcourse"), "grade", "--force", "--json", "--course", str(course)]
    used, began = processor_seconds(), time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    first = time.monotonic() - began
    process.stdout.read()
    if process.wait() or '"graded"' not in line:
        raise SystemExit(f"not graded: {line}")
    return (first, float("nan")), (time.monotonic() - began, processor_seconds() - used)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--submissions", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder, "course")
        light_course.write_course(course, light_course.OURS, arguments.submissions)
        run(str(BIN / "dlcourse"), "release", "--course", str(course))
        parts: dict[str, Callable[[], Figures]] = {
            TENSORFLOW: python(TENSORFLOW),
            "Python starts": python("pass"),
            "`dlcourse --help`": lambda: run(str(BIN / "dlcourse"), "--help"),
            "the head, until it starts workers": python("import nbjudge.cohort.grading"),
            "the head, until it plans and records": python("import nbjudge.cohort.steps"),
            "`import nbgrader.apps`, as stock does": python("import nbgrader.apps"),
            "a worker": python("import nbjudge.cohort.work"),
            "the warm server is ready": warm_server,
            "`dlcourse grade --dry-run`": lambda: run(
                str(BIN / "dlcourse"), "grade", "--dry-run", "--course", str(course)
            ),
        }
        measured: dict[str, list[Figures]] = {}
        for _ in range(arguments.rounds):
            for name, measure in parts.items():
                measured.setdefault(name, []).append(measure())
            first, whole = grading(course)
            measured.setdefault("the first grade", []).append(first)
            measured.setdefault(f"all {arguments.submissions} grades", []).append(whole)
    show(measured)


def show(measured: dict[str, list[Figures]]) -> None:
    """Print the table; ratios are medians of those within each round."""
    table = Table("until", "seconds", "processor", "÷ TensorFlow")
    for name, figures in measured.items():
        seconds, processor = (statistics.median(column) for column in zip(*figures, strict=True))
        ratio = statistics.median(
            one / other for (one, _), (other, _) in zip(figures, measured[TENSORFLOW], strict=True)
        )
        used = "" if processor != processor else f"{processor:.2f} s"
        table.add_row(name, f"{seconds:.2f} s", used, f"{ratio:.2f}")
    Console(width=80).print(table, highlight=False)


if __name__ == "__main__":
    main()
