"""What a person sees at the end of the demo: a line for each student, and why not all is well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from nbcertify.decisions import Decision
from nbcertify.view import short_text
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dlcourse.demo import LATE, Demo, Row

WIDTH = 80


def demo_report(demo: Demo) -> Group:
    """The class in 80 columns: points by assignment, decisions, and below them the reasons."""
    legend: list[RenderableType] = []
    heads, tiers = demo.assignments, demo.tiers
    # Where the names do not fit beside each other, numbers and letters stand for them.
    if _width(demo, heads, tiers) > WIDTH:
        heads = tuple(map(str, range(1, len(heads) + 1)))
        tiers = tuple(ascii_uppercase[: len(tiers)])
        named = zip((*heads, *tiers), (*demo.assignments, *demo.tiers), strict=True)
        legend.append(Text(", ".join(f"{head} {name}" for head, name in named)))
    if any(LATE in points for row in demo.rows for points in row.points):
        legend.append(Text(f"{LATE} handed in late"))
    reasons = [Padding(Text(line), (0, 0, 0, 2)) for line in reasons_of(demo)]
    below: list[RenderableType] = [Text("Why not yes:"), *reasons] if reasons else []
    return Group(_table(demo, heads, tiers), *legend, *below)


def reasons_of(demo: Demo) -> Iterator[str]:
    """Why somebody has no certificate of a tier, in sentences; tiers with the same ones at once."""
    for row in demo.rows:
        alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for decision in row.decisions:
            if not decision.granted:
                key = (short_text(decision.verdict).plain, _sentences(decision))
                alike.setdefault(key, []).append(decision.tier)
        for (word, sentences), tiers in alike.items():
            yield " ".join((f"{row.student}, {' and '.join(tiers)}: {word}.", *sentences))


def _sentences(decision: Decision) -> tuple[str, ...]:
    texts = []
    for remark in decision.reasons:
        # The name of an assignment stays as it is.
        text = str(remark) if remark.about else remark.text[:1].upper() + remark.text[1:]
        texts.append(text if text.endswith(".") else f"{text}.")
    return tuple(texts)


def _table(demo: Demo, heads: Sequence[str], tiers: Sequence[str]) -> Table:
    table = Table("student", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for head in tiers:
        table.add_column(head, no_wrap=True)
    for row in demo.rows:
        table.add_row(row.student, *row.points, *_verdicts(row, demo.tiers))
    return table


def _verdicts(row: Row, tiers: Sequence[str]) -> list[Text]:
    by_tier = {decision.tier: short_text(decision.verdict) for decision in row.decisions}
    return [by_tier.get(tier, Text("")) for tier in tiers]


def _width(demo: Demo, heads: Sequence[str], tiers: Sequence[str]) -> int:
    rows = [("student", *heads, *tiers)]
    rows += [
        (row.student, *row.points, *(text.plain for text in _verdicts(row, demo.tiers)))
        for row in demo.rows
    ]
    return sum(1 + max(map(len, column)) for column in zip(*rows, strict=True)) + 1
