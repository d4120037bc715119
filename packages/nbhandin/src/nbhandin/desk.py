"""What the page works with: the course, its attempts and links, the grader, who is listening."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from nbcertify.places import Places as CertificatePlaces
from nbcertify.roster import Person, read_roster
from nbjudge.course import Course
from nbjudge.errors import NbjudgeError

from nbhandin.attempts import Attempts, now_utc
from nbhandin.errors import HandInError
from nbhandin.events import Came, Done, Event
from nbhandin.grader_link import GraderLink
from nbhandin.links import Link, LinkBook
from nbhandin.places import Places
from nbhandin.reader import Reader
from nbhandin.settings import HandIn
from nbhandin.standing import GradebookReader
from nbhandin.storing import prepare, write_durably

_FEW_MEGABYTES = 500
_MOST_LISTENERS = 2_000
_MOST_OF_ONE = 6


@dataclass(eq=False)
class Listener:
    """A page that is open: ``student`` is "" for an instructor, who hears of all."""

    student: str
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Desk:
    """All that requests share. Made by the process that serves the page, once."""

    def __init__(
        self,
        course: Course,
        settings: HandIn,
        *,
        grades: bool = True,
        grader_options: Sequence[str] = (),
    ) -> None:
        self.course, self.settings = course, settings
        self.places = Places(course.gradebook_folder)
        prepare(self.places)
        self.attempts = Attempts(self.places)
        self.attempts.refresh()
        self.links = LinkBook(self.places)
        self.reader = Reader(course.root)
        self.gradebook = GradebookReader(course)
        self.grader = GraderLink(course.root, self.hear, grader_options)
        self.grades = grades
        self.secret = _secret(self.places)
        self.keeping = asyncio.Lock()
        self.open_uploads: dict[str, int] = {}
        self._uploads: dict[str, deque[float]] = {}
        self._listeners: set[Listener] = set()
        self._roster: tuple[float, dict[str, Person]] = (0.0, {})

    @property
    def name(self) -> str:
        """What the course is called."""
        return str(self.course.config.CourseDirectory.get("course_id", "")) or self.course.root.name

    def link_of(self, id_: str) -> Link | None:
        """The link of this id, if it can be used now."""
        now = now_utc()
        return next((one for one in self.links.links() if one.id == id_ and one.holds(now)), None)

    def roster(self) -> dict[str, Person]:
        """Names and addresses, if there is a roster that can be read."""
        path = CertificatePlaces(self.course.gradebook_folder).roster
        with suppress(OSError):
            changed = path.stat().st_mtime
            if changed != self._roster[0]:
                with suppress(NbjudgeError):
                    self._roster = (changed, read_roster(path))
            return self._roster[1]
        return {}

    def hear(self, event: Event) -> None:
        """Take in what the grader says, and tell whom it concerns."""
        student = ""
        if isinstance(event, Done):
            self.attempts.reread(event.number)
            self.gradebook.forget()
            attempt = self.attempts.find(event.number)
            student = attempt.receipt.student if attempt else ""
        elif isinstance(event, Came):
            self.attempts.refresh()
        self.tell(student)

    def tell(self, student: str) -> None:
        """Tell those who look at this student's work; "" tells all, since a place in line moved."""
        for one in self._listeners:
            if not student or one.student in ("", student):
                one.news.set()

    @contextmanager
    def listening(self, student: str) -> Iterator[Listener]:
        """Be told of news for a ``with`` block. Raises ``HandInError`` where too many listen."""
        own = sum(one.student == student for one in self._listeners)
        if len(self._listeners) >= _MOST_LISTENERS or (student and own >= _MOST_OF_ONE):
            raise HandInError("Too many pages are open.")
        listener = Listener(student)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def may_upload(self, link: Link, monotonic: float) -> bool:
        """Whether this link has not uploaded too often in the last minute; counts this upload."""
        times = self._uploads.setdefault(link.id, deque())
        while times and times[0] < monotonic - 60:
            times.popleft()
        if len(times) >= self.settings.uploads_a_minute:
            return False
        times.append(monotonic)
        return True

    def waiting_before(self, number: int) -> int:
        """How many attempts are to be graded before this one."""
        return sum(one.is_pending and one.number < number for one in self.attempts.all())

    def free_megabytes(self) -> int:
        """Free room on the disk, in MB, where it is little; 0 where there is enough."""
        free = shutil.disk_usage(self.places.root).free // 1_000_000
        return free if free < _FEW_MEGABYTES else 0

    def clock_behind(self) -> tuple[int, datetime] | None:
        """The receipt that is later than the clock, by number and time; ``None`` if none is."""
        late = [one.receipt for one in self.attempts.all() if one.receipt.received > now_utc()]
        last = max(late, key=lambda one: one.received, default=None)
        return (last.number, last.received) if last else None


@contextmanager
def only_service(places: Places) -> Iterator[None]:
    """Be the only service of a course, for a ``with`` block. Raises ``HandInError`` otherwise."""
    places.root.mkdir(parents=True, exist_ok=True)
    with places.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise HandInError(
                f"The hand-in page of this course runs already (process {file.read() or '?'})."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _secret(places: Places) -> str:
    if not places.secret.exists():
        write_durably(places.secret, secrets.token_urlsafe(48).encode())
    return places.secret.read_text(encoding="utf-8")
