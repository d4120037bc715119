"""What the student and the instructor see when something goes wrong, and that nothing is lost."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta

import pytest

# The class that certificates are issued to.
from certificates.conftest import classroom, made_gradebook  # noqa: F401
from handin.conftest import Page, Site, make_site, notebook, run_async
from nbhandin import reader
from nbhandin.attempts import Waiting, now_utc
from nbhandin.events import Held
from nbhandin.web import uploads
from nbjudge.course import load_course
from typer.testing import CliRunner

from dlcourse.cli import app

Message = dict[str, object]
Receive = Callable[[], Awaitable[Message]]


async def post(here: Site, page: Page, receive: Receive) -> tuple[int, str, str]:
    """Hand in what comes from ``receive``: the status, where to go on, and the page."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {
        b"host": b"127.0.0.1",
        b"cookie": f"handin={page.client.cookies['handin']}".encode(),
        b"content-type": b"multipart/form-data; boundary=x",
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/hand-in",
        "raw_path": b"/hand-in",
        "query_string": b"",
        "root_path": "",
        "headers": list(headers.items()),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await here.app(scope, receive, send)
    where = dict(sent[0]["headers"]).get(b"location", b"").decode()
    text = b"".join(part.get("body", b"") for part in sent[1:]).decode()
    return sent[0]["status"], where, text


def form(csrf: str, data: bytes) -> bytes:
    """A form with one file."""
    disposition = "Content-Disposition: form-data; name="
    head = f'--x\r\n{disposition}"csrf"\r\n\r\n{csrf}\r\n--x\r\n{disposition}"files"; filename="a"'
    return head.encode() + b"\r\n\r\n" + data + b"\r\n--x--\r\n"


def messages(*parts: Message) -> Receive:
    """One message after another; then nothing comes any more."""
    left = list(parts)

    async def receive() -> Message:
        return left.pop(0) if left else await asyncio.Event().wait()

    return receive


def begun(body: bytes) -> Message:
    return {"type": "http.request", "body": body, "more_body": True}


def whole(page: Page, data: bytes) -> Receive:
    body = form(page.csrf(), data).replace(b'filename="a"', b'filename="a.ipynb"')
    return messages({"type": "http.request", "body": body, "more_body": False})


def nothing_was_taken(here: Site, page: Page) -> None:
    assert "Not handed in" in page.client.get("/").text
    assert "0 waiting, 0 running, 0 graded" in here.open("", "instructor").client.get("/").text
    assert list(here.desk.places.incoming.iterdir()) == []
    assert here.desk.open_uploads == {}


def test_a_connection_that_is_cut_is_as_if_nothing_had_been_sent(site, course):
    here = site()
    page = here.open()
    half = form(page.csrf(), notebook(course))[:2000]
    receive = messages(begun(half), {"type": "http.disconnect"})
    status, _, text = run_async(post(here, page, receive))
    assert status == 400 and "connection ended before the whole file" in text
    nothing_was_taken(here, page)
    assert page.hand_in(("a.ipynb", notebook(course))).url.path == "/attempt/1"
    assert "1 waiting" in here.open("", "instructor").client.get("/").text


def test_an_upload_that_takes_too_long_is_ended_in_words(site, course, monkeypatch):
    here = site(upload_seconds=60)
    page = here.open()
    timeout = asyncio.timeout
    monkeypatch.setattr(uploads.asyncio, "timeout", lambda seconds: timeout(seconds / 1000))
    half = form(page.csrf(), notebook(course))[:2000]
    status, _, text = run_async(post(here, page, messages(begun(half))))
    assert status == 408 and "longer than 60 seconds" in text and "Try again" in text
    nothing_was_taken(here, page)


@pytest.fixture
def both_read(monkeypatch):
    """Let no upload go on before two of them have been read; call it after ``site()``."""

    def patch() -> None:
        read_here, inside = reader.Reader.read, []
        together = asyncio.Event()

        async def read(self, *arguments):
            found = await read_here(self, *arguments)
            inside.append(found)
            if len(inside) == 2:
                together.set()
            await together.wait()
            return found

        monkeypatch.setattr(reader.Reader, "read", read)

    return patch


