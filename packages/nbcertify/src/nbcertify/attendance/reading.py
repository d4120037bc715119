"""From a folder of Zoom's reports to every student's time in every session."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nbcertify.attendance import Attended
from nbcertify.attendance.aliases import Aliases, read_aliases
from nbcertify.attendance.people import (
    LIKELY,
    Suggestion,
    identify,
    make_directory,
    suggest,
)
from nbcertify.attendance.presence import Interval, bounds_within
from nbcertify.attendance.review import FIRST_ROW, ReviewRow
from nbcertify.attendance.zoom import read_report
from nbcertify.errors import CertificateError
from nbcertify.roster import Person
from nbcertify.sessions import Session

ALIASES = "aliases.csv"

# A stay is given by all that its times may mean.
Stay = tuple[Interval, ...]

# A participant by names and e-mail.
Stranger = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Attendance:
    """Who was there.

    `attended` has every student of the roster in every session, in their orders. `digests` are the
    SHA-256 of the files that it rests on, by name. `notes` are sentences for the instructor on how
    reports were read. `lines` are those of a report, by student and report, that tell of a student.
    """

    attended: tuple[Attended, ...]
    review: tuple[ReviewRow, ...]
    digests: Mapping[str, str]
    notes: tuple[str, ...] = ()
    lines: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Unsettled:
    """The stays of a participant whom only the instructor can tell, and their row in review.csv."""

    row: int
    stays: tuple[Stay, ...]


def read_attendance(
    sessions: Sequence[Session], folder: Path, roster: Mapping[str, Person]
) -> Attendance:
    """The time of all in `roster` in each of the `sessions`, from the reports in `folder`.

    `folder` may have an `aliases.csv`. A report that is missing leaves its session open. What a
    participant on the review list was there for may be the time of every student who is likely to
    be meant. CertificateError if a file cannot be read, is broken, or is of another day.
    """
    digests: dict[str, str] = {}

    def read(name: str) -> bytes | None:
        data = _read(folder / name)
        if data is not None:
            digests[name] = hashlib.sha256(data).hexdigest()
        return data

    data = read(ALIASES)
    path = folder / ALIASES
    aliases = (
        Aliases(path, {})
        if data is None
        else read_aliases(data, path, roster, [session.name for session in sessions])
    )
    directory = make_directory(roster)
    whois = cache(lambda names, email: identify(names, email, directory))
    resembles = cache(lambda names, email: suggest(names, email, directory))

    attended: list[Attended] = []
    review: list[ReviewRow] = []
    notes: dict[str, None] = {}
    lines: dict[tuple[str, str], tuple[int, ...]] = {}
    for session in sessions:
        data = read(session.report)
        if data is None:
            attended += (_open(student, session) for student in roster)
            continue
        report = read_report(data, folder / session.report, session)
        notes |= dict.fromkeys(report.notes)
        settled: dict[str, list[Stay]] = {}
        strangers: dict[Stranger, list[Stay]] = {}
        by_name: list[str] = []
        for row in report.rows:
            student = aliases.find(row.shown, row.email, session.name)
            if student is None:
                student = whois(row.names, row.email).student
                if student is not None and not row.email:
                    by_name.append(student)
            if student is None:
                strangers.setdefault((row.names, row.email), []).append(row.readings)
            else:
                # NOBODY too, whose time nobody asks for.
                settled.setdefault(student, []).append(row.readings)
                told = (student, session.report)
                lines[told] = (*lines.get(told, ()), row.line)
        if by_name:
            who = ", ".join(dict.fromkeys(by_name))
            notes[f"{session.report}: told by a name alone, without an e-mail: {who}"] = None
        maybe: dict[str, list[Unsettled]] = {}
        for (names, email), stays in sorted(strangers.items()):
            _, most = bounds_within(stays, session.spans())
            if not most:
                continue
            identity = whois(names, email)
            suggestions = tuple(
                Suggestion(student, roster[student].name, 100) for student in identity.candidates
            ) or resembles(names, email)
            unsettled = Unsettled(FIRST_ROW + len(review), tuple(stays))
            for suggestion in suggestions:
                if suggestion.score >= LIKELY:
                    maybe.setdefault(suggestion.student, []).append(unsettled)
            review.append(
                ReviewRow(session.name, names[0], email, most / 60, suggestions, identity.why)
            )
        attended += (
            _attended(student, session, settled.get(student, []), maybe.get(student, []))
            for student in roster
        )
    return Attendance(tuple(attended), tuple(review), digests, tuple(notes), lines)


def _attended(
    student: str, session: Session, stays: list[Stay], maybe: list[Unsettled]
) -> Attended:
    spans = list(session.spans())
    low, own = bounds_within(stays, spans)
    why = []
    if own > low:
        why.append(
            "the clock was put back during this session, and some times in the report may be "
            f"before or after that: {_minutes(low, own)}"
        )
    adding = [one for one in maybe if bounds_within([*stays, *one.stays], spans)[1] > own]
    high = own
    if adding:
        _, high = bounds_within([*stays, *(stay for one in adding for stay in one.stays)], spans)
        rows = _rows([one.row for one in adding])
        why.append(f"somebody on the review list ({rows} of review.csv) may be this student")
    possible = session.seconds
    # Parts of a second may not add up to quite the same sum in another order.
    low, high = min(low, possible), min(high, possible)
    return Attended(student, session.name, low, high, possible, "; ".join(why))


def _open(student: str, session: Session) -> Attended:
    why = f"the report of this session, {session.report}, is missing"
    return Attended(student, session.name, 0.0, session.seconds, session.seconds, why)


def _rows(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    *first, last = numbers if len(numbers) < 5 else (*numbers[:3], f"{len(numbers) - 3} more")
    return f"rows {', '.join(map(str, first))} and {last}"


def _minutes(low: float, high: float) -> str:
    return f"{math.floor(low / 60)} to {math.ceil(high / 60)} min"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
