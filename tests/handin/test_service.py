"""The whole service, as it is started: handed in, graded, killed at any moment, started again."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import httpx
import psutil
import pytest
from handin.conftest import notebook
from nbhandin.attempts import Attempts, Graded, now_utc
from nbhandin.links import LinkBook, Role
from nbhandin.places import Places
from nbjudge.cohort import course_lock
from nbjudge.cohort.lock import CourseLocked
from nbjudge.course import Course

pytestmark = pytest.mark.slow
PATIENCE = 240
SEED = 16
KILLS = int(os.environ.get("HANDIN_KILLS", "20"))


class Service:
    """``nbhandin serve`` in a process of its own."""

    def __init__(self, course: Course, *options: str) -> None:
        self.options = options
        self.course, self.places = course, Places(course.gradebook_folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "nbhandin", "serve"]
        options = ["--course", str(self.course.root), "--port", str(self.port), *self.options]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        until(self.answers)

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/healthy").text == "ok\n"
        return False

    def kill(self) -> None:
        """End it and all that it started, at once, as when the machine goes down."""
        everybody = psutil.Process(self.process.pid).children(recursive=True)
        for one in [psutil.Process(self.process.pid), *everybody]:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self.process.wait()

    def kill_one(self, chance: random.Random) -> None:
        """End one of the processes that it started: the grader, a worker, the reader, …"""
        below = until(lambda: psutil.Process(self.process.pid).children(recursive=True))
        with suppress(psutil.NoSuchProcess):
            chance.choice(below).kill()

    def moves_on(self, steps: int) -> None:
        """Wait until it has made so many more files, or has nothing left to do."""

        def files() -> int:
            return sum(len(names) for _, _, names in os.walk(self.places.root))

        wanted = files() + steps
        until(lambda: files() >= wanted or all_graded(self))

    def open(self, student: str, role: Role = "student") -> Student:
        token = LinkBook(self.places).renew(role, student, now_utc(), 30)
        client = httpx.Client(base_url=self.address, follow_redirects=True, timeout=PATIENCE)
        page = client.get(f"/in/{token}").text
        return Student(client, re.search(r'name="csrf" value="(\w+)"', page)[1])

    def attempts(self) -> list:
        found = Attempts(self.places)
        found.refresh()
        return found.all()


class Refused(Exception):
    """The page said no, or nothing."""


class Student:
    def __init__(self, client: httpx.Client, csrf: str) -> None:
        self.client, self.csrf = client, csrf

    def sees(self, text: str, address: str = "/") -> None:
        """Wait until the page says so; it hears of a result after that is on the disk."""
        until(lambda: text in self.client.get(address).text)

    def hand_in(self, data: bytes) -> int:
        answer = self.client.post(
            "/hand-in", data={"csrf": self.csrf}, files={"files": ("my (2).ipynb", data)}
        )
        if answer.status_code != 200:
            raise Refused(answer.text)
        return int(answer.url.path.rpartition("/")[2])


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@contextmanager
def served(course: Course, *options: str) -> Iterator[Service]:
    service = Service(course, *options)
    service.start()
    try:
        yield service
    finally:
        service.kill()


def all_graded(service: Service) -> bool:
    return all(isinstance(one.state, Graded) for one in service.attempts())


def test_from_the_link_to_the_points_and_what_another_command_is_told(course):
    with served(course) as service:
        ada = service.open("ada")
        number = ada.hand_in(notebook(course))
        ada.sees("5 of 7 points so far", f"/attempt/{number}")
        assert ada.client.get(f"/attempt/{number}/feedback/toys.html").status_code == 200
        # Long enough to be found at it.
        busy = "import time\nwhile time.process_time() < 2:\n    pass\n"
        slow = notebook(course, double=f"{busy}def double(x):\n    return 2 * x")
        ada.hand_in(slow)

        def is_locked() -> bool:
            """What any other command would be told; it is asked often enough to see it."""
            try:
                with course_lock(course.gradebook_folder):
                    return False
            except CourseLocked as error:
                return "being graded already" in str(error)

        until(is_locked)
        until(lambda: all_graded(service))
        # Held only while something is graded.
        with course_lock(course.gradebook_folder):
            other = service.open("bob").hand_in(notebook(course))
            page = lambda: ada.client.get("/").text  # noqa: E731
            assert "Graded" in page()
            assert [one.number for one in service.attempts() if one.is_pending] == [other]
        until(lambda: all_graded(service))


def test_a_connection_that_is_cut_leaves_nothing_and_the_next_upload_works(course):
    with served(course) as service:
        ada = service.open("ada")
        cookie = f"handin={ada.client.cookies['handin']}"
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            head = (
                f"POST /hand-in HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"
            )
            connection.sendall(head.encode() + b'--x\r\nContent-Disposition: form-data; name="a"')
        assert ada.hand_in(notebook(course)) == 1
        assert len(service.attempts()) == 1
        until(lambda: not list(service.places.incoming.iterdir()))


class Rush:
    """Students who hand in one after another, several at a time, until each has a receipt."""

    def __init__(self, service: Service, students: list[str], threads: ThreadPoolExecutor) -> None:
        self.service, self.threads = service, threads
        self.pages = {who: service.open(who) for who in students}
        self.work = {who: notebook(service.course, why=f"I am {who}.") for who in students}
        self.receipts: dict[str, Future[int]] = {}

    def begin(self, who: str) -> None:
        self.receipts[who] = self.threads.submit(self._hand_in, who)

    def _hand_in(self, who: str) -> int:
        """As a person does: where the page does not answer, try again."""
        receipts: list[int] = []

        def is_acknowledged() -> bool:
            with suppress(httpx.HTTPError, Refused):
                receipts.append(self.pages[who].hand_in(self.work[who]))
            return bool(receipts)

        until(is_acknowledged)
        return receipts[0]


def test_killed_at_random_moments_of_a_rush_all_that_was_acknowledged_is_graded_once(course):
    """One process, or all of them at once; HANDIN_KILLS says how often."""
    chance = random.Random(SEED)
    students = [f"s{number:02d}" for number in range(KILLS + 4)]
    with served(course) as service, ThreadPoolExecutor(4) as threads:
        rush = Rush(service, students, threads)
        coming = iter(students)
        for _ in range(KILLS):
            for who in islice(coming, chance.choice([1, 1, 2])):
                rush.begin(who)
            service.moves_on(chance.randrange(12))
            if chance.random() < 0.5:
                service.kill()
                service.start()
            else:
                service.kill_one(chance)
        for who in coming:
            rush.begin(who)
        acknowledged = {who: receipt.result() for who, receipt in rush.receipts.items()}
        until(lambda: all_graded(service))
        until(lambda: not list(service.places.incoming.iterdir()))
        found = service.attempts()
        assert {one.receipt.student: one.number for one in found} == acknowledged
        assert [one.state.score for one in found] == [5] * len(students)
        for one in found:
            kept = (service.places.attempt(one.number) / "files/toys.ipynb").read_bytes()
            assert f"I am {one.receipt.student}." in json.dumps(json.loads(kept))
    assert len(list(course.submitted.glob("*/ps1"))) == len(students)
    assert not list(course.submitted.glob(".handin-*"))
    with course.gradebook() as gradebook:
        assert {one.student.id for one in gradebook.assignment_submissions("ps1")} == set(students)
