"""Which certificates are revoked: a Bitstring Status List, https://www.w3.org/TR/vc-bitstring-status-list/."""

from __future__ import annotations

import gzip
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from datetime import datetime

from openbadgeslib.ob3 import build_status_list_credential, decode_encoded_list

from nbcertify.errors import CertificateError
from nbcertify.issuer import Issuer
from nbcertify.keys import Key

PURPOSE = "revocation"
# The least that the standard allows: among so many, an index says nothing of whose it is.
SIZE = 131_072
LIST_PATH = "status/1.jwt"


def list_address(issuer: Issuer) -> str:
    """Where the list is published; each credential names it."""
    return issuer.site + LIST_PATH


def make_status_list(revoked: Collection[int], issuer: Issuer, key: Key, now: datetime) -> str:
    """The signed list (a VC-JWT) of `now`, in which the indices `revoked` are set.

    It names no end of its validity: certificates outlive the workshop, and nobody might be there
    to renew it. Whoever checks says how old the list is.

    `CertificateError` for an index outside the list.
    """
    for index in revoked:
        if not 0 <= index < SIZE:
            raise CertificateError(
                f"Status index {index} is outside the status list, which has 0 to {SIZE - 1}. "
                "The record of issued certificates is damaged: put it back from a backup."
            )
    payload = build_status_list_credential(
        issuer.did, list_address(issuer), PURPOSE, revoked, SIZE, issued=now
    )
    subject = payload["credentialSubject"]
    subject["encodedList"] = _without_time(subject["encodedList"])
    payload |= {"iss": payload["issuer"], "jti": payload["id"], "nbf": int(now.timestamp())}
    return key.sign(payload, {"kid": f"{issuer.did}#{key.kid}"})


def free_index(used: Collection[int], draw: Callable[[int], int]) -> int:
    """An index that is not in `used`, each as likely as any other.

    `draw(n)` gives a random number from 0 to n - 1, as `secrets.randbelow` does. Numbers in order
    would tell who got a certificate together with whom. `CertificateError` if none is free.
    """
    taken = sorted(set(used))
    if len(taken) >= SIZE:
        raise CertificateError(f"All {SIZE} places of the status list are taken.")
    index = draw(SIZE - len(taken))
    for one in taken:
        if one > index:
            break
        index += 1
    return index


def _without_time(encoded: str) -> str:
    """The same list without the time at which gzip packed it, so that bytes repeat."""
    packed = gzip.compress(decode_encoded_list(encoded), mtime=0)
    return "u" + urlsafe_b64encode(packed).rstrip(b"=").decode()
