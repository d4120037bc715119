"""What certificates take: `gradebook/policy.toml`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nbcertify.attendance.recognition import Recognition, Worth
from nbcertify.errors import CertificateError
from nbcertify.rules import (
    AttendanceRule,
    HandGradedRule,
    Late,
    MinimumRule,
    PointsRule,
    Rule,
)
from nbcertify.sessions import Session
from nbcertify.tiers import Tier, read_tier
from nbcertify.toml_table import Table, read_toml

_MOST_DROPPED = 3
_RULES = ("attendance", "points", "minimum", "hand-graded")


@dataclass(frozen=True)
class Override:
    """A decision by a person, instead of the rules'."""

    student: str
    tier: str
    allow: bool
    reason: str
    author: str
    when: date


@dataclass(frozen=True)
class Policy:
    """A policy file. `digest` is the sha256 (hex) of its bytes, `source` its name in messages.

    `lookup` says whether the published page may find certificates by their numbers.
    """

    sessions: tuple[Session, ...]
    rules: Mapping[str, Rule]
    late: Late
    tiers: tuple[Tier, ...]
    overrides: tuple[Override, ...]
    digest: str
    source: str
    lookup: bool = False
    recognition: Recognition = Recognition()

    @property
    def assignments(self) -> tuple[str, ...]:
        """The assignments that rules look at, in the order in which they are named first."""
        names: dict[str, None] = {}
        for rule in self.rules.values():
            if isinstance(rule, MinimumRule):
                names.update(dict.fromkeys(rule.shares))
            elif not isinstance(rule, AttendanceRule):
                names.update(dict.fromkeys(rule.assignments))
        return tuple(names)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day; `CertificateError` without sessions."""
        days = [session.start.date() for session in self.sessions]
        if not days:
            raise CertificateError(
                f"{self.source}: sessions: is missing: a certificate tells the days of the course"
            )
        return min(days), max(days)

    def tier(self, name: str) -> Tier:
        """The tier of that name; KeyError without one."""
        return {tier.name: tier for tier in self.tiers}[name]


def read_policy(path: Path) -> Policy:
    """Read and check a policy file; `CertificateError` names file, line and key to fix."""
    top = read_toml(path)
    top.only(
        *("timezone", "report_timezone", "sessions", "recognition", "rules", "late", "tiers"),
        *("overrides", "lookup"),
    )
    sessions = tuple(_sessions(top))
    rules = {
        name: _rule(top.table("rules").table(name), name, sessions) for name in top.table("rules")
    }
    if "tiers" not in top or not list(top.table("tiers")):
        raise top.error("tiers", "is missing: there has to be one kind of certificate")
    tiers = tuple(
        read_tier(top.table("tiers").table(name), name, rules) for name in top.table("tiers")
    )
    overrides = tuple(_overrides(top, [tier.name for tier in tiers]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Policy(
        sessions,
        rules,
        _late(top.table("late")),
        tiers,
        overrides,
        digest,
        str(path),
        top.get("lookup", bool, default=False),
        _recognition(top.table("recognition")),
    )


def _sessions(top: Table) -> Iterator[Session]:
    names: set[str] = set()
    reports: dict[str, Session] = {}
    for table in top.tables("sessions"):
        table.only(
            *("name", "date", "start", "end", "breaks", "report", "meeting", "report_timezone")
        )
        zone = _zone(top, "timezone")
        day = table.get("date", date)
        start, end = (datetime.combine(day, table.clock(key), zone) for key in ("start", "end"))
        if end.timestamp() <= start.timestamp():
            raise table.error("end", "must be after the start")
        zoned = next((one for one in (table, top) if "report_timezone" in one), None)
        session = Session(
            table.text("name"),
            start,
            end,
            tuple(_breaks(table, start, end)),
            table.text("report"),
            zone,
            table.text("meeting") if "meeting" in table else "",
            _zone(zoned, "report_timezone") if zoned is not None else None,
        )
        if session.seconds <= 0:
            raise table.error("breaks", "leave nothing of the session")
        if session.name in names:
            raise table.error("name", f"another session has {session.name!r} already")
        names.add(session.name)
        other = reports.setdefault(session.report, session)
        if other is not session and not (other.meeting and session.meeting):
            raise table.error(
                "report",
                f"another session has {session.report!r} already; if it holds several meetings, "
                'name the meeting of each of these sessions: meeting = "812 3456 7890"',
            )
        if Path(session.report).name != session.report:
            raise table.error("report", "must be the name of a file in gradebook/attendance/")
        yield session


def _breaks(table: Table, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    reached = start
    for pair in table.get("breaks", list, []):
        if not isinstance(pair, list) or len(pair) != 2:
            raise table.error("breaks", 'must be a list of pairs such as ["10:30", "10:45"]')
        begin, again = (
            datetime.combine(start.date(), table.as_clock("breaks", one), start.tzinfo)
            for one in pair
        )
        if not reached.timestamp() <= begin.timestamp() < again.timestamp() <= end.timestamp():
            raise table.error("breaks", "must be within the session, one after another")
        yield begin, again
        reached = again


def _zone(table: Table, key: str) -> ZoneInfo:
    name = table.text(key)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise table.error(key, f'must be one such as "Europe/Amsterdam", not {name!r}') from None


def _recognition(table: Table) -> Recognition:
    table.only("name_alone", "other_email")
    alone = _worth(table, "name_alone", Worth.LISTED)
    return Recognition(alone, _worth(table, "other_email", alone))


def _worth(table: Table, key: str, default: Worth) -> Worth:
    said = table.text(key, default)
    if said not in list(Worth):
        raise table.error(key, f"must be one of {', '.join(Worth)}, not {said!r}")
    return Worth(said)


def _rule(table: Table, name: str, sessions: tuple[Session, ...]) -> Rule:
    kind = table.text("kind")
    if kind == "attendance":
        table.only("kind", "sessions", "share", "may_miss")
        every = tuple(session.name for session in sessions)
        if not every:
            raise table.error("kind", "there are no [[sessions]] to attend")
        names = table.names("sessions", every, "session") if "sessions" in table else every
        may_miss = table.whole("may_miss", len(names) - 1, "sessions that may be missed", 0)
        return AttendanceRule(name, names, table.share("share"), may_miss)
    if kind == "points":
        table.only("kind", "assignments", "share", "drop_lowest")
        names = table.names("assignments", None, "assignment")
        most = min(_MOST_DROPPED, len(names) - 1)
        dropped = table.whole("drop_lowest", most, "assignments that are left out", 0)
        return PointsRule(name, names, table.share("share"), dropped)
    if kind == "minimum":
        table.only("kind", "shares")
        shares = table.table("shares")
        if not list(shares):
            raise table.error("shares", "is missing: a share for each assignment")
        return MinimumRule(name, {assignment: shares.share(assignment) for assignment in shares})
    if kind == "hand-graded":
        table.only("kind", "assignments")
        return HandGradedRule(name, table.names("assignments", None, "assignment"))
    raise table.error("kind", f"unknown kind {kind!r}; there are {', '.join(_RULES)}")


def _late(table: Table) -> Late:
    table.only("grace_minutes", "per_day", "last_day")
    return Late(
        60 * table.number("grace_minutes", 0, 10_000, "minutes that are not late yet", 0.0),
        table.share("per_day", 0.0),
        table.number("last_day", 0, 10_000, "days after which nothing counts", math.inf),
    )


def _overrides(top: Table, tiers: list[str]) -> Iterator[Override]:
    seen = set()
    for table in top.tables("overrides"):
        table.only("student", "tier", "decision", "reason", "author", "date")
        student, tier = table.text("student"), table.text("tier")
        if "@" in student:
            raise table.error("student", "must be the id in the gradebook, not an e-mail address")
        if tier not in tiers:
            raise table.error("tier", f"unknown tier {tier!r}; there are {', '.join(tiers)}")
        if (student, tier) in seen:
            raise table.error("student", f"there are two overrides for {student} and {tier}")
        seen.add((student, tier))
        decision = table.text("decision")
        if decision not in ("allow", "deny"):
            raise table.error("decision", f'must be "allow" or "deny", not {decision!r}')
        yield Override(
            student,
            tier,
            decision == "allow",
            table.text("reason"),
            table.text("author"),
            table.get("date", date),
        )
