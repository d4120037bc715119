"""A report of who took part, from a file to rows of person, e-mail, from, to and meeting.

What differs between programs, languages and years is in `layouts.toml`; `entries` finds the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbcertify.attendance.entries import Entry, Found, Meeting, find_entries
from nbcertify.attendance.layouts import key, layouts
from nbcertify.attendance.presence import Interval, Stay
from nbcertify.attendance.times import (
    Reading,
    StrayTime,
    WrongDay,
    moments,
    read_duration,
    read_time,
    say_day,
    settle,
)
from nbcertify.errors import CertificateError
from nbcertify.sessions import Session
from nbcertify.tables import (
    check_is_text,
    decode,
    encoding_of,
    fold,
    most_words,
    split_lines,
    without_hidden,
)

# By how much a total may fall short of the time from the first arrival to the last departure
# without saying that somebody was away: programs round.
_ROUNDING = 90.0


@dataclass(frozen=True)
class Row:
    """One stay of one participant, in one meeting.

    `shown` is the name as shown, `registered` the one given on registration or "". `line` is that
    of the report.
    """

    shown: str
    registered: str
    email: str
    stay: Stay
    meeting: Meeting
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

    Rows of the waiting room, of those who did not attend and of other meetings than the session's
    are left out. CertificateError names `path` and the line, what is wrong and what to do.
    """
    text, notes = _decode(data, path)
    found = find_entries(split_lines(text, path, _is_heading), path)
    if not found.entries:
        raise CertificateError(
            f"{path}: nobody took part, it says. {layouts().how_to(found.program)}."
        )
    entries, of_meeting = _of_session(found.entries, path, session)
    rows, read = _read_rows(_without_sums(entries), path, session)
    _check_overlap(rows, path, session)
    notes += [*found.notes, *of_meeting, *read, *_unknown(found, path)]
    return Report(tuple(rows), tuple(notes))


def _is_heading(word: str) -> bool:
    return layouts().roles.get(key(word), "idle") != "idle"


def _decode(data: bytes, path: Path) -> tuple[str, list[str]]:
    """The text, and what to say of its encoding.

    Not in Unicode, it is in the one under which most headings are known: Japanese or Western
    European. A name that this gets wrong is not recognised, and comes on the review list.
    """
    check_is_text(data, path)
    if encoding_of(data):
        return decode(data, path), []
    best, text, most = "", "", 0
    for encoding in ("cp932", "cp1252", "mac_roman"):
        try:
            candidate = data.decode(encoding)
            words = most_words(split_lines(candidate, path, _is_heading), _is_heading)
        except (UnicodeDecodeError, CertificateError):
            continue
        if words > most:
            best, text, most = encoding, candidate, words
    if not best:
        return decode(data, path), []
    name = {"cp932": "Shift JIS", "cp1252": "Windows-1252"}.get(best, best)
    return text, [
        f"{path.name}: is not in UTF-8, and was read as {name}. If names in it are wrong, save it "
        "as 'CSV UTF-8'."
    ]


def _unknown(found: Found, path: Path) -> list[str]:
    if not found.unknown:
        return []
    columns = ", ".join(map(repr, found.unknown))
    return [f"{path.name}: columns not known here were passed over: {columns}"]


def _of_session(
    entries: list[Entry], path: Path, session: Session
) -> tuple[list[Entry], list[str]]:
    """The entries of the session's meeting on its day, and what to say of the others."""
    meetings = dict.fromkeys(entry.meeting for entry in entries)
    if session.meeting:
        wanted = _named(session.meeting, list(meetings), path, session)
        return _on_day([entry for entry in entries if entry.meeting in wanted], session), []
    on_day = _on_day(entries, session)
    left = {_identity(entry.meeting): entry.meeting for entry in on_day}
    if len(left) > 1:
        names = "; ".join(map(str, left.values()))
        raise CertificateError(
            f"{path}: holds several meetings of the day of the session {session.name}: {names}. "
            'Say in policy.toml which one it is, such as  meeting = "812 3456 7890"  (the ID, or '
            "the topic)."
        )
    if len(on_day) == len(entries):
        return entries, []
    (meeting,) = left.values()
    return on_day, [
        f"{path.name}: read as the meeting {meeting} of the session's day; "
        f"rows of other days and meetings were passed over: {len(entries) - len(on_day)}"
    ]


def _on_day(entries: list[Entry], session: Session) -> list[Entry]:
    """Those of the session's day, where a file may hold meetings of several; all if none is."""
    if not any(str(entry.meeting) for entry in entries):
        return entries
    return [entry for entry in entries if _may_be_of(entry, session)] or entries


def _identity(meeting: Meeting) -> str:
    """What tells a meeting from others: the ID, or the topic where it has none."""
    return "".join(fold(meeting.id).split()) or f"topic {fold(meeting.topic)}"


