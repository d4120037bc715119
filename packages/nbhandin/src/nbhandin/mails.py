"""The personal links, as drafts of mails and as a table. Nothing is sent."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from nbcertify.roster import Person
from nbjudge.errors import CourseError
from nbjudge.files import write_atomically

from nbhandin.places import Places
from nbhandin.texts import say

_HEADINGS = ("student", "name", "email", "link")
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def make_mail(person: Person, course: str, link: str, when: datetime) -> bytes:
    """The draft for one student: an .eml file. ``when`` is aware."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = say("mail.subject", course=course)
    user, _, domain = person.email.rpartition("@")
    mail["To"] = Address(person.name, user, domain)
    mail["Date"] = when
    mail["X-Unsent"] = "1"
    text = say("mail.text", name=person.name, course=course, link=link)
    mail.set_content(text, cte="quoted-printable")
    return mail.as_bytes()


def write_mails(
    places: Places,
    people: Mapping[str, Person],
    course: str,
    link_of: Callable[[str], str],
    when: datetime,
) -> list[Path]:
    """Write a draft for each of ``people``, and ``links.csv``; the paths of the drafts.

    ``link_of`` makes the link of a student. Drafts of before, whose links are other ones, go.
    """
    shutil.rmtree(places.mails, ignore_errors=True)
    places.mails.mkdir(parents=True)
    places.mails.chmod(0o700)
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(_HEADINGS)
    written = []
    for student, person in people.items():
        link = link_of(student)
        path = places.mails / f"{student}.eml"
        try:
            mail = make_mail(person, course, link, when)
        except (ValueError, UnicodeError) as error:
            raise CourseError(f"{person.email!r} of {student} cannot be written to: {error}") from (
                error
            )
        write_atomically(path, mail, 0o600)
        rows.writerow([_plain(text) for text in (student, person.name, person.email, link)])
        written.append(path)
    write_atomically(places.mails / "links.csv", table.getvalue().encode("utf-8-sig"), 0o600)
    return written


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
