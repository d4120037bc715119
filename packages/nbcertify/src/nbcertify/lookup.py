"""Finding a certificate by its number on the published page, without a server.

What is published is a table from salted hashes of numbers to sealed entries. A number is a random
UUID: nobody finds one by trying, and without it neither the hash nor the entry says anything. An
entry, opened with the number, has the title, the day, and the place in the status list; no name.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nbcertify.issued import Issued

_NONCE = 12  # bytes


@dataclass(frozen=True)
class Lookup:
    """The table, as the page has it: hashes in hex, entries in base64, each after its nonce."""

    salt: str
    entries: Mapping[str, str]


def make_lookup(issued: Iterable[Issued], salt: str) -> Lookup:
    """The table of all certificates that were issued, sorted so that it tells no order.

    A certificate of a purged person is in it as long as it counts.
    """
    entries = dict(_entry(one, salt) for one in issued)
    return Lookup(salt, dict(sorted(entries.items())))


def _entry(one: Issued, salt: str) -> tuple[str, str]:
    number = one.id.removeprefix("urn:uuid:")
    content = {"t": one.title, "d": int(one.issued.timestamp()), "i": one.status_index}
    if one.expires is not None:
        content["e"] = int(one.expires.timestamp())
    data = json.dumps(content, ensure_ascii=False).encode()
    # The same entry has the same nonce, another one under the same key has not.
    nonce = sha256(salt.encode() + data).digest()[:_NONCE]
    sealed = AESGCM(_digest("key", salt, number)).encrypt(nonce, data, None)
    return _digest("name", salt, number).hex(), b64encode(nonce + sealed).decode()


def _digest(purpose: str, salt: str, number: str) -> bytes:
    return sha256(f"{purpose} {salt} {number}".encode()).digest()
