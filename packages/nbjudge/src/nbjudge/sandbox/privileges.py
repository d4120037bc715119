"""Who the confined process is, and how it gives up all else: credentials(7), capabilities(7)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nbjudge.sandbox import syscalls
from nbjudge.sandbox.mounts import Identity

_OWN_IDS_FROM = 2_000_000_000
_NOBODY = 65534
_INSIDE = 1000


@dataclass(frozen=True)
class Way:
    """How to the namespaces: with real privileges, or through a user namespace."""

    privileged: bool
    identity: Identity
    shared_user: bool
    """Whether the kernel may count other processes to this user."""


def choose() -> Way:
    """The way of this process; an identity that no other sandbox has where it may."""
    needed = (
        syscalls.CAP_SYS_ADMIN,
        syscalls.CAP_SETUID,
        syscalls.CAP_SETGID,
        syscalls.CAP_SETPCAP,
    )
    identity = _own_identity() if syscalls.has_capabilities(*needed) else None
    if identity is not None:
        return Way(True, identity, identity.user == _NOBODY)
    # Before Linux 5.14 a user's processes are counted across user namespaces.
    return Way(False, Identity(_INSIDE, _INSIDE), _kernel() < (5, 14))


def drop_identity() -> Identity | None:
    """For the tier without namespaces: who to become; ``None``: stay who one is."""
    may = syscalls.has_capabilities(syscalls.CAP_SETUID, syscalls.CAP_SETGID)
    return _own_identity() if may else None


def enter_user_namespace(identity: Identity) -> None:
    """A new user namespace with this one user and group in it: user_namespaces(7)."""
    user, group = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{identity.user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{identity.group} {group} 1")


def become(identity: Identity | None) -> None:
    """Give up every capability and, with an identity, the user; for good.

    A change of user undoes two things: that the parent may read this process's memory use, which
    is set again here, and ``die_with_parent``, which is the caller's to repeat.
    """
    if syscalls.has_capabilities(syscalls.CAP_SETPCAP):
        for capability in range(64):
            try:
                syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
            except OSError:
                break
        syscalls.prctl(syscalls.PR_SET_SECUREBITS, syscalls.SECUREBITS_LOCKED_DOWN)
    if identity is not None:
        os.setgroups([])
        os.setresgid(identity.group, identity.group, identity.group)
        os.setresuid(identity.user, identity.user, identity.user)
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    syscalls.clear_capabilities()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


def tasks_of(user: int) -> int:
    """Processes and threads of a user (of this process's namespace) at this moment."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == user:
                    total += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return total


def _own_identity() -> Identity | None:
    """One that no other sandbox has, else nobody's; ``None`` where this process may be neither."""
    if not _may_set_groups():
        return None
    for number in (_OWN_IDS_FROM + os.getpid(), _NOBODY):
        if _is_mapped("uid", number) and _is_mapped("gid", number):
            return Identity(number, number)
    return None


def _may_set_groups() -> bool:
    try:
        return Path("/proc/self/setgroups").read_text().strip() == "allow"
    except OSError:
        return True


def _is_mapped(kind: str, number: int) -> bool:
    for line in Path(f"/proc/self/{kind}_map").read_text().splitlines():
        first, _, count = (int(word) for word in line.split())
        if first <= number < first + count:
            return True
    return False


def _kernel() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    digits = "".join(character for character in minor if character.isdigit())
    return int(major), int(digits or 0)
