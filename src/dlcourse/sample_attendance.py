"""The made-up class's roster, and the reports that Zoom would have given of its sessions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

from nbcertify.sessions import Session
from nbjudge.files import write_atomically

from dlcourse.sample_class import Recipe

HOST = "M. de Vries"
_COLUMNS = (
    "Name (Original Name)",
    "User Email",
    "Join Time",
    "Leave Time",
    "Duration (Minutes)",
    "Guest",
    "Recording Consent",
    "In Waiting Room",
)
_FORM = "%m/%d/%Y %I:%M:%S %p"


def write_roster(recipes: Iterable[Recipe], path: Path) -> None:
    """Write `roster.csv`, with addresses that belong to nobody."""
    rows = [(r.student, r.name, _email(r)) for r in recipes]
    _write(path, [("student", "name", "email"), *rows])


def write_reports(recipes: Sequence[Recipe], sessions: Iterable[Session], folder: Path) -> None:
    """Write Zoom's report of each session, and the aliases that an instructor would add.

    Those who are not said to have been elsewhere were there from before the beginning to the end.
    """
    for session in sessions:
        table = [
            ("Meeting ID", "Topic", "Start Time", "End Time", "User Email", "Duration (Minutes)"),
            (
                "812 3456 7890",
                f"Introduction to deep learning, {session.name}",
                session.start.strftime(_FORM),
                session.end.strftime(_FORM),
                "host@example.org",
                f"{(session.end - session.start).total_seconds() / 60:.0f}",
            ),
            (),
            _COLUMNS,
            *_rows(recipes, session),
        ]
        _write(folder / session.report, table)
    _write(folder / "aliases.csv", [("participant", "student"), (HOST, "-")])


def _rows(recipes: Sequence[Recipe], session: Session) -> Iterator[tuple[str, ...]]:
    yield _row(HOST, "host@example.org", session.start - timedelta(minutes=20), session.end)
    for number, recipe in enumerate(recipes):
        name = recipe.joins_as or recipe.name
        # Who joins under another name does so without an account.
        email = "" if recipe.joins_as else _email(recipe)
        spans = recipe.attended.get(session.name)
        if spans is None:
            yield _row(name, email, session.start - timedelta(minutes=number % 7), session.end)
            continue
        for span in spans:
            begin, end = (
                datetime.combine(session.start.date(), time.fromisoformat(clock), session.zone)
                for clock in span.split("-")
            )
            yield _row(name, email, begin, end)


def _row(name: str, email: str, begin: datetime, end: datetime) -> tuple[str, ...]:
    minutes = f"{(end - begin).total_seconds() / 60:.0f}"
    guest = "No" if email else "Yes"
    return name, email, begin.strftime(_FORM), end.strftime(_FORM), minutes, guest, "", "No"


def _email(recipe: Recipe) -> str:
    return f"{recipe.student}@example.org"


def _write(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8-sig"), 0o600)
