"""The signed credential: Open Badges 3.0 as a VC-JWT (https://www.imsglobal.org/spec/ob/v3p0)."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import UTC, date, datetime, time

from openbadgeslib.ob3 import (
    Achievement,
    Alignment,
    IdentityObject,
    OpenBadgeCredential,
    Result,
    ResultDescription,
    status_entry,
)
from openbadgeslib.ob3 import Issuer as Profile

from nbcertify.certificate import Certificate
from nbcertify.issuer import Issuer
from nbcertify.keys import Key
from nbcertify.places import badge_address
from nbcertify.status import PURPOSE, list_address
from nbcertify.texts import ENGLISH, Texts

HOURS = "ext:Hours"


def make_credential(
    certificate: Certificate, issuer: Issuer, key: Key, salt: str, texts: Texts = ENGLISH
) -> str:
    """The certificate as a signed credential; the same arguments give the same text.

    Whose it is stands in it as SHA-256 of the e-mail address and of the name, both with `salt`,
    which has to be a fresh one for each certificate: else two of one person can be linked.
    """
    if not salt:
        raise ValueError("an unsalted hash of an e-mail address is as good as the address")
    hours = ResultDescription(
        id=_named(issuer, certificate.tier, "hours"),
        name=texts.say("credential.hours"),
        result_type=HOURS,
    )
    points = [
        ResultDescription(
            id=_named(issuer, certificate.tier, "points", one.assignment),
            name=texts.say("credential.points", assignment=one.assignment),
            result_type="RawScore",
            value_min="0",
            value_max=f"{one.possible:.6g}",
        )
        for one in certificate.results
    ]
    holder = texts.say("credential.holder", statement="").strip()
    criteria = certificate.criteria or texts.sentence(holder, certificate.statement)
    ec = round(certificate.ec, 2)
    credential = OpenBadgeCredential(
        id=certificate.id,
        name=certificate.title,
        issuer=Profile(id=issuer.did, name=issuer.name, url=issuer.site, email=issuer.email),
        recipient_id=None,
        identifiers=[
            hashed_email(certificate.email, salt),
            hashed_name(certificate.name, salt),
        ],
        achievement=Achievement(
            id=_named(issuer, certificate.tier),
            name=f"{issuer.course}: {certificate.title}",
            description=issuer.description,
            criteria_narrative=criteria,
            image_url=badge_address(issuer.site, certificate.tier, certificate.language),
            achievement_type="Certificate",
            credits_available=ec,
            alignments=[
                Alignment(
                    target_name=one.name,
                    target_url=one.url,
                    target_framework=one.framework or None,
                    target_code=one.code or None,
                    target_description=one.description or None,
                )
                for one in certificate.alignment
            ],
            result_descriptions=[hours, *points],
        ),
        credits_earned=ec,
        results=[
            Result(value=f"{certificate.hours:g}", result_description=hours.id),
            *(
                Result(value=f"{one.points:.6g}", result_description=described.id)
                for one, described in zip(certificate.results, points, strict=True)
            ),
        ],
        issuance_date=certificate.issued,
        expiration_date=certificate.expires,
        credential_status=[
            status_entry(list_address(issuer), PURPOSE, certificate.status_index),
        ],
    )
    payload = credential.to_jwt_payload()
    payload["awardedDate"] = payload["validFrom"]
    # The library has no fields for these of the standard's.
    achievement = payload["credentialSubject"]["achievement"]
    achievement["inLanguage"] = certificate.language
    achievement["image"]["caption"] = texts.say(
        "credential.badge",
        title=certificate.title,
        course=issuer.course,
        issuer=issuer.name,
    )
    payload["credentialSubject"]["activityStartDate"] = _midnight(certificate.first_day)
    payload["credentialSubject"]["activityEndDate"] = _midnight(certificate.last_day)
    return key.sign(payload, {"kid": f"{issuer.did}#{key.kid}"})


def hashed_email(email: str, salt: str) -> IdentityObject:
    """The hash of an e-mail address in small letters."""
    return IdentityObject.create(email.strip().lower(), salt, "emailAddress")


def hashed_name(name: str, salt: str) -> IdentityObject:
    """The hash of a name, however its accents and spaces are encoded."""
    return IdentityObject.create(plain_name(name), salt, "name")


def plain_name(name: str) -> str:
    """The name in Unicode's NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat().replace("+00:00", "Z")


def _named(issuer: Issuer, *path: str) -> str:
    """An id for what this issuer awards in this course: the same for all who get it."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join((issuer.did, issuer.course, *path))).urn
