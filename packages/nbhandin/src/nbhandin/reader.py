"""Reading what was uploaded, in a process of its own with little memory and little time.

Nothing that a student wrote is decoded in the process that serves the page.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from nbhandin.errors import NotStored, NotTaken

if TYPE_CHECKING:
    from nbhandin.recognition import Exercises

# What a notebook of the largest size takes to read, with room to spare.
_BYTES = 2 * 2**30
_SECONDS = 60
# The exercises may be released again while the service runs.
_SECONDS_TO_KNOW = 20.0
_SECONDS_TO_WAIT = 2.0
TOO_MUCH = (
    "This file could not be read: it takes too much memory or time. Clear its outputs (Edit > "
    "Clear Outputs of All Cells), save it, and hand in again."
)
BUSY = (
    "The server could not look at your file now, so it was not taken. This is not your fault. "
    "Try again in a minute."
)


@dataclass(frozen=True)
class Read:
    """An upload that is an exercise: which one, what to tell the student."""

    assignment: str
    notes: tuple[str, ...]


class Reader:
    """The process that looks at uploads; it is started anew where it ended."""

    def __init__(self, course: Path) -> None:
        self._course = course
        self._pool = self._start()

    def warm(self) -> None:
        """Let it import what it needs before there is an upload."""
        self._pool.submit(_warm, str(self._course))

    async def read(self, uploaded: Path, names: Sequence[str], files: Path) -> Read:
        """Look at the files ``names[0]``, … which lie in ``uploaded`` as ``0``, ``1``, …

        They are written into ``files`` under the names that they are graded by. Raises
        ``NotTaken`` with what the student can do, ``NotStored`` for what is not their doing.
        """
        loop = asyncio.get_running_loop()
        for last in (False, True):
            pool = self._pool
            arguments = (str(self._course), str(uploaded), tuple(names), str(files))
            try:
                work = loop.run_in_executor(pool, look, *arguments)
                found = await asyncio.wait_for(asyncio.shield(work), _SECONDS)
            except BrokenProcessPool as error:
                self._replace(pool)
                if last:  # twice, alone: it is the file
                    raise NotTaken(TOO_MUCH) from error
                continue
            except TimeoutError as error:
                self._replace(pool)
                raise NotStored(BUSY) from error
            except MemoryError as error:
                raise NotTaken(TOO_MUCH) from error
            if isinstance(found, str):
                raise NotTaken(found)
            return found
        raise AssertionError("the last time returns or raises")

    def close(self) -> None:
        """End the process."""
        self._end(self._pool)

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, mp_context=context, initializer=_confine)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        if self._pool is broken:  # another upload may have seen it first
            self._end(broken)
            self._pool = self._start()

    def _end(self, pool: ProcessPoolExecutor) -> None:
        for process in (pool._processes or {}).values():
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def look(course: str, uploaded: str, names: Sequence[str], files: str) -> Read | str:
    """What the reader's process does: see ``Reader.read``; a text says why it is not taken."""
    # Imported here, in the reader's process alone: it takes seconds.
    from nbjudge.content import write_files

    from nbhandin.recognition import recognise_upload

    exercises, limit = _released(course).now()
    given = {name: Path(uploaded, str(n)).read_bytes() for n, name in enumerate(names)}
    try:
        found = recognise_upload(given, exercises, limit)
    except NotTaken as error:
        return str(error)
    write_files(dict(found.files), Path(files))
    return Read(found.assignment, found.notes)


def _warm(course: str) -> None:
    _released(course).now()


class _Released:
    """The exercises that are released, read again now and then.

    A gradebook that is locked or gone holds no upload back: what was read before is used.
    """

    def __init__(self, course: str) -> None:
        self._course = course
        self._thread = ThreadPoolExecutor(1)
        self._reading: Future[tuple[Exercises, int]] | None = None
        self._known: tuple[Exercises, int] | None = None
        self._read_at = 0.0

    def now(self) -> tuple[Exercises, int]:
        """The exercises, and the size limit of a notebook in bytes."""
        if self._known is not None and time.monotonic() - self._read_at < _SECONDS_TO_KNOW:
            return self._known
        if self._reading is None:
            self._reading = self._thread.submit(_read_exercises, self._course)
        try:
            patience = None if self._known is None else _SECONDS_TO_WAIT
            self._known, self._read_at = self._reading.result(patience), time.monotonic()
        except Exception:  # it is locked, or gone
            if self._known is None:
                self._reading = None
                raise
        if self._reading.done():
            self._reading = None
        return self._known


_released = lru_cache(maxsize=1)(_Released)


def _read_exercises(course: str) -> tuple[Exercises, int]:
    from nbjudge.assignment import find_assignment
    from nbjudge.course import load_course

    here = load_course(course)
    found = {name: find_assignment(here, name) for name in here.assignments()}
    exercises = {name: one.blueprints for name, one in found.items() if one is not None}
    return exercises, 1_000_000 * here.settings.max_notebook_megabytes


def _confine() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, hard))
