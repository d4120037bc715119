"""The review list: participants whom only the instructor can tell, as a file to fill in."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbjudge.files import write_atomically

from nbcertify.attendance.people import Suggestion
from nbcertify.spreadsheet import STARTS, harmless

COLUMNS = ("participant", "student", "session", "email", "minutes", "suggestions", "why", "reason")

# Row 1 has the headings.
FIRST_ROW = 2

# Of a first name alone there may be dozens.
_SHOWN = 5


@dataclass(frozen=True)
class ReviewRow:
    """A participant of one session who was there for `minutes`, and may be one of `suggestions`.

    `of` are the students of whom it is certain that it is one of them; () if it may be anybody.
    """

    session: str
    participant: str
    email: str
    minutes: float
    suggestions: tuple[Suggestion, ...]
    why: str
    of: tuple[str, ...] = ()


def write_review(rows: Iterable[ReviewRow], path: Path) -> None:
    """Write the list, all or nothing, for its owner alone (mode 0600).

    Its columns are those of aliases.csv and more: an instructor fills in `student` (`-` for
    nobody of the course, `?` with a reason to put the row aside) and moves the rows there. A text
    that a spreadsheet would take for a formula has an apostrophe in front, which is taken off again
    when aliases are read.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for row in rows:
        likeliest = [f"{s.student} {s.name} ({s.score} %)" for s in row.suggestions[:_SHOWN]]
        if len(row.suggestions) > _SHOWN:
            likeliest.append(f"and {len(row.suggestions) - _SHOWN} more")
        suggestions = "; ".join(likeliest)
        cells = (row.participant, "", row.session, row.email, f"{row.minutes:.1f}", suggestions)
        writer.writerow([harmless(cell) for cell in (*cells, row.why, "")])
    # Without the mark, spreadsheets take the accents for something else.
    write_atomically(path, table.getvalue().encode("utf-8-sig"), 0o600)


def without_apostrophe(cell: str) -> str:
    """A cell as it was before it was made harmless."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(STARTS) else cell
