"""The process between the server and the confined one: starts it, watches it, reports its end."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from nbjudge import wire
from nbjudge.sandbox import inside, landlock, privileges, seccomp, syscalls
from nbjudge.sandbox.copying import remove_tree
from nbjudge.sandbox.lifeline import die_with_parent
from nbjudge.sandbox.numbers import MACHINES
from nbjudge.sandbox.privileges import Way
from nbjudge.sandbox.spec import Confinement, SandboxError
from nbjudge.sandbox.watch import Watch, all_of, descendants_of

FOLDER_PREFIX = "nbjudge-confined-"
"""Of the private folders of the tiers without namespaces; the guard's id follows."""

if TYPE_CHECKING:
    from resource import struct_rusage

_LINUX = sys.platform == "linux"
_SET_UP_SECONDS = 60.0
_REPORT_SECONDS = 10.0
# Without pidfd_open(2) (before Linux 5.3) the end of the process is asked for this often.
_POLL_SECONDS = 0.05
_MESSAGE = 65536


def run_confined(
    confinement: Confinement,
    main: Callable[[], object],
    report: socket.socket,
    keep: Sequence[int] = (),
    parent: int | None = None,
) -> NoReturn:
    """Become the guard of a confined process that calls ``main``; never returns.

    For a freshly forked process with one thread. ``report`` is a connected stream socket with
    the messages of ``nbjudge.wire``. To it goes ``{"started": true, "pid", "tier"}`` when the
    process is locked up and about to call ``main``, and at last one ``{"ended": reason,
    "status", "detail", "peak_megabytes", "sockets", "cpu_seconds"}`` with the reasons ``exit``,
    ``signal``, ``memory``, ``processes``, ``disk``, ``cpu``, ``wall`` and ``failed`` (the
    set-up; ``main`` was not called). From it come ``{"signal": number}``, for the confined
    process alone, and ``{"kill": true}``. When its other end is closed, or the parent of this
    process ends, everything ends.

    ``keep``: descriptors that the confined process has besides 0, 1 and 2, which are
    ``/dev/null`` unless named. ``parent``: the server's id as it was before the fork; with it,
    a server that died meanwhile is noticed at once.
    """
    try:
        guard = _Guard(confinement, report, keep)
    except BaseException:
        os._exit(1)
    try:
        guard.be_guard(parent)
        guard.start(main)
        guard.watch()
    except BaseException as error:
        guard.fail(inside.in_words(error))
    guard.finish()


