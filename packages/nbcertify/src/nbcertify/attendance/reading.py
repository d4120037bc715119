"""From a folder of reports to every student's time in every session."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nbcertify.attendance import Attended
from nbcertify.attendance.aliases import ASIDE, Aliases, read_aliases
from nbcertify.attendance.people import (
    Directory,
    Identity,
    Suggestion,
    identify,
    make_directory,
    suggest,
)
from nbcertify.attendance.presence import Stay, bounds_within
from nbcertify.attendance.recognition import Recognition, Worth
from nbcertify.attendance.reports import Report, Row, read_report
from nbcertify.attendance.review import FIRST_ROW, ReviewRow
from nbcertify.attendance.shift import say_shift
from nbcertify.errors import CertificateError
from nbcertify.roster import Person
from nbcertify.sessions import Session

ALIASES = "aliases.csv"

_CONFIRM = "told by the name alone: confirm it"

# A participant by names and e-mail.
Stranger = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class PutAside:
    """A participant whom nobody could tell: in which session, for how long, and by what line.

    `reason` is what the alias on `line` of aliases.csv says.
    """

    session: str
    minutes: float
    line: int
    reason: str


@dataclass(frozen=True)
class Attendance:
    """Who was there.

    `attended` has every student of the roster in every session, in their orders. `digests` are the
    SHA-256 of the files that it rests on, by name. `notes` are sentences for the instructor on how
    reports were read, `doubts` those that may change everybody's minutes. `lines` are those of a
    report, by student and report, that tell of a student.
    """

    attended: tuple[Attended, ...]
    review: tuple[ReviewRow, ...]
    digests: Mapping[str, str]
    notes: tuple[str, ...] = ()
    lines: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    put_aside: tuple[PutAside, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What concerns everybody's decision: the doubts, and who was put aside, and why."""
        return (
            *self.doubts,
            *(
                f"{one.session}: a participant of {one.minutes:.0f} min whom nobody could tell was "
                f"put aside (line {one.line} of {ALIASES}): {one.reason}"
                for one in self.put_aside
            ),
        )


@dataclass(frozen=True)
class Unsettled:
    """The stays of a participant who may be several students, and their row in review.csv.

    `of` are the students between whom it lies; () for anybody.
    """

    row: int
    stays: tuple[Stay, ...]
    of: tuple[str, ...] = ()


@dataclass
class Told:
    """The rows of one session by what is known of them.

    `sure` and `named` (by the name alone) are stays by student, with the lines of `named`;
    `strangers` those of participants whom only a person can tell, `aside` those put aside.
    """

    sure: dict[str, list[Stay]] = field(default_factory=dict)
    named: dict[str, list[tuple[int, Stay]]] = field(default_factory=dict)
    strangers: dict[Stranger, list[Stay]] = field(default_factory=dict)
    aside: dict[int, list[Stay]] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    without_email: dict[str, list[int]] = field(default_factory=dict)
    other_email: dict[str, list[int]] = field(default_factory=dict)


