"""Landlock: a process gives up, for good, what it may do to files, sockets and processes.

Structures and versions ("ABI") are from the kernel's ``include/uapi/linux/landlock.h`` and
landlock(7).
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from nbjudge.sandbox import syscalls

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ABI_1 = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_MAKE_DEVICES = 1 << 6 | 1 << 11
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_NET_BIND_TCP, _NET_CONNECT_TCP = 1, 2
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2
SCOPES_SINCE = 6
"""The first version that confines signals and abstract sockets."""
TRUNCATION_SINCE = 3
"""The first version that confines truncation."""


@dataclass
class Rules:
    """Paths with what may be done below them; all else is refused."""

    read: list[str] = field(default_factory=list)
    write: list[str] = field(default_factory=list)
    """Also read, made and removed."""
    listed: list[str] = field(default_factory=list)
    """Folders whose names may be listed, and those of all folders below."""
    tcp: bool = False


def version() -> int:
    """The version of the interface, 0 without Landlock."""
    if syscalls.machine() == "":
        return 0
    try:
        return syscalls.syscall(_CREATE, 0, 0, _VERSION)
    except OSError:
        return 0


def restrict(rules: Rules) -> None:
    """Confine this thread and its future children; needs no_new_privs. Raises ``OSError``."""
    abi = version()
    files = _ABI_1
    for bit, since in ((_REFER, 2), (_TRUNCATE, TRUNCATION_SINCE), (_IOCTL_DEV, 5)):
        files |= bit if abi >= since else 0
    tcp = 0 if rules.tcp else _NET_BIND_TCP | _NET_CONNECT_TCP
    # struct landlock_ruleset_attr grew: files; TCP with 4; scopes with 6.
    size = 8 if abi < 4 else 16 if abi < SCOPES_SINCE else 24
    attr = struct.pack("=QQQ", files, tcp, _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS)[:size]
    ruleset = syscalls.syscall(_CREATE, attr, len(attr), 0)
    try:
        _allow(ruleset, rules.read, files & (_EXECUTE | _READ_FILE | _READ_DIR))
        _allow(ruleset, rules.listed, _READ_DIR)
        _allow(ruleset, rules.write, files & ~_MAKE_DEVICES)
        syscalls.syscall(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], access: int) -> None:
    for path in paths:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            folder = stat.S_ISDIR(os.fstat(target).st_mode)
            allowed = access if folder else access & _FOR_FILES
            rule = struct.pack("=Qi", allowed, target)
            syscalls.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        finally:
            os.close(target)
