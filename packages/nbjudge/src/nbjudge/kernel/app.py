"""The kernel inside the sandbox: IPython's own, on sockets that were bound outside.

The listening sockets come as file descriptors, so that the sandbox holds no folder that is
also outside, and nobody in it could reach the sockets of another kernel.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipykernel.kernelapp
import zmq
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from nbjudge.kernel.agent import AnsweringKernel
from nbjudge.kernel.channels import CHANNELS
from nbjudge.kernel.commands import prepare_commands
from nbjudge.kernel.seeds import plant_seed

Socket = zmq.Socket[bytes]


@dataclass(frozen=True)
class KernelRequest:
    """What a kernel needs to know; ``connection`` is that of Jupyter's connection file.

    ``seed`` is planted before the first cell; ``shift`` is added to every seed that the notebook
    plants itself, to try it with other luck.
    """

    connection: Mapping[str, str | int]
    seed: int = 0
    shift: int = 0


class _Heartbeat(Heartbeat):
    """Jupyter's heartbeat, on a socket that is bound already."""

    def __init__(self, descriptor: int, *arguments: Any, **options: Any) -> None:
        self._descriptor = descriptor
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]

    def _try_bind_socket(self) -> None:
        self.socket.setsockopt(zmq.USE_FD, self._descriptor)
        super()._try_bind_socket()  # type: ignore[no-untyped-call]


class _PublishesAlone(IOPubThread):
    """Jupyter's thread that sends outputs, without a socket for those of forked processes."""

    def __init__(self, socket: Socket, pipe: bool = False, **options: Any) -> None:
        super().__init__(socket, pipe=False, **options)  # type: ignore[no-untyped-call]


class SandboxedKernelApp(IPKernelApp):
    """Jupyter's kernel application without files: no connection file, no history on disk."""

    descriptors: Mapping[int, int] = {}

    def init_connection_file(self) -> None:
        """There is none; the ports and the key are set already."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """There is none."""

    def init_signal(self) -> None:
        """Ignore interrupts between cells, as every kernel does."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def init_iopub(self, context: zmq.Context[Socket]) -> None:
        """Start the thread that sends outputs; it waits where they are not read so fast.

        Usually it drops them. In a sandbox without any sockets it does without the one that takes
        up what forked processes write.
        """
        try:
            socket.socket(socket.AF_INET).close()
        except PermissionError:
            ipykernel.kernelapp.IOPubThread = _PublishesAlone  # type: ignore[attr-defined,assignment]
        context.setsockopt(zmq.XPUB_NODROP, 1)
        super().init_iopub(context)  # type: ignore[no-untyped-call]

    def init_heartbeat(self) -> None:
        """Start the heartbeat."""
        self.heartbeat = _Heartbeat(
            self.descriptors[self.hb_port],
            zmq.Context(),
            (self.transport, self.ip, self.hb_port),
            curve_publickey=self.curve_publickey,
            curve_secretkey=self.curve_secretkey,
        )
        self.heartbeat.start()

    def _try_bind_socket(self, s: Socket, port: int) -> int:
        s.setsockopt(zmq.USE_FD, self.descriptors[port])
        bound: int = super()._try_bind_socket(s, port)  # type: ignore[no-untyped-call]
        return bound


def run_kernel(request: KernelRequest, descriptors: Sequence[int]) -> None:
    """Run a kernel in this process, which is confined already, until it is told to shut down.

    ``descriptors`` are the listening sockets of ``CHANNELS``.
    """
    tempfile.tempdir = None  # it was found out before the fork, where it was another folder
    sys.path[:] = ["", *(entry for entry in sys.path if entry)]
    connection = dict(request.connection)
    ports = [int(connection[f"{channel}_port"]) for channel in CHANNELS]
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp.parent_handle = 0
    config.InteractiveShell.colors = "nocolor"
    app = SandboxedKernelApp.instance(config=config)
    app.kernel_class = AnsweringKernel
    app.descriptors = dict(zip(ports, descriptors, strict=True))
    app.transport, app.ip = str(connection["transport"]), str(connection["ip"])
    for channel, port in zip(CHANNELS, ports, strict=True):
        setattr(app, f"{channel}_port", port)
    app.session.key = str(connection["key"]).encode()
    app.session.signature_scheme = str(connection["signature_scheme"])
    for key in ("curve_publickey", "curve_secretkey"):
        if connection.get(key):
            setattr(app, key, str(connection[key]).encode())
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    _use_inline_figures()
    app.initialize([])  # type: ignore[no-untyped-call]
    if app.shell is not None:
        prepare_commands(app.shell)
    plant_seed(request.seed, request.shift)  # starting has drawn from Python's own generator
    app.start()  # type: ignore[no-untyped-call]


def _use_inline_figures() -> None:
    # Imported before the fork, matplotlib has looked for its backend already, and the inline
    # backend for the shell that shows its figures: it would never look again.
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib_inline"]:
        del sys.modules[name]
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]
