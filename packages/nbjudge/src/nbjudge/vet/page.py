"""The vet report as one page that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nbjudge.files import write_atomically
from nbjudge.vet.cases import Kind
from nbjudge.vet.report import (
    SEEN_GOAL,
    VetReport,
    by_operator,
    by_task,
    duration,
    left_out,
    percent,
    visible,
    why_stale,
)


@dataclass(frozen=True)
class Line:
    """A line of a diff: its first character, then the text with the part that changed."""

    mark: str
    before: str
    changed: str
    after: str


def make_page(reports: Sequence[VetReport], calibration: str = "") -> str:
    """The page (HTML) of some assignments.

    ``calibration`` is an HTML fragment with headings from ``h3`` down; it stands at the end as it
    is, and only it is trusted. Scripts in it do not run.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_spelled,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "duration": duration,
        "diff": diff_lines,
        "marked": _marked,
        "breakable": _breakable,
    }
    page = environment.get_template("page.html").render(
        reports=reports,
        calibration=Markup(calibration),
        by_task=by_task,
        by_operator=by_operator,
        why_stale=why_stale,
        left_out=left_out,
        Kind=Kind,
        SEEN_GOAL=SEEN_GOAL,
    )
    return page.lstrip()


def write_page(path: Path, reports: Sequence[VetReport], calibration: str = "") -> None:
    """Write the page; a reader sees the old one or the new."""
    write_atomically(path, make_page(reports, calibration).encode())


def diff_lines(diff: str) -> Iterator[Line]:
    """The lines of a diff; where as many were added as removed, with what changed in each."""
    lines = diff.split("\n") if diff else []
    start = 0
    while start < len(lines):
        removed = _run(lines, start, "-")
        added = _run(lines, start + len(removed), "+")
        if not removed and not added:
            line = lines[start]
            # A hunk's head is no text of the cell.
            yield Line("@", line, "", "") if line[:1] == "@" else Line(" ", line[1:], "", "")
            start += 1
            continue
        pairs = [(old[1:], new[1:]) for old, new in zip(removed, added, strict=False)]
        if len(removed) == len(added):
            parts = [_parts(old, new) for old, new in pairs]
            yield from (Line("-", *old) for old, _ in parts)
            yield from (Line("+", *new) for _, new in parts)
        else:
            yield from (Line(line[0], line[1:], "", "") for line in removed + added)
        start += len(removed) + len(added)


def _run(lines: Sequence[str], start: int, mark: str) -> list[str]:
    end = start
    while end < len(lines) and lines[end][:1] == mark:
        end += 1
    return list(lines[start:end])


def _parts(old: str, new: str) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Two lines, each cut into what they share at the start, their own, and the shared end."""
    a, b = (re.findall(r"\w+|\W", line) for line in (old, new))
    shorter = min(len(a), len(b))
    head = next((n for n in range(shorter) if a[n] != b[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if a[-1 - n] != b[-1 - n]), rest)
    first, second = (
        ("".join(c[:head]), "".join(c[head : len(c) - tail]), "".join(c[len(c) - tail :]))
        for c in (a, b)
    )
    return first, second


def _marked(text: str, words: str) -> Markup:
    """The text with the words marked in it."""
    parts = re.split(f"({re.escape(words)})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(visible(part)) if place % 2 else visible(part)
        for place, part in enumerate(parts)
    )


def _breakable(name: str) -> Markup:
    """A name that may be cut at its underscores on a narrow screen."""
    return Markup("_<wbr>").join(visible(name).split("_"))


def _spelled(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value
