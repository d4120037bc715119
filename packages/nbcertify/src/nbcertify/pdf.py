"""The certificate as a PDF, set by Typst: one page, to be read by people, software and archives."""

from __future__ import annotations

import io
import json
import shutil
import unicodedata
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pikepdf
import segno
import typst

from nbcertify.certificate import Certificate
from nbcertify.errors import CertificateError
from nbcertify.fonts import TEXT_FACE, check_printable, families, shipped
from nbcertify.issuer import Issuer
from nbcertify.texts import DEFAULT, ENGLISH, Texts

# A folder of its own, since Typst may read all that is in it.
TEMPLATE = Path(__file__).with_name("template") / "certificate.typ"
STANDARDS: tuple[Literal["a-3a", "ua-1"], ...] = ("a-3a", "ua-1")

# The languages that a script is most read in; others are left undetermined.
LANGUAGES = {
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


def make_pdf(
    certificate: Certificate,
    issuer: Issuer,
    address: str,
    credential: str,
    texts: Texts = ENGLISH,
) -> bytes:
    """The certificate on one A4 page: PDF/A-3a and PDF/UA-1, with `credential` attached.

    `address` is where it can be checked; the page has it as a QR code and as a link.
    `CertificateError` if a text has characters that no shipped font has or is too long for the
    page, or the address is too long for a QR code. The same arguments give the same bytes.
    """
    pdf = _set(certificate, issuer, address, credential, texts, "pdf")
    return _with_actual_text(pdf, certificate)


def make_sample(
    certificate: Certificate, issuer: Issuer, address: str, texts: Texts = ENGLISH
) -> bytes:
    """The same page as a PDF without a credential, and with a line that says it is a sample."""
    pdf = _set(certificate, issuer, address, "", texts, "pdf", sample=True)
    return _with_actual_text(pdf, certificate)


def make_picture(
    certificate: Certificate,
    issuer: Issuer,
    address: str,
    ppi: float = 144,
    texts: Texts = ENGLISH,
) -> bytes:
    """The same page as a PNG, `ppi` pixels to the inch."""
    return _set(certificate, issuer, address, "", texts, "png", ppi)


def _set(
    certificate: Certificate,
    issuer: Issuer,
    address: str,
    credential: str,
    texts: Texts,
    form: Literal["pdf", "png"],
    ppi: float | None = None,
    *,
    sample: bool = False,
) -> bytes:
    for whose, text in printed_texts(certificate, issuer):
        check_printable(text, whose)
    data = page(certificate, issuer, address, texts) | {"credential": credential, "sample": sample}
    try:
        compiler, _ = _compiler(_pictures(issuer))
        made = compiler.compile(
            format=form,
            ppi=ppi,
            sys_inputs={"certificate": json.dumps(data)},
            pdf_standards=list(STANDARDS),
            timestamp=certificate.issued,
        )
    except typst.TypstError as error:
        raise CertificateError(
            f"The certificate of {certificate.name!r} cannot be set as a PDF: "
            f"{error.message.removeprefix('assertion failed: ')}"
        ) from error
    assert isinstance(made, bytes)  # of one page, and to no file
    return made


def _with_actual_text(data: bytes, certificate: Certificate) -> bytes:
    """The PDF with the name as it is written, for software, and the certificate's id.

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
            raise CertificateError(
                f"The name {certificate.name!r} has no letters. Put one into the roster."
            )
        element.ActualText = pikepdf.String(certificate.name)
        with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
            metadata["dc:identifier"] = certificate.id
        file = io.BytesIO()
        pdf.save(file, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return file.getvalue()


@lru_cache(maxsize=4)
def _compiler(pictures: tuple[Path, ...]) -> tuple[typst.Compiler, TemporaryDirectory[str]]:
    """A compiler that may read the template and these pictures, and the folder that it reads."""
    folder = TemporaryDirectory(prefix="certificate-")
    template = shutil.copy(TEMPLATE, folder.name)
    for number, picture in enumerate(pictures):
        try:
            shutil.copyfile(picture, Path(folder.name, _picture_name(number, picture)))
        except OSError as error:
            raise CertificateError(f"{picture}: cannot be read: {error.strerror}") from error
    return typst.Compiler(template, root=folder.name, font_paths=shipped()), folder


def _picture_name(number: int, picture: Path) -> str:
    return f"picture-{number}{picture.suffix.lower()}"


def _pictures(issuer: Issuer) -> tuple[Path, ...]:
    all_of_them = (issuer.style.logo, *(one.picture for one in issuer.signatories))
    return tuple(dict.fromkeys(one for one in all_of_them if one is not None))


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


def page(
    certificate: Certificate, issuer: Issuer, address: str, texts: Texts = ENGLISH
) -> dict[str, object]:
    """What the template prints, as values of JSON: texts with language and direction."""
    own = partial(run, language=texts.language)
    when = texts.days(certificate.first_day, certificate.last_day)
    issued, site = texts.day(certificate.issued), address.partition("#")[0]
    if certificate.expires is None:
        dated = texts.say("certificate.issued", day=issued)
    else:
        expires = texts.day(certificate.expires)
        dated = texts.say("certificate.issued_expires", day=issued, expires=expires)
    style = issuer.style
    return {
        "font": TEXT_FACE,
        "lang": texts.language,
        "id": certificate.id,
        "title": own(certificate.title),
        "name": own(certificate.name),
        "statement": [own(sentence) for sentence in certificate.statement],
        "course": own(issuer.course),
        "when": own(f"{issuer.place}, {when}"),
        "work": own(texts.work(certificate.hours, certificate.ec)),
        "issuer": own(issuer.name),
        "certify": own(texts.say("certificate.certify")),
        "signatories": [
            {
                "name": own(one.name),
                "role": own(one.role),
                "picture": _picture(
                    issuer, one.picture, texts.say("certificate.signature", name=one.name)
                ),
            }
            for one in issuer.signatories
        ],
        "notes": [own(dated), own(texts.say("certificate.number", id=certificate.id))],
        "verify": [own(part) for part in _around(texts.say("certificate.verify", site="\0"))],
        "attached": own(texts.say("certificate.attached")),
        "attachment": texts.say("certificate.attachment"),
        "sample-note": own(texts.say("certificate.sample")),
        "logo": _picture(issuer, style.logo, texts.say("certificate.logo", issuer=issuer.name)),
        "colours": {"accent": style.accent, "ink": style.ink, "soft": style.soft},
        "address": address,
        "site": site,
        "qr": qr_code(address),
        "qr-alt": texts.say("certificate.qr_code", site=site),
    }


def _around(text: str) -> tuple[str, str]:
    before, _, after = text.partition("\0")
    return before, after


def _picture(issuer: Issuer, path: Path | None, alt: str) -> dict[str, str] | None:
    """A picture as the template takes it; None where there is none."""
    if path is None:
        return None
    return {"file": _picture_name(_pictures(issuer).index(path), path), "alt": alt}


def run(text: str, language: str = DEFAULT) -> dict[str, object]:
    """A text with its fonts, its language, by its first letter's script, and its direction.

    What is in Latin script is in `language`.
    """
    letters = (c for c in text if unicodedata.category(c).startswith("L"))
    first = next(letters, "a")
    script = unicodedata.name(first, "").split(" ")[0]
    return {
        "text": text,
        "fonts": families(text),
        "lang": language if script == "LATIN" else LANGUAGES.get(script, "und"),
        "dir": "rtl" if unicodedata.bidirectional(first) in ("R", "AL") else "ltr",
    }


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
