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

from nbjudge.files import write_atomically

from nbcertify.badge import make_badge, with_credential
from nbcertify.certificate import Reached
from nbcertify.credential import make_credential
from nbcertify.decisions import Decision, Verdict, decision_digest
from nbcertify.errors import CertificateError
from nbcertify.issued import Issued, person_digest, write_issued
from nbcertify.keys import Key, signing_key
from nbcertify.ledger import require_whole, unlogged
from nbcertify.log import append_all
from nbcertify.mail import make_mail, make_refusal
from nbcertify.office import Office
from nbcertify.pdf import make_pdf
from nbcertify.pdf_signing import PdfSigner, pdf_signer
from nbcertify.places import Places
from nbcertify.planning import Action, Remake, Step, files_of, language_of, used_indices
from nbcertify.publishing import publish
from nbcertify.results import Result
from nbcertify.roster import Person
from nbcertify.rules import Remark
from nbcertify.status import free_index
from nbcertify.texts import DEFAULT, Texts
from nbcertify.tiers import Tier
from nbcertify.token import address, make_token


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
    results: Iterable[Result] = (),
) -> Iterator[Made]:
    """Do what the steps say; each certificate as soon as it can be handed over.

    `now` is aware, in UTC; `results` are for the tiers whose credentials have points. A certificate
    whose files cannot be made stops no other; doing it again makes them. Raises `CertificateError`
    before anything is written if there is no key.
    """
    key = signing_key(office.keys)
    signer = pdf_signer(office.issuer, key, office.keys)
    log = require_whole(office.places, issued, now)
    if now.date() < office.policy.days[1]:
        raise CertificateError(
            f"The course ends on {office.policy.days[1]:%Y-%m-%d}, and the clock says "
            f"{now:%Y-%m-%d}: nothing can be certified yet."
        )
    everything, todo = list(issued), []
    decided = {(d.student, d.tier): d for d in decisions}
    reached = _reached(office, results)
    for step in steps:
        if step.action is Action.ISSUE:
            decision = decided[step.student, step.tier]
            person = roster[step.student]
            tier = office.policy.tier(step.tier)
            points = reached.get(step.student, ()) if tier.results else ()
            everything.append(_new(office, tier, decision, person, everything, points, now))
            todo.append(everything[-1])
        elif isinstance(step, Remake):
            todo.append(step.issued)
    write_issued(everything, office.places.issued)
    events = unlogged(log, decisions, office.policy.overrides, everything)
    append_all(office.places.log, now, events)
    for one in todo:
        try:
            _hand_over(office, key, signer, one, roster[one.student])
        except CertificateError as error:
            yield Made(one, str(error))
        else:
            yield Made(one)
    publish(office, everything, now, signer.certificate)


def record_revocation(office: Office, issued: Sequence[Issued], now: datetime) -> None:
    """Write the list with a certificate revoked, log it, publish the status.

    What was to be handed over of a revoked certificate is removed.
    """
    signer = pdf_signer(office.issuer, signing_key(office.keys), office.keys)
    log = require_whole(office.places, issued, now)
    write_issued(issued, office.places.issued)
    append_all(office.places.log, now, unlogged(log, (), (), issued))
    publish(office, issued, now, signer.certificate)
    for one in issued:
        if one.revoked is not None:
            for path in files_of(office.places, one):
                path.unlink(missing_ok=True)


def write_refusals(
    office: Office, decisions: Iterable[Decision], roster: Mapping[str, Person], now: datetime
) -> list[Path]:
    """Write a mail to each who is not eligible for a tier, and log it; the files, in order."""
    written, events = [], []
    for decision in decisions:
        if decision.verdict not in (Verdict.NOT_ELIGIBLE, Verdict.DENIED):
            continue
        if (person := roster.get(decision.student)) is None:
            continue
        tier = office.policy.tier(decision.tier)
        texts = office.texts.get(language_of(person, tier), office.texts[tier.language])
        words = tier.in_language(texts.language)
        issuer = office.issuer.in_language(texts.language)
        reasons = [_in_words(remark, texts) for remark in decision.reasons]
        mail = make_refusal(person, issuer, words.title, reasons, now, texts)
        path = _refusal(office.places, decision.student, decision.tier)
        _write_private(path, mail)
        written.append(path)
        facts = {"student": decision.student, "tier": decision.tier}
        events.append(("refusal written", facts | {"decision": decision_digest(decision)}))
    if events:
        append_all(office.places.log, now, events)
    return written


def _in_words(remark: Remark, texts: Texts) -> str:
    text = texts.reason(remark.text)
    return f"{texts.reason(remark.about)}: {text}" if remark.about else text


def _reached(office: Office, results: Iterable[Result]) -> dict[str, tuple[Reached, ...]]:
    """The points of each student, lateness taken off; what is still open is left out."""
    reached: dict[str, tuple[Reached, ...]] = {}
    for result in map(office.policy.late.apply, results):
        if result.low == result.high:
            one = Reached(result.assignment, result.low, result.possible)
            reached[result.student] = (*reached.get(result.student, ()), one)
    return reached


def _new(
    office: Office,
    tier: Tier,
    decision: Decision,
    person: Person,
    issued: Sequence[Issued],
    results: tuple[Reached, ...],
    now: datetime,
) -> Issued:
    language = language_of(person, tier)
    words = tier.in_language(language)
    first_day, last_day = office.policy.days
    now, salt = now.replace(microsecond=0), secrets.token_hex(16)
    return Issued(
        uuid.uuid4().urn,
        decision.student,
        tier.name,
        words.title,
        words.statement,
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
        language=language,
        mail=words.mail,
        criteria=words.criteria,
        results=results,
        alignment=tier.alignment,
    )


def _years_later(when: datetime, years: int) -> datetime:
    try:
        return when.replace(year=when.year + years)
    except ValueError:  # the 29th of February
        return when.replace(year=when.year + years, day=28)


def _hand_over(office: Office, key: Key, signer: PdfSigner, one: Issued, person: Person) -> None:
    certificate = one.certificate(person)
    texts = office.texts.get(one.language, office.texts[DEFAULT])
    issuer = office.issuer.in_language(one.language)
    credential = make_credential(certificate, issuer, key, one.salt, texts)
    link = address(issuer, make_token(certificate, issuer, key))
    pdf = signer.sign(make_pdf(certificate, issuer, link, credential, texts), texts)
    picture = make_badge(one.title, issuer.course, issuer.name, issuer.style.accent, one.language)
    badge = with_credential(picture, credential)
    mail = make_mail(person, certificate, issuer, pdf, credential, link, badge, texts)
    for path, data in zip(
        files_of(office.places, one), (pdf, credential.encode(), badge, mail), strict=True
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
