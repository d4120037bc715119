"""Every certificate ever issued, by pseudonym: `issued.json`.

With a person's name and address, an entry is all that a certificate is made from; so a file that
got lost can be made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from nbjudge.files import write_atomically

from nbcertify.certificate import Certificate, Reached
from nbcertify.errors import CertificateError
from nbcertify.roster import Person
from nbcertify.texts import DEFAULT
from nbcertify.tiers import AlignedTo


@dataclass(frozen=True)
class Revocation:
    """Why a certificate does not count any more; `replaced` says that another may be issued."""

    when: datetime
    reason: str
    author: str
    replaced: bool


@dataclass(frozen=True)
class Issued:
    """A certificate without the person: times as in `Certificate`, `salt` as in its credential.

    `person` is the sha256 (hex) of salt, name and address: a certificate is not made again for
    somebody else. `decision` is the sha256 (hex) of the decision that it rests on. Once the person
    is purged, there is no salt any more.
    """

    id: str
    student: str
    tier: str
    title: str
    statement: tuple[str, ...]
    hours: float
    ec: float
    first_day: date
    last_day: date
    issued: datetime
    expires: datetime | None
    status_index: int
    salt: str
    person: str
    decision: str
    revoked: Revocation | None = None
    language: str = DEFAULT
    mail: str = ""
    criteria: str = ""
    results: tuple[Reached, ...] = ()
    alignment: tuple[AlignedTo, ...] = ()

    @property
    def is_purged(self) -> bool:
        """Whether the person was removed from the course."""
        return not self.salt

    def is_of(self, person: Person) -> bool:
        """Whether it was issued to a person of this name and address."""
        return self.person == person_digest(person, self.salt)

    def certificate(self, person: Person) -> Certificate:
        """The certificate, with the person's name and address."""
        return Certificate(
            self.id,
            self.tier,
            self.title,
            person.name,
            person.email,
            self.statement,
            self.hours,
            self.ec,
            self.first_day,
            self.last_day,
            self.issued,
            self.expires,
            self.status_index,
            self.language,
            self.mail,
            self.criteria,
            self.results,
            self.alignment,
        )


def person_digest(person: Person, salt: str) -> str:
    """See `Issued.person`."""
    text = json.dumps([salt, person.name, person.email])
    return hashlib.sha256(text.encode()).hexdigest()


def read_issued(path: Path) -> list[Issued]:
    """All that was issued, in order; nothing if there is no file yet.

    `CertificateError` if the file is damaged: then it has to come back from a backup.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["certificates"]
        return [_from_json(row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CertificateError(
            f"{path}: cannot be read: {type(error).__name__}: {error}. It is the list of all "
            "certificates: put it back from a backup before you go on."
        ) from error


def write_issued(issued: Iterable[Issued], path: Path) -> None:
    """Write the list, all or nothing, readable for its owner alone."""
    rows = [asdict(one) for one in issued]
    text = json.dumps({"certificates": rows}, ensure_ascii=False, indent=1, default=_to_text)
    write_atomically(path, f"{text}\n".encode(), 0o600)


def find_issued(issued: Sequence[Issued], which: str) -> Issued:
    """The certificate whose id is `which`, or begins so; `CertificateError` unless there is one."""
    wanted = which.removeprefix("urn:uuid:").lower()
    found = [one for one in issued if one.id.removeprefix("urn:uuid:").startswith(wanted)]
    if not wanted or len(found) != 1:
        there = "several begin so" if wanted and found else "there is none"
        raise CertificateError(f"certificate {which!r}: {there}; see issued.json for their ids")
    return found[0]


def revoke(issued: Sequence[Issued], which: Issued, revocation: Revocation) -> list[Issued]:
    """The list with one certificate revoked; `CertificateError` if it is so already."""
    if which.revoked is not None:
        raise CertificateError(
            f"{which.id} was revoked already, on {which.revoked.when:%Y-%m-%d}: "
            f"{which.revoked.reason}"
        )
    return [replace(one, revoked=revocation) if one is which else one for one in issued]


def _to_text(value: object) -> str:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON")


def _from_json(row: dict[str, Any]) -> Issued:
    if not isinstance(row["id"], str) or type(row["status_index"]) is not int:
        raise TypeError(f"{row['id']!r}, {row['status_index']!r}")
    revoked = row.get("revoked")
    if revoked is not None:
        revoked = Revocation(**revoked | {"when": datetime.fromisoformat(revoked["when"])})
    return Issued(
        **row
        | {
            "statement": tuple(row["statement"]),
            "first_day": date.fromisoformat(row["first_day"]),
            "last_day": date.fromisoformat(row["last_day"]),
            "issued": datetime.fromisoformat(row["issued"]),
            "expires": row["expires"] and datetime.fromisoformat(row["expires"]),
            "revoked": revoked,
            "results": tuple(Reached(**one) for one in row.get("results", ())),
            "alignment": tuple(AlignedTo(**one) for one in row.get("alignment", ())),
        }
    )
