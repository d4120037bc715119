"""The certificate as a PDF, set by Typst: one page, to be read by people, software and archives."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import pikepdf
import segno
import typst

from nbcertify.certificate import Certificate
from nbcertify.errors import CertificateError
from nbcertify.fonts import TEXT_FACE, check_printable, families, shipped
from nbcertify.issuer import Issuer

# A folder of its own, since Typst may read all that is in it.
TEMPLATE = Path(__file__).with_name("template") / "certificate.typ"
STANDARDS = ["a-3a", "ua-1"]

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

# The languages that a script is most read in; others are left undetermined.
LANGUAGES = {
    "LATIN": "en",
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "BENGALI": "bn",
    "CJK": "zh",
    "DEVANAGARI": "hi",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "KHMER": "km",
    "LAO": "lo",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "ORIYA": "or",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "TIBETAN": "bo",
}


def make_pdf(certificate: Certificate, issuer: Issuer, address: str, credential: str) -> bytes:
    """The certificate on one A4 page: PDF/A-3a and PDF/UA-1, with `credential` attached.

    `address` is where it can be checked; the page has it as a QR code and as a link.
    `CertificateError` if a text has characters that no shipped font has or is too long for the
    page, or the address is too long for a QR code. The same arguments give the same bytes.
    """
    pdf = _set(certificate, issuer, address, credential, "pdf")
    return _with_actual_text(pdf, certificate.name)


def make_picture(certificate: Certificate, issuer: Issuer, address: str, ppi: float = 144) -> bytes:
    """The same page as a PNG, `ppi` pixels to the inch."""
    return _set(certificate, issuer, address, "", "png", ppi)


def _set(
    certificate: Certificate,
    issuer: Issuer,
    address: str,
    credential: str,
    form: str,
    ppi: float | None = None,
) -> bytes:
    for whose, text in printed_texts(certificate, issuer):
        check_printable(text, whose)
    data = page(certificate, issuer, address) | {"credential": credential}
    try:
        return _compiler().compile(
            format=form,
            ppi=ppi,
            sys_inputs={"certificate": json.dumps(data)},
            pdf_standards=STANDARDS,
            timestamp=certificate.issued,
        )
    except typst.TypstError as error:
        raise CertificateError(
            f"The certificate of {certificate.name!r} cannot be set as a PDF: "
            f"{error.message.removeprefix('assertion failed: ')}"
        ) from error


def _with_actual_text(data: bytes, name: str) -> bytes:
    """The PDF with the name as it is written, for software that reads it out.

    A PDF's text is glyphs in the order in which they stand, from which the order of letters in
    many scripts can only be guessed. The name is the page's one element of the type Strong.
    """
    with pikepdf.open(io.BytesIO(data)) as pdf:
        elements = (
            each
            for each in pdf.objects
            if isinstance(each, pikepdf.Dictionary) and each.get("/S") == pikepdf.Name.Strong
        )
        element = next(elements, None)
        if element is None:
            raise CertificateError(f"The name {name!r} has no letters. Put one into the roster.")
        element.ActualText = pikepdf.String(name)
        file = io.BytesIO()
        pdf.save(file, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return file.getvalue()


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=shipped())


def printed_texts(certificate: Certificate, issuer: Issuer) -> Iterator[tuple[str, str]]:
    """Whose text it is, for a message, and the text."""
    yield "The name of the certificate's holder", certificate.name
    yield "The certificate's title", certificate.title
    for sentence in certificate.statement:
        yield f"The statement of {certificate.name!r}", sentence
    yield "The issuer's name", issuer.name
    yield "The course's name", issuer.course
    yield "The course's place", issuer.place
    for signatory in issuer.signatories:
        yield "A signatory's name", signatory.name
        yield f"The role of {signatory.name!r}", signatory.role


def page(certificate: Certificate, issuer: Issuer, address: str) -> dict[str, object]:
    """What the template prints, as values of JSON: texts with language and direction."""
    expires = certificate.expires
    return {
        "font": TEXT_FACE,
        "id": certificate.id,
        "title": run(certificate.title),
        "name": run(certificate.name),
        "statement": [run(sentence) for sentence in certificate.statement],
        "course": run(issuer.course),
        "when": run(f"{issuer.place}, {days(certificate.first_day, certificate.last_day)}"),
        "work": run(work(certificate.hours, certificate.ec)),
        "issuer": run(issuer.name),
        "signatories": [
            {"name": run(one.name), "role": run(one.role)} for one in issuer.signatories
        ],
        "issued": day(certificate.issued),
        "expires": None if expires is None else day(expires),
        "address": address,
        "site": address.partition("#")[0],
        "qr": qr_code(address),
    }


def run(text: str) -> dict[str, object]:
    """A text with its fonts, its language, by its first letter's script, and its direction."""
    letters = (c for c in text if unicodedata.category(c).startswith("L"))
    first = next(letters, "a")
    script = unicodedata.name(first, "").split(" ")[0]
    return {
        "text": text,
        "fonts": families(text),
        "lang": LANGUAGES.get(script, "und"),
        "dir": "rtl" if unicodedata.bidirectional(first) in ("R", "AL") else "ltr",
    }


def days(first: date, last: date) -> str:
    """2 March 2026; 2–6 March 2026; 28 February – 6 March 2026."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    if first.year == last.year:
        return f"{first.day} {MONTHS[first.month - 1]} – {day(last)}"
    return f"{day(first)} – {day(last)}"


def day(of: date | datetime) -> str:
    """2 March 2026."""
    return f"{of.day} {MONTHS[of.month - 1]} {of.year}"


def work(hours: float, ec: float) -> str:
    """16 hours (0.57 EC); without the brackets when there is no EC."""
    text = f"{number(hours)} hour{'' if hours == 1 else 's'}"
    return f"{text} ({number(ec)} EC)" if ec else text


def number(value: float) -> str:
    """With two decimals at most, and none that is not needed."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def qr_code(address: str) -> str:
    """The QR code of ``address`` as SVG; `CertificateError` if it is too long for one."""
    try:
        # Choosing the best of eight masks takes longer than the whole page. What is masked is
        # near to random, a signed text in base64, so one mask is as good as another.
        code = segno.make_qr(address, error="l", mask=0)
    except segno.DataOverflowError as error:
        raise CertificateError(
            f"The address to verify the certificate at has {len(address)} characters, too many "
            "for a QR code. Shorten the names of the person, the course or the tier's title."
        ) from error
    file = io.BytesIO()
    code.save(file, kind="svg", border=0, xmldecl=False, omitsize=True)
    return file.getvalue().decode()
