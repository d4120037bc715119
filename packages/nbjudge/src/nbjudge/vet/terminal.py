"""What a person sees of a vet report in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nbjudge.vet.cases import Kind
from nbjudge.vet.report import (
    SEEN_GOAL,
    Count,
    Finding,
    VetReport,
    by_task,
    duration,
    left_out,
    percent,
    visible,
    why_stale,
)

_LINES = 10
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def vet_tables(report: VetReport) -> Group:
    """The figures of a report, and all that a person has to look at."""
    if not report.findings and report.left_out.tried:
        return Group(_nothing_changed(report))
    return Group(
        _headline(report), _summary(report), _tasks(report), *_problems(report), *_unseen(report)
    )


def _nothing_changed(report: VetReport) -> Text:
    line = Text(visible(report.assignment), style="bold")
    line.append(f"  nothing changed: {left_out(report)}", style="not bold")
    return line


def _headline(report: VetReport) -> Text:
    line = Text(visible(report.assignment), style="bold")
    if report.is_clean:
        where = " in what changed" if report.left_out.tried else ""
        line.append(f"  ✓ nothing to look at{where}", style="green")
    else:
        line.append(f"  ✗ {report.problems} to look at", style="red")
    before = f"; {report.remembered} cases tried before" if report.remembered else ""
    line.append(f"  ({duration(report.seconds)}{before})", style="not bold dim")
    if report.left_out.tried:
        line.append(f"\n  only what changed; left out: {left_out(report)}", style="not bold")
    return line


def _summary(report: VetReport) -> Table:
    planted = report.planted
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    mistakes = f"{planted.caught} of {planted.planted - planted.equivalent} caught"
    if planted.equivalent:
        mistakes += f", and {planted.equivalent} equivalent"
    if report.unjudged:
        mistakes += f"; {len(report.unjudged)} of the caught could not be judged at all"
    style = "red" if report.missed else "green" if planted.planted else ""
    table.add_row("planted mistakes", Text(percent(planted.share), style=style), mistakes)
    for name, count, words in (
        ("misconceptions", report.count(Kind.MISCONCEPTION), "caught in their own words"),
        ("right answers", report.count(Kind.RIGHT), "given full marks"),
        ("blank and partial work", report.count(Kind.BLANK, Kind.ALONE), "given what is due"),
    ):
        table.add_row(name, _share(count), f"{count.right} of {count.tried} {words}")
    seen = report.seen
    words = f"{seen.right} of {seen.tried} misconceptions are told by what students see"
    table.add_row("told while working", _share(seen, SEEN_GOAL), words)
    return table


def _share(count: Count, goal: float = 1.0) -> Text:
    style = "" if count.share is None else "green" if count.share >= goal else "red"
    return Text(percent(count.share), style=style)


def _tasks(report: VetReport) -> Table:
    table = Table("task", box=SIMPLE_HEAD)
    for name in ("planted", "caught", "equivalent", "missed", "share"):
        table.add_column(name, justify="right")
    for row in by_task(report):
        missed = Text(str(row.missed or ""), style="red")
        numbers = (str(row.planted), str(row.caught), str(row.equivalent or ""))
        table.add_row(Text(visible(row.name)), *numbers, missed, percent(row.share))
    return table


def _problems(report: VetReport) -> Iterator[RenderableType]:
    for finding in report.missed:
        yield _title("missed", finding)
        yield from _diffs(report, finding)
        tests = ", ".join(verdict.test for verdict in finding.tried.verdicts)
        yield _line(f"slipped past {tests or 'all: no test was asked'}")
    for finding in report.overlooked:
        yield _title("misconception not caught", finding)
        yield _line(
            finding.tried.reason or f"full marks from {', '.join(finding.tried.case.tests)}"
        )
    for finding in report.unspoken:
        yield _title("misconception without its words", finding)
        yield _line(f"has to be told: {finding.tried.case.says}")
        yield from _messages(finding)
    for finding in report.wrongly_rejected:
        yield _title("right answer rejected", finding)
        yield from _diffs(report, finding)
        yield from _messages(finding)
    for finding in report.unjust:
        yield _title("points not as due", finding)
        yield from _messages(finding)
    for one in report.stale:
        yield Text.assemble(("✗ stale equivalent  ", "red"), visible(f"{one.task}: {one.said}"))
        yield _line(why_stale(report, one))


def _unseen(report: VetReport) -> Iterator[RenderableType]:
    if report.unseen:
        yield Text("Only hidden tests tell of these misconceptions:", style="dim")
    for finding in report.unseen:
        case = finding.tried.case
        yield _line(f"{case.task}: {case.change.said}")


def _title(what: str, finding: Finding) -> Text:
    case = finding.tried.case
    named = ": ".join(filter(None, (case.task or case.notebook, case.change.said or case.kind)))
    return Text.assemble((f"✗ {what}  ", "red"), (visible(named), "bold"))


def _diffs(report: VetReport, finding: Finding) -> Iterator[RenderableType]:
    for _, diff in report.differences(finding):
        lines = diff.split("\n") if diff else ["the text is the reference solution's"]
        text = Text("\n").join(
            Text(visible(line), style=_COLOURS.get(line[:1], "dim")) for line in lines[:_LINES]
        )
        if len(lines) > _LINES:
            text.append(f"\n… {len(lines) - _LINES} more lines", style="dim")
        yield Padding(text, (0, 0, 0, 4))


def _messages(finding: Finding) -> Iterator[RenderableType]:
    if finding.tried.reason:
        yield _line(finding.tried.reason)
    is_misconception = finding.tried.case.kind is Kind.MISCONCEPTION
    for one in finding.tried.verdicts if is_misconception else finding.unjust:
        points = f"{one.test} gave {one.score:g} of {one.max_score:g}"
        yield _line(f"{points}: {one.message}" if one.message else points)


def _line(text: str) -> Padding:
    return Padding(Text(visible(text)), (0, 0, 0, 4))
