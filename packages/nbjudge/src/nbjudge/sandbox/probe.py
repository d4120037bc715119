"""Which tier this machine offers, by trying."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from nbjudge import wire
from nbjudge.sandbox import landlock, seccomp, syscalls
from nbjudge.sandbox.guard import run_confined
from nbjudge.sandbox.numbers import MACHINES
from nbjudge.sandbox.spec import Confinement, Finding, Limits, Tier

_SECONDS = 20.0
_SWITCHES = {
    "kernel.apparmor_restrict_unprivileged_userns": (
        "1",
        "AppArmor keeps ordinary users from user namespaces; an administrator permits them by "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or by a profile for this Python",
    ),
    "kernel.unprivileged_userns_clone": (
        "0",
        "user namespaces are switched off for ordinary users; an administrator permits them by "
        "sysctl kernel.unprivileged_userns_clone=1",
    ),
    "user.max_user_namespaces": (
        "0",
        "user namespaces are switched off; an administrator permits them by "
        "sysctl user.max_user_namespaces=10000",
    ),
}
"""A setting, the value that stands in the way, and what to tell."""


@functools.cache
def find_tier() -> Finding:
    """What a process like this one can have, tried out in another process.

    Harmless whatever threads this one has; less than half a second the first time, then
    remembered.
    """
    machine = syscalls.machine()
    if not machine:
        return Finding("none", (f"confinement needs Linux, this is {sys.platform}",))
    if machine not in MACHINES:
        return Finding("none", (f"confinement is not offered on {machine} processors",))
    search = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nbjudge.sandbox"],
            env={**os.environ, "PYTHONPATH": search},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        found = json.loads(done.stdout)
        return Finding(found["tier"], tuple(found["missing"]), found["landlock"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        return Finding("none", (f"the machine could not be examined: {error}",))


def examine() -> Finding:
    """Try the tiers from the strongest down; only for a process with one thread."""
    missing: list[str] = []
    if not seccomp.is_available():
        return Finding("none", ("this kernel offers no filters of system calls (seccomp)",))
    abi = landlock.version()
    failure = _attempt("full")
    if failure is None:
        return Finding("full", (), abi)
    missing.append(f"no namespaces of one's own: {failure}")
    missing += _standing_in_the_way()
    if abi:
        failure = _attempt("filters")
        if failure is None:
            return Finding("filters", tuple(missing), abi)
        missing.append(f"no confinement by filters: {failure}")
    else:
        missing.append("no Landlock: it needs Linux 5.13 or later with lsm=landlock,… at boot")
    return Finding("none", tuple(missing), abi)


def _standing_in_the_way() -> list[str]:
    reasons = []
    for setting, (value, reason) in _SWITCHES.items():
        try:
            now = Path("/proc/sys", setting.replace(".", "/")).read_text().strip()
        except OSError:
            continue
        if now == value:
            reasons.append(reason)
    if os.geteuid() == 0 and not syscalls.has_capabilities(syscalls.CAP_SYS_ADMIN):
        reasons.append(
            "this is root without CAP_SYS_ADMIN, as in a container: start the container with "
            "--cap-add SYS_ADMIN --security-opt seccomp=unconfined, or grade outside of it"
        )
    return reasons


def _attempt(tier: Tier) -> str | None:
    """Confine a process that does nothing; what went wrong, if something did."""
    ours, theirs = socket.socketpair()
    confinement = Confinement(tier, Limits(memory_megabytes=1000, wall_seconds=10), None)
    pid = os.fork()
    if pid == 0:
        ours.close()
        run_confined(confinement, lambda: None, theirs)
    theirs.close()
    try:
        ours.settimeout(_SECONDS / 2)
        message = wire.receive(ours, 0)[0]
        if "started" in message:
            message = wire.receive(ours, 0)[0]
        return None if message["ended"] == "exit" else str(message["detail"])
    except (wire.WireError, OSError) as error:
        return f"no answer: {error}"
    finally:
        ours.close()
        os.waitpid(pid, 0)
