"""What is published to verify certificates with, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import InvalidKeyError

from nbcertify.errors import CertificateError
from nbcertify.pdf_verification import SignerKey, key_of
from nbcertify.status import LIST_PATH

HEADS_PATH = "log/heads.txt"
SIGNERS_FOLDER = "pdf-signers"
_DID_PATHS = (".well-known/did.json", "did.json")


def published_keys(site: Path) -> list[dict[str, Any]]:
    """The public keys (JWK) that are published already; none where nothing is."""
    if not any((site / path).exists() for path in _DID_PATHS):
        return []
    document, _ = read_published(site)
    try:
        return [dict(method["publicKeyJwk"]) for method in document["verificationMethod"]]
    except (LookupError, TypeError, ValueError) as error:
        raise CertificateError(
            f"{site}: its did.json cannot be read: {error!r}. Put it back from a backup."
        ) from error


def published_signers(site: Path) -> list[bytes]:
    """The certificates (DER) that are published as those of PDFs' signers."""
    try:
        return [path.read_bytes() for path in sorted((site / SIGNERS_FOLDER).glob("*.cer"))]
    except OSError as error:
        raise CertificateError(f"{site}: cannot be read: {error}") from error


def signer_keys(site: Path, did_document: Mapping[str, Any]) -> list[SignerKey]:
    """The keys that PDFs may be signed with: the issuer's own, and those of given certificates."""
    try:
        own = [
            ECAlgorithm.from_jwk(method["publicKeyJwk"])
            for method in did_document["verificationMethod"]
        ]
        given = [key_of(one) for one in published_signers(site)]
    except (LookupError, TypeError, ValueError, InvalidKeyError) as error:
        raise CertificateError(
            f"{site}: its keys cannot be read: {error!r}. Get a fresh copy."
        ) from error
    return [key for key in (*own, *given) if isinstance(key, EllipticCurvePublicKey | RSAPublicKey)]


def published_heads(site: Path) -> list[str]:
    """The signed digests of the log, one of each time that there was something to publish."""
    try:
        return (site / HEADS_PATH).read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise CertificateError(f"{site / HEADS_PATH}: cannot be read: {error}") from error


def read_published(site: Path) -> tuple[dict[str, Any], str]:
    """The issuer's DID document and the signed status list in the folder `site`.

    `CertificateError` if one of them is missing or cannot be read.
    """
    did = next((site / path for path in _DID_PATHS if (site / path).exists()), None)
    if did is None:
        raise CertificateError(
            f"{site}: has no did.json. It is the folder that `dlcourse certify` writes; name "
            "another with --site."
        )
    try:
        document = json.loads(did.read_text(encoding="utf-8"))
        status = (site / LIST_PATH).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CertificateError(f"{site}: cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise CertificateError(f"{did}: is no DID document")
    return document, status
