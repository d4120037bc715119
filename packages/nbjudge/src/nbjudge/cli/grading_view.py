"""What a person sees while a class is graded, and afterwards."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from nbjudge.cohort import GradingOutcome, Planned, Running, Summary

_MOST_NAMES = 3


class GradingBar:
    """A progress bar: how many of each outcome, what is running, how long it will take."""

    def __init__(self, console: Console, total: int) -> None:
        self._progress = Progress(
            TextColumn("Grading"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
        )
        self._task = self._progress.add_task("", total=total, counts="")
        self._counts = {"graded": 0, "unchanged": 0, "not graded": 0}

    def __enter__(self) -> GradingBar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Put a line above the bar."""
        self._progress.console.print(text)

    def watch(self, running: Running) -> None:
        """Tell what is going on."""
        names = [f"{item.student} {item.assignment}" for item in running.submissions]
        more = f" and {len(names) - _MOST_NAMES} more" if names[_MOST_NAMES:] else ""
        doing = running.doing or ", ".join(names[:_MOST_NAMES]) + more
        self._progress.update(self._task, description=doing)

    def advance(self, outcome: GradingOutcome) -> None:
        """Count an outcome."""
        self._counts["unchanged" if outcome.reused else outcome.status] += 1
        told = ", ".join(f"{number} {name}" for name, number in self._counts.items() if number)
        self._progress.update(self._task, advance=1, counts=told)


class Interrupt:
    """Ctrl-C in two steps: ``asked`` after the first, ``KeyboardInterrupt`` at the second."""

    asked = False


@contextmanager
def two_step_interrupt(bar: GradingBar) -> Iterator[Interrupt]:
    """Take Ctrl-C for a ``with`` block; the first one lets what is running come to its end."""
    interrupt = Interrupt()

    def stop(*_: object) -> None:
        if interrupt.asked:
            raise KeyboardInterrupt
        interrupt.asked = True
        bar.say("Finishing what is running; nothing new is started. Ctrl-C again: stop now.")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


def outcome_table(outcomes: Sequence[GradingOutcome]) -> Table:
    """Every submission with its score and remarks; `summary_text` has the reasons of no score."""
    table = Table("student", "assignment", "score", "status", "remarks", box=SIMPLE_HEAD)
    for outcome in sorted(outcomes, key=lambda item: (item.assignment, item.student)):
        graded = outcome.status == "graded"
        table.add_row(
            outcome.student,
            outcome.assignment,
            f"{outcome.score:g} of {outcome.max_score:g}" if graded else "–",
            Text(outcome.status, style="" if graded else "red"),
            _remarks(outcome),
        )
    return table


def summary_text(summary: Summary, left: int) -> str:
    """How many, how long, the slowest, and who needs a person; ``left`` were not begun."""
    lines = [
        f"{summary.graded} graded, {summary.reused} unchanged, {summary.not_graded} not graded"
        + (f", {left} not started: grade again to continue" if left else "")
        + f". It took {_duration(summary.seconds)}. Students' code used "
        f"{_duration(summary.student_seconds)} of processor time."
    ]
    if summary.slowest:
        slowest = ", ".join(
            f"{item.student} {item.assignment} {_duration(item.seconds)}"
            for item in summary.slowest
        )
        lines.append(f"Median {_duration(summary.median_seconds)}. Slowest: {slowest}.")
    if summary.to_read:
        lines.append(f"{summary.to_read} with answers that a person must read.")
    if summary.weaker:
        lines.append(
            "Weaker tests ran in the student's kernel, as the course asks: a notebook can read "
            "them, and change what they find."
        )
    if summary.for_a_person:
        lines.append("A person must look at these:")
        lines += [
            f"  {item.student}, {item.assignment}: {item.reason}" for item in summary.for_a_person
        ]
    return "\n".join(lines)


def plan_report(planned: Sequence[Planned]) -> Group:
    """What grading would do with each submission, and why; below, why it cannot grade some."""
    from nbjudge.cohort import Holds, Refused

    table = Table("student", "assignment", "action", "why", box=SIMPLE_HEAD)
    refused = []
    for item in planned:
        student, assignment = item.submission.student, item.submission.assignment
        if isinstance(item, Refused):
            row = (Text("cannot be graded", style="red"), "see below")
            refused.append(Text(f"{student}, {assignment}: {item.why}"))
        elif isinstance(item, Holds):
            row = (Text("none", style="dim"), "unchanged")
        else:
            row = (Text("grade"), item.why)
        table.add_row(student, assignment, *row)
    return Group(table, *refused)


def _remarks(outcome: GradingOutcome) -> str:
    remarks = ["see below"] if outcome.reason else []
    if outcome.needs_manual_grade:
        remarks.append("answers to read")
    if outcome.late_seconds > 0:
        remarks.append(f"{outcome.late_seconds / 3600:.1f} h late")
    if outcome.weaker_tests:
        tests = "test" if outcome.weaker_tests == 1 else "tests"
        remarks.append(f"{outcome.weaker_tests} weaker {tests}")
    if outcome.reused:
        remarks.append("unchanged")
    return ", ".join(remarks)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
