"""Who may have which certificate, who may not, and who cannot be told yet.

`decide` is a pure function of a policy and of what is known of each student. `to_bytes` writes its
decisions down, the same bytes for the same inputs; `to_rows` makes a table of them.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from nbcertify.attendance import Attended
from nbcertify.errors import CertificateError
from nbcertify.policy import Override, Policy
from nbcertify.results import Result
from nbcertify.rules import Finding, Remark, Standing, State, all_of, any_of
from nbcertify.tiers import Needs, Tier


class Verdict(StrEnum):
    """What is said of a student and a tier; the last two are a person's, not the rules'."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not eligible"
    UNDECIDED = "undecided"
    ALLOWED = "overridden: allowed"
    DENIED = "overridden: denied"


_VERDICTS = {
    State.MET: Verdict.ELIGIBLE,
    State.MISSED: Verdict.NOT_ELIGIBLE,
    State.OPEN: Verdict.UNDECIDED,
}


@dataclass(frozen=True)
class Decision:
    """The verdict on one student in one tier, and what every rule of the tier came to.

    `by_rules` is what the rules alone came to.
    """

    student: str
    tier: str
    verdict: Verdict
    by_rules: State
    findings: tuple[Finding, ...]
    override: Override | None = None

    @property
    def granted(self) -> bool:
        """Whether there is to be a certificate."""
        return self.verdict in (Verdict.ELIGIBLE, Verdict.ALLOWED)

    @property
    def reasons(self) -> tuple[Remark, ...]:
        """What decided: an override, or the rules that came to what the verdict is.

        Each reason is said once, about all assignments or sessions that it holds for.
        """
        said = []
        if (o := self.override) is not None:
            what = "allowed" if o.allow else "denied"
            said.append(Remark("", f"{what} by {o.author} on {o.when:%Y-%m-%d}: {o.reason}"))
        for finding in self.findings:
            if finding.state is self.by_rules:
                said += finding.remarks
        left = [one for number, one in enumerate(said) if not _is_said(one, number, said)]
        about: dict[str, list[str]] = {}
        for one in left:
            about.setdefault(one.text, []).append(one.about)
        return tuple(Remark(", ".join(filter(None, of)), text) for text, of in about.items())


@dataclass(frozen=True)
class Evidence:
    """The sha256 (hex) of all that decisions follow from.

    `reports` has one for each report and for the aliases. `remarks` are sentences that concern all:
    doubts about a report, participants that were put aside, with the reason.
    """

    policy: str
    results: str
    attendance: str
    reports: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def decide(
    policy: Policy,
    results: Iterable[Result],
    attended: Iterable[Attended],
    students: Iterable[str] = (),
) -> list[Decision]:
    """One decision for each student and tier, in the order of the students' ids.

    Decided on are `students`, and everybody of whom results or presence are known; presence that
    is not known is open. `CertificateError` if an override names nobody of these.
    """
    standings = _standings(policy, results, attended, students)
    for override in policy.overrides:
        if override.student not in standings:
            raise CertificateError(
                f"{policy.source}: overrides: there is no student {override.student!r} in the "
                "roster, in the gradebook or in submitted/. Write the id as it is there, or take "
                "the override out"
            )
    overrides = {(o.student, o.tier): o for o in policy.overrides}
    decisions = []
    for student in sorted(standings):
        findings = {name: rule.judge(standings[student]) for name, rule in policy.rules.items()}
        for tier in policy.tiers:
            overriding = overrides.get((student, tier.name))
            decisions.append(_decide(student, tier, findings, overriding))
    return decisions


def _is_said(remark: Remark, number: int, others: Sequence[Remark]) -> bool:
    """Whether another remark says the same, or the same and more."""
    return any(
        remark.about == other.about
        and remark.text in other.text
        and (remark.text != other.text or at < number)
        for at, other in enumerate(others)
        if at != number
    )


def _standings(
    policy: Policy,
    results: Iterable[Result],
    attended: Iterable[Attended],
    students: Iterable[str],
) -> dict[str, Standing]:
    reached: dict[str, dict[str, Result]] = defaultdict(dict)
    there: dict[str, dict[str, Attended]] = defaultdict(dict)
    for result in results:
        if result.assignment in reached[result.student]:
            raise ValueError(f"two results for {result.student} in {result.assignment}")
        reached[result.student][result.assignment] = policy.late.apply(result)
    for one in attended:
        if one.session in there[one.student]:
            raise ValueError(f"{one.student} attended {one.session} twice")
        there[one.student][one.session] = one
    standings = {}
    for student in {*reached, *there, *students}:
        for name in policy.assignments:
            if name not in reached[student]:
                raise ValueError(f"no result for {student} in {name}")
        for session in policy.sessions:
            unknown = Attended(
                student, session.name, 0.0, session.seconds, session.seconds, "not in the roster"
            )
            there[student].setdefault(session.name, unknown)
        standings[student] = Standing(student, reached[student], there[student])
    return standings


def _decide(
    student: str, tier: Tier, findings: Mapping[str, Finding], override: Override | None
) -> Decision:
    state = _come_to(tier.needs, findings)
    verdict = _VERDICTS[state]
    if override is not None:
        verdict = Verdict.ALLOWED if override.allow else Verdict.DENIED
    own = tuple(findings[name] for name in dict.fromkeys(tier.needs.rules()))
    return Decision(student, tier.name, verdict, state, own, override)


def _come_to(needs: Needs, findings: Mapping[str, Finding]) -> State:
    states = [
        _come_to(one, findings) if isinstance(one, Needs) else findings[one].state
        for one in needs.of
    ]
    return all_of(states) if needs.kind == "all" else any_of(states)


def make_evidence(
    policy: Policy,
    results: Sequence[Result],
    attended: Sequence[Attended],
    reports: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> Evidence:
    """The digests of what was decided on, and what is to be said of it."""
    return Evidence(
        policy.digest,
        _digest(results),
        _digest(attended),
        dict(sorted(reports.items())),
        tuple(remarks),
    )


def _digest(rows: Sequence[Result] | Sequence[Attended]) -> str:
    # `vars` of dataclasses without others in them is `asdict`, many times faster.
    text = json.dumps([vars(row) for row in rows], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def decision_digest(decision: Decision) -> str:
    """The sha256 (hex) of one decision with all its reasons."""
    return hashlib.sha256(_to_json(decision).encode()).hexdigest()


def to_bytes(decisions: Iterable[Decision], evidence: Evidence) -> bytes:
    """The decision file: JSON, one decision a line, the same bytes for the same inputs."""
    head = json.dumps(asdict(evidence), sort_keys=True, indent=1)
    lines = ",\n".join(map(_to_json, decisions))
    return f'{{"evidence": {head},\n"decisions": [\n{lines}\n]}}\n'.encode()


def _to_json(decision: Decision) -> str:
    content: dict[str, Any] = {
        "student": decision.student,
        "tier": decision.tier,
        "verdict": str(decision.verdict),
        "rules": [asdict(finding) for finding in decision.findings],
    }
    if (override := decision.override) is not None:
        content["override"] = asdict(override) | {"when": override.when.isoformat()}
        content["by_rules"] = str(decision.by_rules)
    return json.dumps(content, ensure_ascii=False)


def to_rows(decisions: Iterable[Decision]) -> list[tuple[str, ...]]:
    """A table: its headings, then student, tier, verdict and the reasons in words of each."""
    rows = [(d.student, d.tier, str(d.verdict), "; ".join(map(str, d.reasons))) for d in decisions]
    return [("student", "tier", "verdict", "why"), *rows]
