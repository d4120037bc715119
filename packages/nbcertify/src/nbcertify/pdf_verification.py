"""Whether a PDF is, byte for byte, what the issuer signed. The page has the same rules.

It is stricter than programs that show PDFs: the signature has to cover the whole file, so nothing
may be added after it, harmless as it may be. And nothing of the PDF is parsed for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_NAME = b"/ByteRange"
_RANGE = re.compile(
    rb"/ByteRange\s{0,9}\[\s{0,9}0 {1,9}(\d{1,9}) {1,9}(\d{1,9}) {1,9}(\d{1,9})\s{0,9}\]"
)
_LONGEST = 200_000  # hexadecimal digits of a signature
_DIGEST = "sha256"

SignerKey = EllipticCurvePublicKey | RSAPublicKey


class Seal(StrEnum):
    """What a PDF's signature says of the file."""

    INTACT = "intact"
    CHANGED = "changed"
    NONE = "none"


def seal_of(pdf: bytes, signers: Collection[SignerKey]) -> Seal:
    """Whether the last signature is of one of the `signers`, and covers all of the file."""
    at = pdf.rfind(_NAME)
    if at < 0:
        return Seal.NONE
    found = _RANGE.match(pdf, at)
    if found is None:
        return Seal.CHANGED
    end, start, rest = map(int, found.groups())
    hole = pdf[end:start]
    whole = end < start and start + rest == len(pdf) and hole[:1] == b"<" and hole[-1:] == b">"
    if not whole or len(hole) > _LONGEST:
        return Seal.CHANGED
    try:
        signature = bytes.fromhex(hole[1:-1].decode("ascii"))
    except ValueError:
        return Seal.CHANGED
    digest = sha256(pdf[:end] + pdf[start:]).digest()
    return Seal.INTACT if _is_signed(digest, signature, signers) else Seal.CHANGED


def key_of(certificate: bytes) -> SignerKey:
    """The key of a signer's certificate (DER). ValueError if it is another kind of key."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise ValueError("neither RSA nor an elliptic curve")
    return key


def _is_signed(digest: bytes, signature: bytes, signers: Collection[SignerKey]) -> bool:
    """Whether it is a CMS signature (RFC 5652) of one signer over the digest."""
    from asn1crypto.cms import ContentInfo

    try:
        data = ContentInfo.load(signature)["content"]
        (signer,) = data["signer_infos"]
        attributes = signer["signed_attrs"]
        digests = [
            one["values"][0].native for one in attributes if one["type"].native == "message_digest"
        ]
        if signer["digest_algorithm"]["algorithm"].native != _DIGEST or digests != [digest]:
            return False
        signed = b"\x31" + attributes.dump()[1:]
        value = signer["signature"].native
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return False
    return any(_verifies(key, value, signed) for key in signers)


def _verifies(key: SignerKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
