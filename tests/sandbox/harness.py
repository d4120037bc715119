"""Runs a function confined and brings back what it returned and how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nbjudge import wire
from nbjudge.sandbox import Confinement, Limits, readable_paths, run_confined, syscalls

ORDINARY = 12345
PATIENCE = 60.0
PYENV = Path("/root/.pyenv")
HERE = Path(__file__).parent


@dataclass
class Result:
    """What came of a run."""

    ended: dict[str, Any] | None
    started: dict[str, Any] | None = None
    value: Any = None
    """What the function returned, if it did; ``{"error": …}`` for what it raised."""
    seconds_to_start: float | None = None

    @property
    def reason(self) -> str | None:
        return self.ended["ended"] if self.ended else None


def as_user(user: str, function: Callable[[], Any]) -> Any:
    """The JSON value of a function run in a process of its own, as root or an ordinary user.

    An ordinary user cannot pass /root, below which the interpreter lies: a namespace of mounts
    shows that user the interpreter alone.
    """

    def run() -> Any:
        if user == "ordinary" and os.getuid() == 0:
            become_ordinary()
        return function()

    value = in_child(run)
    if isinstance(value, dict) and "error" in value and "trace" in value:
        raise AssertionError(value["trace"])
    return value


def in_child(function: Callable[[], Any]) -> Any:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os._exit(_answer(function, writer))
    os.close(writer)
    with open(reader, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    return json.loads(data) if data else None


def _answer(function: Callable[[], Any], writer: int) -> int:
    try:
        value = function()
    except BaseException as error:
        value = {
            "error": f"{type(error).__name__}: {error}",
            "errno": getattr(error, "errno", None),
            "trace": traceback.format_exc(),
        }
    with contextlib.suppress(BrokenPipeError):
        data = json.dumps(value, default=str).encode()
        while data:
            data = data[os.write(writer, data) :]
    return 0


def become_ordinary() -> None:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    if PYENV.exists():
        kept = os.open(PYENV, os.O_PATH)
        syscalls.mount("tmpfs", "/root", "tmpfs", 0, "mode=0755")
        PYENV.mkdir()
        flags = syscalls.MS_BIND | syscalls.MS_REC
        syscalls.mount(f"/proc/self/fd/{kept}", str(PYENV), None, flags)
        os.close(kept)
    os.setgroups([])
    os.setresgid(ORDINARY, ORDINARY, ORDINARY)
    os.setresuid(ORDINARY, ORDINARY, ORDINARY)


def confinement(**options: Any) -> Confinement:
    """A confinement that can run this interpreter and these tests."""
    limits = {"memory_megabytes": 500, "disk_megabytes": 20, "wall_seconds": 30, "cpu_seconds": 20}
    names = set(Limits.__dataclass_fields__)
    limits |= {name: options.pop(name) for name in list(options) if name in names}
    return Confinement(
        tier=options.pop("tier", "full"),
        limits=Limits(**limits),
        files=options.pop("files", None),
        readable=(*readable_paths(), *options.pop("readable", ())),
        **options,
    )


class Run:
    """A confined process under way."""

    def __init__(self, function: Callable[[], Any], **options: Any) -> None:
        keep = options.pop("keep", ())
        self.confinement = confinement(**options)
        self.report, theirs = socket.socketpair()
        self.report.settimeout(PATIENCE)
        self.reader, writer = os.pipe()
        self.began = time.monotonic()
        parent = os.getpid()
        self.guard = os.fork()
        if self.guard == 0:
            self.report.close()
            run_confined(
                self.confinement,
                lambda: sys.exit(_answer(function, writer)),
                theirs,
                keep=[writer, *keep],
                parent=parent,
            )
        theirs.close()
        os.close(writer)
        self.result = Result(None)
        self.guard_seconds = 0.0
        """Processor time of the guard and of what it waited for."""

    def wait_start(self) -> None:
        message = wire.receive(self.report, 0)[0]
        if "started" in message:
            self.result.started = message
            self.result.seconds_to_start = time.monotonic() - self.began
        else:
            self.result.ended = message

    def tell(self, message: Any) -> None:
        wire.send(self.report, message)

    def finish(self) -> Result:
        try:
            while self.result.ended is None:
                self.wait_start()
        except wire.Closed:
            pass
        with open(self.reader, "rb") as file:
            data = file.read()
        self.report.close()
        usage = os.wait4(self.guard, 0)[2]
        self.guard_seconds = usage.ru_utime + usage.ru_stime
        if data:
            with contextlib.suppress(ValueError):
                self.result.value = json.loads(data)
        return self.result


def run_as(user: str, function: Callable[[], Any], **options: Any) -> Result:
    """Run a function confined, with a server of that user, to the end."""
    return Result(**as_user(user, lambda: asdict(confined(function, **options))))


def confined(function: Callable[[], Any], **options: Any) -> Result:
    """Run to the end."""
    return Run(function, **options).finish()


def wait_forever() -> None:
    while True:
        signal.pause()


def outcome(function: Callable[..., Any], *arguments: Any) -> str:
    """``"ok"``, or the name of the error."""
    import errno

    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except BaseException as error:
        return type(error).__name__
    return "ok"


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.01)
    return True