def read_attendance(
    sessions: Sequence[Session],
    folder: Path,
    roster: Mapping[str, Person],
    recognition: Recognition | None = None,
) -> Attendance:
    """The time of all in `roster` in each of the `sessions`, from the reports in `folder`.

    `folder` may have an `aliases.csv`. A report that is missing leaves its session open. Who is on
    the review list may be any student, or one of those whom the row names: their time is possible
    for each of them, and certain for none. CertificateError if a file cannot be read, is broken,
    or is of another day.
    """
    recognition = recognition or Recognition()
    digests: dict[str, str] = {}
    data: dict[str, bytes] = {}
    for name in dict.fromkeys((ALIASES, *(session.report for session in sessions))):
        if (content := _read(folder / name)) is not None:
            data[name] = content
            digests[name] = hashlib.sha256(content).hexdigest()
    path = folder / ALIASES
    aliases = Aliases(path, {})
    if ALIASES in data:
        names = [session.name for session in sessions]
        aliases = read_aliases(data[ALIASES], path, roster, names)
    directory = make_directory(roster)
    whois = cache(lambda names, email: identify(names, email, directory))

    attended: list[Attended] = []
    review: list[ReviewRow] = []
    put_aside: list[PutAside] = []
    notes: dict[str, None] = {}
    doubts: list[str] = []
    lines: dict[tuple[str, str], tuple[int, ...]] = {}
    for session in sessions:
        if session.report not in data:
            attended += (_open(student, session) for student in roster)
            continue
        report = read_report(data[session.report], folder / session.report, session)
        notes |= dict.fromkeys(report.notes)
        doubts += filter(None, [say_shift(report.rows, session, session.report)])
        told = _tell_apart(report, session, aliases, whois, recognition)
        notes |= dict.fromkeys(_names_alone(told, session))
        for student, numbers in told.lines.items():
            known = lines.get((student, session.report), ())
            lines[student, session.report] = tuple(dict.fromkeys((*known, *numbers)))
        unsettled = _list_strangers(told, session, whois, directory, review)
        aside = _list_aside(told, session, put_aside)
        attended += _attended(roster, session, told, unsettled, aside)
    return Attendance(
        tuple(attended),
        tuple(review),
        digests,
        tuple(notes),
        lines,
        tuple(doubts),
        tuple(put_aside),
    )


Whois = Callable[[tuple[str, ...], str], Identity]


def _tell_apart(
    report: Report, session: Session, aliases: Aliases, whois: Whois, recognition: Recognition
) -> Told:
    told = Told()
    for row in report.rows:
        alias = aliases.find(row.shown, row.email, session.name)
        if alias is not None:
            if alias.student == ASIDE:
                told.aside.setdefault(alias.line, []).append(row.stay)
                told.reasons[alias.line] = alias.reason
            else:
                # NOBODY too, whose time nobody asks for.
                told.sure.setdefault(alias.student, []).append(row.stay)
                told.lines.setdefault(alias.student, []).append(row.line)
            continue
        identity = whois(row.names, row.email)
        if identity.student is None:
            told.strangers.setdefault((row.names, row.email), []).append(row.stay)
            continue
        if identity.by_email:
            told.sure.setdefault(identity.student, []).append(row.stay)
        else:
            _take_name(told, identity.student, row, recognition)
        told.lines.setdefault(identity.student, []).append(row.line)
    return told


def _take_name(told: Told, student: str, row: Row, recognition: Recognition) -> None:
    """Put a row that only its name tells where the policy wants it."""
    listed = told.other_email if row.email else told.without_email
    listed.setdefault(student, []).append(row.line)
    worth = recognition.other_email if row.email else recognition.name_alone
    if worth is Worth.UNDECIDED:
        told.strangers.setdefault((row.names, row.email), []).append(row.stay)
    elif worth is Worth.LISTED:
        told.named.setdefault(student, []).append((row.line, row.stay))
    else:
        told.sure.setdefault(student, []).append(row.stay)


def _names_alone(told: Told, session: Session) -> list[str]:
    kinds = (
        ("told by a name alone, without an e-mail", told.without_email),
        ("told by a name alone, with an e-mail that is not in the roster", told.other_email),
    )
    return [
        f"{session.report}: {what}: "
        + ", ".join(f"{student} ({_lines(numbers)})" for student, numbers in students.items())
        for what, students in kinds
        if students
    ]


def _list_strangers(
    told: Told,
    session: Session,
    whois: Whois,
    directory: Directory,
    review: list[ReviewRow],
) -> list[Unsettled]:
    """Add those who were there during the session to the review list; them, with their rows."""
    unsettled = []
    spans = list(session.spans())
    for (names, email), stays in sorted(told.strangers.items(), key=lambda item: item[0]):
        _, most = bounds_within(stays, spans)
        if not most:
            continue
        identity = whois(names, email)
        of = (identity.student,) if identity.student else identity.candidates
        suggestions = tuple(
            Suggestion(student, directory.people[student].name, 100) for student in of
        ) or suggest(names, email, directory)
        unsettled.append(Unsettled(FIRST_ROW + len(review), tuple(stays), of))
        why = _CONFIRM if identity.student else identity.why
        review.append(ReviewRow(session.name, names[0], email, most / 60, suggestions, why, of))
    return unsettled


