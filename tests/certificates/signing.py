"""An issuer with two keys, and certificates that it signed; what forgers make of them."""

import base64
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import der_to_raw_signature
from nbcertify.certificate import Certificate
from nbcertify.credential import make_credential
from nbcertify.issuer import Issuer, Signatory
from nbcertify.keys import Key, make_key, public_keys
from nbcertify.pdf import make_pdf
from nbcertify.pdf_signing import pdf_signer
from nbcertify.site import make_did_document
from nbcertify.status import make_status_list
from nbcertify.texts import ENGLISH
from nbcertify.token import address, make_token
from nbcertify.verification import Outcome

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
REVOKED_INDEX = 77
SALT = "2b7e151628aed2a6"

ISSUER = Issuer(
    name="Example Institute",
    did="did:web:certificates.example.org",
    site="https://certificates.example.org/",
    email="certificates@example.org",
    course="Introduction to deep learning",
    description="A hands-on workshop.",
    place="Amsterdam",
    signatories=(Signatory("Robin Example", "Lead instructor"),),
)

CERTIFICATE = Certificate(
    id="urn:uuid:3f2b1c9e-6c1d-4b7a-9a55-0d1c2b3a4f5e",
    tier="exercises",
    title="Certificate of attendance and exercises",
    name="Ada Lovelace",
    email="ada@example.org",
    statement=("Attended all four sessions.", "Reached 99 of 100 points."),
    hours=28.0,
    ec=1.0,
    first_day=date(2026, 3, 2),
    last_day=date(2026, 3, 6),
    issued=NOW,
    expires=None,
    status_index=4711,
)


@dataclass(frozen=True)
class Signing:
    """The keys of an issuer and what it has published."""

    old: Key
    key: Key
    public: tuple[dict, ...]
    did_document: dict
    status_list: str

    def credential(self, key: Key | None = None, issuer: Issuer = ISSUER, **changes) -> str:
        return make_credential(replace(CERTIFICATE, **changes), issuer, key or self.key, SALT)

    def pdf(self, issuer: Issuer = ISSUER, key: Key | None = None, **changes) -> bytes:
        """A signed PDF, as it is handed over."""
        link = address(issuer, self.token(key, issuer, **changes))
        certificate = replace(CERTIFICATE, **changes)
        plain = make_pdf(certificate, issuer, link, self.credential(key, issuer, **changes))
        return pdf_signer(issuer, key or self.key, Path("keys")).sign(plain, ENGLISH)

    def token(self, key: Key | None = None, issuer: Issuer = ISSUER, **changes) -> str:
        return make_token(replace(CERTIFICATE, **changes), issuer, key or self.key)


def make_signing(folder: Path) -> Signing:
    """An issuer that replaced its key a day ago."""
    old = make_key(folder, NOW - timedelta(days=100))
    key = make_key(folder, NOW - timedelta(days=1))
    public = public_keys(folder)
    return Signing(
        old=old,
        key=key,
        public=public,
        did_document=make_did_document(ISSUER, public),
        status_list=make_status_list({REVOKED_INDEX}, ISSUER, key, NOW),
    )


def encoded(data: bytes | dict) -> str:
    """Base64url without padding, of bytes or of an object's JSON."""
    raw = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment: str) -> dict:
    """The object that a segment of a JWS stands for."""
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def claims_of(jwt: str) -> dict:
    """What a JWT claims."""
    return decoded(jwt.split(".")[1])


def header_of(jwt: str) -> dict:
    """What a JWT's header says."""
    return decoded(jwt.split(".")[0])


def with_claims(jwt: str, **changes) -> str:
    """The JWT with other claims and the old signature."""
    header, claims, signature = jwt.split(".")
    return ".".join((header, encoded(decoded(claims) | changes), signature))


def signed(key: Key, claims: dict, **header) -> str:
    """Claims signed by the key with a header that says `header`; None takes a member out."""
    full = {"alg": "ES256", "typ": "JWT", "kid": f"{ISSUER.did}#{key.kid}"} | header
    start = f"{encoded({k: v for k, v in full.items() if v is not None})}.{encoded(claims)}"
    der = key.private.sign(start.encode(), ec.ECDSA(hashes.SHA256()))
    return f"{start}.{encoded(der_to_raw_signature(der, key.private.curve))}"


def mac(secret: bytes, claims: dict, **header) -> str:
    """Claims with an HMAC of the secret, which says that it is a signature."""
    full = {"typ": "JWT", **header, "alg": "HS256"}
    start = f"{encoded(full)}.{encoded(claims)}"
    return f"{start}.{encoded(hmac.digest(secret, start.encode(), 'sha256'))}"


