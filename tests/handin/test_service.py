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
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest
from handin.conftest import notebook
from nbhandin.attempts import Attempts, Graded, now_utc
from nbhandin.links import LinkBook
from nbhandin.places import Places
from nbjudge.cohort import course_lock
from nbjudge.cohort.lock import CourseLocked
from nbjudge.course import Course

pytestmark = pytest.mark.slow
PATIENCE = 240


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

    def open(self, student: str) -> Student:
        token = LinkBook(self.places).renew("student", student, now_utc(), 30)
        client = httpx.Client(base_url=self.address, follow_redirects=True, timeout=PATIENCE)
        page = client.get(f"/in/{token}").text
        return Student(client, re.search(r'name="csrf" value="(\w+)"', page)[1])

    def attempts(self) -> list:
        found = Attempts(self.places)
        found.refresh()
        return found.all()


class Student:
    def __init__(self, client: httpx.Client, csrf: str) -> None:
        self.client, self.csrf = client, csrf

    def hand_in(self, data: bytes) -> int:
        answer = self.client.post(
            "/hand-in", data={"csrf": self.csrf}, files={"files": ("my (2).ipynb", data)}
        )
        assert answer.status_code == 200, answer.text
        return int(answer.url.path.rpartition("/")[2])


def until(condition: Callable[[], object]) -> object:
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
        until(lambda: all_graded(service))
        text = ada.client.get(f"/attempt/{number}").text
        assert "5 of 7 points so far" in text
        assert ada.client.get(f"/attempt/{number}/feedback/toys.html").status_code == 200
        slow = notebook(course, double="import time\ntime.sleep(2)\ndef double(x):\n    return 2*x")
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


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_in_a_rush_all_that_was_acknowledged_is_graded_once(course, seed):
    chance = random.Random(seed)
    service = Service(course)
    acknowledged: dict[str, int] = {}
    students = [f"s{number}" for number in range(8)]
    work = {who: notebook(course, why=f"I am {who}.") for who in students}
    try:
        for _ in range(3):
            service.start()
            pages = {who: service.open(who) for who in students if who not in acknowledged}
            for who, page in list(pages.items())[: chance.randrange(1, 5)]:
                acknowledged[who] = page.hand_in(work[who])
            # Not a wait for something: the moment of the end is any moment.
            time.sleep(chance.uniform(0, 4))
            service.kill()
        service.start()
        for who in students:
            if who not in acknowledged:
                acknowledged[who] = service.open(who).hand_in(work[who])
        until(lambda: all_graded(service))
    finally:
        service.kill()
    found = service.attempts()
    assert {one.receipt.student: one.number for one in found} == acknowledged
    assert [one.state.score for one in found] == [5] * len(students)
    for one in found:
        kept = json.loads((service.places.attempt(one.number) / "files/toys.ipynb").read_bytes())
        assert f"I am {one.receipt.student}." in json.dumps(kept)
    assert len(list(course.submitted.glob("*/ps1"))) == len(students)
    assert not list(course.submitted.glob(".handin-*"))
    with course.gradebook() as gradebook:
        assert {one.student.id for one in gradebook.assignment_submissions("ps1")} == set(students)
    assert os.path.exists(service.places.links)
