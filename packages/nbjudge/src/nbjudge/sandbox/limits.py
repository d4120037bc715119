"""The limits that the kernel holds for each process: getrlimit(2).

``resource`` is not on every system; where it is, it has to be there before the files of Python
itself are out of sight.
"""

from __future__ import annotations

import contextlib

from nbjudge.sandbox.spec import Limits

with contextlib.suppress(ImportError):
    import resource

_MEGABYTE = 1 << 20
# TensorFlow reserves more than it ever touches; what is touched, the watch counts.
_DATA_SLACK_MEGABYTES = 4000
# The watch is to be first, for its reason is told.
_CPU_SLACK_SECONDS = 10
_LOCKED_BYTES = 8 * _MEGABYTE
_PENDING_SIGNALS = 4096


def apply(limits: Limits, other_tasks: int = 0) -> None:
    """Set the limits on this process, never above those it has.

    ``other_tasks``: how many processes and threads of this user are not part of the sandbox
    but counted with it.
    """
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": limits.file_megabytes * _MEGABYTE,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CPU": limits.cpu_seconds + _CPU_SLACK_SECONDS,
        "RLIMIT_DATA": (limits.memory_megabytes + _DATA_SLACK_MEGABYTES) * _MEGABYTE,
        "RLIMIT_NPROC": other_tasks + limits.processes + max(16, limits.processes // 8),
        "RLIMIT_MEMLOCK": _LOCKED_BYTES,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_SIGPENDING": other_tasks + _PENDING_SIGNALS,
        "RLIMIT_RTPRIO": 0,
        "RLIMIT_NICE": 0,
    }
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        _, hard = resource.getrlimit(number)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(number, (value, value))
