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
from nbcertify.policy import Policy
from nbcertify.roster import Person
from nbcertify.tiers import Tier

KINDS = (".pdf", ".jwt", ".png", ".eml")


class Action(StrEnum):
    """What is to be done for a student and a tier; the last two need a person."""

    ISSUE = "issue"
    REMAKE = "make its files again"
    KEEP = "issued already"
    BLOCKED = "cannot be issued"
    REVIEW = "look at it"


@dataclass(frozen=True)
class Step:
    """One action and why."""

    student: str
    tier: str
    action: Action
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Remake(Step):
    """Files of the certificate `issued`, which was issued already, are made again."""

    action: Action = Action.REMAKE
    issued: Issued


def plan(
    decisions: Sequence[Decision],
    issued: Sequence[Issued],
    roster: Mapping[str, Person],
    places: Places,
    policy: Policy,
    languages: Collection[str],
) -> list[Step]:
    """The steps, in the decisions' order; nothing for those who neither get nor have anything.

    `languages` are those that there are texts for.
    """
    newest = {(one.student, one.tier): one for one in issued}
    checks = _Checks(roster, places, policy, languages, issued)
    decided = {(d.student, d.tier) for d in decisions}
    steps = [
        step
        for decision in decisions
        if (step := _step(decision, newest.get((decision.student, decision.tier)), checks))
    ]
    for key, one in newest.items():
        if key not in decided and one.revoked is None and not one.is_purged:
            tiers = {decision.tier for decision in decisions}
            gone = "its tier is" if one.tier not in tiers else "the student is"
            why = f"a certificate was issued, and {gone} not there any more"
            steps.append(Step(*key, Action.REVIEW, why))
    return steps


@dataclass(frozen=True)
class _Checks:
    """What a step is looked at with."""

    roster: Mapping[str, Person]
    places: Places
    policy: Policy
    languages: Collection[str]
    issued: Sequence[Issued]

    def obstacle(self, decision: Decision) -> str:
        """Why no certificate can be made for this student; empty if one can."""
        person = self.roster.get(decision.student)
        if person is None:
            return "is not in the roster: a certificate needs a name and an e-mail address"
        try:
            check_printable(person.name, f"the name of {decision.student}")
            tier = self.policy.tier(decision.tier)
            language = language_of(person, tier)
            tier.in_language(language)
        except CertificateError as error:
            return str(error)
        if language not in self.languages:
            return (
                f"there are no texts in the language {language!r}: put {language}.toml into "
                f"{self.places.texts}"
            )
        return ""

    def purged(self, decision: Decision) -> str:
        """The certificates that a purged person of the same id still has, in words."""
        said = [
            f"{one.id.removeprefix('urn:uuid:')[:8]} of {one.issued:%Y-%m-%d}"
            + (" (revoked)" if one.revoked else " (valid)")
            for one in self.issued
            if one.is_purged and (one.student, one.tier) == (decision.student, decision.tier)
        ]
        if not said:
            return ""
        return (
            f"; a second one beside {', '.join(said)}, which was issued under this id before a "
            "purge: revoke that one if it is the same person"
        )


def language_of(person: Person, tier: Tier) -> str:
    """The language in which this person gets a certificate of this tier."""
    return person.language or tier.language


def _step(decision: Decision, issued: Issued | None, checks: _Checks) -> Step | None:
    roster, places = checks.roster, checks.places
    who = (decision.student, decision.tier)
    held = issued is not None and issued.revoked is None and not issued.is_purged
    live = issued if held else None
    if not decision.granted:
        if live is None:
            return None
        why = "; ".join(map(str, decision.reasons))
        return Step(*who, Action.REVIEW, f"has a certificate, but is now {decision.verdict}: {why}")
    person = roster.get(decision.student)
    if live is not None and person is not None and not live.is_of(person):
        why = (
            "the roster has another name or address than the certificate was issued to: revoke it "
            "with --replace, or put the roster right"
        )
        return Step(*who, Action.REVIEW, why)
    if live is not None:
        missing = [path.name for path in files_of(places, live) if not path.exists()]
        if not missing:
            return Step(*who, Action.KEEP, f"on {live.issued:%Y-%m-%d}")
        if blocked := checks.obstacle(decision):
            return Step(*who, Action.BLOCKED, blocked)
        return Remake(*who, why=f"missing: {', '.join(missing)}", issued=live)
    if issued is not None and issued.revoked is not None and not issued.revoked.replaced:
        why = f"was revoked on {issued.revoked.when:%Y-%m-%d}: {issued.revoked.reason}"
        return Step(*who, Action.KEEP, why)
    if blocked := checks.obstacle(decision):
        return Step(*who, Action.BLOCKED, blocked)
    return Step(*who, Action.ISSUE, f"{decision.verdict}{checks.purged(decision)}")


def files_of(places: Places, issued: Issued) -> tuple[Path, ...]:
    """What is handed over: the PDF, the credential, the badge, the mail."""
    stem = f"{issued.tier}-{issued.id.removeprefix('urn:uuid:')[:8]}"
    return tuple(places.people / issued.student / f"{stem}{kind}" for kind in KINDS)


def used_indices(issued: Collection[Issued]) -> frozenset[int]:
    """The places in the status list that are taken."""
    return frozenset(one.status_index for one in issued)
