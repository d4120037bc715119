"""Taking lines out of a table, whatever program wrote it."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from nbcertify.errors import CertificateError
from nbcertify.tables import check_is_text, encoding_of


def without_lines(data: bytes, path: Path, numbers: Collection[int]) -> bytes:
    """The table without the rows that begin on these lines, counted from 1; all else as it is.

    CertificateError, naming `path`, if `data` is no text.
    """
    if not numbers:
        return data
    check_is_text(data, path)
    # In an older encoding, commas, quotes and line ends are the bytes that they are in Latin 1.
    encoding = encoding_of(data) or "latin-1"
    if encoding == "utf-8-sig" and not data.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CertificateError(f"{path}: is damaged; export it again") from error
    kept = "".join(row for number, row in _rows(text) if number not in numbers)
    return kept.encode(encoding)


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
