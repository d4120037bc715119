"""Where people keep a certificate: the signed text in a file, a PDF or an address."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pikepdf
from pikepdf.settings import set_qpdf_limits

from nbcertify.document import Document
from nbcertify.errors import CertificateError
from nbcertify.verification import LONGEST

LARGEST = 20_000_000  # bytes of a file
MOST_UNPACKED = 10_000_000  # bytes of one of a PDF's parts
MOST_PAGES, MOST_LINKS = 20, 100  # that are looked at
_ID = re.compile(r"urn:uuid:[0-9a-f-]{36}")
# Every JOSE header begins with {" and thus with eyJ.
_JWS = r"eyJ[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]*"
_WHOLE = re.compile(rf"(?:https?://[^#]*#)?({_JWS})")
_SOMEWHERE = re.compile(rf"(?<![A-Za-z0-9_-]){_JWS}")


def certificate_in(source: str | Path) -> str | Document:
    """The signed text in a .jwt file, a text or an address; what a PDF has of a certificate.

    A `str` may be the text or address itself, or a file's name. Whether the signed text is genuine
    is another matter. `CertificateError` if there is none, more than one, or no reading the file.
    """
    if isinstance(source, str) and (found := _in_text(source)):
        return found
    path, data = _read(source)
    if data.startswith(b"%PDF-"):
        attached, tokens, ids = _parts(path)
        return Document(_only(attached, path), tokens, ids, data)
    return _only(data, path)


def credential_in(source: str | Path) -> str:
    """The signed text alone, of whatever `certificate_in` takes."""
    found = certificate_in(source)
    return found if isinstance(found, str) else found.credential


def _read(source: str | Path) -> tuple[Path, bytes]:
    path = Path(source)
    try:
        if path.stat().st_size > LARGEST:
            raise CertificateError(f"{path}: is larger than {LARGEST // 10**6} MB.")
        return path, path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such file"
        raise CertificateError(
            f"{_short(source)}: is neither a certificate nor a file that can be read ({why})."
        ) from error


def _only(data: bytes, path: Path) -> str:
    if found := _in_text(data.decode("utf-8-sig", errors="replace")):
        return found
    raise CertificateError(
        f"{path}: has no signed certificate in it. Give the .jwt file, the PDF as it was handed "
        "over (printing or scanning it loses the attachment), or the address in its QR code."
    )


def _in_text(text: str) -> str | None:
    """The only signed text there is; lines that a mail program broke are joined."""
    if len(text) <= LONGEST and (whole := _WHOLE.fullmatch("".join(text.split()))):
        return whole[1]
    found = {match[0] for match in _SOMEWHERE.finditer(text)}
    if len(found) > 1:
        raise CertificateError(
            f"There are {len(found)} signed certificates in this text. Give one at a time."
        )
    return found.pop() if found else None


def _parts(path: Path) -> tuple[bytes, tuple[str, ...], tuple[str, ...]]:
    """A PDF's attached file whose name ends in .jwt, the tokens in its links, and its ids."""
    try:
        with _little_memory(), pikepdf.open(path) as pdf:
            tokens = tuple(dict.fromkeys(_links(pdf)))
            ids = tuple(dict.fromkeys(_ids(pdf)))
            found = [
                _unpacked(file.get_file().obj)
                for name, file in pdf.attachments.items()
                if name.lower().endswith(".jwt") or file.filename.lower().endswith(".jwt")
            ]
    except pikepdf.PasswordError as error:
        raise CertificateError(f"{path}: needs a password. Give one without.") from error
    except (
        *(pikepdf.PdfError, pikepdf.DataDecodingError, zlib.error, RecursionError),
        *(LookupError, TypeError, ValueError, AttributeError, RuntimeError),
    ) as error:
        raise CertificateError(f"{path}: is a damaged PDF.") from error
    if len(found) > 1:
        raise CertificateError(f"{path}: has {len(found)} credentials attached; one is expected.")
    return found[0] if found else b"", tokens, ids


def _links(pdf: pikepdf.Pdf) -> Iterator[str]:
    """The signed texts in the addresses of links on the pages."""
    for page in islice(pdf.pages, MOST_PAGES):
        for note in islice(page.get("/Annots", pikepdf.Array()), MOST_LINKS):
            address = str(note.get("/A", pikepdf.Dictionary()).get("/URI", ""))
            if found := _WHOLE.fullmatch(address[:LONGEST]):
                yield found[1]


def _ids(pdf: pikepdf.Pdf) -> Iterator[str]:
    """The certificates that the metadata name."""
    if "/Metadata" in pdf.Root:
        text = _unpacked(pdf.Root.Metadata).decode("utf-8", errors="replace")
        yield from (found[0] for found in islice(_ID.finditer(text), MOST_LINKS))


@contextmanager
def _little_memory() -> Iterator[None]:
    """While it lasts, no part of a PDF may unpack to far more than it needs."""
    before = set_qpdf_limits(
        flate_max_memory=MOST_UNPACKED, run_length_max_memory=MOST_UNPACKED, max_stream_filters=1
    )
    try:
        yield
    finally:
        set_qpdf_limits(**before)  # type: ignore[arg-type]  # what it gave itself


def _unpacked(stream: pikepdf.Object) -> bytes:
    """What is in the stream, of which no more is unpacked than a credential can have."""
    data = stream.read_raw_bytes()
    filters = stream.get("/Filter", pikepdf.Array())
    names = [filters] if isinstance(filters, pikepdf.Name) else list(filters)
    if list(map(str, names)) == ["/FlateDecode"]:
        data = zlib.decompressobj().decompress(data, LONGEST)
    elif names:
        raise ValueError("packed in a way that certificates are not")
    return data[:LONGEST]


def _short(source: str | Path) -> str:
    text = str(source)
    return text if len(text) <= 100 else text[:99] + "…"
