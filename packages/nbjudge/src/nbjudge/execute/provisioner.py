"""A jupyter_client kernel provisioner: kernels forked from the warm server, in a sandbox.

    "metadata": {"kernel_provisioner": {"provisioner_name": "nbjudge-sandbox"}}

in a kernel.json, or ``JUPYTER_DEFAULT_PROVISIONER_NAME=nbjudge-sandbox``, makes whatever starts
kernels use it. The kernel is always this Python's IPython; the command in the kernel.json is not
looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from nbjudge import wire
from nbjudge.course.settings import Grading
from nbjudge.errors import IsolationError
from nbjudge.kernel.channels import CHANNELS
from nbjudge.sandbox import Confinement
from nbjudge.warm.client import ask_for_kernel, server_address

PROVISIONER_NAME = "nbjudge-sandbox"
# The warm server may have begun its imports just now.
_SECONDS_TO_START = 300.0


@dataclass(frozen=True)
class KernelOrder:
    """How a kernel is to be made: where the warm server listens, and how it is confined.

    ``seed`` and ``shift`` are those of ``nbjudge.kernel.app.KernelRequest``.
    """

    server: str
    confinement: Confinement
    seed: int = 0
    shift: int = 0


@dataclass
class Ending:
    """Why a kernel ended, in its guard's words, and what it had used by then.

    ``reason`` is one of ``nbjudge.sandbox``'s, "gone" when the guard itself was ended.
    """

    reason: str = "gone"
    status: int = -9
    detail: str = ""
    peak_megabytes: float = 0.0
    sockets: int = 0
    cpu_seconds: float = 0.0


class SandboxProvisioner(KernelProvisionerBase):
    """Starts, signals and ends one kernel through its guard."""

    ending: Ending | None = None
    tier: str = ""
    pid: int | None = None
    _guard: socket.socket | None = None
    _folder: Path | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started and not yet waited for."""
        return self._guard is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the kernel its own sockets, and take the order out of the keywords.

        Without an order, the sandbox is as ``c.Grading`` says and has no files.
        """
        order = kwargs.pop("order", None) or _usual_order(Grading(parent=self))
        manager = self._manager
        self._folder = Path(tempfile.mkdtemp(prefix="nbjudge-kernel-"))
        manager.transport, manager.ip = "ipc", str(self._folder / "s")
        for number, channel in enumerate(CHANNELS, start=1):
            setattr(manager, f"{channel}_port", number)
        kwargs.pop("extra_arguments", None)
        kwargs.pop("transport_encryption", None)
        # jupyter_client keeps the connection in a file; the kernel gets it by the request.
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=[], order=order, **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Have the kernel forked, and wait until it is confined.

        ``order`` is among ``kwargs``, as ``pre_launch`` has left it. Raises ``IsolationError``
        when the kernel cannot be confined as ordered.
        """
        order: KernelOrder = kwargs["order"]
        address = self.connection_info["ip"]
        listeners = [_listen(f"{address}-{n}") for n in range(1, len(CHANNELS) + 1)]
        connection = {
            key: value.decode() if isinstance(value, bytes) else value
            for key, value in self.connection_info.items()
        }
        request = {
            "confinement": order.confinement.to_json(),
            "kernel": {
                "connection": connection,
                "seed": order.seed,
                "shift": order.shift,
            },
        }
        try:
            guard = await asyncio.to_thread(
                ask_for_kernel, order.server, request, [item.fileno() for item in listeners]
            )
        finally:
            for listener in listeners:
                listener.close()
        self._guard = guard
        guard.settimeout(_SECONDS_TO_START)
        try:
            answer, _ = await asyncio.to_thread(wire.receive, guard, 0)
        except (OSError, wire.WireError) as error:
            answer = {"refused": f"the guard of the sandbox ended ({error})"}
        if not answer.get("started"):
            self._end(answer)
            await self.cleanup()
            self._manager.cleanup_connection_file()
            raise IsolationError(
                "No kernel could be shut in: "
                + str(answer.get("refused") or answer.get("detail") or answer)
            )
        self.pid, self.tier = answer["pid"], answer["tier"]
        guard.setblocking(False)
        return self.connection_info

    def processor_seconds(self) -> float:
        """The processor time of the kernel's process and its threads so far; 0 where it is gone."""
        if self.pid is None:
            return 0.0
        try:
            # clock_getcpuclockid(3), which Python has for threads alone.
            return time.clock_gettime((~self.pid << 3) | 2)
        except OSError:
            return 0.0

    async def poll(self) -> int | None:
        """``None`` while the kernel runs, else its status (negative: the signal)."""
        if self._guard is not None:
            try:
                ready = self._guard.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return None
            except OSError:
                ready = b""
            answer: dict[str, Any] = {}
            if ready:
                self._guard.settimeout(5)
                try:
                    answer, _ = wire.receive(self._guard, 0)
                except (OSError, wire.WireError):
                    answer = {}
            self._end(answer)
        return self.ending.status if self.ending is not None else 0

    async def wait(self) -> int | None:
        """Wait for the kernel's end, and return its status."""
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.005)
        return status

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's main process."""
        if signum == signal.SIGKILL:
            await self.kill()
        elif signum:
            self._tell({"signal": signum})

    async def kill(self, restart: bool = False) -> None:
        """End everything in the sandbox at once."""
        self._tell({"kill": True})

    async def terminate(self, restart: bool = False) -> None:
        """End everything in the sandbox at once: nothing in it is kept anyway."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Close the connection to the guard, which ends what is left, and remove the sockets."""
        deadline = time.monotonic() + 5
        while self._guard is not None and time.monotonic() < deadline:
            await self.kill(restart)
            if await self.poll() is None:
                await asyncio.sleep(0.005)
        if self._guard is not None:
            self._end({})
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def get_provisioner_info(self) -> dict[str, Any]:
        """What Jupyter keeps of a kernel; a sandboxed one cannot be taken over by another."""
        return await super().get_provisioner_info() | {"pid": self.pid}

    @property
    def _manager(self) -> KernelManager:
        assert isinstance(self.parent, KernelManager)
        return self.parent

    def _tell(self, message: dict[str, Any]) -> None:
        if self._guard is not None:
            # If it has ended, poll() will say so.
            with contextlib.suppress(OSError):
                wire.send(self._guard, message)

    def _end(self, answer: dict[str, Any]) -> None:
        known = {
            key: answer[key]
            for key in ("status", "detail", "peak_megabytes", "sockets", "cpu_seconds")
            if key in answer
        }
        self.ending = Ending(reason=str(answer.get("ended", "gone")), **known)
        if self._guard is not None:
            self._guard.close()
            self._guard = None


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    listener.setblocking(False)
    return listener


def _usual_order(grading: Grading) -> KernelOrder:
    return KernelOrder(
        server=server_address(grading.preload),
        confinement=grading.confinement(files=None),
        seed=grading.seed,
    )
