"""Judges in processes of their own, which fork from pytest's."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nbjudge.assignment.markers import withheld_lines
from nbjudge.judge.client import Judge
from nbjudge.judge.messages import Captured, Judged, Reply, TestCell


def no_call(ref: str, request: bytes) -> Reply:
    raise AssertionError(f"{ref} was called")


@contextmanager
def process(target: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """A forked process that runs ``target`` on one end of a connection; the other end."""
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            here.close()
            target(there)
        finally:
            os._exit(0)
    there.close()
    try:
        yield here
    finally:
        here.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


class Notebook:
    """A judge, with cells numbered as they come."""

    def __init__(self, judge: Judge, captured: Callable[[object], bytes]) -> None:
        self.judge = judge
        self._captured = captured
        self._count = 0

    def run(
        self,
        source: str,
        points: float = 3,
        call: Callable[[str, bytes], Reply] = no_call,
        imports: tuple[str, ...] = (),
        unbound: tuple[str, ...] = (),
        **values: object,
    ) -> Judged:
        self._count += 1
        lines = withheld_lines(source)
        cell = TestCell(f"test_{self._count}", source, points, imports, unbound, withheld=lines)
        captured = {
            name: value if isinstance(value, Captured) else Captured("value", self._captured(value))
            for name, value in values.items()
        }
        return self.judge.run(cell, captured, call)


MISSING = Captured("missing")
