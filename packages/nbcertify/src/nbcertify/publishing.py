"""What is put on the web, from the list of certificates and the keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from nbcertify.badge import make_badge
from nbcertify.issued import Issued
from nbcertify.keys import Key, public_keys, signing_key
from nbcertify.log import read_log
from nbcertify.lookup import make_lookup
from nbcertify.office import Office
from nbcertify.places import badge_path
from nbcertify.published import (
    HEADS_PATH,
    SIGNERS_FOLDER,
    published_heads,
    published_keys,
    published_signers,
)
from nbcertify.site import More, write_site
from nbcertify.status import make_status_list
from nbcertify.token import HEAD_TYPE
from nbcertify.verification import claimed_head


def publish(office: Office, issued: Sequence[Issued], now: datetime, signer: bytes) -> None:
    """Write the folder that is put on the web.

    It has keys, status list, page, badges, the certificates (DER) that PDFs are signed with, of
    which `signer` is the present one, and the signed digest of the log's last line, if wanted.
    """
    site, key = office.places.site, signing_key(office.keys)
    revoked = [one.status_index for one in issued if one.revoked is not None]
    status = make_status_list(revoked, office.issuer, key, now)
    # A key that signed elsewhere, or was lost, still vouches for what it signed.
    keys = {one["kid"]: one for one in published_keys(site)}
    keys |= {one["kid"]: one for one in public_keys(office.keys)}
    signers = tuple(dict.fromkeys((signer, *published_signers(site))))
    files = _badges(office, issued) | {
        f"{SIGNERS_FOLDER}/{sha256(one).hexdigest()[:16]}.cer": one for one in signers
    }
    if office.issuer.publish_log_head:
        heads = [*published_heads(site), *_new_head(office, key, now)]
        files[HEADS_PATH] = "".join(f"{head}\n" for head in heads).encode()
    lookup = make_lookup(issued, secrets.token_hex(16)) if office.policy.lookup else None
    more = More(office.texts, signers, lookup, files)
    write_site(site, office.issuer, list(keys.values()), status, more)


def _new_head(office: Office, key: Key, now: datetime) -> list[str]:
    """The log's last line as a signed text, unless that is published already."""
    log = read_log(office.places.log)
    published = [claimed_head(one) for one in published_heads(office.places.site)]
    if not log or log[-1].digest in published:
        return []
    claims = {"iss": office.issuer.did, "iat": int(now.timestamp()), "head": log[-1].digest}
    return [key.sign(claims, {"typ": HEAD_TYPE, "kid": f"{office.issuer.did}#{key.kid}"})]


def _badges(office: Office, issued: Iterable[Issued]) -> dict[str, bytes]:
    """The badges of all tiers in all their languages, and of all that was issued."""
    titles = {(one.tier, one.language): one.title for one in issued}
    for tier in office.policy.tiers:
        for language in (tier.language, *tier.others):
            titles[tier.name, language] = tier.in_language(language).title
    accent = office.issuer.style.accent
    badges = {}
    for (tier_name, language), title in titles.items():
        names = office.issuer.in_language(language)
        badge = make_badge(title, names.course, names.name, accent, language)
        badges[badge_path(tier_name, language)] = badge
    return badges
