"""A released toy course, one warm server, and a class that hands in."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import toy_course
from nbhandin import reader
from nbhandin.attempts import Attempts, Receipt, UploadedFile, now_utc
from nbhandin.desk import Desk
from nbhandin.exchange import Exchange
from nbhandin.grading import QueueGrader
from nbhandin.places import Places
from nbhandin.settings import settings_of
from nbhandin.storing import Incoming, prepare
from nbhandin.web.app import make_app
from nbjudge.course import Course, load_course
from nbjudge.release.release import release
from nbjudge.warm.client import WarmServer
from starlette.testclient import TestClient
from workers_here import workers_here

T = TypeVar("T")
HOST = "http://127.0.0.1"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Path:
    """A released course to copy, since making a gradebook takes seconds."""
    root = toy_course.make_course(tmp_path_factory.mktemp("handin") / "course")
    release(load_course(root), "ps1")
    return root


@pytest.fixture
def course(pristine, tmp_path) -> Course:
    """A released course of the test's own."""
    found = load_course(shutil.copytree(pristine, tmp_path / "course"))
    prepare(Places(found.gradebook_folder))
    return found


@pytest.fixture(scope="session")
def workers():
    """One worker, in this process, with a warm server of its own."""
    with WarmServer(("numpy",)) as server:
        server.wait_until_ready()
        yield workers_here(server.address)


def notebook(course: Course, **answers: str) -> bytes:
    """The released notebook with the right answers, but for these."""
    made = toy_course.read(course.release / "ps1" / "toys.ipynb")
    for id, source in (toy_course.RIGHT | answers).items():
        toy_course.by_id(made, id)["source"] = source
    return json.dumps(made).encode()


@dataclass
class Queue:
    """The queue of a course, as the page fills it and the grader empties it."""

    course: Course
    said: list

    @property
    def places(self) -> Places:
        return Places(self.course.gradebook_folder)

    @property
    def attempts(self) -> Attempts:
        found = Attempts(self.places)
        found.refresh()
        return found

    def hand_in(self, student: str, data: bytes, received: datetime = NOON) -> int:
        with Incoming(self.places) as incoming:
            incoming.files.mkdir()
            (incoming.files / "toys.ipynb").write_bytes(data)
            receipt = Receipt(
                0, student, "ps1", received, (UploadedFile("t.ipynb", len(data), "0"),)
            )
            return incoming.keep(receipt, self.attempts.last_number()).number

    def grader(self, *, watches: bool = False, **settings: object) -> QueueGrader:
        """A grader; one that ``watches`` looks at nbgrader's exchange, too."""
        config = self.course.config.copy()
        config.HandIn.update(settings)
        course = Course(self.course.root, config)
        found = settings_of(course)
        exchange = Exchange(course, found) if watches else None
        return QueueGrader(course, found, self.said.append, exchange=exchange)

    def score(self, number: int) -> float:
        return self.attempts.find(number).state.score

    def in_gradebook(self, student: str) -> float:
        with self.course.gradebook() as gradebook:
            return gradebook.find_submission("ps1", student).score


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """What comes of a coroutine, in a thread: a browser of another test has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
def queue(course) -> Queue:
    """A queue that is empty."""
    return Queue(course, [])


@dataclass
class Site:
    desk: Desk
    app: object

    def open(self, student: str = "ada", role: str = "student") -> Page:
        token = self.desk.links.renew(role, student, now_utc(), 30)
        page = Page(TestClient(self.app, base_url=HOST, raise_server_exceptions=False), token)
        page.client.get(f"/in/{token}")
        return page


@dataclass
class Page:
    client: TestClient
    token: str

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="(\w+)"', self.client.get("/").text)
        return found[1] if found else ""

    def hand_in(self, *files: tuple[str, bytes], csrf: str | None = None, **headers: str):
        return self.client.post(
            "/hand-in",
            data={"csrf": self.csrf() if csrf is None else csrf},
            files=[("files", file) for file in files] or None,
            headers=headers,
        )


def make_site(course: Course, **settings: object) -> Site:
    """The page of a course, with these settings; nothing is graded."""
    config = course.config.copy()
    config.HandIn.update(settings)
    made = Course(course.root, config)
    desk = Desk(made, settings_of(made), grades=False)
    return Site(desk, make_app(desk))


@pytest.fixture
def site(course, monkeypatch):
    """Make the course's page, by settings; see ``make_site``."""

    # The reader's work, without its process: seconds less.
    async def read_here(self, uploaded, names, files):
        found = reader.look(str(course.root), str(uploaded), tuple(names), str(files))
        if isinstance(found, str):
            raise reader.NotTaken(found)
        return found

    monkeypatch.setattr(reader.Reader, "read", read_here)
    monkeypatch.setattr(reader.Reader, "warm", lambda self: None)

    return partial(make_site, course)
