"""What is published to verify certificates with, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbcertify.errors import CertificateError
from nbcertify.status import LIST_PATH

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
