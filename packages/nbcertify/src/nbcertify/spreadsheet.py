"""Tables for spreadsheet programs, which take some texts for formulas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from nbjudge.files import write_atomically

# What a spreadsheet takes for the beginning of a formula.
STARTS = tuple("=+-@\t\r")


def harmless(cell: object) -> object:
    """A text that starts like a formula (= + - @ tab, return) with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(STARTS) else cell


def write_csv(frame: pd.DataFrame, path: Path, *, mode: int = 0o644) -> None:
    """Write the table, all or nothing, so that a spreadsheet takes no cell for a formula."""
    text = frame.map(harmless).to_csv(index=False, lineterminator="\r\n")
    write_atomically(path, text.encode("utf-8"), mode)
