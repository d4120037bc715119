"""Whether a certificate is genuine, and still good: the answers that the published page gives."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import PyJWTError
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import IdentityObject, OpenBadgeCredential, decode_encoded_list

from nbcertify.credential import hashed_email, hashed_name, plain_name
from nbcertify.errors import CertificateError
from nbcertify.keys import ALGORITHM
from nbcertify.status import PURPOSE, SIZE
from nbcertify.token import HEAD_TYPE, KID_CHARACTERS, TYPE, long_id

LONGEST = 100_000  # characters; a credential has some 3,000
_SIGNATURE_CHARACTERS = 86  # 64 bytes
# Clocks differ.
_LEEWAY = timedelta(minutes=10)
_SEGMENT = re.compile(r"[A-Za-z0-9_-]*")
_SCAN_AGAIN = (
    "Scan the QR code again, copy the whole address, or use the .jwt file that came with it."
)


class Outcome(StrEnum):
    """What comes out of a verification."""

    VALID = "valid"
    TAMPERED = "tampered"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN_ISSUER = "unknown issuer"
    UNREADABLE = "unreadable"
    CHANGED = "changed document"


@dataclass(frozen=True)
class Facts:
    """What a genuine certificate says. A credential has no `name`: ask `is_of`.

    `results` says in words what was reached beside the hours.
    """

    id: str
    name: str | None
    title: str
    course: str
    hours: float
    ec: float
    first_day: date
    last_day: date
    issuer: str
    issued: datetime
    expires: datetime | None
    status_index: int
    identities: tuple[IdentityObject, ...] = ()
    results: tuple[str, ...] = ()

    def is_of(self, who: str) -> bool:
        """Whether it is of the person with this name or e-mail address."""
        if self.name is not None and plain_name(who) == plain_name(self.name):
            return True
        return any(
            one in (hashed_name(who, one.salt or ""), hashed_email(who, one.salt or ""))
            for one in self.identities
        )


@dataclass(frozen=True)
class Verification:
    """An outcome, in words for a person.

    `facts` are there only if the signature is genuine: nothing else deserves to be shown. `as_of`
    is the time of the status list.
    """

    outcome: Outcome
    words: str
    facts: Facts | None = None
    as_of: datetime | None = None

    @property
    def is_valid(self) -> bool:
        """Whether it counts."""
        return self.outcome is Outcome.VALID


class _Refused(Exception):
    def __init__(self, outcome: Outcome, words: str) -> None:
        super().__init__(words)
        self.outcome, self.words = outcome, words


@dataclass(frozen=True)
class _StatusList:
    address: str
    bits: bytes
    issued: datetime


def verify(
    text: str, did_document: Mapping[str, Any], status_list_jwt: str, now: datetime
) -> Verification:
    """Verify a credential or a token, whichever it is. Nothing is fetched, nothing is raised.

    `did_document` and `status_list_jwt` are the issuer's, as `write_site` publishes them.
    """
    try:
        is_token = _parse(text)[0].get("typ") == TYPE
    except _Refused as refused:
        return Verification(refused.outcome, refused.words)
    one_kind = verify_token if is_token else verify_credential
    return one_kind(text, did_document, status_list_jwt, now)


def verify_credential(
    jwt: str, did_document: Mapping[str, Any], status_list_jwt: str, now: datetime
) -> Verification:
    """Verify a credential (a VC-JWT)."""
    return _verify(jwt, "JWT", did_document, status_list_jwt, now)


def verify_token(
    token: str, did_document: Mapping[str, Any], status_list_jwt: str, now: datetime
) -> Verification:
    """Verify the token of a QR code."""
    return _verify(token, TYPE, did_document, status_list_jwt, now)


def verified_head(text: str, did_document: Mapping[str, Any]) -> str:
    """The digest of a log's line that the issuer signed.

    `CertificateError` if it is not the issuer's.
    """
    try:
        head = _genuine(text, HEAD_TYPE, *_keys(did_document)).get("head")
    except _Refused as refused:
        raise CertificateError(f"a published digest of the log: {refused.words}") from None
    return str(head)


def claimed_head(text: str) -> str:
    """The digest of a log's line in a signed text, whoever signed it; "" if there is none."""
    try:
        return str(_parse(text)[1].get("head"))
    except _Refused:
        return ""


def _verify(
    text: str, typ: str, did_document: Mapping[str, Any], status_list_jwt: str, now: datetime
) -> Verification:
    try:
        did, keys = _keys(did_document)
        claims = _genuine(text, typ, did, keys)
        address, facts = _facts_of_token(claims) if typ == TYPE else _facts_of_credential(claims)
        status = _status_list(status_list_jwt, did, keys)
    except _Refused as refused:
        return Verification(refused.outcome, refused.words)
    outcome, words = _judge(facts, address, status, now)
    return Verification(outcome, words, facts, status.issued)


