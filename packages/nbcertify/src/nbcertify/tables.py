"""Tables as spreadsheets and web sites export them: read as they come, refused when broken."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbcertify.errors import CertificateError

# Joiners are invisible too, but Persian and Indic names need them.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Line:
    """One row: the number of its first line in the file, from 1, and its cells, stripped."""

    number: int
    cells: tuple[str, ...]

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not any(self.cells)


def is_hidden(character: str) -> bool:
    """Whether it shows nothing, or changes how others are shown: control, direction, separator."""
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in _JOINERS
    )


def without_hidden(text: str) -> str:
    """`text` in Unicode's form C, stripped, without hidden characters."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return unicodedata.normalize("NFC", "".join(c for c in text if not is_hidden(c))).strip()


def fold(text: str) -> str:
    """What is equal of two texts that read alike: case, width, spacing, hidden characters aside.

    Accents stay. Unicode's compatibility form (NFKC), case-folded.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.casefold().split())
    text = unicodedata.normalize("NFKC", text)
    # A tab or line end is a control character and a space: it has to stay one.
    seen = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def read_lines(data: bytes, path: Path, is_word: Callable[[str], bool]) -> list[Line]:
    """The rows of a CSV file: UTF-8 or UTF-16, separated by commas, semicolons or tabs.

    `is_word` knows the headings, as folded; the separator is the one with which most are found in
    one row. CertificateError, naming `path` and the line, if it is no text or no valid CSV.
    """
    return split_lines(decode(data, path), path, is_word)


def split_lines(text: str, path: Path, is_word: Callable[[str], bool]) -> list[Line]:
    """The rows of a CSV text; see `read_lines`."""
    # A spreadsheet's own word for the separator.
    blank = "\r\n" if text.startswith("sep=") else ""
    text = re.sub(r"\Asep=.\r?\n", blank, text)
    lines, broken = max(
        (_parse(text, path, separator) for separator in ",;\t"),
        key=lambda parsed: most_words(parsed[0], is_word),
    )
    if not broken and not most_words(lines, is_word) and all(map(_is_one_cell, lines)):
        # Opened in a spreadsheet that separates otherwise, each row was saved as one cell.
        inner = "\n".join(_first(line) for line in _with_gaps(lines))
        again, broken_again = max(
            (_parse(inner, path, separator) for separator in ",;\t"),
            key=lambda parsed: most_words(parsed[0], is_word),
        )
        if most_words(again, is_word):
            lines, broken = again, broken_again
    if broken:
        raise CertificateError(broken)
    return lines


def most_words(lines: Sequence[Line], is_word: Callable[[str], bool]) -> int:
    """How many cells are words in the row that has most of them."""
    return max((sum(is_word(fold(cell)) for cell in line.cells) for line in lines), default=0)


def _is_one_cell(line: Line) -> bool:
    return not any(line.cells[1:])


def _first(line: Line) -> str:
    return line.cells[0] if line.cells else ""


def _with_gaps(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, with empty ones where numbers are left out, so that the count stays right."""
    expected = 1
    for line in lines:
        while expected < line.number:
            yield Line(expected, ())
            expected += 1
        yield line
        expected = line.number + 1


@dataclass(frozen=True)
class Record:
    """One row of a table with headings: its line, and its cells by folded heading."""

    line: int
    cells: dict[str, str]


def read_records(
    data: bytes, path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[Record]:
    """The rows below the headings of a table of ours; blank rows are passed over.

    CertificateError if a heading is missing, unknown or there twice, or a row has too many cells.
    """
    known = (*required, *optional)
    lines = [line for line in read_lines(data, path, known.__contains__) if not line.blank]
    if not lines:
        raise CertificateError(
            f"{path}: is empty; its first line must name the columns {', '.join(required)}"
        )
    head, *rows = lines
    names = [fold(cell) for cell in head.cells]
    while names and not names[-1]:
        names.pop()
    for shown, name in zip(head.cells, names, strict=False):
        if name not in known:
            raise CertificateError(
                f"{path}, line {head.number}: unknown column {shown!r}; "
                f"there may be {', '.join(known)}"
            )
        if names.count(name) > 1:
            raise CertificateError(f"{path}, line {head.number}: the column {name} is there twice")
    for name in required:
        if name not in names:
            raise CertificateError(f"{path}, line {head.number}: the column {name} is missing")
    for row in rows:
        if any(row.cells[len(names) :]):
            raise CertificateError(
                f"{path}, line {row.number}: has more cells than there are columns; "
                "put a text that contains the separator in quotation marks"
            )
        cells = row.cells + ("",) * (len(names) - len(row.cells))
        yield Record(row.number, dict(zip(names, cells, strict=False)))


def decode(data: bytes, path: Path) -> str:
    """The text of a table: UTF-8 or UTF-16. CertificateError, naming `path`, if it is none."""
    check_is_text(data, path)
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CertificateError(
            f"{path}, line {line}: is neither UTF-8 nor UTF-16; "
            "save it as 'CSV UTF-8' and try again"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CertificateError(
            f"{path}, line {line}: has a NUL character, so it is no text; export it again"
        )
    return text


def check_is_text(data: bytes, path: Path) -> None:
    """Refuse what is plainly a workbook."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CertificateError(
            f"{path}: is a workbook or a zip file; save it as 'CSV UTF-8' and try again"
        )


def encoding_of(data: bytes) -> str:
    """The Unicode encoding of a text; "" if it is in none, as far as can be told."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Without a mark, every other byte of a text in a Latin script is 0.
    beginning = data[:400]
    if beginning.count(b"\0") > len(beginning) // 3:
        return "utf-16-be" if beginning[:1] == b"\0" else "utf-16-le"
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    return "utf-8-sig"


def _parse(text: str, path: Path, separator: str) -> tuple[list[Line], str]:
    """The rows up to where it breaks, and what is broken there, or ""."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[Line] = []
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return lines, ""
        except csv.Error as error:
            wrong = {
                "unexpected end of data": "a quotation mark is opened and never closed",
                f"'{separator}' expected after '\"'": "there is text after a closing quotation mark"
                " (a quotation mark within a text must be doubled)",
            }.get(str(error), str(error))
            return lines, f"{path}, line {number}: is no valid CSV: {wrong}"
        lines.append(Line(number, tuple(cell.strip() for cell in cells)))
