"""A released toy course, one warm server, and a class that hands in."""

from __future__ import annotations

import shutil
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import toy_course
from nbhandin.attempts import Attempts, Receipt, UploadedFile
from nbhandin.exchange import Exchange
from nbhandin.grading import QueueGrader
from nbhandin.places import Places
from nbhandin.settings import settings_of
from nbhandin.storing import Incoming, prepare
from nbjudge.cohort.workers import Workers
from nbjudge.course import Course, load_course
from nbjudge.release.release import release
from nbjudge.warm.client import WarmServer

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


class ExecutorHere(Executor):
    """Does each task when it is submitted."""

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="session")
def workers():
    """One worker, in this process, with a warm server of its own."""
    with WarmServer(("numpy",)) as server:
        server.wait_until_ready()
        yield Workers(ExecutorHere(), lambda: 1, lambda: server.address)


def notebook(course: Course, **answers: str) -> bytes:
    """The released notebook with the right answers, but for these."""
    import json

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


@pytest.fixture
def queue(course) -> Queue:
    """A queue that is empty."""
    return Queue(course, [])
