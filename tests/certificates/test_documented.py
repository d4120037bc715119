"""Decisions against an oracle that was written from docs/reference/policy.md alone.

It takes the rules as the documentation words them, in exact fractions and second by second where
that can be done; it shares no code with what it checks but the dataclasses of the inputs.
"""

import itertools
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from nbcertify.attendance.reading import read_attendance
from nbcertify.attendance.recognition import Recognition, Worth
from nbcertify.decisions import decide
from nbcertify.policy import Override, Policy
from nbcertify.results import Result
from nbcertify.roster import Person
from nbcertify.rules import AttendanceRule, HandGradedRule, Late, MinimumRule, PointsRule
from nbcertify.sessions import Session
from nbcertify.tiers import Needs, Tier

ZONE = ZoneInfo("Europe/Amsterdam")
ASSIGNMENTS = ("a", "b", "c")
STUDENTS = ("ada", "bob", "eve")
ROSTER = {s: Person(s, f"{s.title()} Surname", f"{s}@x.org") for s in STUDENTS[:2]}
HOUR = 3600
DAY = 24 * HOUR

# ── The documented rules ────────────────────────────────────────────────────────────────────────
#
# A rule is met, missed or open. Points and presence have a lowest and a highest value; it is met
# if it is so with the lowest, missed if it is so with the highest, else open.


def state(low: bool, high: bool) -> str:
    return "met" if low else "open" if high else "missed"


def come_to(needs: Needs, states: dict[str, str]) -> str:
    """`all` is met if all are, missed if one is; `any` is met if one is, missed if all are."""
    found = [states[one] if isinstance(one, str) else come_to(one, states) for one in needs.of]
    first, last = ("missed", "met") if needs.kind == "all" else ("met", "missed")
    if first in found:
        return first
    return "open" if "open" in found else last


@dataclass
class Work:
    """Points after the late rule, and whether anything has still to be looked at."""

    low: Fraction
    high: Fraction
    possible: Fraction
    open: bool


