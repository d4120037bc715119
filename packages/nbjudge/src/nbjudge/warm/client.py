"""Starting the warm server, and asking it for kernels and judges."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from nbjudge import wire
from nbjudge.errors import NbjudgeError
from nbjudge.warm.server import JUDGE, KERNEL

# A process that finds this in its environment uses the server at that address.
ADDRESS = "NBJUDGE_WARM_SERVER"
_SECONDS_TO_START = 300.0
# One thread in the server, or a fork would lose the others while they hold a lock.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "LANG": "C.UTF-8",
    # No string that a student's code could see depends on the run.
    "PYTHONHASHSEED": "0",
}
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


class WarmServerError(NbjudgeError):
    """The warm server could not be started, or does not answer as it should."""


class WarmServer:
    """A server process that ends with this one, or when ``stop`` is called.

    It goes on importing by itself; the first request waits for that. Its environment, which
    every kernel could read, holds no more than it needs. Raises ``WarmServerError`` where it
    does not start.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="nbjudge-warm-"))
        self.address = str(self._folder / "server")
        self.failed_imports: Mapping[str, str] = {}
        passed_on = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        self._log = (self._folder / "log").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nbjudge.warm.server", self.address, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=passed_on | _ENVIRONMENT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # pipes
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        if self._stdout.readline() != "listening\n":
            self._process.wait()
            raise WarmServerError(f"The warm server did not start:\n{self._tail_of_log()}")
        self._ready = threading.Event()
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._waiter.start()

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, by itself or by another's doing."""
        return self._process.poll() is not None

    def wait_until_ready(self) -> None:
        """Return when the imports are done. Raises ``WarmServerError`` where it ended instead."""
        if not self._ready.wait(_SECONDS_TO_START):
            raise WarmServerError(f"The warm server was not ready in {_SECONDS_TO_START:.0f} s.")
        if self._process.poll() is not None:
            raise WarmServerError(f"The warm server ended:\n{self._tail_of_log()}")

    def stop(self) -> None:
        """End the server and all that it forked."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        if not self._ready.is_set():
            self._process.kill()  # it listens to nobody while it imports
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._waiter.join()
        self._stdout.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> WarmServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _tail_of_log(self) -> str:
        self._log.seek(0)
        return self._log.read()[-2000:]

    def _wait(self) -> None:
        line = self._stdout.readline()
        if line.startswith("ready "):
            self.failed_imports = json.loads(line.removeprefix("ready "))
        else:
            self._process.wait()
        self._ready.set()


class LastingServer:
    """A warm server for a ``with`` block; it is started anew where it was ended meanwhile."""

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self._modules = tuple(modules)
        self._server = WarmServer(self._modules)

    @property
    def address(self) -> str:
        """Where a server listens now."""
        if self._server.has_ended:
            self._server.stop()
            self._server = WarmServer(self._modules)
        return self._server.address

    def stop(self) -> None:
        """End the server and all that it forked."""
        self._server.stop()

    def __enter__(self) -> LastingServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def ask_for_kernel(address: str, request: Any, descriptors: Sequence[int]) -> socket.socket:
    """Ask for a kernel; returns the connection to its guard (see ``nbjudge.sandbox``)."""
    return _ask(address, KERNEL, request, descriptors)


def ask_for_judge(address: str, request: Any) -> socket.socket:
    """Ask for a judge; returns the connection to its session (see ``nbjudge.judge``)."""
    return _ask(address, JUDGE, request, ())


def _ask(address: str, kind: bytes, request: Any, descriptors: Sequence[int]) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
        socket.send_fds(connection, [kind], list(descriptors))
        wire.send(connection, request)
    except OSError as error:
        connection.close()
        raise WarmServerError(
            f"The warm server does not answer ({error}). Grade again; it is started anew."
        ) from error
    return connection


def server_address(modules: Sequence[str] = ()) -> str:
    """Where a server listens: the one that the environment names, or one of this process."""
    return os.environ.get(ADDRESS) or _own_server(tuple(modules)).address


@cache
def _own_server(modules: tuple[str, ...]) -> LastingServer:
    """The server of this process, started with the first call and ended with the process."""
    server = LastingServer(modules)
    atexit.register(server.stop)
    return server
