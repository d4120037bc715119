"""The layouts of attendance reports that are read, from the file that has them."""

from __future__ import annotations

from nbcertify.attendance.layouts import layouts

_HEAD = """\
# Attendance reports that are read

Reports of these programs are read by their headings, without regard to case and spacing. Several
wordings of each heading are known besides these. A report with unknown headings is read by how
their words begin, and `attendance` says so; where that fails too, the message says what to do in
the program.

- **Encodings:** UTF-8, UTF-16, Windows-1252, Shift JIS. **Separators:** comma, semicolon, tab.
- **Dates:** year, month and day in any order, with two or four figures for the year, or with the
  month's name in English, Dutch, German, French, Spanish, Portuguese or Italian. Which number is
  the month is settled by the session's day. ISO times with `Z` or an offset are exact.
  Spreadsheets' day numbers (46328.375) are read. A time without a date is taken to be of the
  session's day.
- **Rows:** *stays* have a row for each stay. *people* have one row for each person: first
  arrival, last departure, total time, so that the minutes may be a range. *events* have a row for
  each arrival and departure; somebody who was still there when the list was downloaded has a
  range, too.

The sources say where a layout was seen. "Not seen" means that the headings are the program's own
words, without a file at hand: if yours differ, please report it.

| program | language | layout | years | rows | headings | source |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page of all layouts, as Markdown."""
    rows = [
        f"| {one.program} | {one.language} | {one.name} | {one.years} | {one.kind} | "
        f"{', '.join(heading for heading, _ in one.headings)} | {one.source} |"
        for one in layouts().layouts
    ]
    return _HEAD + "\n".join(rows) + "\n"
