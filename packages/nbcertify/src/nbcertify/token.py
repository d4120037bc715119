"""The token of the QR code: what is on the paper, signed, and short.

A JWT (ES256) whose header has `kid`, the first characters of the key's thumbprint, and `typ`
"C", so that nothing else that the key signed can pass for it. Its claims:

    iss, iat, exp   as in RFC 7519; without exp it does not expire
    jti             the 16 bytes of the certificate's UUID, in base64url
    n t c           name, title, course
    h ec            hours, credits
    d               first and last day: 2026-03-02/2026-03-06
    i               its place in the status list
"""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode

from nbcertify.certificate import Certificate
from nbcertify.issuer import Issuer
from nbcertify.keys import Key

TYPE = "C"
KID_CHARACTERS = 8
# What signs the digest of the log's last line.
HEAD_TYPE = "log-head"


def make_token(certificate: Certificate, issuer: Issuer, key: Key) -> str:
    """The certificate as a token; the same arguments give the same text."""
    claims = {
        "iss": issuer.did,
        "jti": _short(certificate.id),
        "iat": int(certificate.issued.timestamp()),
        "n": certificate.name,
        "t": certificate.title,
        "c": issuer.course,
        "h": _number(certificate.hours),
        "ec": _number(certificate.ec),
        "d": f"{certificate.first_day}/{certificate.last_day}",
        "i": certificate.status_index,
    }
    if certificate.expires is not None:
        claims["exp"] = int(certificate.expires.timestamp())
    return key.sign(claims, {"typ": TYPE, "kid": key.kid[:KID_CHARACTERS]})


def address(issuer: Issuer, token: str) -> str:
    """Where the token is checked. What follows the # is never sent to a server."""
    return f"{issuer.site}verify/#{token}"


def long_id(jti: str) -> str:
    """The certificate's id: what was made short. ValueError if it is not one."""
    return uuid.UUID(bytes=urlsafe_b64decode(jti + "==")).urn


def _short(urn: str) -> str:
    return urlsafe_b64encode(uuid.UUID(urn).bytes).rstrip(b"=").decode()


def _number(value: float) -> int | float:
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