def _list_aside(told: Told, session: Session, put_aside: list[PutAside]) -> list[Unsettled]:
    aside = []
    spans = list(session.spans())
    for line, stays in sorted(told.aside.items()):
        _, most = bounds_within(stays, spans)
        if most:
            aside.append(Unsettled(line, tuple(stays)))
            put_aside.append(PutAside(session.name, most / 60, line, told.reasons[line]))
    return aside


def _attended(
    roster: Mapping[str, Person],
    session: Session,
    told: Told,
    unsettled: Sequence[Unsettled],
    aside: Sequence[Unsettled],
) -> list[Attended]:
    spans = list(session.spans())
    possible = session.seconds

    @cache
    def presence(
        sure: tuple[Stay, ...], named: tuple[Stay, ...], maybe: tuple[Unsettled, ...]
    ) -> tuple[float, float, float, str]:
        """Certain seconds by more than a name, certain ones, most, and what is unclear."""
        stays = [*sure, *named]
        low, own = bounds_within(stays, spans)
        by_more, _ = bounds_within(sure, spans)
        why = list(dict.fromkeys(stay.why for stay in stays if stay.why)) if own > low else []
        if own > low and any(len(stay.readings) > 1 and not stay.why for stay in stays):
            why.append(
                "the clock was put back during this session, and some times in the report may be "
                f"before or after that: {_minutes(low, own)}"
            )
        others: tuple[Unsettled, ...] = () if own >= possible else tuple(aside)
        if own >= possible:
            maybe = ()
        adding = [one for one in maybe if _adds(stays, own, one, spans)]
        high = own
        if adding:
            _, high = bounds_within([*stays, *(s for one in adding for s in one.stays)], spans)
            rows = _rows([one.row for one in adding])
            why.append(f"somebody on the review list ({rows} of review.csv) may be this student")
        without = [one.row for one in others if _adds(stays, own, one, spans)]
        if without:
            why.append(
                f"nobody could tell who one participant was, who was put aside "
                f"({_lines(without)} of {ALIASES})"
            )
        # Parts of a second may not add up to quite the same sum in another order.
        high = min(high, possible)
        low = min(low, high)
        return min(by_more, low), low, high, "; ".join(why)

    found = []
    for student in roster:
        named = told.named.get(student, [])
        by_more, low, high, why = presence(
            tuple(told.sure.get(student, ())),
            tuple(stay for _, stay in named),
            tuple(one for one in unsettled if not one.of or student in one.of),
        )
        rows = f"{_lines([line for line, _ in named])} of {session.report}" if named else ""
        found.append(Attended(student, session.name, low, high, possible, why, low - by_more, rows))
    return found


def _adds(
    stays: Sequence[Stay], own: float, one: Unsettled, spans: Sequence[tuple[float, float]]
) -> bool:
    return bounds_within([*stays, *one.stays], spans)[1] > own


def _open(student: str, session: Session) -> Attended:
    why = f"the report of this session, {session.report}, is missing"
    return Attended(student, session.name, 0.0, session.seconds, session.seconds, why)


def _rows(numbers: Sequence[int]) -> str:
    return f"row{'s' * (len(numbers) > 1)} {_some(numbers)}"


def _lines(numbers: Sequence[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {_some(sorted(set(numbers)))}"


def _some(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return str(numbers[0])
    *first, last = numbers if len(numbers) < 5 else (*numbers[:3], f"{len(numbers) - 3} more")
    return f"{', '.join(map(str, first))} and {last}"


def _minutes(low: float, high: float) -> str:
    return f"{math.floor(low / 60)} to {math.ceil(high / 60)} min"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
