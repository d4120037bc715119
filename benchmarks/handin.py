"""A deadline rush at the hand-in page: `python benchmarks/handin.py` (on loopback, bounded).

So many students hand in so many different notebooks within a minute while grading runs. Every
upload has to be acknowledged, none lost, none graded twice. Then three more, one after another with
nothing else running: how long until the points are on the page, beside the student's own compute.
At the end the service is killed and started again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "nbjudge"))
import toy_course as toy
from nbhandin.attempts import Attempts, Graded, now_utc
from nbhandin.links import LinkBook
from nbhandin.places import Places
from nbjudge.course import Course, load_course
from nbjudge.record.records import read_record
from nbjudge.release.release import release

PATIENCE = 3600.0
# Links are opened before the rush begins.
SECONDS_TO_OPEN = 20.0


def notebook(root: Path, why: str) -> bytes:
    """A right answer that is like no other."""
    made = toy.read(root / "release" / "ps1" / "toys.ipynb")
    for id, source in (toy.RIGHT | {"why": why}).items():
        toy.by_id(made, id)["source"] = source
    return json.dumps(made).encode()


@dataclass
class Service:
    """`nbhandin serve` of one course, in processes of its own."""

    course: Course

    def start(self) -> float:
        """Start it; the seconds until the page answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "nbhandin", "serve", "--course", str(self.course.root)]
        began = time.monotonic()
        self.process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.answers)
        return time.monotonic() - began

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/healthy").text == "ok\n"
        return False

    def kill(self) -> None:
        """End it and all that it started, at once."""
        web = psutil.Process(self.process.pid)
        for one in [web, *web.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self.process.wait()

    def processor_seconds(self) -> float:
        """The processor time of all its processes until now, also of those that have ended."""
        web, seconds = psutil.Process(self.process.pid), 0.0
        for one in [web, *web.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                seconds += sum(one.cpu_times()[:4])
        return seconds

    def megabytes(self) -> float:
        """The resident memory of the process that serves the page."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


async def hand_in(client: httpx.AsyncClient, link: str, data: bytes, at: float) -> float:
    """Open the link, wait for the moment, hand in; the seconds until the receipt."""
    page = (await client.get(f"/in/{link}")).text
    csrf = re.search(r'name="csrf" value="(\w+)"', page)[1]
    await asyncio.sleep(max(0.0, at - time.monotonic()))
    began = time.monotonic()
    answer = await client.post("/hand-in", data={"csrf": csrf}, files={"files": ("my.ipynb", data)})
    taken = time.monotonic() - began
    assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:2000]}"
    return taken


async def rush(address: str, links: list[str], work: list[bytes], seconds: float) -> list[float]:
    """All of them, spread over the seconds."""
    begin = time.monotonic() + SECONDS_TO_OPEN
    times = [begin + seconds * number / len(links) for number in range(len(links))]
    clients = [
        httpx.AsyncClient(base_url=address, follow_redirects=True, timeout=120) for _ in links
    ]
    done = await asyncio.gather(*map(hand_in, clients, links, work, times))
    for client in clients:
        await client.aclose()
    return list(done)


@dataclass(frozen=True)
class Alone:
    """One upload with nothing else running: seconds until its points are on the page.

    ``processor`` is the processor time of the whole service meanwhile, ``own`` the student's own
    compute.
    """

    seconds: float
    processor: float
    own: float


def alone(service: Service, link: str, data: bytes, student: str) -> Alone:
    """Hand in, and listen as the page does."""
    with httpx.Client(base_url=service.address, follow_redirects=True, timeout=120) as client:
        csrf = re.search(r'name="csrf" value="(\w+)"', client.get(f"/in/{link}").text)[1]
        used, began = service.processor_seconds(), time.monotonic()
        form = {"data": {"csrf": csrf}, "files": {"files": ("my.ipynb", data)}}
        where = client.post("/hand-in", **form).url
        with client.stream("GET", "/news") as news:
            for line in news.iter_lines():
                if line and "points so far" in client.get(where).text:
                    break
        taken, used = time.monotonic() - began, service.processor_seconds() - used
    record = read_record(service.course.gradebook_folder, "ps1", student)
    assert record is not None
    usage = record.notebooks[0].usage
    return Alone(taken, used, usage["cell_seconds"] + usage["call_seconds"])


@contextmanager
def served(students: list[str]) -> Iterator[tuple[Service, list[str]]]:
    """A course of toys, with the link of each student."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "course")
        toy.make_course(root)
        course = load_course(root)
        release(course, "ps1")
        book = LinkBook(Places(course.gradebook_folder))
        service = Service(course)
        print(f"the page answers after {service.start():.1f} s")
        try:
            yield service, [book.renew("student", who, now_utc(), 1) for who in students]
        finally:
            service.kill()


def main() -> None:
    """Run it, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    students = [f"s{number:03d}" for number in range(options.students)]
    print(f"load {os.getloadavg()[0]:.1f} before")
    with served(students) as (service, links):
        measure_rush(service, students, links, options.seconds)
        measure_alone(service, students[0], links[0])
        measure_restart(service, students[0], links[0])
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def measure_rush(service: Service, students: list[str], links: list[str], seconds: float) -> None:
    """The rush, and the rest of the grading."""
    root = service.course.root
    work = [notebook(root, f"I am {who}.") for who in students]
    # What is needed once is there after the first upload.
    alone(service, links[0], notebook(root, "The first."), students[0])
    before = service.megabytes()
    began = time.monotonic() + SECONDS_TO_OPEN
    taken = sorted(asyncio.run(rush(service.address, links, work, seconds)))
    after = service.megabytes()
    pending = sum(one.is_pending for one in attempts(service))
    number = len(links)
    print(f"{number} uploads in {seconds:g} s: {len(taken)} acknowledged")
    print(f"  load {os.getloadavg()[0]:.1f} at its end")
    print(f"  median {statistics.median(taken):.3f} s, 99 %: {taken[int(0.99 * number) - 1]:.3f} s")
    print(f"  slowest {taken[-1]:.3f} s; {pending} still wait to be graded")
    wait_for(lambda: all_graded(service, number + 1), 1.0)
    print(f"  all graded {time.monotonic() - began:.0f} s after the rush began")
    at_end = service.megabytes()
    print(f"  memory {before:.0f} MB before, {after:.0f} MB after, {at_end:.0f} MB at the end")
    found = attempts(service)
    assert sorted(one.receipt.student for one in found) == sorted([students[0], *students])
    with service.course.gradebook() as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions("ps1")}
    assert scores == dict.fromkeys(students, 5), scores
    print(f"  {len(found)} attempts, {len(scores)} students in the gradebook, with 5 points each")


def measure_alone(service: Service, student: str, link: str) -> None:
    """One after another, with nothing else running."""
    for word in ("one", "two", "three"):
        data = notebook(service.course.root, f"Alone, number {word}.")
        found = alone(service, link, data, student)
        print(f"one with nothing else running: {found.seconds:.2f} s")
        print(f"  own compute {found.own:.2f} s, processor time in all {found.processor:.2f} s")


def measure_restart(service: Service, student: str, link: str) -> None:
    """Killed, and started again."""
    service.kill()
    print(f"killed and started again: the page answers after {service.start():.1f} s")
    data = notebook(service.course.root, "After the end.")
    found = alone(service, link, data, student)
    print(f"  what is then handed in is graded after {found.seconds:.1f} s, with its warm server")


def attempts(service: Service) -> list:
    found = Attempts(Places(service.course.gradebook_folder))
    found.refresh()
    return found.all()


def all_graded(service: Service, number: int) -> bool:
    found = attempts(service)
    return len(found) >= number and all(isinstance(one.state, Graded) for one in found)


def wait_for(condition: Callable[[], bool], seconds: float = 0.02) -> None:
    """Ask again and again, with so many seconds between."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(seconds)


if __name__ == "__main__":
    main()
