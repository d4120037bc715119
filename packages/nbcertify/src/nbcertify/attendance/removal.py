"""Taking lines out of a table, whatever program wrote it."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from nbcertify.tables import decode


def without_lines(data: bytes, path: Path, numbers: Collection[int]) -> bytes:
    """The table without the rows that begin on these lines, counted from 1; all else as it is.

    CertificateError, naming `path`, if `data` is no text.
    """
    if not numbers:
        return data
    text = decode(data, path)
    kept = "".join(row for number, row in _rows(text) if number not in numbers)
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    marked = data.startswith(b"\xef\xbb\xbf")
    return kept.encode("utf-16" if wide else "utf-8-sig" if marked else "utf-8")


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """The rows with their ends and the numbers of their first lines: quotes may hold line ends."""
    row, begins = "", 1
    for number, line in enumerate(re.split(r"(?<=\n)|(?<=\r)(?!\n)", text), start=1):
        if not row:
            begins = number
        row += line
        if row.count('"') % 2 == 0:
            yield begins, row
            row = ""
    yield begins, row
