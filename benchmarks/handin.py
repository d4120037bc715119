"""A deadline rush at the hand-in page: `python benchmarks/handin.py` (on loopback, bounded).

So many students hand in so many different notebooks within a minute while grading runs. Every
upload has to be acknowledged, none lost, none graded twice. Then one more, with nothing else
running: how long until its points are on the page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "nbjudge"))
import toy_course as toy
from nbhandin.attempts import Attempts, Graded, now_utc
from nbhandin.links import LinkBook
from nbhandin.places import Places
from nbjudge.course import load_course
from nbjudge.release.release import release

PATIENCE = 3600.0


def notebook(root: Path, why: str) -> bytes:
    """A right answer that is like no other."""
    made = toy.read(root / "release" / "ps1" / "toys.ipynb")
    for id, source in (toy.RIGHT | {"why": why}).items():
        toy.by_id(made, id)["source"] = source
    return json.dumps(made).encode()


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
    clients = [
        httpx.AsyncClient(base_url=address, follow_redirects=True, timeout=120) for _ in links
    ]
    begin = time.monotonic() + 20  # the links are opened before
    times = [begin + seconds * number / len(links) for number in range(len(links))]
    done = await asyncio.gather(*map(hand_in, clients, links, work, times))
    for client in clients:
        await client.aclose()
    return list(done)


def main() -> None:
    """Run it, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "course")
        toy.make_course(root)
        release(load_course(root), "ps1")
        places = Places(root / "gradebook")
        students = [f"s{number:03d}" for number in range(options.students)]
        book = LinkBook(places)
        links = [book.renew("student", who, now_utc(), 1) for who in students]
        work = [notebook(root, f"I am {who}.") for who in students]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "nbhandin", "serve", "--course", str(root)]
        service = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
        try:
            measure(service.pid, address, places, links, work, options.seconds)
        finally:
            service.terminate()
            service.wait()


def measure(
    pid: int, address: str, places: Places, links: list[str], work: list[bytes], seconds: float
) -> None:
    """The rush, the rest of the grading, and one more upload."""
    began = time.monotonic()
    while True:
        try:
            httpx.get(f"{address}/healthy")
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    print(f"the page answers after {time.monotonic() - began:.1f} s")
    web = psutil.Process(pid)
    # What is needed once is there after the first upload.
    asyncio.run(rush(address, links[:1], [work[0] + b" "], 1))
    wait_until_graded(places, 1)
    before = web.memory_info().rss / 1e6
    began = time.monotonic()
    taken = sorted(asyncio.run(rush(address, links, work, seconds)))
    after = web.memory_info().rss / 1e6
    number = len(links)
    print(f"{number} uploads in {seconds:g} s: {len(taken)} acknowledged")
    print(f"  median {statistics.median(taken):.3f} s, 99 %: {taken[int(0.99 * number) - 1]:.3f} s")
    print(f"  slowest {taken[-1]:.3f} s; memory {before:.0f} MB before, {after:.0f} MB after")
    scores = wait_until_graded(places, number + 1)
    print(f"  all graded {time.monotonic() - began - 20:.0f} s after the rush began")
    print(f"  attempts {len(scores)}, each graded once, points {set(scores)}")
    print(f"  memory at the end {web.memory_info().rss / 1e6:.0f} MB")
    began = time.monotonic() + 20
    asyncio.run(rush(address, links[:1], [work[0].replace(b"I am", b"I was")], 1))
    wait_until_graded(places, number + 2)
    print(f"one light notebook with nothing else running: {time.monotonic() - began:.1f} s")


def wait_until_graded(places: Places, number: int) -> list[float]:
    """The points of all attempts, once so many are graded."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        attempts = Attempts(places)
        attempts.refresh()
        states = [one.state for one in attempts.all()]
        if len(states) >= number and all(isinstance(state, Graded) for state in states):
            return [state.score for state in states if isinstance(state, Graded)]
        time.sleep(0.1 if number < 10 else 2)
    raise TimeoutError


if __name__ == "__main__":
    main()
