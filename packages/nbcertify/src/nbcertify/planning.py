"""What issuing certificates will do, before it does anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbcertify.decisions import Decision
from nbcertify.errors import CertificateError
from nbcertify.fonts import check_printable
from nbcertify.issued import Issued
from nbcertify.places import Places
from nbcertify.roster import Person

KINDS = (".pdf", ".jwt", ".eml")


class Action(StrEnum):
    """What is to be done for a student and a tier; the last two need a person."""

    ISSUE = "issue"
    REMAKE = "make its files again"
    KEEP = "issued already"
    BLOCKED = "cannot be issued"
    REVIEW = "look at it"


@dataclass(frozen=True)
class Step:
    """One action and why. `issued` is the certificate that there is already."""

    student: str
    tier: str
    action: Action
    why: str = ""
    issued: Issued | None = None


def plan(
    decisions: Sequence[Decision],
    issued: Sequence[Issued],
    roster: Mapping[str, Person],
    places: Places,
) -> list[Step]:
    """The steps, in the decisions' order; nothing for those who neither get nor have anything."""
    newest = {(one.student, one.tier): one for one in issued}
    decided = {(d.student, d.tier) for d in decisions}
    steps = [
        step
        for decision in decisions
        if (step := _step(decision, newest.get((decision.student, decision.tier)), roster, places))
    ]
    for key, one in newest.items():
        if key not in decided and one.revoked is None and not one.is_purged:
            tiers = {decision.tier for decision in decisions}
            gone = "its tier is" if one.tier not in tiers else "the student is"
            why = f"a certificate was issued, and {gone} not there any more"
            steps.append(Step(*key, Action.REVIEW, why, one))
    return steps


def _step(
    decision: Decision, issued: Issued | None, roster: Mapping[str, Person], places: Places
) -> Step | None:
    who = (decision.student, decision.tier)
    live = issued is not None and issued.revoked is None and not issued.is_purged
    if not decision.granted:
        if not live:
            return None
        why = "; ".join(map(str, decision.reasons))
        return Step(
            *who, Action.REVIEW, f"has a certificate, but is now {decision.verdict}: {why}", issued
        )
    person = roster.get(decision.student)
    if live and person is not None and not issued.is_of(person):
        why = (
            "the roster has another name or address than the certificate was issued to: revoke it "
            "with --replace, or put the roster right"
        )
        return Step(*who, Action.REVIEW, why, issued)
    if live:
        missing = [path.name for path in files_of(places, issued) if not path.exists()]
        if not missing:
            return Step(*who, Action.KEEP, f"on {issued.issued:%Y-%m-%d}", issued)
        if blocked := _obstacle(decision.student, roster):
            return Step(*who, Action.BLOCKED, blocked, issued)
        return Step(*who, Action.REMAKE, f"missing: {', '.join(missing)}", issued)
    if issued is not None and issued.revoked is not None and not issued.revoked.replaced:
        why = f"was revoked on {issued.revoked.when:%Y-%m-%d}: {issued.revoked.reason}"
        return Step(*who, Action.KEEP, why, issued)
    if blocked := _obstacle(decision.student, roster):
        return Step(*who, Action.BLOCKED, blocked)
    return Step(*who, Action.ISSUE, str(decision.verdict))


def _obstacle(student: str, roster: Mapping[str, Person]) -> str:
    """Why no certificate can be made for this student; empty if one can."""
    if student not in roster:
        return "is not in the roster: a certificate needs a name and an e-mail address"
    try:
        check_printable(roster[student].name, f"the name of {student}")
    except CertificateError as error:
        return str(error)
    return ""


def files_of(places: Places, issued: Issued) -> tuple[Path, ...]:
    """What is handed over: the PDF, the credential, the mail."""
    stem = f"{issued.tier}-{issued.id.removeprefix('urn:uuid:')[:8]}"
    return tuple(places.people / issued.student / f"{stem}{kind}" for kind in KINDS)


def used_indices(issued: Collection[Issued]) -> frozenset[int]:
    """The places in the status list that are taken."""
    return frozenset(one.status_index for one in issued)
