"""How long code took by itself: the clock, less the time that it waited for a processor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# By the clock, nothing may take longer than so many times its limit.
_PATIENCE = 20.0


def waits_of(pid: int) -> dict[int, float]:
    """For each thread of a process, the seconds that it was ready to run and no processor was free.

    Empty where the system does not tell (``/proc/PID/task/TID/schedstat``).
    """
    waits = {}
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
            waits[int(thread)] = int(text.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        pass
    return waits


class OwnTime:
    """The time of what processes that wait for each other do from now on; the limit is in seconds.

    Of each process the thread that waited longest counts: others may have waited for its result.
    """

    def __init__(
        self,
        pids: Sequence[int],
        limit: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        waits: Callable[[int], Mapping[int, float]] = waits_of,
    ) -> None:
        self.limit = limit
        self._pids = tuple(pids)
        self._clock = clock
        self._waits = waits
        self._began = clock()
        self._before = {pid: waits(pid) for pid in self._pids}
        self._waited = 0.0

    def elapsed(self) -> float:
        """Seconds by the clock."""
        return self._clock() - self._began

    def waited(self) -> float:
        """Seconds that a thread waited for a processor, of those that elapsed."""
        self._waited = max(self._waited, sum(map(self._longest_wait, self._pids)))
        return min(self._waited, self.elapsed())

    def _longest_wait(self, pid: int) -> float:
        before = self._before[pid]
        return max(
            (wait - before.get(thread, 0.0) for thread, wait in self._waits(pid).items()),
            default=0.0,
        )

    def left(self) -> float:
        """How many seconds may pass until the next look; not above 0 when the time is over."""
        elapsed = self.elapsed()
        if elapsed < self.limit:
            return self.limit - elapsed
        return min(self.limit - (elapsed - self.waited()), _PATIENCE * self.limit - elapsed)

    def is_used_up(self) -> bool:
        """Whether the code took longer than its limit by itself, not only by the clock."""
        return self.elapsed() - self.waited() >= self.limit


def busy_machine() -> str:
    """In words, how busy this machine is; empty where it is not, or where it cannot be told."""
    try:
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
    except OSError:
        return ""
    return f"load {load:.0f} on {cores} cores" if load > 2 * cores else ""
