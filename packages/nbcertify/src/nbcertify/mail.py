"""Mails as files: drafts that a mail program opens, reads and sends. Nothing here sends any.

The same certificate gives the same bytes. Formats: RFC 5322 (the message), RFC 2047 (names that are
not ASCII); `X-Unsent: 1` is what makes mail programs open a file as a draft.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from hashlib import sha256
from html import escape
from urllib.parse import quote, urlencode

from nbcertify.certificate import Certificate
from nbcertify.errors import CertificateError
from nbcertify.issuer import Issuer
from nbcertify.roster import Person
from nbcertify.texts import ENGLISH, Texts, one_line

# Headers stay as they are set. Folding long names anew, Python's mail library takes the quotes off
# them, and a comma in one then begins another recipient.
_POLICY = SMTP.clone(refold_source="none")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 .,'()-]{1,60}")
_STYLE = "font-family: sans-serif; line-height: 1.5; max-width: 40em"


def make_mail(
    person: Person,
    certificate: Certificate,
    issuer: Issuer,
    pdf: bytes,
    credential: str,
    address: str,
    badge: bytes | None = None,
    texts: Texts = ENGLISH,
) -> bytes:
    """The mail that hands a certificate over: an .eml file with PDF, credential and perhaps badge.

    `address` is where anyone can check the certificate; `badge` is a PNG. `CertificateError` if an
    e-mail address cannot stand in a mail.
    """
    stem = f"{_file_name(certificate.tier)}-{_short_id(certificate)}"
    names = {"pdf": f"{stem}.pdf", "jwt": f"{stem}.jwt", "png": f"{stem}.png"}
    done = certificate.mail or texts.sentence(certificate.name, certificate.statement)
    say = partial(_say, texts)
    paragraphs = [
        say("mail.dear", name=person.name),
        say("mail.here", course=issuer.course, title=certificate.title),
        one_line(done),
        say("mail.files", **names) if badge else say("mail.two_files", **names),
        say("mail.check"),
        address,
        say("mail.linkedin"),
        linkedin_address(certificate, issuer, address),
        say("mail.wrong", email=issuer.email),
        *_greeting(issuer, texts),
    ]
    subject = texts.say("mail.subject", title=certificate.title, course=issuer.course)
    mail = _compose(person, issuer, subject, certificate.issued, certificate.id, paragraphs, texts)
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=names["pdf"])
    mail.add_attachment(
        credential.encode("ascii"), maintype="application", subtype="jwt", filename=names["jwt"]
    )
    if badge:
        mail.add_attachment(badge, maintype="image", subtype="png", filename=names["png"])
    return _as_bytes(mail, certificate.id)


def make_refusal(
    person: Person,
    issuer: Issuer,
    title: str,
    sentences: Sequence[str],
    when: datetime,
    texts: Texts = ENGLISH,
) -> bytes:
    """The mail that says why there is no certificate: an .eml file.

    `title` names the certificate, `sentences` say what was needed and what was reached, `when` is
    the time of the decision (aware). Errors as in `make_mail`.
    """
    paragraphs: list[str | list[str]] = [
        _say(texts, "mail.dear", name=person.name),
        _say(texts, "refusal.thanks", course=issuer.course, title=title),
        [_sentence(sentence) for sentence in sentences],
        _say(texts, "refusal.missed", email=issuer.email),
        *_greeting(issuer, texts),
    ]
    subject = texts.say("refusal.subject", course=issuer.course)
    seed = "\0".join(["refusal", person.student, title, when.isoformat(), *sentences])
    mail = _compose(person, issuer, subject, when, seed, paragraphs, texts)
    return _as_bytes(mail, seed)


def linkedin_address(certificate: Certificate, issuer: Issuer, address: str) -> str:
    """Where LinkedIn offers to add the certificate to one's own profile.

    The format is LinkedIn's "Add to profile": https://addtoprofile.linkedin.com/
    """
    organisation = (
        {"organizationId": issuer.linkedin}
        if issuer.linkedin
        else {"organizationName": issuer.name}
    )
    ends = certificate.expires
    expires = {"expirationYear": ends.year, "expirationMonth": ends.month} if ends else {}
    what = {
        "startTask": "CERTIFICATION_NAME",
        "name": f"{certificate.title}: {issuer.course}",
        **organisation,
        "issueYear": certificate.issued.year,
        "issueMonth": certificate.issued.month,
        **expires,
        "certUrl": address,
        "certId": certificate.id.removeprefix("urn:uuid:"),
    }
    return f"https://www.linkedin.com/profile/add?{urlencode(what, quote_via=quote)}"


def _compose(
    person: Person,
    issuer: Issuer,
    subject: str,
    when: datetime,
    seed: str,
    paragraphs: Sequence[str | list[str]],
    texts: Texts,
) -> EmailMessage:
    mail = EmailMessage(policy=_POLICY)
    sender = ascii_address(issuer.email)
    mail.set_raw("Subject", _subject(subject))
    mail.set_raw("From", _mailbox(issuer.name, sender, "From"))
    mail.set_raw("To", _mailbox(person.name, ascii_address(person.email), "To"))
    mail["Date"] = when
    mail.set_raw("Message-ID", f"<{_digest(seed)}@{sender.rpartition('@')[2]}>")
    mail["X-Unsent"] = "1"
    # In quoted-printable, no line of the text can look like a boundary.
    mail.set_content(_plain(paragraphs), cte="quoted-printable")
    mail.add_alternative(_html(paragraphs, texts.language), subtype="html", cte="quoted-printable")
    return mail


def _as_bytes(mail: EmailMessage, seed: str) -> bytes:
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{_digest(seed)}_{number}")
    return mail.as_bytes()


def _plain(paragraphs: Sequence[str | list[str]]) -> str:
    blocks = (
        block if isinstance(block, str) else "\n".join(f"- {item}" for item in block)
        for block in paragraphs
    )
    return "\n\n".join(blocks) + "\n"


def _html(paragraphs: Sequence[str | list[str]], language: str) -> str:
    blocks = []
    for block in paragraphs:
        if not isinstance(block, str):
            items = "".join(f"<li>{escape(item)}</li>\n" for item in block)
            blocks.append(f"<ul>\n{items}</ul>")
        elif block.startswith("https://"):
            shown = escape(block)
            blocks.append(f'<p style="word-break: break-all"><a href="{shown}">{shown}</a></p>')
        else:
            blocks.append("<p>" + escape(block).replace("\n", "<br>\n") + "</p>")
    body = "\n".join(blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head><meta charset="utf-8"></head>\n'
        f'<body style="{_STYLE}">\n{body}\n</body>\n</html>\n'
    )


def _greeting(issuer: Issuer, texts: Texts) -> list[str]:
    people = [f"{one_line(one.name)}, {one_line(one.role)}" for one in issuer.signatories]
    return [texts.say("mail.regards"), "\n".join([*people, issuer.name])]


def _say(texts: Texts, key: str, **what: str) -> str:
    return texts.say(key, **{name: one_line(text) for name, text in what.items()})


def _sentence(text: str) -> str:
    text = one_line(text)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _mailbox(name: str, address: str, header: str) -> str:
    name = one_line(name)
    if _PLAIN_NAME.fullmatch(name):
        shown = f'"{name}"'
    else:
        shown = Header(name, "utf-8", header_name=header).encode(linesep="\r\n")
    return f"{shown}\r\n <{address}>"


def _subject(text: str) -> str:
    text = one_line(text)
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(text, charset, header_name="Subject").encode(linesep="\r\n")


def ascii_address(address: str) -> str:
    """An e-mail address whose domain is ASCII; what mail servers must not refuse.

    `CertificateError` if they may.
    """
    user, _, domain = address.rpartition("@")
    try:
        found = f"{user}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        found = ""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+", found):
        raise CertificateError(
            f"{one_line(address)!r} is an e-mail address that many mail servers refuse. "
            "Put another one into the roster (or issuer.toml)."
        )
    return found


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "certificate"


def _short_id(certificate: Certificate) -> str:
    return certificate.id.removeprefix("urn:uuid:")[:8]


def _digest(seed: str) -> str:
    return sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()[:32]
