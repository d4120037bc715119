"""Zoom's reports of who took part in a meeting or a webinar, as exported.

A meeting's report is a table of participants, with or without a table of the meeting and a blank
line above it. A webinar's has sections (Host, Panelist and Attendee Details, Other Attended for
telephones), each with headings of its own. Zoom changed its headings over the years. A webinar's
attendee table also has a column for each question asked on registration.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from nbcertify.attendance.times import (
    StrayTime,
    WrongDay,
    moments,
    read_time,
    say_day,
    settle,
)
from nbcertify.errors import CertificateError
from nbcertify.sessions import Session
from nbcertify.tables import Line, fold, read_lines, without_hidden

HOW_TO_EXPORT = (
    "On zoom.us, in English, open the meeting's participants in the usage report, leave "
    "'Show unique users' unticked, and export"
)

# Headings by what they hold, folded.
_ROLES = {
    "name": (
        "name (original name)",
        "user name (original name)",
        "name",
        "user name",
        "participant",
    ),
    "email": ("user email", "email", "email address"),
    "join": ("join time",),
    "leave": ("leave time",),
    "waiting": ("in waiting room",),
    "attended": ("attended",),
    "first": ("first name",),
    "last": ("last name",),
}
_ROLE_OF = {heading: role for role, headings in _ROLES.items() for heading in headings}
_NEEDED = ("name", "join", "leave")
_MINUTES = {
    "duration (minutes)",
    "total duration (minutes)",
    "time in session (minutes)",
    "duration",
    "total duration",
}
# Known, and without weight here; the minutes least of all.
_IDLE = _MINUTES | {
    "approval status",
    "country/region name",
    "country/region",
    "guest",
    "is guest",
    "meeting id",
    "phone",
    "recording consent",
    "recording disclaimer response",
    "registration time",
    "source name",
    "topic",
    "webinar id",
}
_SECTIONS = {"host details", "panelist details", "attendee details", "other attended"}
_YES = {"yes", "y", "true"}
_NO = {"no", "n", "false", "", "-", "--"}
_NO_TIME = {"", "-", "--"}


@dataclass(frozen=True)
class Row:
    """One stay of one participant.

    `shown` is the name as shown, `registered` the one given on registration or "". `readings` are
    the stays that the times may mean, (join, leave) in seconds since the epoch: one, or more when
    the clock went back. `line` is that of the report.
    """

    shown: str
    registered: str
    email: str
    readings: tuple[tuple[float, float], ...]
    line: int

    @property
    def names(self) -> tuple[str, ...]:
        """All that the participant goes by."""
        return (self.shown, self.registered) if self.registered else (self.shown,)


@dataclass(frozen=True)
class Report:
    """What a report says; `notes` are sentences on how it was read, where that could be doubted."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def read_report(data: bytes, path: Path, session: Session) -> Report:
    """The stays that `session`'s report, the bytes `data` of the file `path`, tells of.

    Rows of the waiting room and of those who did not attend are left out. CertificateError names
    `path` and the line, what is wrong and what to do.
    """
    lines = read_lines(data, path, lambda word: word in _ROLE_OF or word in _MINUTES)
    unknown: dict[str, None] = {}
    entries = list(_entries(lines, path, unknown))
    if not entries:
        raise CertificateError(f"{path}: nobody took part, it says. {HOW_TO_EXPORT}.")
    walls, notes = _read_walls(entries, path, session)
    rows = [
        Row(
            # An alias needs something to name.
            without_hidden(entry["name"]) or "(no name)",
            without_hidden(f"{entry.get('first', '')} {entry.get('last', '')}"),
            without_hidden(entry.get("email", "")),
            _stays(joined, left, session.zone, f"{path}, line {line}"),
            line,
        )
        for (line, entry), joined, left in zip(entries, walls[::2], walls[1::2], strict=True)
    ]
    _check_overlap(rows, path, session)
    if unknown:
        columns = ", ".join(map(repr, unknown))
        notes = (*notes, f"{path.name}: columns not known here were passed over: {columns}")
    return Report(tuple(rows), notes)