def late(result: Result, policy: Policy) -> Work:
    """Days count from the deadline; within the grace nothing is taken off."""
    rule, seconds = policy.late, Fraction(result.late_seconds)
    left = Fraction(1)
    if seconds > Fraction(rule.grace_seconds):
        days = -(-seconds // DAY)
        left = max(Fraction(0), 1 - Fraction(str(rule.per_day)) * days)
        if seconds > Fraction(rule.last_day) * DAY:
            left = Fraction(0)
    is_open = result.is_open or result.waiting > 0 or result.low < result.high
    return Work(
        Fraction(str(result.low)) * left,
        Fraction(str(result.high)) * left,
        Fraction(str(result.possible)),
        is_open,
    )


def points(rule: PointsRule, work: dict[str, Work]) -> str:
    """The share of all points together, without the `drop_lowest` whose leaving out helps most."""

    def best(end: str) -> Fraction:
        kept = itertools.combinations(rule.assignments, len(rule.assignments) - rule.drop_lowest)
        return max(
            sum(getattr(work[name], end) for name in names)
            / sum(work[name].possible for name in names)
            for names in kept
        )

    share = Fraction(str(rule.share))
    return state(best("low") >= share, best("high") >= share)


def minimum(rule: MinimumRule, work: dict[str, Work]) -> str:
    states = [
        state(
            work[name].low >= Fraction(str(share)) * work[name].possible,
            work[name].high >= Fraction(str(share)) * work[name].possible,
        )
        for name, share in rule.shares.items()
    ]
    return "missed" if "missed" in states else "open" if "open" in states else "met"


def present(rule: AttendanceRule, ranges: dict[str, tuple[int, int, int]]) -> str:
    """A share of each session's time, in all but `may_miss` of them."""
    share = Fraction(str(rule.share))
    states = [
        state(low >= share * possible, high >= share * possible)
        for low, high, possible in (ranges[name] for name in rule.sessions)
    ]
    if states.count("missed") > rule.may_miss:
        return "missed"
    return "met" if states.count("met") >= len(states) - rule.may_miss else "open"


VERDICT = {"met": "eligible", "missed": "not eligible", "open": "undecided"}


def expected(
    policy: Policy,
    results: dict[str, dict[str, Result]],
    presence: dict[str, dict[str, tuple[int, int, int]]],
) -> dict[tuple[str, str], str]:
    """The verdict on each student of the class and each tier."""
    found = {}
    for student in STUDENTS:
        work = {name: late(result, policy) for name, result in results[student].items()}
        states = {}
        for name, rule in policy.rules.items():
            if isinstance(rule, PointsRule):
                states[name] = points(rule, work)
            elif isinstance(rule, MinimumRule):
                states[name] = minimum(rule, work)
            elif isinstance(rule, HandGradedRule):
                states[name] = "open" if any(work[a].open for a in rule.assignments) else "met"
            else:
                states[name] = present(rule, presence[student])
        for tier in policy.tiers:
            found[student, tier.name] = VERDICT[come_to(tier.needs, states)]
    for override in policy.overrides:
        word = "allowed" if override.allow else "denied"
        found[override.student, override.tier] = f"overridden: {word}"
    return found


# ── Random policies and classes ─────────────────────────────────────────────────────────────────

SHARES = st.integers(0, 20).map(lambda n: n / 20)


@st.composite
def sessions(draw) -> tuple[Session, ...]:
    made = []
    for number in range(draw(st.integers(1, 3))):
        start = datetime(2026, 6, 8 + number, 9, tzinfo=ZONE)
        breaks = ()
        if draw(st.booleans()):
            breaks = ((start + timedelta(minutes=60), start + timedelta(minutes=75)),)
        end = start + timedelta(minutes=180)
        made.append(Session(f"d{number}", start, end, breaks, f"d{number}.csv", ZONE))
    return tuple(made)


@st.composite
def policies(draw, when: tuple[Session, ...]) -> Policy:
    some = st.lists(st.sampled_from(ASSIGNMENTS), min_size=1, unique=True).map(tuple)
    rules = {}
    for number in range(draw(st.integers(1, 4))):
        name, of = f"r{number}", draw(some)
        kind = draw(st.sampled_from(["attendance", "points", "minimum", "hand-graded"]))
        if kind == "attendance":
            names = tuple(session.name for session in when)
            may_miss = draw(st.integers(0, len(names) - 1))
            rules[name] = AttendanceRule(name, names, draw(SHARES), may_miss)
        elif kind == "points":
            drop = draw(st.integers(0, len(of) - 1))
            rules[name] = PointsRule(name, of, draw(SHARES), drop)
        elif kind == "minimum":
            rules[name] = MinimumRule(name, {one: draw(SHARES) for one in of})
        else:
            rules[name] = HandGradedRule(name, of)
    chosen = st.lists(st.sampled_from(sorted(rules)), min_size=1, max_size=3)
    flat = st.builds(Needs, st.sampled_from(["all", "any"]), chosen.map(tuple))
    deep = st.builds(
        Needs,
        st.sampled_from(["all", "any"]),
        st.tuples(flat, st.sampled_from(sorted(rules)), flat),
    )
    # A tier for each rule alone, so that none hides behind another.
    needed = {name: Needs("all", (name,)) for name in rules}
    needed |= {name: draw(flat | deep) for name in ("one", "two")}
    tiers = tuple(Tier(name, name, ("did it.",), of, 14, None) for name, of in needed.items())
    overrides = ()
    if draw(st.booleans()):
        who = draw(st.sampled_from(STUDENTS))
        overrides = (
            Override(who, "one", draw(st.booleans()), "It is so.", "M.", date(2026, 6, 9)),
        )
    rule = Late(
        draw(st.sampled_from([0.0, 900.0, 1.5 * DAY])),
        draw(st.sampled_from([0.0, 0.1, 0.25, 1.0])),
        draw(st.sampled_from([0.0, 1.0, 3.0, 1000.0])),
    )
    return Policy(when, rules, rule, tiers, overrides, "0" * 64, "policy.toml")


@st.composite
def results(draw) -> dict[str, dict[str, Result]]:
    found: dict[str, dict[str, Result]] = {}
    for student in STUDENTS:
        for name, possible in zip(ASSIGNMENTS, (10, 40, 50), strict=True):
            low = draw(st.integers(0, possible))
            high = draw(st.just(low) | st.integers(low, possible))
            seconds = draw(st.sampled_from([0.0, 0.0, 1.0, 900.0, 901.0, DAY, DAY + 1, 3.5 * DAY]))
            found.setdefault(student, {})[name] = Result(
                student, name, low, high, possible, "open" * (low < high), late_seconds=seconds
            )
    return found


WHO = st.sampled_from(
    [
        ("Ada Surname", "ada@x.org"),
        ("Bob Surname", "bob@x.org"),
        ("Bob Surname", ""),
        ("Ada Surname", "else@where.org"),
        ("iPhone", ""),
        ("Guest 7", "guest@home.nl"),
        ("Ada Surname", "bob@x.org"),
    ]
)
MINUTES = st.integers(-30, 200)
ROWS = st.lists(st.tuples(WHO, MINUTES, MINUTES).filter(lambda row: row[1] < row[2]), max_size=5)


def counted(session: Session, stays: list[tuple[int, int]]) -> int:
    """The seconds of a session, without breaks, in any of the stays: minute by minute."""

    def minute_of(moment: datetime) -> int:
        return int((moment - session.start).total_seconds() // 60)

    edges = [(minute_of(begin), minute_of(end)) for begin, end in session.breaks]
    length = minute_of(session.end)
    return 60 * sum(
        any(begin <= minute < end for begin, end in stays)
        and not any(begin <= minute < end for begin, end in edges)
        for minute in range(length)
    )


def presence_of(
    session: Session, rows, recognition: Recognition
) -> dict[str, tuple[int, int, int]]:
    """Certain, most and possible seconds of each student, as the documentation says."""
    possible = counted(session, [(0, 10_000)])
    if rows is None:
        return dict.fromkeys(STUDENTS, (0, possible, possible))
    sure: dict[str, list] = {student: [] for student in STUDENTS}
    maybe: dict[str, list] = {student: [] for student in STUDENTS}
    names = {person.name: student for student, person in ROSTER.items()}
    emails = {person.email: student for student, person in ROSTER.items()}
    for (name, email), begin, end in rows:
        by_name, by_email = names.get(name), emails.get(email)
        if by_email and by_name and by_email != by_name:
            for student in (by_email, by_name):
                maybe[student].append((begin, end))
        elif by_email:
            sure[by_email].append((begin, end))
        elif by_name:
            worth = recognition.other_email if email else recognition.name_alone
            kept = maybe if worth == "undecided" else sure
            kept[by_name].append((begin, end))
        else:
            for student in ROSTER:
                maybe[student].append((begin, end))
    found = {
        student: (
            counted(session, sure[student]),
            counted(session, sure[student] + maybe[student]),
            possible,
        )
        for student in ROSTER
    }
    # Eve is in the gradebook and not in the roster: nobody can tell whether she was there.
    return found | {"eve": (0, possible, possible)}


def write(folder: Path, session: Session, rows) -> None:
    lines = ["Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes)"]
    # A teacher who is always there, so that a report is never of nobody.
    for (name, email), begin, end in [(("Teacher", "t@x.org"), 0, 180), *rows]:
        join, leave = (session.start + timedelta(minutes=m) for m in (begin, end))
        lines.append(f"{name},{email},{join:%Y-%m-%d %H:%M:%S},{leave:%Y-%m-%d %H:%M:%S},0")
    (folder / session.report).write_text("\n".join(lines) + "\n", encoding="utf-8")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_code_and_documentation_say_the_same(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("attendance")
    (folder / "aliases.csv").write_text("participant,student\nTeacher,-\n")
    when = data.draw(sessions())
    policy, points_of = data.draw(policies(when)), data.draw(results())
    worths = st.sampled_from(list(Worth))
    recognition = Recognition(data.draw(worths), data.draw(worths))
    presence: dict[str, dict[str, tuple[int, int, int]]] = {student: {} for student in STUDENTS}
    for session in when:
        rows = data.draw(st.none() | ROWS)
        if rows is not None:
            write(folder, session, rows)
        for student, found in presence_of(session, rows, recognition).items():
            presence[student][session.name] = found
    there = read_attendance(when, folder, ROSTER, recognition)
    everything = [result for of in points_of.values() for result in of.values()]
    decisions = decide(policy, everything, there.attended, STUDENTS)
    assert {(d.student, d.tier): str(d.verdict) for d in decisions} == expected(
        policy, points_of, presence
    )
