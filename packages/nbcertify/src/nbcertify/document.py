"""Whether a PDF is a certificate as it was handed over: the answers that the page gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from nbcertify.pdf_verification import Seal, SignerKey, seal_of
from nbcertify.verification import Outcome, Verification, verify_credential, verify_token

_ASK = "Ask the holder for the file as it was handed over."
_WRONG = {
    Seal.CHANGED: "Do not rely on what this file shows: it was changed after it was signed, or "
    f"somebody else signed it. What was issued is told here. {_ASK}",
    Seal.NONE: "Do not rely on what this file shows: it is not signed, as certificates are. What "
    f"was issued is told here. {_ASK}",
}
_MIXED = f"Do not rely on this file: its parts are of different certificates. {_ASK}"


@dataclass(frozen=True)
class Document:
    """What a PDF has of a certificate: nothing of it is trusted.

    `credential` is the signed text that is attached, `tokens` are those in links, of which the QR
    code's address is one, `ids` the certificates that the metadata name; `data` is the file.
    """

    credential: str
    tokens: tuple[str, ...]
    ids: tuple[str, ...]
    data: bytes


def verify_document(
    document: Document,
    did_document: Mapping[str, Any],
    status_list_jwt: str,
    signers: Collection[SignerKey],
    now: datetime,
) -> Verification:
    """Verify a PDF: the credential, that all parts are of it, and that nothing was changed.

    The facts are those of the credential, with the name from the token that the issuer signed.
    """
    found = verify_credential(document.credential, did_document, status_list_jwt, now)
    if found.facts is None:
        return found
    facts = found.facts
    in_links = [verify_token(one, did_document, status_list_jwt, now) for one in document.tokens]
    names = [one.facts.name for one in in_links if one.facts and one.facts.id == facts.id]
    if names:
        found = replace(found, facts=replace(facts, name=names[0]))
    if found.outcome is not Outcome.VALID:
        return found
    if len(names) < len(in_links) or any(one != facts.id for one in document.ids):
        return replace(found, outcome=Outcome.CHANGED, words=_MIXED)
    seal = seal_of(document.data, signers)
    if seal is not Seal.INTACT:
        return replace(found, outcome=Outcome.CHANGED, words=_WRONG[seal])
    words = found.words.partition(" The name is in it only as a hash")[0] if names else found.words
    return replace(found, words=f"{words} The file is as it was signed.")
