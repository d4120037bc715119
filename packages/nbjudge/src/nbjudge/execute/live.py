"""A notebook's cells, run in a sandboxed kernel within their limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError, v4

from nbjudge.capture.folders import FILES
from nbjudge.course.settings import Grading
from nbjudge.errors import MachineTooBusy, NotGraded
from nbjudge.execute.execution import Execution, call_key
from nbjudge.execute.own_time import OwnTime, busy_machine
from nbjudge.execute.provisioner import PROVISIONER_NAME, Ending, KernelOrder
from nbjudge.judge.messages import Ask, Captured, Reply
from nbjudge.kernel.channels import ANSWER, ASK, REPLY, REQUEST

# What jupyter_client and nbclient stumble over when a message is not what it should be.
_NO_MESSAGE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    ValidationError,
)
_MEGABYTE = 1_000_000
# How many messages may wait to be read; a kernel that sends faster has to wait.
_WAITING_MESSAGES = 8
# All values of a notebook together may be so many times as large as the largest single one.
_VALUES_IN_ALL = 5
_MEASURED = ("cell_seconds", "cell_cpu_seconds", "call_seconds", "call_cpu_seconds")
_SECONDS_TO_LOOK = 0.25
# For all that a cell showed, once it has ended.
_SECONDS_TO_READ = 40
# How often one call of a student's function may call the test's own.
_MOST_ASKED = 20_000
# What an output costs beside its text.
_BYTES_FOR_EACH_OUTPUT = 200


class LiveRun(NotebookClient):
    """Runs cells, captures values and calls functions, and keeps what came of it all.

    ``execution`` grows with every request. A cell that is interrupted in time fails, and the next
    one runs. ``NotGraded``, with the reason in plain words, is raised when the kernel ends, or
    when something goes on in spite of the interrupt.
    """

    def __init__(self, grading: Grading, assignment: str, order: KernelOrder) -> None:
        self._seconds = grading.seconds_for(assignment)
        self._call_seconds = min(grading.call_seconds, self._seconds)
        self._grading = grading
        self._order = order
        self._output_limit = _MEGABYTE * grading.max_output_megabytes
        self._value_limit = _MEGABYTE * grading.max_value_megabytes
        self._output_size = self._handed_out = 0
        self._where = "its first cell"
        self._outer: str | None = None  # the id of the call that is under way
        self.execution = Execution()
        stopped = f"the cell was stopped because it ran longer than {self._seconds} s"
        super().__init__(
            v4.new_notebook(),
            kernel_manager_class=AsyncKernelManager,
            kernel_name="python3",
            allow_errors=True,
            timeout=self._seconds,
            interrupt_on_timeout=True,
            raise_on_iopub_timeout=True,
            shutdown_kernel="immediate",
            record_timing=False,
            store_widget_state=False,
            skip_cells_with_tag="",
            on_cell_executed=_keep_error,
            error_on_timeout={
                "ename": "CellTimeoutError",
                "evalue": stopped,
                "traceback": [f"CellTimeoutError: {stopped}"],
            },
        )

    @contextmanager
    def kernel(self) -> Iterator[None]:
        """Start the kernel for a ``with`` block; whatever is in its sandbox ends with it."""
        started = time.monotonic()
        usage = self.execution.usage
        try:
            with self.setup_kernel(order=self._order):
                self.execution.tier = self.km.provisioner.tier
                usage["kernel_seconds"] = round(time.monotonic() - started, 3)
                usage |= dict.fromkeys(_MEASURED, 0.0)
                try:
                    yield
                finally:
                    self._end()
        except DeadKernelError as error:
            raise NotGraded(self._why_it_ended()) from error
        ending = self._provisioner.ending or Ending()
        usage["seconds"] = round(time.monotonic() - started, 3)
        for part in _MEASURED:
            usage[part] = round(usage[part], 3)
        usage["cpu_seconds"] = round(ending.cpu_seconds, 3)
        usage["peak_megabytes"] = round(ending.peak_megabytes, 1)
        usage["sockets"] = ending.sockets

    def create_kernel_manager(self) -> AsyncKernelManager:
        """Make the manager of a kernel in a sandbox."""
        manager = super().create_kernel_manager()
        manager.kernel_spec.metadata["kernel_provisioner"] = {"provisioner_name": PROVISIONER_NAME}
        # A message is bytes from the student's process: one that is larger is not received.
        largest = max(self._output_limit, self._value_limit + _MEGABYTE)
        manager.context.setsockopt(zmq.MAXMSGSIZE, largest)
        manager.context.setsockopt(zmq.RCVHWM, _WAITING_MESSAGES)
        return manager

    async def async_start_new_kernel(self, **options: Any) -> None:
        """Start the kernel, and keep its provisioner: the manager forgets it at the end."""
        await super().async_start_new_kernel(**options)
        self._provisioner = self.km.provisioner

    start_new_kernel = run_sync(async_start_new_kernel)

    async def async_start_new_kernel_client(self) -> AsyncKernelClient:
        """Connect to the kernel.

        jupyter_client's own way waits for 0.2 s of silence in the end, lest an output be lost.
        The kernel says ``iopub_welcome`` (Jupyter enhancement proposal 65) when none can be.
        """
        self.kc = self.km.client()
        self.kc.start_channels()
        self.kc.allow_stdin = False
        try:
            asked = self.kc.kernel_info()
            timer = self._own_time(self.startup_timeout)
            if await self._async_reply_to(asked, "kernel_info_reply", timer) is None:
                raise NotGraded("The kernel did not answer when it was started. Grade it again.")
            while (await self.kc.iopub_channel.get_msg(timeout=5))["msg_type"] != "iopub_welcome":
                pass
        except BaseException:
            await self._async_cleanup_kernel()
            raise
        return self.kc

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    async def _async_end(self) -> None:
        # The manager's own way looks every 0.1 s whether the kernel is gone.
        await self._provisioner.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._provisioner.wait(), timeout=5)

    _end = run_sync(_async_end)

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
            outputs.append(_plain(error))
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
        self._where = f"{_function(ref)}, called by test cell '{cell}',"
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
            message = self.kc.session.msg(REQUEST, content)
            self.kc.session.send(self.kc.shell_channel.socket, message, buffers=[request])
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
        message = self.kc.session.msg(ANSWER, content)
        self.kc.session.send(self.kc.stdin_channel.socket, message, buffers=[data])

    async def _async_interrupt(self) -> None:
        await self.km.interrupt_kernel()

    _interrupt = run_sync(_async_interrupt)

    async def _async_next_told(
        self, is_inner: bool, timer: OwnTime, replies: bool = False
    ) -> dict[str, Any] | None:
        """The kernel's reply to the current call, or its next question; ``None`` if it is late.

        With ``replies``, questions are passed over.
        """
        channels = {
            self.kc.stdin_channel.socket: self.kc.stdin_channel,
            self.kc.shell_channel.socket: self.kc.shell_channel,
        }
        poller = zmq.asyncio.Poller()
        for socket in channels:
            poller.register(socket, zmq.POLLIN)
        while (left := timer.left()) > 0:
            ready = await poller.poll(1000 * min(left, _SECONDS_TO_LOOK))
            if not ready:
                await self._async_check_alive()
            for socket, _ in ready:
                try:
                    told = await channels[socket].get_msg(timeout=0.1)
                    if told["parent_header"]["msg_id"] != self._outer:
                        continue
                    kind, is_stdin = told["msg_type"], socket is self.kc.stdin_channel.socket
                    if kind == REPLY and is_stdin == is_inner:
                        return dict(told)
                    if kind == ASK and is_stdin and not replies:
                        return dict(told)
                except (Empty, *_NO_MESSAGE):
                    continue
        return None

    _next_told = run_sync(_async_next_told)

    def _why_stopped(self, ref: str, asked: int) -> str:
        if asked > _MOST_ASKED:
            return f"{_function(ref)} called the test's function more than {_MOST_ASKED:,} times"
        return f"{_function(ref)} ran longer than {self._call_seconds} s"

    @contextmanager
    def _measured(self, part: str) -> Iterator[None]:
        """Add a ``with`` block to the usage: its time, and the kernel's processor time."""
        provisioner, usage = self._provisioner, self.execution.usage
        started, used = time.monotonic(), provisioner.processor_seconds()
        yield
        usage[f"{part}_seconds"] += time.monotonic() - started
        usage[f"{part}_cpu_seconds"] += max(0.0, provisioner.processor_seconds() - used)

    def _hands_out(self, data: bytes) -> bool:
        """Whether this fits into what may be handed out in all."""
        self._handed_out += len(data)
        return self._handed_out <= _VALUES_IN_ALL * self._value_limit

    def _too_much(self) -> str:
        megabytes = _VALUES_IN_ALL * self._grading.max_value_megabytes
        return f"all that the tests of a notebook look at may have {megabytes:,} MB together"

    def _own_time(self, seconds: float) -> OwnTime:
        """From now on: the kernel's, and that in which this process takes what it shows."""
        return OwnTime((self._provisioner.pid, os.getpid()), seconds)

    def _execute(self, source: str, where: str) -> list[dict[str, Any]]:
        self._where = where
        self._timer = self._own_time(self._seconds)
        # How long this process takes to read what the cell showed is not the notebook's doing.
        self.iopub_timeout = _SECONDS_TO_READ
        cell = v4.new_code_cell(source)
        self.nb.cells = [cell]
        self._display_id_map = {}  # by the places of outputs, which begin anew
        try:
            self.execute_cell(cell, 0, store_history=True)
            return [_plain(output) for output in cell.outputs]
        except CellTimeoutError as error:
            raise NotGraded(self._could_not_stop(self._seconds)) from error
        except _NO_MESSAGE as error:
            raise NotGraded(
                f"A message of the kernel could not be read while it ran {where} "
                f"({type(error).__name__}: {str(error)[:200]}). It is not known why: it can be "
                "the notebook, a library or this program. If grading again does not help, the "
                "instructor has to decide."
            ) from error

    async def _async_handle_timeout(
        self, timeout: int, cell: NotebookNode | None = None
    ) -> dict[str, Any] | None:
        """Interrupt a cell whose time is up by its own time, not only by the clock."""
        timer = self._timer
        while (left := timer.left()) > 0:
            if await self.kc.shell_channel.socket.poll(1000 * min(left, _SECONDS_TO_LOOK)):
                return None
            await self._async_check_alive()
        self._require_a_processor(timer)
        # A TensorFlow step ends before Python sees the interrupt: stock's 4 s are short.
        self.iopub_timeout = round(self._grading.interrupt_seconds)
        reply: dict[str, Any] | None = await super()._async_handle_timeout(timeout, cell)
        return reply

    def _require_a_processor(self, timer: OwnTime) -> None:
        """Raise ``MachineTooBusy`` where the code was not given the time that it may take."""
        if not timer.is_used_up():
            raise MachineTooBusy(
                f"{_sentence(self._where)} was given up after {timer.elapsed():.0f} s: it had "
                f"waited {timer.waited():.0f} s of them for a processor"
                + (f" ({load})" if (load := busy_machine()) else "")
                + ". This is not the notebook's fault: the machine has too much else to do. "
                "Grade it again when less is running."
            )

    def _ask(
        self, content: dict[str, Any], buffers: list[bytes], seconds: float, where: str
    ) -> dict[str, Any] | None:
        """The kernel's reply; ``None`` if it had to be interrupted."""
        self._where = where
        return self._ask_in_time(content, buffers, seconds)

    async def _async_ask_in_time(
        self, content: dict[str, Any], buffers: list[bytes], seconds: float
    ) -> dict[str, Any] | None:
        message = self.kc.session.msg(REQUEST, content)
        self.kc.session.send(self.kc.shell_channel.socket, message, buffers=buffers)
        timer = self._own_time(seconds)
        reply = await self._async_reply_to(message["header"]["msg_id"], REPLY, timer)
        if reply is not None:
            return reply
        self._require_a_processor(timer)
        await self.km.interrupt_kernel()
        timer = self._own_time(self._grading.interrupt_seconds)
        ended = await self._async_reply_to(message["header"]["msg_id"], REPLY, timer)
        if ended is None:
            raise NotGraded(self._could_not_stop(seconds))
        return None

    _ask_in_time = run_sync(_async_ask_in_time)

    async def _async_reply_to(
        self, msg_id: str, msg_type: str, timer: OwnTime
    ) -> dict[str, Any] | None:
        while (left := timer.left()) > 0:
            try:
                reply = await self.kc.shell_channel.get_msg(timeout=min(left, _SECONDS_TO_LOOK))
                if reply["parent_header"]["msg_id"] == msg_id and reply["msg_type"] == msg_type:
                    return reply
            except Empty:
                await self._async_check_alive()
            except _NO_MESSAGE:
                continue  # not a message of Jupyter's
        return None

    def handle_comm_msg(
        self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int
    ) -> None:
        """Take a widget's message for read.

        There is no page that shows the widget. What is printed inside one is shown as the cell's.
        """

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Collect an output; what is beyond the limit is dropped as it comes."""
        before = self._output_size
        if not self._has_room(msg["content"]):
            if before <= self._output_limit:
                limit = self._grading.max_output_megabytes
                text = f"[The notebook shows more than {limit} MB: the rest is left out.]"
                outs.append(v4.new_output("stream", name="stderr", text=text))
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        """Change an output that was shown before; that counts like one more."""
        if msg["msg_type"] != "update_display_data" or self._has_room(msg["content"]):
            super()._update_display_id(display_id, msg)

    def _has_room(self, content: dict[str, Any]) -> bool:
        self._output_size += _BYTES_FOR_EACH_OUTPUT + len(content.get("text", ""))
        self._output_size += sum(len(str(value)) for value in content.get("data", {}).values())
        return self._output_size <= self._output_limit

    def _could_not_stop(self, seconds: float) -> str:
        told = f"{_sentence(self._where)} ran longer than {seconds:g} s and could not be stopped. "
        if load := busy_machine():
            return (
                f"{told}The machine was busy ({load}), so this may not be the notebook's fault. "
                "Grade it again when less is running."
            )
        return (
            f"{told}Look for an endless loop, or a loop whose 'except' also catches "
            "KeyboardInterrupt."
        )

    def _why_it_ended(self) -> str:
        ending = self._provisioner.ending or Ending()
        grading = self._grading
        if ending.reason == "gone":
            return (
                f"The process that watches the kernel was ended from outside, in {self._where}. "
                "The notebook did not cause this. Grade it again."
            )
        because = {
            "memory": f"the notebook needed more than {grading.memory_megabytes:,} MB of memory",
            "disk": f"the notebook wrote more than {grading.disk_megabytes:,} MB",
            "processes": f"the notebook had more than {grading.processes} processes and threads",
            "wall": f"the whole notebook ran longer than {grading.notebook_seconds} s",
            "cpu": "the notebook used more processor time than it may",
        }.get(ending.reason, "the code ended its own process, or the memory ran out")
        return (
            f"The kernel died in {self._where}: {because}. In JupyterLab, choose Kernel > Restart "
            "Kernel and Run All Cells, fix the cell, and hand in again."
        )


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


def _keep_error(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
    """See that a cell that did not come to a good end shows an error, and why it was stopped."""
    reply = execute_reply["content"]
    shown = {out.ename for out in cell.outputs if out.output_type == "error"}
    was_stopped = shown == {"KeyboardInterrupt"} and reply.get("ename") == "CellTimeoutError"
    if reply["status"] != "ok" and (not shown or was_stopped):
        error = {key: reply.get(key, reply["status"]) for key in ("ename", "evalue")}
        cell.outputs.append(v4.new_output("error", **error, traceback=reply.get("traceback", [])))


def _plain(output: NotebookNode) -> dict[str, Any]:
    """An output with only what nbformat knows."""
    kind = output.output_type
    if kind == "stream":
        return {"output_type": kind, "name": str(output.name), "text": str(output.text)}
    if kind == "error":
        return {
            "output_type": kind,
            "ename": str(output.ename),
            "evalue": str(output.evalue),
            "traceback": [str(line) for line in output.traceback],
        }
    data = {
        str(mimetype): value
        for mimetype, value in output.data.items()
        if isinstance(value, str) or "json" in str(mimetype)
    }
    plain = {"output_type": kind, "data": data, "metadata": {}}
    return plain | ({"execution_count": None} if kind == "execute_result" else {})


def _function(ref: str) -> str:
    return ref.partition("/")[2] or ref


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.split("\n") if line.strip()), "")[:60]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