def _judge(
    facts: Facts, address: str | None, status: _StatusList, now: datetime
) -> tuple[Outcome, str]:
    """What a genuine certificate is worth now."""
    index = facts.status_index
    if address not in (None, status.address) or not 0 <= index < len(status.bits) * 8:
        return Outcome.UNREADABLE, (
            "The signature is genuine, but the status list at hand does not cover this "
            "certificate, so it cannot be told whether it was revoked. Get the issuer's current "
            "list."
        )
    if status.bits[index // 8] & (0x80 >> index % 8):
        return Outcome.REVOKED, (
            f"{facts.issuer} issued this certificate and has revoked it. It no longer counts."
        )
    if facts.expires is not None and facts.expires <= now:
        return Outcome.EXPIRED, (
            f"{facts.issuer} issued this certificate. It was valid until {_day(facts.expires)}."
        )
    if facts.issued > now + _LEEWAY:
        return Outcome.UNREADABLE, (
            f"The signature is genuine, but the certificate is dated {_day(facts.issued)}, which "
            "is yet to come. Is the clock of this computer right?"
        )
    compare = "" if facts.name else (
        " The name is in it only as a hash: compare it with the one you expect."
    )  # fmt: skip
    return Outcome.VALID, (
        f"{facts.issuer} issued this certificate, and had not revoked it as of "
        f"{_day(status.issued)}.{compare}"
    )


def _genuine(
    text: str, typ: str, did: str, keys: Mapping[str, EllipticCurvePublicKey]
) -> dict[str, Any]:
    """The claims, if the issuer signed them."""
    header, claims, signature = _parse(text)
    if header.get("typ") != typ:
        raise _Refused(Outcome.UNREADABLE, f"This is not a certificate. {_SCAN_AGAIN}")
    # No other algorithm, and no word from the sender on which key to trust.
    if header.get("alg") != ALGORITHM or not header.keys() <= {"alg", "typ", "kid"}:
        raise _Refused(
            Outcome.TAMPERED,
            "This is not genuine: it is not signed in the way in which certificates are.",
        )
    if claims.get("iss") != did:
        raise _Refused(
            Outcome.UNKNOWN_ISSUER,
            f"This was not issued by {did}. It names another issuer: {_shown(claims.get('iss'))}.",
        )
    key = _key(header.get("kid"), typ, did, keys)
    if key is None:
        raise _Refused(
            Outcome.UNKNOWN_ISSUER,
            f"This is not signed with any published key of {did}. If it is a new certificate, get "
            "the issuer's current list of keys; otherwise it is not the issuer's.",
        )
    if len(signature) != _SIGNATURE_CHARACTERS:
        raise _Refused(Outcome.UNREADABLE, f"A part of the signature is missing. {_SCAN_AGAIN}")
    try:
        PyJWS(algorithms=[ALGORITHM]).decode(text, key, algorithms=[ALGORITHM])
    except (PyJWTError, ValueError):
        raise _Refused(
            Outcome.TAMPERED,
            "This is not genuine: the signature does not fit what it says. Something was changed "
            f"after {did} signed it, or somebody else made it. A single wrong character is "
            "enough, so if you typed it: scan the QR code instead.",
        ) from None
    return claims


def _key(
    kid: Any, typ: str, did: str, keys: Mapping[str, EllipticCurvePublicKey]
) -> EllipticCurvePublicKey | None:
    """The key that a header names: a token's by the beginning of the thumbprint."""
    if typ != TYPE:
        return keys.get(kid) if isinstance(kid, str) else None
    if not isinstance(kid, str) or len(kid) != KID_CHARACTERS:
        return None
    return next((key for name, key in keys.items() if name.startswith(f"{did}#{kid}")), None)


def _parse(text: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and signature of a compact JWS; nothing of it can be trusted yet."""
    try:
        if len(text) > LONGEST:
            raise ValueError("too long")
        header, claims, signature = text.split(".")
        _bytes(signature)
        return _object(_bytes(header)), _object(_bytes(claims)), signature
    except (ValueError, RecursionError):
        raise _Refused(
            Outcome.UNREADABLE, f"There is no complete certificate in this. {_SCAN_AGAIN}"
        ) from None


def _bytes(segment: str) -> bytes:
    """What the base64url (RFC 4648, unpadded) stands for. ValueError if it is written otherwise."""
    if not _SEGMENT.fullmatch(segment):
        raise ValueError("not base64url")
    data = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if urlsafe_b64encode(data).rstrip(b"=").decode() != segment:
        raise ValueError("not canonical")
    return data


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object without doubtful parts. ValueError or RecursionError if it is not one."""
    found = json.loads(
        data.decode(), object_pairs_hook=_without_doubles, parse_constant=_no_constant
    )
    if not isinstance(found, dict):
        raise ValueError("not an object")
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()  # lone surrogates, 1e999
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _keys(did_document: Mapping[str, Any]) -> tuple[str, dict[str, EllipticCurvePublicKey]]:
    """The issuer's DID and public keys, by their ids (`did:web:…#thumbprint`)."""
    try:
        did = did_document["id"]
        trusted = did_document["assertionMethod"]
        found = {
            method["id"]: ECAlgorithm.from_jwk(method["publicKeyJwk"])
            for method in did_document["verificationMethod"]
            if method["id"] in trusted and method["id"].startswith(f"{did}#")
        }
        keys = {
            name: key
            for name, key in found.items()
            if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1"
        }
        sound = len(keys) == len(found)
    except (LookupError, TypeError, ValueError, AttributeError, PyJWTError):
        sound = False
    if not sound or not isinstance(did, str):
        raise _Refused(
            Outcome.UNREADABLE,
            "The issuer's list of keys (did.json) is damaged, so nothing can be checked. Get a "
            "fresh copy.",
        )
    return did, keys


def _status_list(jwt: str, did: str, keys: Mapping[str, EllipticCurvePublicKey]) -> _StatusList:
    """The issuer's status list, its own signature checked."""
    try:
        claims = _genuine(jwt.strip(), "JWT", did, keys)
        subject = claims["credentialSubject"]
        bits = decode_encoded_list(subject["encodedList"])
        if (
            "BitstringStatusListCredential" not in claims["type"]
            or subject["statusPurpose"] != PURPOSE
            or len(bits) * 8 < SIZE
        ):
            raise ValueError("another list")
        return _StatusList(claims["id"], bits, _time(claims["nbf"]))
    except (
        *(_Refused, LibOpenBadgesException, LookupError, TypeError, ValueError),
        *(OverflowError, AttributeError, OSError),
    ):
        raise _Refused(
            Outcome.UNREADABLE,
            "The issuer's status list is damaged or not the issuer's, so it cannot be told "
            "whether the certificate was revoked. Get a fresh copy.",
        ) from None


def _facts_of_token(claims: Mapping[str, Any]) -> tuple[None, Facts]:
    try:
        first, last = claims["d"].split("/")
        return None, Facts(
            id=long_id(claims["jti"]),
            name=claims["n"],
            title=claims["t"],
            course=claims["c"],
            hours=float(claims["h"]),
            ec=float(claims["ec"]),
            first_day=date.fromisoformat(first),
            last_day=date.fromisoformat(last),
            issuer=claims["iss"],
            issued=_time(claims["iat"]),
            expires=_time(claims["exp"]) if "exp" in claims else None,
            status_index=int(claims["i"]),
        )
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError, OSError):
        raise _not_ours() from None


def _facts_of_credential(claims: Mapping[str, Any]) -> tuple[str, Facts]:
    try:
        if "OpenBadgeCredential" not in claims["type"]:
            raise ValueError("another kind")
        credential = OpenBadgeCredential.from_jwt_payload(dict(claims))
        subject = claims["credentialSubject"]
        (status,) = credential.credential_status
        (hours, *_), credits = credential.results, credential.credits_earned
        if credential.id is None or credential.name is None or credential.issuance_date is None:
            raise ValueError("without an id, a name or a date")
        if hours.value is None or credits is None:
            raise ValueError("without hours or credits")
        return status["statusListCredential"], Facts(
            id=credential.id,
            name=None,
            title=credential.name,
            course=credential.achievement.name.removesuffix(f": {credential.name}"),
            hours=float(hours.value),
            ec=float(credits),
            first_day=date.fromisoformat(subject["activityStartDate"][:10]),
            last_day=date.fromisoformat(subject["activityEndDate"][:10]),
            issuer=credential.issuer.name,
            issued=credential.issuance_date,
            expires=credential.expiration_date,
            status_index=int(status["statusListIndex"]),
            identities=tuple(credential.identifiers),
            results=tuple(_results(credential)),
        )
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError, OSError):
        raise _not_ours() from None


def _results(credential: OpenBadgeCredential) -> Iterator[str]:
    described = {one.id: one for one in credential.achievement.result_descriptions}
    for result in credential.results[1:]:
        what = described[result.result_description or ""]
        most = f" / {what.value_max}" if what.value_max else ""
        yield f"{what.name} {result.value}{most}"


def _not_ours() -> _Refused:
    return _Refused(
        Outcome.UNREADABLE, "The issuer signed this, but it is not a certificate of a course."
    )


def _time(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _shown(value: Any) -> str:
    """Untrusted text, made harmless and short."""
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:200])
    return text if len(text) <= 80 else text[:79] + "…"
