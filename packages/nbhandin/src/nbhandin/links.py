"""Personal links: a secret for each person, of which only a digest is kept.

A link can be taken back or renewed at any time; what was opened with it then ends, too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from nbjudge.files import write_atomically

from nbhandin.errors import HandInError
from nbhandin.places import Places

Role = Literal["student", "instructor"]
_MODE = 0o600


@dataclass(frozen=True)
class Link:
    """A personal link without its secret; ``digest`` is the secret's sha256 (hex).

    ``student`` is "" for an instructor; times are aware.
    """

    id: str
    role: Role
    student: str
    digest: str
    made: datetime
    expires: datetime
    is_taken_back: bool = False

    def holds(self, now: datetime) -> bool:
        """Whether it can be used at this time."""
        return not self.is_taken_back and now < self.expires


def digest_of_token(token: str) -> str:
    """What is kept of a secret. It has 256 bits of chance, so one round of sha256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_link(links: Sequence[Link], token: str, now: datetime) -> Link | None:
    """The link that this secret opens now; ``None`` if there is none."""
    digest = digest_of_token(token)
    return next((one for one in links if one.digest == digest and one.holds(now)), None)


def new_link(
    links: Sequence[Link], role: Role, student: str, now: datetime, days: int
) -> tuple[list[Link], str]:
    """All links with a new one, the person's others taken back; and the new one's secret."""
    token = secrets.token_urlsafe(32)
    made = Link(
        secrets.token_hex(8),
        role,
        student,
        digest_of_token(token),
        now,
        now + timedelta(days=days),
    )
    return [*take_back(links, role, student), made], token


def take_back(links: Sequence[Link], role: Role, student: str) -> list[Link]:
    """All links, those of one person taken back."""
    return [
        replace(one, is_taken_back=True) if (one.role, one.student) == (role, student) else one
        for one in links
    ]


class LinkBook:
    """The links of a course: a file that several processes may change."""

    def __init__(self, places: Places) -> None:
        self._path = places.links
        self._seen: tuple[int, int] = (0, -1)
        self._links: list[Link] = []

    def links(self) -> list[Link]:
        """All links as they are now. Raises ``HandInError`` where the file is damaged."""
        try:
            info = self._path.stat()
        except FileNotFoundError:
            return []
        seen = (info.st_mtime_ns, info.st_ino)
        if seen != self._seen:
            self._links, self._seen = _read(self._path), seen
        return self._links

    def renew(self, role: Role, student: str, now: datetime, days: int) -> str:
        """Make a link in the place of any that the person has; returns its secret."""
        with self._changing() as change:
            links, token = new_link(self.links(), role, student, now, days)
            change(links)
        return token

    def take_back(self, role: Role, student: str) -> None:
        """Take a person's links back."""
        with self._changing() as change:
            change(take_back(self.links(), role, student))

    def remove(self, student: str) -> None:
        """Remove all that is known of a student's links."""
        with self._changing() as change:
            change([one for one in self.links() if (one.role, one.student) != ("student", student)])

    @contextmanager
    def _changing(self) -> Iterator[Callable[[list[Link]], None]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._write

    def _write(self, links: Sequence[Link]) -> None:
        rows = [
            asdict(one) | {"made": one.made.isoformat(), "expires": one.expires.isoformat()}
            for one in links
        ]
        write_atomically(self._path, json.dumps(rows, indent=1).encode(), _MODE)


def _read(path: Path) -> list[Link]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        times = ("made", "expires")
        return [
            Link(**{**row, **{key: datetime.fromisoformat(row[key]) for key in times}})
            for row in rows
        ]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise HandInError(
            f"{path} is damaged ({error}). Take it away, and make new links: nbhandin links --renew"
        ) from error