def _named(wanted: str, meetings: Sequence[Meeting], path: Path, session: Session) -> set[Meeting]:
    """The meetings in a report that a policy means: by the ID, else by the topic."""
    plain = "".join(fold(wanted).split()).replace("-", "")
    by_id = {m for m in meetings if _identity(m).replace("-", "") == plain and m.id}
    if by_id:
        return by_id
    by_topic = {m for m in meetings if fold(m.topic) == fold(wanted)}
    if len({_identity(meeting) for meeting in by_topic}) > 1:
        raise CertificateError(
            f"{path}: has several meetings with the topic {wanted!r}: "
            f"{'; '.join(m.id for m in by_topic)}. Name the ID in policy.toml instead."
        )
    if not by_topic:
        has = "; ".join(str(m) for m in meetings if str(m)) or "no meeting's ID or topic"
        raise CertificateError(
            f"{path}: has no meeting {wanted!r}, which the session {session.name} is in "
            f"policy.toml; it has {has}."
        )
    return by_topic


def _may_be_of(entry: Entry, session: Session) -> bool:
    """Whether one of the days that an entry may be of is one of the session's."""
    days = {session.start.date(), session.end.date()}
    for role in ("join", "leave", "time", "utc"):
        if text := entry.cells.get(role, ""):
            reading = read_time(text, session.start.date())
            if any(moment and moment.date() in days for moment in reading.orders):
                return True
    return False


def _without_sums(entries: list[Entry]) -> list[Entry]:
    """Without a person's total where the stays themselves are there too."""
    staying = {_person(entry) for entry in entries if entry.kind == "stays"}
    return [one for one in entries if one.kind != "people" or _person(one) not in staying]


def _person(entry: Entry) -> tuple[Meeting, str, str]:
    return entry.meeting, fold(_shown(entry)), fold(_email(entry))


def _shown(entry: Entry) -> str:
    cells = entry.cells
    name = cells.get("name", "")
    return without_hidden(name or _registered(entry)) or "(no name)"


def _registered(entry: Entry) -> str:
    first, last = entry.cells.get("first", ""), entry.cells.get("last", "")
    return without_hidden(f"{first} {last}")


def _email(entry: Entry) -> str:
    email, upn = entry.cells.get("email", ""), entry.cells.get("upn", "")
    return without_hidden(email or (upn if "@" in upn else ""))


def _read_rows(entries: list[Entry], path: Path, session: Session) -> tuple[list[Row], list[str]]:
    roles = ("join", "leave", "time", "utc")
    texts = [(e.line, role, e.cells[role]) for e in entries for role in roles if e.cells.get(role)]
    walls, notes = _read_walls(texts, path, session)
    when: dict[tuple[int, str], datetime] = {
        (line, role): wall for (line, role, _), wall in zip(texts, walls, strict=True)
    }
    dated = {(line, role) for line, role, text in texts if _reading(text, session).dated}
    rows = []
    for entry in entries:
        if entry.kind == "events":
            continue
        where = f"{path}, line {entry.line}"
        joined, left = when[entry.line, "join"], when[entry.line, "leave"]
        undated = not {(entry.line, "join"), (entry.line, "leave")} & dated
        stay = _stay(joined, left, session, where, entry, undated=undated)
        rows.append(_row(entry, stay))
    rows += _from_events([e for e in entries if e.kind == "events"], when, path, session)
    rows.sort(key=lambda row: row.line)
    return rows, notes


def _row(entry: Entry, stay: Stay) -> Row:
    registered = _registered(entry) if entry.cells.get("name") else ""
    return Row(_shown(entry), registered, _email(entry), stay, entry.meeting, entry.line)


def _reading(text: str, session: Session) -> Reading:
    return read_time(text, session.start.astimezone(session.report_zone).date())


def _read_walls(
    texts: list[tuple[int, str, str]], path: Path, session: Session
) -> tuple[tuple[datetime, ...], list[str]]:
    """The time of each text in turn, naive or aware, and notes on how they were read."""
    zone = session.report_zone
    readings = [_reading(text, session) for _, _, text in texts]
    start, end = (t.astimezone(zone).date() for t in (session.start, session.end))
    day = say_day(start) if start == end else f"{say_day(start)} to {say_day(end)}"
    try:
        walls = settle(readings, start, end, zone)
    except WrongDay as error:
        raise CertificateError(
            f"{path}: is a report of {error}, and the session {session.name} is on {day}. Put the "
            "report of that day there, or correct the session in policy.toml."
        ) from error
    except StrayTime as error:
        line, _, text = texts[error.index]
        raise CertificateError(
            f"{path}, line {line}: {text} is not of {day}, the day of the session {session.name}, "
            "as other times in the report are. Do all dates have the same form? Export the report "
            "again and do not open it in a spreadsheet."
        ) from error
    walls = tuple(
        wall.replace(tzinfo=UTC) if role == "utc" and wall.tzinfo is None else wall
        for (_, role, _), wall in zip(texts, walls, strict=True)
    )
    dated = [reading.dated for reading in readings]
    if any(dated) and not all(dated):
        line, _, text = texts[dated.index(False)]
        raise CertificateError(
            f"{path}, line {line}: {text!r} has no date, as other times in the report have. Write "
            "it like 2026-11-02 09:00:12, or export the report again."
        )
    if not any(dated):
        return walls, [f"{path.name}: its times have no date, and were taken to be of {day}"]
    for (_, _, text), reading, wall in zip(texts, readings, walls, strict=True):
        other = next((t for t in reading.orders if t and t.date() != wall.date()), None)
        if other:
            note = f"{text} was read as {say_day(wall.date())}, not as {say_day(other.date())}"
            return walls, [f"{path.name}: {note}, since the session is on {day}"]
    return walls, []


