"""A kernel in a sandbox: started, spoken to within limits of its own time, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError, v4

from nbjudge.course.settings import Grading
from nbjudge.errors import MachineTooBusy, NotGraded
from nbjudge.execute.execution import Execution
from nbjudge.execute.outputs import keep_error, plain_output, sentence
from nbjudge.execute.own_time import OwnTime, busy_machine
from nbjudge.execute.provisioner import (
    PROVISIONER_NAME,
    Ending,
    KernelOrder,
    SandboxProvisioner,
)
from nbjudge.kernel.channels import REPLY, REQUEST

# What jupyter_client and nbclient stumble over when a message is not what it should be.
NO_MESSAGE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    ValidationError,
)
SECONDS_TO_LOOK = 0.25
_MEGABYTE = 1_000_000
# How many messages may wait to be read; a kernel that sends faster has to wait.
_WAITING_MESSAGES = 8
_MEASURED = ("cell_seconds", "cell_cpu_seconds", "call_seconds", "call_cpu_seconds")
# For all that a cell showed, once it has ended.
_SECONDS_TO_READ = 40
# What an output costs beside its text.
_BYTES_FOR_EACH_OUTPUT = 200


class SandboxClient(NotebookClient):
    """nbclient's client, for a kernel in a sandbox that nobody trusts.

    It runs one source at a time, bounds what is shown, and interrupts what takes too long by the
    code's own time. ``NotGraded``, with the reason in plain words, is raised when the kernel
    ends, or when something goes on in spite of the interrupt; ``MachineTooBusy`` when the code had
    no processor for most of its time.
    """

    def __init__(self, grading: Grading, assignment: str, order: KernelOrder) -> None:
        self._seconds = grading.seconds_for(assignment)
        self._grading = grading
        self._order = order
        self._output_limit = _MEGABYTE * grading.max_output_megabytes
        self._value_limit = _MEGABYTE * grading.max_value_megabytes
        self._output_size = 0
        self._where = "its first cell"
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
            on_cell_executed=keep_error,
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
                self.execution.tier = self._provisioner.tier
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

    def create_kernel_manager(self) -> KernelManager:
        """Make the manager of a kernel in a sandbox."""
        manager = super().create_kernel_manager()
        spec: Any = manager.kernel_spec  # of this Python: it always exists
        spec.metadata["kernel_provisioner"] = {"provisioner_name": PROVISIONER_NAME}
        # A message is bytes from the student's process: one that is larger is not received.
        largest = max(self._output_limit, self._value_limit + _MEGABYTE)
        manager.context.setsockopt(zmq.MAXMSGSIZE, largest)
        manager.context.setsockopt(zmq.RCVHWM, _WAITING_MESSAGES)
        return manager

    async def async_start_new_kernel(self, **options: Any) -> None:
        """Start the kernel, and keep its provisioner: the manager forgets it at the end."""
        await super().async_start_new_kernel(**options)
        provisioner = self._manager.provisioner
        assert isinstance(provisioner, SandboxProvisioner), provisioner
        self._provisioner = provisioner

    start_new_kernel = run_sync(async_start_new_kernel)

    async def async_start_new_kernel_client(self) -> AsyncKernelClient:
        """Connect to the kernel.

        jupyter_client's own way waits for 0.2 s of silence in the end, lest an output be lost.
        The kernel says ``iopub_welcome`` (Jupyter enhancement proposal 65) when none can be.
        """
        self.kc = client = self._manager.client()
        self._client.start_channels()
        self.kc.allow_stdin = False
        try:
            asked = self._client.kernel_info()
            timer = self._own_time(self.startup_timeout)
            if await self._async_reply_to(asked, "kernel_info_reply", timer) is None:
                raise NotGraded("The kernel did not answer when it was started. Grade it again.")
            while (await self._client.iopub_channel.get_msg(timeout=5))[
                "msg_type"
            ] != "iopub_welcome":
                pass
        except BaseException:
            await self._async_cleanup_kernel()
            raise
        return client

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    async def _async_end(self) -> None:
        # The manager's own way looks every 0.1 s whether the kernel is gone.
        await self._provisioner.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._provisioner.wait(), timeout=5)

    _end = run_sync(_async_end)

    async def _async_interrupt(self) -> None:
        await self._manager.interrupt_kernel()

    _interrupt = run_sync(_async_interrupt)

    @property
    def _manager(self) -> AsyncKernelManager:
        assert isinstance(self.km, AsyncKernelManager), "only within `kernel()`"
        return self.km

    @property
    def _client(self) -> AsyncKernelClient:
        assert isinstance(self.kc, AsyncKernelClient), "only within `kernel()`"
        return self.kc

    def _own_time(self, seconds: float) -> OwnTime:
        """From now on: the kernel's, and that in which this process takes what it shows."""
        pids = [pid for pid in (self._provisioner.pid, os.getpid()) if pid is not None]
        return OwnTime(pids, seconds)

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
            return [plain_output(output) for output in cell.outputs]
        except CellTimeoutError as error:
            raise NotGraded(self._could_not_stop(self._seconds)) from error
        except NO_MESSAGE as error:
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
            if await self._client.shell_channel.socket.poll(1000 * min(left, SECONDS_TO_LOOK)):
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
                f"{sentence(self._where)} was given up after {timer.elapsed():.0f} s: it had "
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
        message = self._client.session.msg(REQUEST, content)
        self._client.session.send(self._client.shell_channel.socket, message, buffers=buffers)
        timer = self._own_time(seconds)
        reply = await self._async_reply_to(message["header"]["msg_id"], REPLY, timer)
        if reply is not None:
            return reply
        self._require_a_processor(timer)
        await self._manager.interrupt_kernel()
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
                reply = await self._client.shell_channel.get_msg(timeout=min(left, SECONDS_TO_LOOK))
                if reply["parent_header"]["msg_id"] == msg_id and reply["msg_type"] == msg_type:
                    return dict(reply)
            except Empty:
                await self._async_check_alive()
            except NO_MESSAGE:
                continue  # not a message of Jupyter's
        return None

    @contextmanager
    def _measured(self, part: str) -> Iterator[None]:
        """Add a ``with`` block to the usage: its time, and the kernel's processor time."""
        provisioner, usage = self._provisioner, self.execution.usage
        started, used = time.monotonic(), provisioner.processor_seconds()
        yield
        usage[f"{part}_seconds"] += time.monotonic() - started
        usage[f"{part}_cpu_seconds"] += max(0.0, provisioner.processor_seconds() - used)

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
        told = f"{sentence(self._where)} ran longer than {seconds:g} s and could not be stopped. "
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
