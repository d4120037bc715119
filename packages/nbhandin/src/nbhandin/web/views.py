"""What the pages show, as plain values: no request and no template is needed to make them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbcertify.decisions import Verdict
from nbcertify.issued import read_issued
from nbcertify.places import Places as CertificatePlaces
from nbcertify.planning import files_of
from nbcertify.policy import read_policy
from nbjudge.errors import NbjudgeError

from nbhandin.attempts import Attempt, Graded, NotGraded, counting
from nbhandin.desk import Desk
from nbhandin.standing import Standing
from nbhandin.texts import say

FILTERS = ("all", "waiting", "not_graded", "to_read", "missing")


@dataclass(frozen=True)
class Cell:
    """One student's exercise: ``kind`` is a word for styles and filters."""

    assignment: str
    kind: str
    text: str
    points: str
    due: str
    late: str
    attempts: tuple[Attempt, ...]
    counts: int


def cell(desk: Desk, standing: Standing, student: str, assignment: str) -> Cell:
    """How far one student's exercise is."""
    own = desk.attempts.of(student, assignment)
    counted = counting(own, desk.settings.counts)
    has = standing.points.get((student, assignment))
    kind, text = "missing", say("student.none")
    if own:
        kind, text = _state(desk, own)
    elif has is not None:
        kind, text = "graded", say("class.elsewhere")
    points, late = "", ""
    if has is not None and (counted is None or isinstance(counted.state, Graded)):
        possible = standing.possible.get(assignment, 0.0)
        points = say("student.of", points=f"{has.certain:g}", possible=f"{possible:g}")
        if has.waiting:
            points += f" ({say('student.to_read', count=has.waiting)})"
            kind = "to_read" if kind == "graded" else kind
        if has.late_seconds > 0:
            late = say("student.late", hours=f"{has.late_seconds / 3600:.1f}")
    due = standing.due.get(assignment)
    shown = show_time(desk, due) if due else say("student.no_due")
    counts = counted.number if counted else 0
    return Cell(assignment, kind, text, points, shown, late, tuple(reversed(own)), counts)


def _state(desk: Desk, own: Sequence[Attempt]) -> tuple[str, str]:
    if any(one.number in desk.grader.running for one in own):
        return "waiting", say("student.running")
    pending = [one for one in own if one.is_pending]
    if pending:
        if all(one.again for one in pending):
            return "waiting", say("student.again")
        ahead = desk.waiting_before(pending[0].number)
        key = "student.received_ahead" if ahead else "student.received"
        return "waiting", say(key, ahead=ahead)
    counted = counting(own, desk.settings.counts)
    if counted is not None and isinstance(counted.state, NotGraded):
        return "not_graded", say("student.not_graded")
    return "graded", say("student.graded")


def assignments(desk: Desk, standing: Standing) -> list[str]:
    """The released exercises, in the order in which they are due."""
    latest = datetime.max.replace(tzinfo=UTC)
    return sorted(standing.possible, key=lambda name: (standing.due.get(name, latest), name))


@dataclass(frozen=True)
class Row:
    """A student in the instructor's table."""

    student: str
    name: str
    link: str
    cells: tuple[Cell, ...]


def class_rows(desk: Desk, standing: Standing, wanted: str) -> list[Row]:
    """The students that a filter shows, sorted."""
    names = assignments(desk, standing)
    roster = desk.roster()
    handed_in = {one.receipt.student for one in desk.attempts.all()}
    links = {
        one.student: one
        for one in desk.links.links()
        if one.role == "student" and not one.is_taken_back
    }
    students = sorted(set(roster) | standing.students | handed_in | set(links))
    rows = []
    now = datetime.now(UTC)
    for student in students:
        cells = tuple(cell(desk, standing, student, name) for name in names)
        if wanted != "all" and not any(one.kind == wanted for one in cells):
            continue
        link = links.get(student)
        if link is None:
            shown = say("class.link_none")
        elif link.holds(now):
            day = f"{link.expires.astimezone(desk.settings.zone):%Y-%m-%d}"
            shown = say("class.link_good", day=day)
        else:
            shown = say("class.link_over")
        person = roster.get(student)
        rows.append(Row(student, person.name if person else "", shown, cells))
    return rows


