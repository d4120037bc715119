"""A notebook's cells, run in a sandboxed kernel within their limits."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from queue import Empty
from typing import Any

import zmq
import zmq.asyncio
from jupyter_core.utils import run_sync
from nbformat import v4

from nbjudge.capture.folders import FILES
from nbjudge.course.settings import Grading
from nbjudge.errors import NotGraded
from nbjudge.execute.client import NO_MESSAGE, SECONDS_TO_LOOK, SandboxClient
from nbjudge.execute.execution import call_key
from nbjudge.execute.outputs import plain_output
from nbjudge.execute.own_time import OwnTime
from nbjudge.execute.provisioner import KernelOrder
from nbjudge.judge.messages import Ask, Captured, Reply
from nbjudge.kernel.channels import ANSWER, ASK, REPLY, REQUEST

# All values of a notebook together may be so many times as large as the largest single one.
_VALUES_IN_ALL = 5
# How often one call of a student's function may call the test's own.
_MOST_ASKED = 20_000


class LiveRun(SandboxClient):
    """Runs cells, captures values and calls functions, and keeps what came of it all.

    ``execution`` grows with every request. A cell that is interrupted in time fails, and the next
    one runs. See ``SandboxClient`` for what is raised.
    """

    def __init__(self, grading: Grading, assignment: str, order: KernelOrder) -> None:
        super().__init__(grading, assignment, order)
        self._call_seconds = min(grading.call_seconds, self._seconds)
        self._handed_out = 0
        self._outer: str | None = None  # the id of the call that is under way

    def run(self, place: int, source: str) -> list[dict[str, Any]]:
        """Run the cell at ``place``; returns its outputs, as nbformat's dicts."""
        with self._measured("cell"):
            outputs = self._execute(source, f"cell {place + 1} ({_first_line(source)!r})")
        self.execution.outputs[place] = outputs
        return outputs

    def run_test(self, place: int, source: str) -> list[dict[str, Any]]:
        """Run a test cell in the student's kernel; an output too large to be read is an error."""
        before, self._output_size = self._output_size, 0
        outputs = self._execute(source, f"test cell {place + 1}")
        if self._output_size > self._output_limit:
            error = v4.new_output("error", ename="OutputTooLarge", evalue="", traceback=[])
            outputs.append(plain_output(error))
        self._output_size += before
        self.execution.outputs[place] = outputs
        return outputs

    def run_unseen(self, source: str) -> None:
        """Run a text whose outputs nobody sees."""
        self._execute(source, "what a test cell gives to later cells")

    def values(self, cell: str, names: Sequence[str]) -> Mapping[str, Captured]:
        """What the names hold now, for the test cell ``cell``."""
        captured: dict[str, Captured] = {}
        if names:
            content = {
                "ask": "values",
                "names": list(names),
                "prefix": cell,
                "limit": self._value_limit,
            }
            reply = self._ask(content, [], self._seconds, f"the values for test cell '{cell}'")
            for name, value in _read_values(names, reply).items():
                fits = self._hands_out(value.data)
                captured[name] = value if fits else Captured("refused", b"", self._too_much())
        self.execution.values.setdefault(cell, {}).update(captured)
        return captured

    def files(self, cell: str, known: Mapping[str, str]) -> Captured:
        """The files beside the notebook that are others than ``known`` says, for ``cell``."""
        content = {
            "ask": "values",
            "names": [FILES],
            "known": dict(known),
            "prefix": cell,
            "limit": self._value_limit,
        }
        reply = self._ask(content, [], self._seconds, f"the files for test cell '{cell}'")
        found = _read_values([FILES], reply)[FILES]
        if not self._hands_out(found.data):
            found = Captured("refused", b"", self._too_much())
        self.execution.values.setdefault(cell, {})[FILES] = found
        return found

    def call(self, cell: str, ref: str, request: bytes, ask: Ask) -> Reply:
        """Call a function that was captured, for the test cell ``cell``."""
        self._where = f"{_function(ref)} (called by test cell '{cell}')"
        asked: list[tuple[int, bytes, bytes]] = []
        # A call within another is the outer one's time already.
        measured = self._measured("call") if self._outer is None else contextlib.nullcontext()
        with measured:
            answer = self._called(ref, request, ask, asked)
        if answer is None:
            reply = Reply("timeout", b"", self._why_stopped(ref, len(asked)))
        elif not answer["buffers"]:
            reply = Reply("refused", b"", f"the call of {_function(ref)} was not answered")
        elif not self._hands_out(data := bytes(answer["buffers"][0])):
            reply = Reply("refused", b"", self._too_much())
        else:
            reply = Reply("value", data, "", tuple(asked))
        self.execution.calls.setdefault(call_key(cell, ref, request), []).append(reply)
        return reply

    def _called(
        self, ref: str, request: bytes, ask: Ask, asked: list[tuple[int, bytes, bytes]]
    ) -> dict[str, Any] | None:
        """The kernel's reply to a call; ``None`` if it had to be interrupted.

        The function may call the test's own; those calls go into ``asked``. One of them may call a
        function of the notebook again: then the kernel waits on the stdin channel.
        """
        content = {"ask": "call", "ref": ref, "limit": self._value_limit}
        outer = self._outer
        if outer is None:
            message = self._client.session.msg(REQUEST, content)
            self._client.session.send(self._client.shell_channel.socket, message, buffers=[request])
            self._outer = str(message["header"]["msg_id"])
        else:
            self._say(content, request)
        try:
            timer = self._own_time(self._call_seconds)
            while len(asked) <= _MOST_ASKED:
                told = self._next_told(outer is not None, timer)
                if told is None:
                    self._require_a_processor(timer)
                    break
                if told["msg_type"] == REPLY:
                    return told
                started = time.monotonic()
                number, arguments = told["content"].get("number"), told["buffers"]
                if type(number) is not int or not arguments:
                    continue
                data = bytes(arguments[0])
                if not self._hands_out(data):
                    break
                answer = ask(number, data)
                asked.append((number, data, answer))
                self._say({}, answer)
                timer.limit += time.monotonic() - started  # the judge's time is not the student's
            self._interrupt()
            timer = self._own_time(self._grading.interrupt_seconds)
            ended = self._next_told(outer is not None, timer, replies=True)
            if ended is None:
                raise NotGraded(self._could_not_stop(self._call_seconds))
            return None
        finally:
            self._outer = outer

    def _say(self, content: dict[str, Any], data: bytes) -> None:
        """Tell the kernel something while it waits for what the judge says to its question."""
        message = self._client.session.msg(ANSWER, content)
        self._client.session.send(self._client.stdin_channel.socket, message, buffers=[data])

    async def _async_next_told(
        self, is_inner: bool, timer: OwnTime, replies: bool = False
    ) -> dict[str, Any] | None:
        """The kernel's reply to the current call, or its next question; ``None`` if it is late.

        With ``replies``, questions are passed over.
        """
        channels = {
            self._client.stdin_channel.socket: self._client.stdin_channel,
            self._client.shell_channel.socket: self._client.shell_channel,
        }
        poller = zmq.asyncio.Poller()
        for socket in channels:
            poller.register(socket, zmq.POLLIN)
        while (left := timer.left()) > 0:
            ready = await poller.poll(1000 * min(left, SECONDS_TO_LOOK))
            if not ready:
                await self._async_check_alive()
            for socket, _ in ready:
                try:
                    told = await channels[socket].get_msg(timeout=0.1)
                    if told["parent_header"]["msg_id"] != self._outer:
                        continue
                    kind, is_stdin = told["msg_type"], socket is self._client.stdin_channel.socket
                    if kind == REPLY and is_stdin == is_inner:
                        return dict(told)
                    if kind == ASK and is_stdin and not replies:
                        return dict(told)
                except (Empty, *NO_MESSAGE):
                    continue
        return None

    _next_told = run_sync(_async_next_told)

    def _why_stopped(self, ref: str, asked: int) -> str:
        if asked > _MOST_ASKED:
            return f"{_function(ref)} called the test's function more than {_MOST_ASKED:,} times"
        return f"{_function(ref)} ran longer than {self._call_seconds} s"

    def _hands_out(self, data: bytes) -> bool:
        """Whether this fits into what may be handed out in all."""
        self._handed_out += len(data)
        return self._handed_out <= _VALUES_IN_ALL * self._value_limit

    def _too_much(self) -> str:
        megabytes = _VALUES_IN_ALL * self._grading.max_value_megabytes
        return f"all that the tests of a notebook look at may have {megabytes:,} MB together"


def _read_values(names: Sequence[str], reply: dict[str, Any] | None) -> dict[str, Captured]:
    """What a reply says of each name; it comes from the student's process: it may be anything."""
    late = Captured("refused", b"", "it could not be read out in time")
    if reply is None:
        return dict.fromkeys(names, late)
    said, buffers = reply["content"].get("names"), reply["buffers"]
    captured = {}
    for name in names:
        match said.get(name) if isinstance(said, dict) else None:
            case ["missing"]:
                captured[name] = Captured("missing")
            case ["value", int(number)] if 0 <= number < len(buffers):
                captured[name] = Captured("value", bytes(buffers[number]))
            case ["same", str(other)] if other in captured and captured[other].state == "value":
                captured[name] = Captured("same", b"", other)
            case ["refused", str(reason)]:
                captured[name] = Captured("refused", b"", reason[:1000])
            case _:
                captured[name] = Captured("refused", b"", "the kernel did not say what it holds")
    return captured


def _function(ref: str) -> str:
    return ref.partition("/")[2] or ref


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.split("\n") if line.strip()), "")[:60]
