"""The log and the list of certificates, held against each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nbcertify.decisions import Decision, decision_digest
from nbcertify.errors import CertificateError
from nbcertify.issued import Issued, read_issued
from nbcertify.log import Entry, check_log, read_log
from nbcertify.places import Places
from nbcertify.policy import Override
from nbcertify.published import published_heads, read_published
from nbcertify.verification import verified_head

Event = tuple[str, dict[str, Any]]
_DIGEST = re.compile(r"[0-9a-f]{64}")


def verify_log(places: Places, site: Path, head: str = "") -> tuple[list[str], list[str]]:
    """What is wrong with the log; and in sentences what it holds, and what was not looked at.

    `head` is a digest noted elsewhere, or a file of signed ones; those in the published folder
    `site` are looked for, too. A certificate that is issued or revoked without the log knowing is
    wrong as well. `CertificateError` if a signed digest is not the issuer's.
    """
    noted = _noted_heads(head, site)
    published = [verified_head(one, read_published(site)[0]) for one in published_heads(site)]
    if problems := check_log(places.log):
        return problems, [f"{places.log} was changed, or is not whole."]
    log, issued = read_log(places.log), read_issued(places.issued)
    problems = [one for wanted in (*noted, *published) for one in check_log(places.log, wanted)]
    problems += [
        f"{places.issued}: {facts['id']} was {event}, and the log does not know"
        for event, facts in unlogged(log, (), (), issued)
    ]
    problems += [f"{places.issued}: {lost}" for lost in _lost(log, issued)]
    if not log:
        return problems, [f"{places.log} has no lines."]
    if problems:
        return problems, [f"{places.log} is not whole, though its {len(log)} lines fit together."]
    said = [f"{len(log)} lines fit together. The last one's digest: {log[-1].digest}"]
    if noted:
        said.append("All up to the noted digest is as it was when the digest was noted.")
    elif published:
        said.append(
            f"It has the {len(published)} digests of {site}. Somebody who can write there and has "
            "the key could have made these anew, too: a copy from the website is better proof. "
            "Give it with --head."
        )
    else:
        said.append(
            "Not looked at: whether the log was rewritten from its start, or shortened at its end. "
            "For this, note the digest where nobody can change it, and give it with --head."
        )
    return problems, said


def _noted_heads(head: str, site: Path) -> list[str]:
    """The digests that were noted: one as it is, or signed ones in a file."""
    if not head:
        return []
    if _DIGEST.fullmatch(head.strip().lower()):
        return [head.strip().lower()]
    try:
        texts = Path(head).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CertificateError(
            f"{head!r} is neither a digest (64 hexadecimal digits) nor a file of signed ones"
        ) from error
    return [verified_head(one, read_published(site)[0]) for one in texts]


def require_whole(places: Places, issued: Iterable[Issued], now: datetime) -> list[Entry]:
    """The log; a list or a log that is not whole, or a clock that went back, is refused."""
    if places.log.exists() and (problems := check_log(places.log)):
        raise CertificateError(
            f"{places.log} was changed, or is not whole: {problems[0]}. Put it back from a backup."
        )
    log = read_log(places.log)
    if log and now < log[-1].when:
        raise CertificateError(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, and {places.log} has a line of "
            f"{log[-1].when:%Y-%m-%d %H:%M}: set the clock right."
        )
    lost = _lost(log, issued)
    if lost:
        more = f"; and {len(lost) - 3} more" if lost[3:] else ""
        raise CertificateError(
            f"{places.issued} is not whole: {'; '.join(lost[:3])}{more}. Put it back from a "
            "backup: without it certificates would be issued twice, and revoked ones be valid."
        )
    return log


def _lost(log: Sequence[Entry], issued: Iterable[Issued]) -> list[str]:
    """What the log knows of certificates, and the list does not."""
    listed = {one.id: one for one in issued}
    lost = []
    for event, certificate in [
        (e.event, e.facts["id"]) for e in log if e.event in ("issued", "revoked")
    ]:
        one = listed.get(certificate)
        if one is None:
            lost.append(f"{certificate} was {event}, and is not in the list")
        elif event == "revoked" and one.revoked is None:
            lost.append(f"{certificate} was revoked, and is not so in the list")
    return lost


def unlogged(
    log: Sequence[Entry],
    decisions: Iterable[Decision],
    overrides: Iterable[Override],
    issued: Iterable[Issued],
) -> list[Event]:
    """What the log has not yet, in the order in which it has to come: pseudonyms only."""
    last = {
        (e.facts["student"], e.facts["tier"]): e.facts["digest"]
        for e in log
        if e.event == "decision"
    }
    there = {(e.event, e.facts["id"]) for e in log if e.event in ("issued", "revoked")}
    said = [e.facts for e in log if e.event == "override"]
    events: list[Event] = []
    for o in overrides:
        facts = {
            "student": o.student,
            "tier": o.tier,
            "allow": o.allow,
            "reason": o.reason,
            "author": o.author,
            "date": o.when.isoformat(),
        }
        if facts not in said:
            events.append(("override", facts))
    for d in decisions:
        digest = decision_digest(d)
        if last.get((d.student, d.tier)) != digest:
            facts = {"student": d.student, "tier": d.tier, "digest": digest}
            events.append(("decision", facts | {"verdict": str(d.verdict)}))
    for one in issued:
        facts = {"id": one.id, "student": one.student, "tier": one.tier}
        if ("issued", one.id) not in there:
            events.append(
                ("issued", facts | {"status_index": one.status_index, "decision": one.decision})
            )
        if (r := one.revoked) is not None and ("revoked", one.id) not in there:
            why = {"reason": r.reason, "author": r.author, "replaced": r.replaced}
            events.append(("revoked", facts | why))
    return events