def summary(desk: Desk) -> str:
    """How many attempts are in which state."""
    every = desk.attempts.all()
    running = len(desk.grader.running)
    return say(
        "class.summary",
        waiting=max(0, sum(one.is_pending for one in every) - running),
        running=running,
        graded=sum(isinstance(one.state, Graded) and not one.again for one in every),
        not_graded=sum(isinstance(one.state, NotGraded) and not one.again for one in every),
    )


def warnings(desk: Desk, standing: Standing) -> list[str]:
    """What an instructor has to know: why grading waits, a clock, a disk."""
    found = []
    if desk.grader.held:
        found.append(say("class.held", why=desk.grader.held))
    if desk.grader.state == "ended":
        found.append(say("class.grader_ended"))
    found += desk.grader.exchange_problems
    if standing.problem:
        found.append(standing.problem)
    if behind := desk.clock_behind():
        number, when = behind
        found.append(say("class.clock", number=number, time=show_time(desk, when)))
    if free := desk.free_megabytes():
        found.append(say("class.disk", megabytes=free))
    return found


@dataclass(frozen=True)
class CertificateLine:
    """A certificate to download, by its id, or why there is none."""

    text: str
    id: str = ""
    reasons: tuple[str, ...] = ()


def certificates(desk: Desk, student: str) -> list[CertificateLine]:
    """A student's certificates, and what was decided on the others."""
    places = CertificatePlaces(desk.course.gradebook_folder)
    lines, tiers = [], set()
    try:
        for one in read_issued(places.issued) if places.issued.exists() else ():
            if one.student == student and one.revoked is None and not one.is_purged:
                tiers.add(one.tier)
                lines.append(CertificateLine(say("student.certificate", title=one.title), one.id))
        with places.decisions.with_suffix(".csv").open(encoding="utf-8-sig", newline="") as file:
            decided = list(csv.DictReader(file))
        titles = {tier.name: tier.title for tier in read_policy(places.policy).tiers}
    except (NbjudgeError, OSError, ValueError, csv.Error):
        return lines
    for row in decided:
        tier, verdict = row.get("tier", ""), row.get("verdict", "")
        is_granted = verdict in (Verdict.ELIGIBLE, Verdict.ALLOWED)
        if row.get("student") != student or tier in tiers or is_granted:
            continue
        refused = verdict in (Verdict.NOT_ELIGIBLE, Verdict.DENIED)
        key = "student.no_certificate" if refused else "student.undecided"
        reasons = tuple(filter(None, (row.get("why") or "").split("; ")))
        lines.append(CertificateLine(say(key, title=titles.get(tier, tier)), "", reasons))
    return lines


def certificate_file(desk: Desk, student: str, id_: str) -> Path | None:
    """The PDF of a certificate of this student; ``None`` if there is none."""
    places = CertificatePlaces(desk.course.gradebook_folder)
    try:
        issued = read_issued(places.issued)
    except (NbjudgeError, OSError):
        return None
    for one in issued:
        if one.id == id_ and one.student == student and one.revoked is None:
            path = files_of(places, one)[0]
            return path if path.is_file() else None
    return None


def show_time(desk: Desk, when: datetime) -> str:
    """A time as people read it, in the course's time zone."""
    return f"{when.astimezone(desk.settings.zone):%a %d %b %Y, %H:%M}"


def shows_hidden(desk: Desk, standing: Standing, assignment: str) -> bool:
    """Whether students may see now what hidden tests say."""
    match desk.settings.hidden_messages:
        case "at once":
            return True
        case "after due":
            due = standing.due.get(assignment)
            return due is not None and datetime.now(UTC) > due
    return False
