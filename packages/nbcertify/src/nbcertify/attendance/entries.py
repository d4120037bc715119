"""The rows of a report that tell of somebody: found in its tables, with their cells by role.

A file may hold several tables (the sections of a webinar or of Teams, reports pasted together, a
meeting above its participants). A row with times in its columns is a row of the table, whatever its
other cells look like; only a row without may be a heading or begin a section.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbcertify.attendance.layouts import Kind, Layouts, key, layouts
from nbcertify.attendance.times import is_time
from nbcertify.errors import CertificateError
from nbcertify.tables import Line, without_hidden

_NO_TIME = {"", "-", "--", "n/a"}
_NUMBERED = re.compile(r"\d{1,2}\. ?\S.*")


@dataclass(frozen=True)
class Meeting:
    """A meeting as a report names it; both "" where it names none."""

    id: str = ""
    topic: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.id, f"({self.topic})" if self.topic else "")))


@dataclass(frozen=True)
class Entry:
    """One row of a report: `cells` by role, as `layouts.toml` names roles."""

    line: int
    kind: Kind
    program: str
    meeting: Meeting
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """The columns of a table: a role or "" for each, and where the part of the meeting ends."""

    kind: Kind
    program: str
    roles: tuple[str, ...]
    first: int

    def entry(self, line: Line, meeting: Meeting) -> Entry:
        """A row of it."""
        pairs = list(zip(self.roles, line.cells, strict=False))
        own = {role: cell for role, cell in pairs[: self.first] if role in ("meeting", "topic")}
        if any(own.values()):
            meeting = Meeting(own.get("meeting", ""), own.get("topic", ""))
        cells = {role: cell for role, cell in pairs[self.first :] if role and role != "idle"}
        return Entry(line.number, self.kind, self.program, meeting, cells)


@dataclass
class Found:
    """What was found in a report.

    `unknown` are headings that are not known, `notes` sentences on how others were read, `program`
    is whose report it is.
    """

    entries: list[Entry] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: int = 0
    program: str = ""


def find_entries(lines: Sequence[Line], path: Path) -> Found:
    """All rows that tell of somebody. CertificateError, with advice, if no table can be read."""
    known = layouts()
    found = Found()
    _search(lines, path, known, found, by_stems=False)
    if not found.tables:
        _search(lines, path, known, found, by_stems=True)
    if not found.tables:
        _refuse(lines, path, known)
    return found


def _search(
    lines: Sequence[Line], path: Path, known: Layouts, found: Found, *, by_stems: bool
) -> None:
    table: Table | None = None
    meeting = Meeting()
    meeting_roles: tuple[str, ...] = ()
    section: Line | None = None
    for line in lines:
        if line.blank:
            continue
        if table is not None and _is_row(line, table):
            _check_width(line, table, path)
            entry = table.entry(line, meeting)
            if _counts(entry, f"{path}, line {line.number}", known):
                found.entries.append(entry)
            continue
        words = [key(cell) for cell in line.cells]
        filled = [word for word in words if word]
        if len(set(filled)) == 1 and words[0] in known.sections:
            section, table = line, None
            continue
        if len(filled) == 1 and _NUMBERED.fullmatch(line.cells[0]):
            # Teams numbers its sections; those that are not known are passed over.
            section, table = None, None
            continue
        heading = _read_heading(line, words, path, known, found, by_stems=by_stems)
        if heading is not None:
            table, section, meeting_roles = heading, None, ()
            found.tables += 1
            found.program = heading.program
            continue
        if section is not None:
            raise CertificateError(
                f"{path}, line {line.number}: the section {section.cells[0]!r} does not have the "
                f"columns {_needed()}; it has {_list(line)}. {known.how_to('Zoom')}."
            )
        roles = [known.roles.get(word, "") for word in words]
        if meeting_roles:
            # The row below the headings of a meeting.
            own = dict(zip(meeting_roles, line.cells, strict=False))
            meeting = Meeting(own.get("meeting", ""), own.get("topic", ""))
            meeting_roles = ()
            continue
        if sum(role in ("meeting", "topic") for role in roles) and sum(map(bool, roles)) > 1:
            table, meeting_roles = None, tuple(roles)
            continue
        if table is None and len(filled) == 2 and roles[0] in ("meeting", "topic"):
            named = {"meeting": meeting.id, "topic": meeting.topic, roles[0]: line.cells[1]}
            meeting = Meeting(named["meeting"], named["topic"])
            continue
        if table is not None:
            _check_width(line, table, path)
            _refuse_row(line, table, path, known)


def _is_row(line: Line, table: Table) -> bool:
    """Whether the cells that should hold times do, or say that there is none."""
    cells = dict(zip(table.roles, line.cells, strict=False))
    if table.kind == "events":
        return is_time(cells.get("time", "") or cells.get("utc", ""))
    join, leave = (cells.get(role, "") for role in ("join", "leave"))
    if is_time(join) and (is_time(leave) or leave in _NO_TIME):
        return True
    if not join and not leave:
        # Who registered and stayed away.
        return key(cells.get("attended", "?")) in layouts().yes | layouts().no
    return join in _NO_TIME and (leave in _NO_TIME or is_time(leave))


def _read_heading(
    line: Line, words: list[str], path: Path, known: Layouts, found: Found, *, by_stems: bool
) -> Table | None:
    """The table whose headings these are, None if they are none."""
    roles = [known.roles.get(word, "") for word in words]
    if by_stems:
        roles = _by_stems(words, roles, known)
    has = set(roles)
    named = bool(has & {"name", "first", "last"})
    kind: Kind = "stays"
    if not named or not has >= {"join", "leave"}:
        if named and "action" in has and has & {"time", "utc"}:
            kind = "events"
        else:
            return None
    elif any(word in known.summing for word in words):
        kind = "people"
    first = _first_of_person(roles)
    roles = _told_apart(roles, first)
    _refuse_double(line, roles, first, path)
    unknown = [
        cell
        for cell, role, word in zip(line.cells, roles, words, strict=True)
        if word and not role and word not in known.roles
    ]
    found.unknown |= dict.fromkeys(unknown)
    if by_stems:
        read = ", ".join(
            f"{cell!r} as {role}"
            for cell, role, word in zip(line.cells, roles, words, strict=True)
            if role in ("name", "email", "join", "leave") and word not in known.roles
        )
        found.notes.append(f"{path.name}: columns were read by their wording: {read}")
    while words and not words[-1]:
        words.pop()
    return Table(kind, known.program(words) or "Zoom", tuple(roles[: len(words)]), first)


def _by_stems(words: list[str], roles: list[str], known: Layouts) -> list[str]:
    """Roles told by how words begin, where one column alone fits; else as they were."""
    found = list(roles)
    for role in ("join", "leave", "name", "email"):
        if role in found:
            continue
        fits = [
            number
            for number, word in enumerate(words)
            if not found[number]
            and any(stem in word for stem in known.stems[role])
            and not any(stem in word for stem in known.stems["not"])
        ]
        if len(fits) == 1:
            found[fits[0]] = role
    return found


def _first_of_person(roles: list[str]) -> int:
    """The column where the participant begins: after those of the meeting, in one table with it."""
    times = [n for n, role in enumerate(roles) if role in ("join", "time", "utc")]
    names = [n for n, role in enumerate(roles[: times[0]]) if role in ("name", "first", "last")]
    if not names or not any(role in ("meeting", "topic") for role in roles[: names[-1]]):
        return 0
    start = names[-1]
    # A first and a last name side by side are of one person.
    while start and roles[start - 1] in ("name", "first", "last", "attended"):
        start -= 1
    return start


def _told_apart(roles: list[str], first: int) -> list[str]:
    """The roles; "Name" beside "First name" is the last name."""
    person = roles[first:]
    if "name" in person and "first" in person and "last" not in person:
        at = first + person.index("name")
        return [*roles[:at], "last", *roles[at + 1 :]]
    if "name" in person and "last" in person and "first" not in person:
        at = first + person.index("name")
        return [*roles[:at], "first", *roles[at + 1 :]]
    return roles


def _refuse_double(line: Line, roles: list[str], first: int, path: Path) -> None:
    weighty = [role for role in roles[first:] if role and role != "idle"]
    for role, count in Counter(weighty).items():
        if count > 1:
            same = [
                cell for cell, r in zip(line.cells[first:], roles[first:], strict=True) if r == role
            ]
            raise CertificateError(
                f"{path}, line {line.number}: the columns {' and '.join(map(repr, same))} may both "
                f"be the {_SAID.get(role, role)}; rename the one that is not"
            )


def _check_width(line: Line, table: Table, path: Path) -> None:
    if any(line.cells[len(table.roles) :]):
        raise CertificateError(
            f"{path}, line {line.number}: has more cells than there are columns; a name that "
            "contains the separator must be in quotation marks"
        )


def _counts(entry: Entry, where: str, known: Layouts) -> bool:
    """Whether a row is of somebody who was let in."""
    cells = entry.cells
    if _is_yes(cells.get("waiting", "no"), f"{where}, column In Waiting Room", known):
        return False
    if entry.kind == "events":
        return True
    times = [cells.get("join", ""), cells.get("leave", "")]
    if not _is_yes(cells.get("attended") or "yes", f"{where}, column Attended", known):
        if not set(times) <= _NO_TIME:
            raise CertificateError(
                f"{where}: did not attend, it says, and was there from {times[0]} to {times[1]}; "
                "correct what is wrong"
            )
        return False
    for name, time in zip(("join", "leave"), times, strict=True):
        if time in _NO_TIME:
            raise CertificateError(f"{where}: has no {name} time. {_UNFINISHED}")
    return True


_UNFINISHED = (
    "Export the report after the meeting has ended; if it stays so, fill the time in by hand."
)
_SAID = {
    "name": "name (original name)",
    "email": "user email",
    "join": "join time",
    "leave": "leave time",
}


def _is_yes(text: str, where: str, known: Layouts) -> bool:
    word = key(text)
    if word not in known.yes | known.no:
        raise CertificateError(f"{where}: must be Yes or No, not {text!r}")
    return word in known.yes


def _refuse_row(line: Line, table: Table, path: Path, known: Layouts) -> None:
    """Say what is wrong with a row of a table whose times cannot be read."""
    where = f"{path}, line {line.number}"
    cells = dict(zip(table.roles, line.cells, strict=False))
    roles = ("time",) if table.kind == "events" else ("join", "leave")
    for role in roles:
        text = without_hidden(cells.get(role) or cells.get("utc", ""))
        if text in _NO_TIME:
            raise CertificateError(f"{where}: has no {role} time. {_UNFINISHED}")
        if not is_time(text):
            raise CertificateError(
                f"{where}: {text!r} is no date and time that is known here. Write it like "
                "2026-11-02 09:00:12, or export the report again."
            )


def _refuse(lines: Sequence[Line], path: Path, known: Layouts) -> None:
    for line in lines:
        words = [key(cell) for cell in line.cells]
        heads = {known.roles.get(word, "") for word in words}
        if heads & {"name", "first"} and "duration" in heads and "join" not in heads:
            raise CertificateError(
                f"{path}, line {line.number}: has total minutes and no times of joining and "
                "leaving, so it cannot be seen who was there during the session. "
                f"{known.how_to(known.program(words) or 'Zoom')}."
            )
    widest = max(lines, key=lambda line: sum(map(bool, line.cells)), default=None)
    has = _list(widest) if widest and not widest.blank else "nothing"
    program = known.program([key(cell) for cell in widest.cells], 3) if widest else ""
    advice = known.how_to(program) if program else known.advice["Zoom"]
    more = "" if program else f". {known.how_to('')}"
    raise CertificateError(
        f"{path}: there is no table with the columns {_needed()}; found {has}. {advice}{more}."
    )


def _needed() -> str:
    return ", ".join(_SAID[role] for role in ("name", "join", "leave"))


def _list(line: Line) -> str:
    return ", ".join(repr(cell) for cell in line.cells if cell)
