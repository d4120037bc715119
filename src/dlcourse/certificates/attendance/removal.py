"""Taking a person's lines out of a table, whatever program wrote it."""

import csv
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from dlcourse.certificates.tables import decode, fold

_RENAMED = re.compile(r"(.*?)\s*\((.*)\)")


def without_person(data: bytes, path: Path, known: Collection[str]) -> tuple[bytes, int]:
    """The table without the lines in which a cell is one of `known`, and how many those were.

    A name as Zoom writes it after a change, "New (Original)", is known by either part. All other
    bytes stay, so that digests of unaffected files do. CertificateError if `data` is no text.
    """
    wanted = {fold(text) for text in known}
    text = decode(data, path)
    kept, count = [], 0
    for record in _records(text):
        if wanted & set(_texts(record)):
            count += 1
        else:
            kept.append(record)
    if not count:
        return data, 0
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    marked = data.startswith(b"\xef\xbb\xbf")
    return "".join(kept).encode("utf-16" if wide else "utf-8-sig" if marked else "utf-8"), count


def _records(text: str) -> Iterator[str]:
    """The text's lines with their ends; those within quotation marks are one."""
    record = ""
    for line in re.split(r"(?<=\n)", text):
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""
    yield record


def _texts(record: str) -> Iterator[str]:
    """What the record's cells say, folded, whichever separator it has."""
    for separator in ",;\t":
        for cells in csv.reader([record], delimiter=separator):
            for cell in cells:
                yield fold(cell.removeprefix("'"))
                if match := _RENAMED.fullmatch(cell):
                    yield from map(fold, match.groups())
