"""What a process tree uses, seen from outside of it: proc(5).

Everything read here is written by the kernel, but for the name of a process, which is skipped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nbjudge.sandbox.copying import size_of
from nbjudge.sandbox.spec import SOCKET_BYTES, Limits

_MEGABYTE = 1 << 20
_INODE_BYTES = 1024
_READ = 1 << 14
_PERIOD = 0.2
_LONGEST_PERIOD = 2.0
# Of the time between two looks, one part in this many may go into looking.
_COST = 100
_MOST_ENTRIES = 50_000
# A pipe has two pages once its user has many (pipe(7)), and two descriptors.
_DESCRIPTOR_BYTES = 4096


@dataclass
class Usage:
    """At one time, but for what ends with ``peak``."""

    tasks: int = 0
    memory: int = 0
    """Bytes, of the last exact measurement."""
    peak: int = 0
    """Bytes, the most of the exact measurements."""
    cpu_seconds: float = 0.0
    sockets: int = 0
    """The most that were seen at one time."""


@dataclass(frozen=True)
class _Descriptors:
    """How many descriptors a process has, and how many of them are sockets, if asked for."""

    all: int
    sockets: int


@dataclass
class _Process:
    own_ticks: int
    children_ticks: int
    tasks: int
    started: str


class Watch:
    """Measures a tree again and again and says which limit it broke.

    ``proc``: an open folder of a proc file system; ``processes`` lists the tree's ids in it;
    ``holding``: open folders of file systems whose content is memory; ``disk``: a folder of the
    host whose size is limited, if there is one; ``own_network``: whether the tree has a network
    namespace of its own.
    """

    def __init__(
        self,
        limits: Limits,
        proc: int,
        processes: Callable[[], Iterable[int]],
        holding: Iterable[int] = (),
        disk: str | None = None,
        own_network: bool = False,
    ) -> None:
        self.usage = Usage()
        self._limits = limits
        self._proc = proc
        self._processes = processes
        self._holding = tuple(holding)
        self._disk = disk
        self._own_network = own_network
        self._seen: dict[tuple[int, str], int] = {}
        self._ended_ticks = 0
        self._exact_at = 0.0
        self._exact_bound = 0
        self._disk_at = 0.0
        self._ticks_a_second = os.sysconf("SC_CLK_TCK")
        self.period = _PERIOD

    def look(self) -> str | None:
        """Measure; the reason to end the tree, if there is one. Never raises for the tree's
        doing; takes time in proportion to the limit on processes at most.
        """
        began = time.monotonic()
        reason = self._look(began)
        cost = time.monotonic() - began
        self.period = min(_LONGEST_PERIOD, max(_PERIOD, _COST * cost))
        return reason

    def _look(self, now: float) -> str | None:
        limits, usage = self._limits, self.usage
        tasks = total_ticks = bound = 0
        pids, live = [], {}
        for pid in self._processes():
            process = self._read_process(pid)
            if process is None:
                continue
            pids.append(pid)
            tasks += process.tasks
            if tasks > limits.processes:
                usage.tasks = tasks
                return "processes"
            total_ticks += process.own_ticks + process.children_ticks
            live[pid, process.started] = process.own_ticks
            bound += self._bound(pid)
        usage.tasks = tasks
        # A parent that ignores the end of its children is not charged for them: what was seen
        # of each process is kept, too.
        self._ended_ticks += sum(t for key, t in self._seen.items() if key not in live)
        self._seen = live
        ticks = max(total_ticks, self._ended_ticks + sum(live.values()))
        usage.cpu_seconds = max(usage.cpu_seconds, ticks / self._ticks_a_second)
        if usage.cpu_seconds > limits.cpu_seconds:
            return "cpu"
        if self._exceeds_memory(now, pids, bound):
            return "memory"
        if self._exceeds_disk(now):
            return "disk"
        return None

    def _exceeds_memory(self, now: float, pids: list[int], bound: int) -> bool:
        """``bound`` counts what is shared in full; it is cheap. Exactness is paid for when
        there is something new to learn: about the limit at once, else now and then.
        """
        limit = self._limits.memory_megabytes * _MEGABYTE
        held = self._held() + self._in_kernel(pids)
        grown = bound + held > limit and bound > self._exact_bound * 1.02
        if now < self._exact_at and not grown:
            return False
        exact = self._exact(pids) + held
        if exact > limit:
            # A child of vfork(2) shows its parent's memory as its own for a moment.
            pids = list(self._processes())
            again = self._exact(pids) + self._held() + self._in_kernel(pids)
            exact = min(exact, again)
        self.usage.memory = exact
        self.usage.peak = max(self.usage.peak, exact)
        cost = time.monotonic() - now
        self._exact_at = now + min(_LONGEST_PERIOD, max(_PERIOD, _COST * cost))
        self._exact_bound = bound
        return exact > limit

    def _exceeds_disk(self, now: float) -> bool:
        if self._disk is None or now < self._disk_at:
            return False
        size, entries = size_of(self._disk, _MOST_ENTRIES)
        self._disk_at = now + min(30.0, max(1.0, _COST * (time.monotonic() - now)))
        return size > self._limits.disk_megabytes * _MEGABYTE or entries >= _MOST_ENTRIES

    def _held(self) -> int:
        total = 0
        for folder in self._holding:
            status = os.fstatvfs(folder)
            total += (status.f_blocks - status.f_bfree) * status.f_frsize
            total += (status.f_files - status.f_ffree) * _INODE_BYTES
        return total

    def _in_kernel(self, pids: Iterable[int]) -> int:
        """What sockets and pipes can hold, in bytes: what they do hold, the kernel tells nobody."""
        descriptors = [self._descriptors(pid) for pid in pids]
        if self._own_network:
            sockets = self._sockets_of_network(pids)
        else:
            sockets = sum(each.sockets for each in descriptors)
        self.usage.sockets = max(self.usage.sockets, sockets)
        return sockets * SOCKET_BYTES + sum(each.all for each in descriptors) * _DESCRIPTOR_BYTES

    def _sockets_of_network(self, pids: Iterable[int]) -> int:
        """Also those that no process has open, but that are on their way to one: unix(7)."""
        for pid in pids:
            fields = self._read(f"{pid}/net/sockstat").split()
            if fields[:2] == [b"sockets:", b"used"]:
                return int(fields[2])
        return 0

    def _descriptors(self, pid: int) -> _Descriptors:
        try:
            folder = os.open(f"{pid}/fd", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        except OSError:
            return _Descriptors(0, 0)
        try:
            names = os.listdir(folder)
            sockets = 0 if self._own_network else sum(_is_socket(n, folder) for n in names)
            return _Descriptors(len(names), sockets)
        except OSError:
            return _Descriptors(0, 0)
        finally:
            os.close(folder)

    def _exact(self, pids: Iterable[int]) -> int:
        total = 0
        for pid in pids:
            fields = self._kilobytes(f"{pid}/smaps_rollup", (b"Pss_Anon:", b"SwapPss:"))
            tables = self._kilobytes(f"{pid}/status", (b"VmPTE:",))
            if b"Pss_Anon:" in fields:
                total += sum(fields.values()) + sum(tables.values())
            else:
                # Not ours to read (it made itself so), or Linux before 5.9.
                total += self._bound(pid)
        return total

    def _bound(self, pid: int) -> int:
        return sum(self._kilobytes(f"{pid}/status", (b"RssAnon:", b"VmSwap:", b"VmPTE:")).values())

    def _kilobytes(self, path: str, names: tuple[bytes, ...]) -> dict[bytes, int]:
        """Fields ``name: number kB`` in bytes; no name of a process can hold a line end."""
        found = {}
        for line in self._read(path).split(b"\n"):
            for name in names:
                if line.startswith(name):
                    found[name] = int(line.split()[1]) * 1024
        return found

    def _read_process(self, pid: int) -> _Process | None:
        text = self._read(f"{pid}/stat")
        # The name is in brackets and may hold any character; nothing after it holds a bracket.
        fields = text[text.rfind(b")") + 1 :].split()
        if len(fields) < 20:
            return None
        user, system, waited_user, waited_system = (int(field) for field in fields[11:15])
        return _Process(
            own_ticks=user + system,
            children_ticks=waited_user + waited_system,
            tasks=int(fields[17]),
            started=fields[19].decode(),
        )

    def _read(self, path: str) -> bytes:
        try:
            opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        except OSError:
            return b""
        try:
            return os.read(opened, _READ)
        except OSError:
            return b""
        finally:
            os.close(opened)


def _is_socket(name: str, folder: int) -> bool:
    try:
        return os.readlink(name, dir_fd=folder).startswith("socket:")
    except OSError:
        return False


def all_of(proc: int) -> Callable[[], list[int]]:
    """The processes that a proc file system shows."""
    return lambda: [int(name) for name in os.listdir(proc) if name.isdigit()]


def descendants_of(root: int, most: int) -> Callable[[], list[int]]:
    """The processes below one, in the host's proc file system, up to about ``most``."""
    # Not every kernel is built with these (CONFIG_PROC_CHILDREN).
    listed = os.path.exists(f"/proc/self/task/{os.getpid()}/children")

    def find() -> list[int]:
        children = _listed_children if listed else _all_children().get
        found: list[int] = []
        waiting = [root]
        while waiting and len(found) <= most:
            for child in children(waiting.pop()) or ():
                found.append(child)
                waiting.append(child)
        return found

    return find


def _listed_children(pid: int) -> list[int]:
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    found += [int(word) for word in file.read().split()]
            except OSError:
                continue
    except OSError:
        pass
    return found


def _all_children() -> dict[int, list[int]]:
    """The children of every process of the host."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
            found.setdefault(parent, []).append(int(name))
    return found
