"""Tables for spreadsheet programs, which take some texts for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from nbjudge.files import write_atomically

# What a spreadsheet takes for the beginning of a formula.
STARTS = tuple("=+-@\t\r")


def harmless(cell: object) -> object:
    """A text that starts like a formula (= + - @ tab, return) with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(STARTS) else cell


def write_csv(rows: Iterable[Sequence[object]], path: Path, *, mode: int = 0o644) -> None:
    """Write the table, all or nothing, so that a spreadsheet takes no cell for a formula."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(map(harmless, row) for row in rows)
    write_atomically(path, text.getvalue().encode("utf-8"), mode)
