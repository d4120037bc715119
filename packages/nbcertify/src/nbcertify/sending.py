"""Sending certificates by mail, through the server that `issuer.toml` names.

Each mail goes to one address. The log has a line before a mail is given to the server ("sending")
and one after the server has taken it ("sent") or refused it ("not sent"). A run that was
interrupted between the two leaves it open whether the mail went out: it is not sent again until a
person says so. So no certificate is sent twice.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

from nbcertify.errors import CertificateError
from nbcertify.issued import Issued
from nbcertify.log import Entry, append
from nbcertify.mail import ascii_address
from nbcertify.mail_server import MailServer
from nbcertify.places import Places
from nbcertify.planning import files_of
from nbcertify.roster import Person

PASSWORD = "DLCOURSE_MAIL_PASSWORD"
_SECONDS = 60
# After these the server has not taken the mail.
_REFUSED = (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
_CHANGED = re.compile(rb"(X-Unsent|Date):", re.IGNORECASE)


class Sending(StrEnum):
    """What there is to do with a certificate's mail."""

    SEND = "send"
    SENT = "sent already"
    UNCLEAR = "may have been sent"
    MISSING = "has no file"
    OTHER = "the roster has another name or address"


@dataclass(frozen=True)
class Letter:
    """A certificate's mail: to whom, and what is to be done with it."""

    issued: Issued
    to: str
    path: Path
    action: Sending


@dataclass(frozen=True)
class Sent:
    """What became of a mail; `problem` is "" if the server took it."""

    letter: Letter
    problem: str = ""


def letters(
    issued: Iterable[Issued],
    roster: Mapping[str, Person],
    places: Places,
    log: Sequence[Entry],
    again: Sequence[str] = (),
) -> list[Letter]:
    """The mails of all certificates that count, in order; those in `again` (ids) are to be sent."""
    last = {
        entry.facts["id"]: entry.event
        for entry in log
        if entry.event in ("sending", "sent", "not sent")
    }
    found = []
    for one in issued:
        person = roster.get(one.student)
        if one.revoked is not None or one.is_purged or person is None:
            continue
        path = next(p for p in files_of(places, one) if p.suffix == ".eml")
        action = _action(one, person, path, last, anew=one.id in again)
        found.append(Letter(one, person.email, path, action))
    return found


def _action(
    one: Issued, person: Person, path: Path, last: Mapping[str, str], *, anew: bool
) -> Sending:
    if not anew and last.get(one.id) == "sent":
        return Sending.SENT
    if not anew and last.get(one.id) == "sending":
        return Sending.UNCLEAR
    if not one.is_of(person):
        return Sending.OTHER
    return Sending.SEND if path.is_file() else Sending.MISSING


def send(todo: Iterable[Letter], server: MailServer, sender: str, log: Path) -> Iterator[Sent]:
    """Send the letters, one at a time; each is logged before the next one begins.

    `CertificateError` if the server cannot be reached, or breaks off: a mail that it may have taken
    stays open in the log.
    """
    with _connection(server) as smtp:
        for letter in todo:
            data = _as_sent(letter.path, datetime.now(UTC))
            facts = {"id": letter.issued.id, "student": letter.issued.student}
            append(log, "sending", datetime.now(UTC), **facts)
            try:
                smtp.sendmail(sender, [ascii_address(letter.to)], data)
            except _REFUSED as error:
                append(log, "not sent", datetime.now(UTC), **facts)
                yield Sent(letter, _refusal(error))
            except (smtplib.SMTPException, OSError) as error:
                raise CertificateError(
                    f"{server.host} broke off at the mail to {letter.issued.student}: {error}. "
                    "Whether it was sent is open: ask, and then say --send-again "
                    f"{letter.issued.id.removeprefix('urn:uuid:')[:8]} if it was not."
                ) from error
            else:
                append(log, "sent", datetime.now(UTC), **facts)
                yield Sent(letter)


@contextmanager
def _connection(server: MailServer) -> Iterator[smtplib.SMTP]:
    safe = ssl.create_default_context()
    try:
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=_SECONDS, context=safe
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
        if server.security == "starttls":
            smtp.starttls(context=safe)
        if server.user:
            smtp.login(server.user, os.environ.get(PASSWORD, ""))
    except (smtplib.SMTPException, OSError) as error:
        raise CertificateError(
            f"{server.host}, port {server.port}: no mails can be given to it: {error}. See "
            f"[mail_server] in issuer.toml; the password is in the environment variable {PASSWORD}."
        ) from error
    with smtp:
        yield smtp


def _as_sent(path: Path, now: datetime) -> bytes:
    """The draft as a mail of `now`; all else stays byte for byte, as names may be quoted in it."""
    head, end, body = path.read_bytes().partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not _CHANGED.match(line)]
    return b"\r\n".join([*lines, f"Date: {format_datetime(now)}".encode()]) + end + body


def _refusal(error: smtplib.SMTPException) -> str:
    said: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    else:
        return str(error)
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return f"the server refused it: {code} {text}"