async def at_once(*posts: Awaitable[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    return list(await asyncio.gather(*posts))


def test_two_different_files_at_once_are_two_attempts(site, course, both_read):
    here = site()
    page = here.open()
    work = [whole(page, notebook(course, why=f"Number {n}.")) for n in range(2)]
    both_read()
    found = run_async(at_once(*(post(here, page, one) for one in work)))
    assert sorted(where for _, where, _ in found) == ["/attempt/1", "/attempt/2"]
    assert "2 waiting" in here.open("", "instructor").client.get("/").text


def test_the_same_file_twice_at_once_is_one_attempt(site, course, both_read):
    here = site()
    page = here.open()
    work = [whole(page, notebook(course)) for _ in range(2)]
    both_read()
    found = run_async(at_once(*(post(here, page, one) for one in work)))
    assert sorted(where for _, where, _ in found) == ["/attempt/1", "/attempt/1?again"]
    assert "1 waiting" in here.open("", "instructor").client.get("/").text


def test_a_third_upload_at_once_waits(site, course, monkeypatch):
    here = site()
    page = here.open()
    timeout = asyncio.timeout
    monkeypatch.setattr(uploads.asyncio, "timeout", lambda seconds: timeout(seconds / 1000))
    slow = [messages(begun(b"--x\r\n")) for _ in range(2)]
    third = whole(page, notebook(course))
    found = run_async(at_once(*(post(here, page, one) for one in [*slow, third])))
    assert [status for status, _, _ in found] == [408, 408, 429]
    assert "Wait a minute" in found[2][2]
    nothing_was_taken(here, page)


def test_little_room_on_the_disk_is_said_before_uploads_are_refused(site, monkeypatch):
    teacher = site().open("", "instructor")
    assert "MB of disk" not in teacher.client.get("/").text
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=12_000_000))
    assert "Only 12 MB of disk are free" in teacher.client.get("/").text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_takes_no_result_holds_grading_and_loses_nothing(
    queue, workers, monkeypatch, number
):
    attempt = queue.hand_in("ada", notebook(queue.course))

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("nbhandin.grading.write_state", full)
        assert not queue.grader().grade_all(workers)
    assert isinstance(queue.said[-1], Held) and os.strerror(number) in queue.said[-1].why
    assert queue.attempts.find(attempt).state == Waiting()
    assert queue.grader().grade_all(workers)
    assert queue.score(attempt) == 5


def test_a_gradebook_that_is_gone_holds_grading_and_loses_nothing(queue, workers):
    attempt = queue.hand_in("ada", notebook(queue.course))
    file = queue.course.gradebook_folder / "gradebook.db"
    aside = file.rename(file.with_suffix(".away"))
    file.write_text("not a database, and never was one: " * 20)
    assert not queue.grader().grade_all(workers)
    assert isinstance(queue.said[-1], Held)
    assert queue.attempts.find(attempt).state == Waiting()
    aside.rename(file)
    assert queue.grader().grade_all(workers)
    assert queue.score(attempt) == 5


def test_a_gradebook_that_is_locked_holds_no_page_back(site, course, monkeypatch):
    monkeypatch.setattr("nbhandin.standing._SECONDS_TO_WAIT", 0.01)
    monkeypatch.setattr("nbhandin.reader._SECONDS_TO_WAIT", 0.01)
    here = site()
    page, teacher = here.open(), here.open("", "instructor")
    assert page.hand_in(("a.ipynb", notebook(course))).url.path == "/attempt/1"
    monkeypatch.setattr("nbhandin.reader._SECONDS_TO_KNOW", 0.0)
    with closing(sqlite3.connect(course.gradebook_folder / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        here.desk.gradebook.forget()
        assert "ps1" in page.client.get("/").text
        assert "gradebook does not answer" in teacher.client.get("/").text
        more = notebook(course, why="While it is locked.")
        assert page.hand_in(("a.ipynb", more)).url.path == "/attempt/2"
    while "gradebook does not answer" in teacher.client.get("/").text:
        pass  # until it has been read


def test_what_holds_grading_is_told_the_student_as_no_fault(site, course):
    here = site()
    page = here.open()
    page.hand_in(("a.ipynb", notebook(course)))
    here.desk.grader.held = "The gradebook does not answer: it is locked."
    text = page.client.get("/attempt/1").text
    assert "Grading waits" in text and "nothing of this is your fault" in text
    assert "it is locked" not in text
    assert "it is locked" in here.open("", "instructor").client.get("/").text


def test_a_clock_that_was_far_ahead_keeps_no_student_from_handing_in(site, queue):
    for n in range(2):
        queue.hand_in("ada", notebook(queue.course, why=str(n)), now_utc() + timedelta(days=400))
    here = site(attempts_a_day=2)
    page = here.open()
    assert page.hand_in(("a.ipynb", notebook(queue.course))).url.path == "/attempt/3"
    assert "Attempt 3" in page.client.get("/").text
    assert "clock is behind" in here.open("", "instructor").client.get("/").text


def test_certificates_are_there_to_download_and_refusals_have_reasons(classroom):  # noqa: F811
    arguments = ["certify", "--yes", "--course", str(classroom.root)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    here = make_site(load_course(classroom.root))
    ada = here.open("ada")
    text = ada.client.get("/").text
    assert "Download Certificate of attendance (PDF)" in text
    assert "Download Certificate of attendance and exercises (PDF)" in text
    address = re.search(r'href="(/certificate\?id=[^"]+)"', text)[1]
    answer = ada.client.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content.startswith(b"%PDF")
    assert here.open("bob").client.get(address).status_code == 404

    bob = here.open("bob").client.get("/").text
    assert "Download" not in bob and "Certificate of attendance: not issued." in bob
    reasons = re.search(r"not issued\.\s*<ul>(.*?)</ul>", bob, re.DOTALL)[1]
    assert "Day 2" in reasons
    dan = here.open("dan").client.get("/").text
    assert "Certificate of attendance and exercises: not decided yet." in dan


def test_before_anything_is_decided_the_page_says_so(site):
    assert "Certificates are decided on later" in site().open().client.get("/").text