def _entries(
    lines: list[Line], path: Path, unknown: dict[str, None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by role of each row that counts; headings not known are put into `unknown`."""
    roles: list[str] | None = None
    found = False
    section: Line | None = None
    for line in lines:
        if line.blank:
            continue
        words = [fold(cell) for cell in line.cells]
        if len(set(words) - {""}) == 1 and words[0] in _SECTIONS:
            section, roles = line, None
            continue
        heads = {_ROLE_OF.get(word) for word in words}
        if heads.issuperset(_NEEDED):
            roles, section, found = _read_heading(line, words, path, unknown), None, True
            continue
        if "name" in heads and "join" not in heads and _MINUTES.intersection(words):
            raise CertificateError(
                f"{path}, line {line.number}: has total minutes and no times of joining and "
                "leaving, so it cannot be seen who was there during the session. "
                f"{HOW_TO_EXPORT}."
            )
        if section:
            raise CertificateError(
                f"{path}, line {line.number}: the section {section.cells[0]!r} does not have the "
                f"columns {_needed()}; it has {_list(line)}. {HOW_TO_EXPORT}."
            )
        if "topic" in words and len(_IDLE.intersection(words)) > 1:
            # The table of a meeting, above or between: two reports may be pasted together.
            roles = None
        if roles is None:
            continue
        if any(line.cells[len(roles) :]):
            raise CertificateError(
                f"{path}, line {line.number}: has more cells than there are columns; a name that "
                "contains the separator must be in quotation marks"
            )
        entry = {role: cell for role, cell in zip(roles, line.cells, strict=False) if role}
        if _counts(entry, f"{path}, line {line.number}"):
            yield line.number, entry
    if not found:
        widest = max(lines, key=lambda line: sum(map(bool, line.cells)), default=None)
        has = _list(widest) if widest and not widest.blank else "nothing"
        raise CertificateError(
            f"{path}: there is no table with the columns {_needed()}; found {has}. {HOW_TO_EXPORT}."
        )


def _read_heading(line: Line, words: list[str], path: Path, unknown: dict[str, None]) -> list[str]:
    """The role of each column, or ""."""
    roles = [_ROLE_OF.get(word, "") for word in words]
    for role, count in Counter(filter(None, roles)).items():
        if count > 1:
            same = [cell for cell, r in zip(line.cells, roles, strict=True) if r == role]
            raise CertificateError(
                f"{path}, line {line.number}: the columns {' and '.join(map(repr, same))} may both "
                f"be the {_ROLES[role][0]}; rename the one that is not"
            )
    for cell, word, role in zip(line.cells, words, roles, strict=True):
        if word and not role and word not in _IDLE:
            unknown[cell] = None
    while words and not words[-1]:
        words.pop()
    return roles[: len(words)]


def _counts(entry: dict[str, str], where: str) -> bool:
    """Whether a row is of somebody who was let in."""
    if _is_yes(entry.get("waiting", "no"), f"{where}, column In Waiting Room"):
        return False
    times = [entry.get("join", ""), entry.get("leave", "")]
    if not _is_yes(entry.get("attended") or "yes", f"{where}, column Attended"):
        if not set(times) <= _NO_TIME:
            raise CertificateError(
                f"{where}: did not attend, it says, and was there from {times[0]} to {times[1]}; "
                "mend what is wrong"
            )
        return False
    for name, time in zip(("join", "leave"), times, strict=True):
        if time in _NO_TIME:
            raise CertificateError(
                f"{where}: has no {name} time. Export the report after the meeting has ended; "
                "if it stays so, fill the time in by hand."
            )
    return True


def _is_yes(text: str, where: str) -> bool:
    word = fold(text)
    if word not in _YES | _NO:
        raise CertificateError(f"{where}: must be Yes or No, not {text!r}")
    return word in _YES


def _read_walls(
    entries: list[tuple[int, dict[str, str]]], path: Path, session: Session
) -> tuple[tuple[datetime, ...], tuple[str, ...]]:
    """Join and leave time of each entry in turn, naive, and notes on how they were read."""
    cells = [(line, entry[role]) for line, entry in entries for role in ("join", "leave")]
    times = []
    for line, text in cells:
        try:
            times.append(read_time(text))
        except ValueError as error:
            raise CertificateError(
                f"{path}, line {line}: {error}. Write it like 2026-11-02 09:00:12, or export the "
                "report again."
            ) from error
    start, end = (t.astimezone(session.zone).date() for t in (session.start, session.end))
    day = say_day(start) if start == end else f"{say_day(start)} to {say_day(end)}"
    try:
        walls = settle(times, start, end)
    except WrongDay as error:
        raise CertificateError(
            f"{path}: is a report of {error}, and the session {session.name} is on {day}. Put the "
            "report of that day there, or mend the session in policy.toml."
        ) from error
    except StrayTime as error:
        line, text = cells[error.index]
        raise CertificateError(
            f"{path}, line {line}: {text} is not of {day}, the day of the session {session.name}, "
            "as other times in the report are. Do all dates have the same form? Export the report "
            "again and do not open it in a spreadsheet."
        ) from error
    for (_, text), readings, wall in zip(cells, times, walls, strict=True):
        other = next((t for t in readings if t and t != wall), None)
        if other:
            note = f"{text} was read as {say_day(wall.date())}, not as {say_day(other.date())}"
            return walls, (f"{path.name}: {note}, since the session is on {day}",)
    return walls, ()


def _stays(
    joined: datetime, left: datetime, zone: ZoneInfo, where: str
) -> tuple[tuple[float, float], ...]:
    joins, leaves = moments(joined, zone), moments(left, zone)
    if not (joins and leaves):
        wall = left if joins else joined
        raise CertificateError(
            f"{where}: no clock in {zone.key} showed {wall:%H:%M:%S} on {say_day(wall.date())}, "
            "when it was put forward. The report seems to be in another time zone: set Zoom's to "
            "that of the session and export again."
        )
    stays = tuple((join, leave) for join in joins for leave in leaves if join <= leave)
    if not stays:
        raise CertificateError(
            f"{where}: leaves at {left:%H:%M:%S}, before joining at {joined:%H:%M:%S}. Export the "
            "report again; if it stays so, mend the line by hand."
        )
    return stays


def _check_overlap(rows: list[Row], path: Path, session: Session) -> None:
    stays = [reading for row in rows for reading in row.readings]
    start, end = session.start.timestamp(), session.end.timestamp()
    if not any(join < end and leave > start for join, leave in stays):
        raise CertificateError(
            f"{path}: nobody was there during the session {session.name}, from "
            f"{_clock(session, session.start)} to {_clock(session, session.end)}. The report may "
            "be in another time zone (set Zoom's to that of the session and export again), or of "
            "another meeting that day."
        )


def _needed() -> str:
    return ", ".join(_ROLES[role][0] for role in _NEEDED)


def _list(line: Line) -> str:
    return ", ".join(repr(cell) for cell in line.cells if cell)


def _clock(session: Session, moment: datetime) -> str:
    return f"{moment.astimezone(session.zone):%H:%M}"