class _Guard:
    def __init__(self, confinement: Confinement, report: socket.socket, keep: Sequence[int]):
        self.confinement = confinement
        self.report = report
        self.keep = tuple(keep)
        self.pid = 0
        self.reason: str | None = None
        self.detail = ""
        self.status: int | None = None
        self.cpu_seconds = 0.0
        self.abandoned = False
        self.started = False
        self.began = time.monotonic()
        self.folder: str | None = None
        self.watcher: Watch | None = None
        self.inner: socket.socket | None = None

    def be_guard(self, parent: int | None) -> None:
        """Depend on the server alone, and keep nothing of it but what is needed."""
        gc.freeze()
        die_with_parent(parent)
        inside.reset_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.setsid()
        self._leave_streams_alone()
        self.report.settimeout(_REPORT_SECONDS)
        if _LINUX:
            syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
            # Else /proc/self is root's, if the server changed its user.
            syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)

    def _leave_streams_alone(self) -> None:
        """Let no descriptor of ours be one of the standard streams, which are replaced."""
        while (number := os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)) <= 2:
            pass
        os.close(number)
        if self.report.fileno() <= 2:
            import fcntl

            self.report = socket.socket(fileno=fcntl.fcntl(self.report, fcntl.F_DUPFD_CLOEXEC, 3))

    def start(self, main: Callable[[], object]) -> None:
        """Fork the confined process; it is being set up afterwards."""
        tier = self.confinement.tier
        if tier != "none" and syscalls.machine() not in MACHINES:
            raise SandboxError(f"the tier {tier!r} is not offered on this system")
        if tier == "filters" and not landlock.version():
            raise SandboxError("this kernel offers no Landlock")
        if tier != "none" and not seccomp.is_available():
            raise SandboxError("this kernel offers no filters of system calls")
        way: Way | None = None
        if tier == "full":
            way = privileges.choose()
            if not way.privileged:
                privileges.enter_user_namespace(way.identity)
                die_with_parent()
            syscalls.unshare(syscalls.CLONE_NEWPID)
        else:
            self.folder = tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-")
            os.mkdir(self.folder + "/work")
            os.mkdir(self.folder + "/tmp")
        ours, theirs = socket.socketpair(socket.AF_UNIX, _PACKETS)
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            inside.start(self.confinement, main, theirs, self.keep, way, self.folder)
        theirs.close()
        self.inner = ours
        for number in self.keep:
            if number > 2:
                with contextlib.suppress(OSError):
                    os.close(number)
        inside.null_streams()

    def watch(self) -> None:
        """Until the process has ended or is to be ended."""
        assert self.inner is not None
        poll = select.poll()
        poll.register(self.report, select.POLLIN)
        poll.register(self.inner, select.POLLIN)
        ended = _open_process(self.pid)
        if ended is not None:
            poll.register(ended, select.POLLIN)
        next_look = self.began
        limits = self.confinement.limits
        while self.reason is None and not self.abandoned:
            now = time.monotonic()
            if now - self.began > limits.wall_seconds:
                self.reason = "wall"
                return
            if not self.started and now - self.began > _SET_UP_SECONDS:
                raise SandboxError("the set-up takes too long")
            if self.watcher is not None and now >= next_look:
                self.reason = self.watcher.look()
                next_look = time.monotonic() + self.watcher.period
                continue
            until = min(self.began + limits.wall_seconds, now + 1.0)
            until = min(until, next_look) if self.watcher else until
            wait = max(0.0, until - now) + 0.001
            if ended is None:
                wait = min(wait, _POLL_SECONDS)
            ready = {number for number, _ in poll.poll(wait * 1000)}
            if self.inner.fileno() in ready:
                poll.unregister(self.inner)
                self._hear_inner()
            if (ended is None or ended in ready) and self._has_ended():
                return
            if self.report.fileno() in ready:
                self._hear_server()

    def _hear_inner(self) -> None:
        assert self.inner is not None
        text, folders, _, _ = socket.recv_fds(self.inner, _MESSAGE, 8)
        if text != inside.READY:
            failure = json.loads(text)["failed"] if text else "the process ended while set up"
            raise SandboxError(failure)
        if _LINUX:
            limits = self.confinement.limits
            if self.confinement.tier == "full":
                proc, *holding = folders
                self.watcher = Watch(limits, proc, all_of(proc), holding, own_network=True)
            else:
                proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                below = descendants_of(os.getpid(), limits.processes)
                self.watcher = Watch(limits, proc, below, disk=self.folder)
        if not self._send({"started": True, "pid": self.pid, "tier": self.confinement.tier}):
            return
        self.started = True
        self.inner.send(inside.GO)
        self.inner.close()

    def _hear_server(self) -> None:
        try:
            message, _ = wire.receive(self.report, 0)
        except (wire.WireError, OSError):
            self.abandoned = True
            return
        if not isinstance(message, dict):
            self.abandoned = True
        elif message.get("kill"):
            os.kill(self.pid, signal.SIGKILL)
        elif type(number := message.get("signal")) is int:
            with contextlib.suppress(OSError, ValueError):
                os.kill(self.pid, number)

    def _has_ended(self) -> bool:
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        self._note_end(status, usage)
        return True

    def _note_end(self, status: int, usage: struct_rusage) -> None:
        self.pid = 0
        self.status = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime

    def fail(self, detail: str) -> None:
        """Note that the set-up, or the guard itself, failed."""
        self.reason, self.detail = "failed", detail

    def finish(self) -> NoReturn:
        """End what is left, remove what it wrote, report, exit."""
        try:
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
                _, status, usage = os.wait4(self.pid, 0)
                self._note_end(status, usage)
            if self.confinement.tier != "full" and _LINUX:
                _end_descendants()
            if self.folder is not None:
                remove_tree(self.folder)
        except Exception as error:
            self.fail(f"cleaning up: {type(error).__name__}: {error}")
        if not self.abandoned:
            self._send(self._ending())
        os._exit(0)

    def _ending(self) -> dict[str, Any]:
        status = self.status if self.status is not None else 0
        usage = self.watcher.usage if self.watcher else None
        return {
            "ended": self.reason or ("signal" if status < 0 else "exit"),
            "status": abs(status),
            "detail": self.detail or self._describe(status),
            "peak_megabytes": round(usage.peak / (1 << 20), 1) if usage else 0.0,
            "sockets": usage.sockets if usage else 0,
            "cpu_seconds": round(max(self.cpu_seconds, usage.cpu_seconds if usage else 0), 3),
        }

    def _describe(self, status: int) -> str:
        limits = self.confinement.limits
        described = {
            "memory": f"more than {limits.memory_megabytes} megabytes of memory",
            "processes": f"more than {limits.processes} processes and threads",
            "disk": f"more than {limits.disk_megabytes} megabytes in files",
            "cpu": f"more than {limits.cpu_seconds} seconds of processor time",
            "wall": f"more than {limits.wall_seconds} seconds",
        }
        if self.reason in described:
            return described[self.reason]
        return f"signal {-status}" if status < 0 else f"status {status}"

    def _send(self, message: dict[str, Any]) -> bool:
        try:
            wire.send(self.report, message)
        except OSError:
            self.abandoned = True
        return not self.abandoned


_PACKETS = getattr(socket, "SOCK_SEQPACKET", socket.SOCK_DGRAM) if _LINUX else socket.SOCK_DGRAM


def _open_process(pid: int) -> int | None:
    """A descriptor that is readable once the process has ended: pidfd_open(2)."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _end_descendants() -> None:
    """Kill and reap everything below this process, which is the reaper of orphans.

    One that is found may fork no more, so that the hunt comes to an end.
    """
    import resource

    find = descendants_of(os.getpid(), 100_000)
    while True:
        for pid in find():
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)
