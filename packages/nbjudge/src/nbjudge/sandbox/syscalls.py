"""The Linux system calls that Python 3.11 does not offer, by ctypes on the C library.

Nothing is looked up before the first call, so that every system can import this. Constants and
structures are from the kernel's ``include/uapi/linux`` (mount.h, sched.h, prctl.h,
capability.h, securebits.h) and man-pages section 2.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import socket
import struct
import sys
from pathlib import Path

from nbjudge.sandbox import numbers

# Whole numbers are passed as C long.
Argument = int | bytes | None

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

CAP_SETGID = 6
CAP_SETUID = 7
CAP_SETPCAP = 8
CAP_SYS_ADMIN = 21

# NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, each locked; KEEP_CAPS off and locked.
SECUREBITS_LOCKED_DOWN = 0xEF

_CAPABILITY_VERSION_3 = 0x20080522
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def machine() -> str:
    """The architecture as the kernel names it, or ``""`` outside Linux."""
    return os.uname().machine if sys.platform == "linux" else ""


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: Argument) -> int:
    """Any system call; raises ``OSError``. Whole numbers are passed as C long."""
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    call = _libc().syscall
    call.restype = ctypes.c_long
    return _checked(call(ctypes.c_long(number), *passed), f"system call {number}")


def _named(name: str, *arguments: Argument) -> int:
    number = numbers.number(name, machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"{machine()} has no system call {name}")
    return syscall(number, *arguments)


def prctl(option: int, *arguments: int) -> int:
    """prctl(2)."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    result = _libc().prctl(ctypes.c_int(option), *(ctypes.c_ulong(a) for a in padded))
    return _checked(result, f"prctl {option}")


def unshare(flags: int) -> None:
    """unshare(2)."""
    _checked(_libc().unshare(ctypes.c_int(flags)), f"unshare {flags:#x}")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """mount(2)."""
    encoded = [os.fsencode(text) if text is not None else None for text in (source, target, kind)]
    result = _libc().mount(*encoded, ctypes.c_ulong(flags), os.fsencode(data) or None)
    _checked(result, f"mount {kind or source or ''} on {target}")


def unmount(target: str) -> None:
    """Detach a mount and all below it: umount2(2) with MNT_DETACH."""
    result = _libc().umount2(os.fsencode(target), ctypes.c_int(MNT_DETACH))
    _checked(result, f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    _named("pivot_root", os.fsencode(new), os.fsencode(old))


def restrict_mounts(target: str, attributes: int) -> None:
    """Set attributes (MOUNT_ATTR_…) of a mount and all below: mount_setattr(2), Linux 5.12."""
    # struct mount_attr: attr_set, attr_clr, propagation, userns_fd
    attr = struct.pack("=QQQQ", attributes, 0, MS_PRIVATE, 0)
    _named("mount_setattr", _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attr, len(attr))


def seccomp(operation: int, flags: int, argument: Argument) -> int:
    """seccomp(2)."""
    return _named("seccomp", operation, flags, argument)


def clear_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets: capset(2)."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _named("capset", header, struct.pack("=6I", *[0] * 6))


def has_capabilities(*wanted: int) -> bool:
    """Whether all of these are effective in the process's user namespace."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return all(effective >> number & 1 for number in wanted)
    return False


def loopback_up() -> None:
    """Bring ``lo`` of the network namespace up: netdevice(7)."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(connection, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(connection, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def limit_tcp_buffers(size: int) -> None:
    """Let a TCP connection of this network namespace buffer ``size`` bytes a direction: tcp(7)."""
    for name in ("tcp_rmem", "tcp_wmem"):
        # Where /proc/sys cannot be written, the watch counts each socket all the same.
        with contextlib.suppress(OSError):
            Path("/proc/sys/net/ipv4", name).write_text(f"4096 16384 {size}")


def clear_memory(address: int, size: int) -> None:
    """Overwrite memory of this process with zeros."""
    ctypes.memset(address, 0, size)
