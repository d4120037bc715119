"""Names and e-mail addresses of the students: `roster.csv`, which never enters git."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from nbjudge.admit.submissions import name_problem

from nbcertify.errors import CertificateError
from nbcertify.places import is_file_name
from nbcertify.tables import fold, is_hidden, read_records
from nbcertify.texts import is_language

# What fits on a certificate, with room to spare.
LONGEST_NAME = 200

_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")

COLUMNS = ("student", "name", "email", "eppn", "language")


@dataclass(frozen=True)
class Person:
    """Whom a pseudonym stands for. `student` is the id in the gradebook.

    `eppn` is the institution's name for them (eduPersonPrincipalName), "" where it is not known.
    `language` is the one in which they are written to, "" for the tier's.
    """

    student: str
    name: str
    email: str
    eppn: str = ""
    language: str = ""


def read_roster(path: Path) -> dict[str, Person]:
    """The people of `roster.csv` by student id, in the file's order.

    Columns: student, name, email; eppn and language may be there. Names are in Unicode's form C.
    CertificateError names the file, the line and what to fix.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CertificateError(
            f"{path}: there is no roster. Make it: a CSV file with the columns student,name,email "
            "and a line for each student, such as  s1234567,Ada Lovelace,ada@example.org"
        ) from error
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    people: dict[str, Person] = {}
    student_line: dict[str, int] = {}
    email_line: dict[str, int] = {}
    for record in read_records(data, path, COLUMNS[:3], COLUMNS[3:]):
        where = f"{path}, line {record.line}"
        for column in ("student", "name", "email"):
            _check(record.cells[column], f"{where}, column {column}")
        person = Person(
            record.cells["student"],
            unicodedata.normalize("NFC", record.cells["name"]),
            record.cells["email"],
            record.cells.get("eppn", ""),
            record.cells.get("language", ""),
        )
        if problem := name_problem(person.student):
            raise CertificateError(f"{where}, column student: {problem}")
        if not is_file_name(person.student):
            raise CertificateError(
                f"{where}, column student: {person.student!r} cannot be the name of a folder, as "
                "the ids in the gradebook are"
            )
        if person.language and not is_language(person.language):
            raise CertificateError(
                f"{where}, column language: {person.language!r} is no language such as en or nl; "
                "leave it empty for the usual one"
            )
        if len(person.name) > LONGEST_NAME:
            raise CertificateError(
                f"{where}, column name: has {len(person.name)} characters; "
                f"at most {LONGEST_NAME} fit on a certificate"
            )
        if not _ADDRESS.fullmatch(person.email):
            raise CertificateError(
                f"{where}, column email: {person.email!r} is no e-mail address; write just one"
            )
        earlier = student_line.setdefault(person.student, record.line)
        if earlier != record.line:
            raise CertificateError(
                f"{where}: the student {person.student!r} is on line {earlier} too; "
                "keep one of the two lines"
            )
        earlier = email_line.setdefault(fold(person.email), record.line)
        if earlier != record.line:
            raise CertificateError(
                f"{where}: the e-mail {person.email!r} is on line {earlier} too; "
                "every student needs an e-mail of their own"
            )
        people[person.student] = person
    if not people:
        raise CertificateError(f"{path}: names no students; write a line for each")
    return people


def _check(text: str, where: str) -> None:
    if not text:
        raise CertificateError(f"{where}: is empty; fill it in")
    for character in text:
        if is_hidden(character):
            name = unicodedata.name(character, "a control character").lower()
            raise CertificateError(
                f"{where}: has the invisible character U+{ord(character):04X} ({name}), which can "
                "make a text look like another; type the text anew"
            )