def _stay(
    joined: datetime, left: datetime, session: Session, where: str, entry: Entry, *, undated: bool
) -> Stay:
    zone = session.report_zone
    joins, leaves = moments(joined, zone), moments(left, zone)
    if not (joins and leaves):
        wall = left if joins else joined
        raise CertificateError(
            f"{where}: no clock in {zone.key} showed {wall:%H:%M:%S} on {say_day(wall.date())}, "
            "when it was put forward. The report seems to be in another time zone: set the "
            "program's to that of the session and export again, or name the report's in "
            "policy.toml (report_timezone)."
        )
    readings = tuple((join, leave) for join in joins for leave in leaves if join <= leave)
    if not readings and undated:
        readings = tuple((join, leave + 86_400) for join in joins for leave in leaves)
    if not readings:
        raise CertificateError(
            f"{where}: leaves at {left:%H:%M:%S}, before joining at {joined:%H:%M:%S}. Export the "
            "report again; if it stays so, correct the line by hand."
        )
    return Stay(readings, *_away(readings, entry))


def _away(readings: tuple[Interval, ...], entry: Entry) -> tuple[float, str]:
    """How long somebody was away between arrival and departure, and what to say of it."""
    # Zoom has a row for each stay, and its minutes are rounded up.
    total = read_duration(entry.cells.get("duration", "")) if entry.program != "Zoom" else None
    length = min(leave - join for join, leave in readings)
    if total is None and entry.kind == "people":
        return length, (
            "the report has only the first arrival and the last departure, without the time between"
        )
    away = length - total if total is not None else 0.0
    if away <= _ROUNDING:
        return 0.0, ""
    return away, (
        f"the report has only the first arrival and the last departure, and {away / 60:.0f} min "
        "in between are missing, nobody knows which"
    )


def _from_events(
    entries: list[Entry], when: dict[tuple[int, str], datetime], path: Path, session: Session
) -> list[Row]:
    """Stays from arrivals and departures, in the order of time."""
    if not entries:
        return []
    timed = []
    for entry in entries:
        what = layouts().actions.get(key(entry.cells.get("action", "")))
        where = f"{path}, line {entry.line}"
        if what is None:
            raise CertificateError(
                f"{where}: the action {entry.cells.get('action', '')!r} is not known here; it must "
                f"be Joined, Joined before or Left. {layouts().how_to(entry.program)}."
            )
        wall = when.get((entry.line, "time")) or when[entry.line, "utc"]
        at = moments(wall, session.report_zone)
        if not at:
            raise CertificateError(f"{where}: no clock showed {wall:%H:%M:%S} that day")
        timed.append((at[0], entry.line, what, entry))
    timed.sort(key=lambda one: one[:2])
    last = timed[-1][0]
    begins: dict[tuple[Meeting, str, str], tuple[float, str, Entry]] = {}
    rows = []
    for moment, _, what, entry in timed:
        who = _person(entry)
        if what == "left":
            begin, how, first = begins.pop(who, (moment, "unseen", entry))
            rows.append(_row(first, _between(begin, moment, how, session)))
        elif who not in begins:
            begins[who] = moment, what, entry
    for begin, how, entry in begins.values():
        rows.append(_row(entry, _until_the_end(begin, last, how, session)))
    return rows


def _between(begin: float, end: float, how: str, session: Session) -> Stay:
    early = min(begin, session.start.timestamp())
    if how == "joined" or early == begin:
        return Stay(((begin, end),))
    return Stay(
        ((begin, end), (early, end)),
        why="the list was begun after this participant had come, nobody knows how long before",
    )


def _until_the_end(begin: float, last: float, how: str, session: Session) -> Stay:
    end = max(last, session.end.timestamp())
    early = min(begin, session.start.timestamp()) if how == "before" else begin
    readings = tuple(dict.fromkeys([(begin, last), (early, last), (begin, end), (early, end)]))
    return Stay(
        readings,
        why="the list was downloaded before this participant left, nobody knows how long before",
    )


def _check_overlap(rows: list[Row], path: Path, session: Session) -> None:
    stays = [reading for row in rows for reading in row.stay.readings]
    start, end = session.start.timestamp(), session.end.timestamp()
    if not any(join < end and leave > start for join, leave in stays):
        raise CertificateError(
            f"{path}: nobody was there during the session {session.name}, from "
            f"{_clock(session, session.start)} to {_clock(session, session.end)}. The report may "
            "be in another time zone (set the program's to that of the session and export again, "
            "or name the report's in policy.toml: report_timezone), or of another meeting that "
            "day."
        )


def _clock(session: Session, moment: datetime) -> str:
    return f"{moment.astimezone(session.zone):%H:%M}"
