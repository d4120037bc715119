"""Issuing certificates, revoking them, and publishing what verifies them.

In this order, so that a run may end anywhere and the next one goes on: the list of certificates,
the log, what is handed over, what is published. A certificate is in the log before anybody has it.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbjudge.files import write_atomically

from nbcertify.credential import make_credential
from nbcertify.decisions import Decision, Verdict, decision_digest
from nbcertify.errors import CertificateError
from nbcertify.issued import Issued, person_digest, read_issued, write_issued
from nbcertify.issuer import Issuer
from nbcertify.keys import Key, public_keys, signing_key
from nbcertify.log import Entry, append_all, check_log, read_log
from nbcertify.mail import make_mail, make_refusal
from nbcertify.pdf import make_pdf
from nbcertify.places import Places
from nbcertify.planning import Action, Step, files_of, used_indices
from nbcertify.policy import Override, Policy
from nbcertify.published import published_keys
from nbcertify.roster import Person
from nbcertify.site import write_site
from nbcertify.status import free_index, make_status_list
from nbcertify.token import address, make_token

Event = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Office:
    """All that certificates are issued with: files, policy, issuer, the folder of keys."""

    places: Places
    policy: Policy
    issuer: Issuer
    keys: Path


@dataclass(frozen=True)
class Made:
    """A certificate whose files are there now, or the problem because of which they are not."""

    issued: Issued
    problem: str = ""


def certify(
    office: Office,
    decisions: Sequence[Decision],
    steps: Sequence[Step],
    issued: Sequence[Issued],
    roster: Mapping[str, Person],
    now: datetime,
) -> Iterator[Made]:
    """Do what the steps say; each certificate as soon as it can be handed over.

    `now` is aware, in UTC. A certificate whose files cannot be made stops no other; doing it again
    makes them. Raises `CertificateError` before anything is written if there is no key.
    """
    key = signing_key(office.keys)
    log = require_whole(office.places, issued, now)
    if now.date() < office.policy.days[1]:
        raise CertificateError(
            f"The course ends on {office.policy.days[1]:%Y-%m-%d}, and the clock says "
            f"{now:%Y-%m-%d}: nothing can be certified yet."
        )
    everything, todo = list(issued), []
    decided = {(d.student, d.tier): d for d in decisions}
    for step in steps:
        if step.action is Action.ISSUE:
            decision = decided[step.student, step.tier]
            person = roster[step.student]
            everything.append(_new(office.policy, decision, person, everything, now))
            todo.append(everything[-1])
        elif step.action is Action.REMAKE:
            todo.append(step.issued)
    write_issued(everything, office.places.issued)
    events = unlogged(log, decisions, office.policy.overrides, everything)
    append_all(office.places.log, now, events)
    for one in todo:
        try:
            _hand_over(office, key, one, roster[one.student])
        except CertificateError as error:
            yield Made(one, str(error))
        else:
            yield Made(one)
    publish(office, everything, now)


def record_revocation(office: Office, issued: Sequence[Issued], now: datetime) -> None:
    """Write the list with a certificate revoked, log it, publish the status.

    What was to be handed over of a revoked certificate is removed.
    """
    signing_key(office.keys)
    log = require_whole(office.places, issued, now)
    write_issued(issued, office.places.issued)
    append_all(office.places.log, now, unlogged(log, (), (), issued))
    publish(office, issued, now)
    for one in issued:
        if one.revoked is not None:
            for path in files_of(office.places, one):
                path.unlink(missing_ok=True)


def write_refusals(
    office: Office, decisions: Iterable[Decision], roster: Mapping[str, Person], now: datetime
) -> list[Path]:
    """Write a mail to each who is not eligible for a tier; the files, in order."""
    written = []
    for decision in decisions:
        if decision.verdict not in (Verdict.NOT_ELIGIBLE, Verdict.DENIED):
            continue
        if (person := roster.get(decision.student)) is None:
            continue
        title = office.policy.tier(decision.tier).title
        mail = make_refusal(person, office.issuer, title, list(map(str, decision.reasons)), now)
        path = _refusal(office.places, decision.student, decision.tier)
        _write_private(path, mail)
        written.append(path)
    return written


def verify_log(places: Places, head: str = "") -> tuple[list[str], str]:
    """What is wrong with the log, and a sentence on what it holds with its last line's digest.

    A certificate that is issued or revoked without the log knowing is wrong, too.
    """
    problems = check_log(places.log, head or None)
    if problems:
        return problems, f"{places.log} was changed, or is not whole."
    log, issued = read_log(places.log), read_issued(places.issued)
    problems = [
        f"{places.issued}: {facts['id']} was {event}, and the log does not know"
        for event, facts in unlogged(log, (), (), issued)
    ]
    problems += [f"{places.issued}: {lost}" for lost in _lost(log, issued)]
    if not log:
        return problems, f"{places.log} has no lines."
    return problems, f"{len(log)} lines fit together. The last one's digest: {log[-1].digest}"


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


def publish(office: Office, issued: Iterable[Issued], now: datetime) -> None:
    """Write the folder that is put on the web: keys, status list, page."""
    revoked = [one.status_index for one in issued if one.revoked is not None]
    status = make_status_list(revoked, office.issuer, signing_key(office.keys), now)
    # A key that signed elsewhere, or was lost, still vouches for what it signed.
    keys = {key["kid"]: key for key in published_keys(office.places.site)}
    keys |= {key["kid"]: key for key in public_keys(office.keys)}
    write_site(office.places.site, office.issuer, list(keys.values()), status)


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


def _new(
    policy: Policy, decision: Decision, person: Person, issued: Sequence[Issued], now: datetime
) -> Issued:
    tier = policy.tier(decision.tier)
    first_day, last_day = policy.days
    now, salt = now.replace(microsecond=0), secrets.token_hex(16)
    return Issued(
        uuid.uuid4().urn,
        decision.student,
        tier.name,
        tier.title,
        tier.statement,
        tier.hours,
        tier.ec,
        first_day,
        last_day,
        now,
        _years_later(now, tier.valid_years) if tier.valid_years else None,
        free_index(used_indices(issued), secrets.randbelow),
        salt,
        person_digest(person, salt),
        decision_digest(decision),
    )


def _years_later(when: datetime, years: int) -> datetime:
    try:
        return when.replace(year=when.year + years)
    except ValueError:  # the 29th of February
        return when.replace(year=when.year + years, day=28)


def _hand_over(office: Office, key: Key, one: Issued, person: Person) -> None:
    certificate = one.certificate(person)
    credential = make_credential(certificate, office.issuer, key, one.salt)
    link = address(office.issuer, make_token(certificate, office.issuer, key))
    pdf = make_pdf(certificate, office.issuer, link, credential)
    mail = make_mail(person, certificate, office.issuer, pdf, credential, link)
    for path, data in zip(
        files_of(office.places, one), (pdf, credential.encode(), mail), strict=True
    ):
        _write_private(path, data)
    _refusal(office.places, one.student, one.tier).unlink(missing_ok=True)


def _refusal(places: Places, student: str, tier: str) -> Path:
    return places.people / student / f"{tier}-refusal.eml"


def _write_private(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, data, 0o600)
    except OSError as error:
        raise CertificateError(f"{path}: cannot be written: {error.strerror}") from error