def hostile(signing: Signing, stranger: Key) -> dict[str, tuple[str, Outcome]]:
    """Texts that must never count as valid, and what is to come out: by what is wrong with them."""
    tampered, unknown, unreadable = Outcome.TAMPERED, Outcome.UNKNOWN_ISSUER, Outcome.UNREADABLE
    token, credential = signing.token(), signing.credential()
    claims, short = claims_of(credential), claims_of(token)
    ours, kid = signing.key, f"{ISSUER.did}#{signing.key.kid}"
    pem = ours.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    start, middle, end = token.split(".")
    not_utf8 = b'{"alg":"ES256","typ":"\xff"}'
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    elsewhere = replace(ISSUER, did="did:web:example.com", site="https://example.com/")
    return {
        "another name": (with_claims(token, n="Eve"), tampered),
        "another title": (with_claims(credential, name="Doctorate"), tampered),
        "never expires": (with_claims(signing.token(expires=NOW), exp=2**33), tampered),
        "another's signature": (f"{start}.{middle}.{signing.token(name='Eve')[-86:]}", tampered),
        "alg none": (f"{encoded({'alg': 'none', 'typ': 'C'})}.{middle}.", tampered),
        "alg None": (f"{encoded({'alg': 'None', 'typ': 'JWT', 'kid': kid})}.{middle}.", tampered),
        "alg none, with a signature": (signed(ours, claims, alg="none"), tampered),
        "alg ES384": (signed(ours, claims, alg="ES384"), tampered),
        "alg a list": (signed(ours, claims, alg=["ES256"]), tampered),
        "no alg": (signed(ours, claims, alg=None), tampered),
        "HS256 with the public key": (mac(pem, claims, kid=kid), tampered),
        "HS256 with the JWK": (mac(json.dumps(ours.public).encode(), claims, kid=kid), tampered),
        "our kid, a stranger's key": (signed(stranger, claims, kid=kid), tampered),
        "the old key's kid, the new key": (
            signed(ours, claims, kid=f"{ISSUER.did}#{signing.old.kid}"), tampered
        ),
        "a key in the header": (
            signed(stranger, claims, kid=kid, jwk=stranger.public), tampered
        ),
        "our own key in the header": (signed(ours, claims, jwk=ours.public), tampered),
        "an address of keys": (signed(ours, claims, jku="https://evil.example/"), tampered),
        "a critical extension": (signed(ours, claims, crit=["x"], x=1), tampered),
        "a detached payload": (signed(ours, claims, b64=False, crit=["b64"]), tampered),
        "an unknown key": (signed(stranger, claims, kid=f"{ISSUER.did}#{stranger.kid}"), unknown),
        "a stranger's token": (signing.token(key=stranger), unknown),
        "no kid": (signed(ours, claims, kid=None), unknown),
        "a kid that is a list": (signed(ours, claims, kid=[kid]), unknown),
        "a kid that is empty": (signed(ours, short, kid="", typ="C"), unknown),
        "a kid that is too short": (signed(ours, short, kid=ours.kid[:1], typ="C"), unknown),
        "another issuer": (signing.credential(issuer=elsewhere), unknown),
        "another issuer's token": (signing.token(issuer=elsewhere, key=stranger), unknown),
        "no issuer": (signed(ours, {k: v for k, v in claims.items() if k != "iss"}), unknown),
        "another type": (signed(ours, claims, typ="at+jwt"), unreadable),
        "no type": (signed(ours, claims, typ=None), unreadable),
        "a token as a credential": (signed(ours, short), unreadable),
        "a credential as a token": (
            signed(ours, claims, typ="C", kid=ours.kid[:8]), unreadable
        ),
        "the status list": (signing.status_list, unreadable),
        "half of it": (token[: len(token) // 2], unreadable),
        "half of the signature": (token[:-42], unreadable),
        "four parts": (f"{token}.{end}", unreadable),
        "the signature written otherwise": (
            token[:-1] + last[last.index(token[-1]) | 1], unreadable
        ),
        "a header that is no object": (f"{encoded(b'[]')}.{middle}.{end}", unreadable),
        "a header that is no UTF-8": (f"{encoded(not_utf8)}.{middle}.{end}", unreadable),
        "too large": (f"{start}.{encoded(short | {'n': 'A' * 200_000})}.{end}", unreadable),
        "a place beyond the list": (signing.token(status_index=131_072), unreadable),
        "a place far beyond the list": (signing.credential(status_index=10**12), unreadable),
        "another list": (
            signing.credential(issuer=replace(ISSUER, site="https://example.com/")), unreadable
        ),
        "a day to come": (signing.token(issued=NOW + timedelta(days=50_000)), unreadable),
        "revoked": (signing.token(status_index=REVOKED_INDEX), Outcome.REVOKED),
        "revoked and expired": (
            signing.credential(status_index=REVOKED_INDEX, expires=NOW + timedelta(days=1)),
            Outcome.REVOKED,
        ),
        "expired": (signing.token(expires=NOW + timedelta(days=1)), Outcome.EXPIRED),
        "an expired credential": (
            signing.credential(expires=NOW + timedelta(days=1)), Outcome.EXPIRED
        ),
    }  # fmt: skip
