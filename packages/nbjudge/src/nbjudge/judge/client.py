"""The grader's side of a judge."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from nbjudge import wire
from nbjudge.errors import MachineTooBusy, NbjudgeError
from nbjudge.judge.messages import Captured, Judged, Reply, TestCell, read_judged, run_message

Given = TypeVar("Given")
Got = TypeVar("Got")


Call = Callable[[str, bytes], Reply]
# Of a process, by its id: a function that tells how long it has waited for a processor since.
Watch = Callable[[int], Callable[[], float]]
# By the clock, a cell may take so many times its limit.
_PATIENCE = 20.0


class JudgeFailed(NbjudgeError):
    """The judge gave no verdict; the message is the reason, in words."""


class Judge:
    """A judge at the other end of ``connection``, which is closed with this object.

    ``seconds`` is the time that the judge itself may take for one cell, without what the calls
    of a student's functions take, and without what it waits for a processor, as ``watch`` tells.
    ``limit``, in bytes, bounds a message from the judge and each value that it decodes.
    """

    def __init__(
        self, connection: socket.socket, *, seconds: float, limit: int, watch: Watch | None = None
    ) -> None:
        self._connection = connection
        self._watch = watch or (lambda pid: lambda: 0.0)
        self._pid: int | None = None
        self._reading = False
        self._seconds = seconds
        self._limit = limit
        self._usable = True
        self._timed = _Timed(connection, seconds)
        self._call: Call = _no_call

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, which ends the judge."""
        self._usable = False
        self._connection.close()

    def run(
        self,
        cell: TestCell,
        values: Mapping[str, Captured],
        call: Callable[[str, bytes], Reply],
    ) -> Judged:
        """The verdict on ``cell``, with ``values`` by name.

        ``call(ref, request)`` answers a call of a student's function. Raises ``JudgeFailed``,
        ``MachineTooBusy`` where the judge was not given its time, or what ``call`` raises; in each
        case this judge is of no more use.
        """
        if not self._usable:
            raise JudgeFailed("the judge was given up before")
        self._usable = False
        try:
            judged = self._run(cell, values, call)
        except wire.Closed as error:
            raise JudgeFailed("the judge's process ended without a verdict") from error
        except wire.WireError as error:
            raise JudgeFailed(f"what the judge sent could not be read: {error}") from error
        except _TooLong as error:
            raise self._too_long(values) from error
        except OSError as error:
            raise JudgeFailed(f"the connection to the judge broke: {error}") from error
        self._usable = True
        return judged

    def _too_long(self, values: Mapping[str, Captured]) -> NbjudgeError:
        timed = self._timed
        if not timed.is_used_up():
            return MachineTooBusy(
                f"The judge was given up after {timed.spent:.0f} s: it had waited "
                f"{timed.waited():.0f} s of them for a processor. This is neither the notebook's "
                "fault nor the test's: the machine has too much else to do. Grade it again when "
                "less is running."
            )
        megabytes = sum(len(value.data) for value in values.values()) / 1e6
        if self._reading:
            return JudgeFailed(
                f"the judge could not read in {self._seconds:g} s what the notebook hands out to "
                f"it ({megabytes:.1f} MB); that is not the test's fault"
            )
        return JudgeFailed(
            f"the judge did not come to an end in {self._seconds:g} s. It can be the test, or what "
            f"the notebook hands out to it ({megabytes:.1f} MB)"
        )

    def _run(
        self, cell: TestCell, values: Mapping[str, Captured], call: Callable[[str, bytes], Reply]
    ) -> Judged:
        self._timed = judge = _Timed(self._connection, self._seconds)
        self._reading = False
        if self._pid is not None:
            judge.waited = self._watch(self._pid)
        header, blobs = run_message(cell, values, self._limit)
        judge.send(header, *blobs)
        while True:
            match self._next(call):
                case {"judged": verdict}, []:
                    return read_judged(verdict, cell.points)
                case _:
                    raise wire.WireError("it is no message that a judge sends")

    def ask(self, number: int, request: bytes) -> bytes:
        """Have a function of the test's called, while ``run`` waits for a student's function.

        Raises as ``run`` does.
        """
        self._timed.send({"ask": number}, request)
        match self._next(self._call):
            case {"answer": True}, [answer]:
                return answer
            case _:
                raise wire.WireError("it is no answer of a judge")

    def _next(self, call: Call) -> tuple[Any, list[bytes]]:
        """The next message that asks for nothing; until then, calls are answered."""
        judge, self._call = self._timed, call
        while True:
            told, blobs = judge.receive(self._limit)
            match told, blobs:
                case {"call": str(ref)}, [request]:
                    reply = call(ref, request)
                    answer = [reply.data] if reply.state == "value" else []
                    judge.send({"reply": reply.state, "reason": reply.reason}, *answer)
                case {"pid": int(pid)}, []:
                    self._pid, judge.waited = pid, self._watch(pid)
                case {"reading": bool(reading)}, []:
                    self._reading = reading
                case {"trouble": str(words)}, []:
                    raise JudgeFailed(f"the judge has a mistake of its own: {words}")
                case _:
                    return told, blobs


def _no_call(ref: str, request: bytes) -> Reply:
    return Reply("refused", b"", "no cell is being judged")


class _TooLong(Exception):
    """The judge's time is used up."""


class _Timed:
    """A socket with so many seconds for all that is sent and awaited, bit by bit or not.

    ``spent`` are those by the clock; ``waited()`` of them do not count.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self.spent = 0.0
        self.waited: Callable[[], float] = lambda: 0.0

    def is_used_up(self) -> bool:
        """Whether the other end took its time by itself, not only by the clock."""
        return self.spent - self.waited() >= self._seconds

    def send(self, header: Any, *blobs: bytes) -> None:
        # A message can wait for the judge to take it, as long as the buffer is full.
        wire.send(self, header, *blobs)

    def receive(self, limit: int) -> tuple[Any, list[bytes]]:
        return wire.receive(self, limit)

    def sendall(self, data: bytes, /) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._within_time(self._connection.send, rest) :]

    def recv(self, size: int, /) -> bytes:
        return self._within_time(self._connection.recv, size)

    def recv_into(self, buffer: memoryview, /) -> int:
        return self._within_time(self._connection.recv_into, buffer)

    def _within_time(self, act: Callable[[Given], Got], argument: Given) -> Got:
        while True:
            left = min(self._seconds + self.waited(), _PATIENCE * self._seconds) - self.spent
            if left <= 0:
                raise _TooLong
            start = time.monotonic()
            self._connection.settimeout(left)
            try:
                return act(argument)
            except TimeoutError:
                continue  # it may have waited for a processor meanwhile
            finally:
                self.spent += time.monotonic() - start
