"""The filter of system calls: classic BPF over ``struct seccomp_data`` (seccomp(2)).

All is permitted but what is named here: what changes namespaces, mounts or the kernel; what
reaches other processes' memory; address families that lead out of the sandbox; and memory that
belongs to no process and no file system, which nothing could measure (memfd, System V shared
memory, shared anonymous mappings).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import stat
import struct
from collections.abc import Callable

from nbjudge.sandbox import syscalls
from nbjudge.sandbox.numbers import MACHINES, number

_LD_ABS, _JEQ, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1
# linux/audit.h
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_ANY_NEW_NAMESPACE = 0x7E020080
_MAP_SHARED, _MAP_ANONYMOUS = 0x1, 0x20
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FS_IOC_SETFLAGS, _FS_IOC_FSSETXATTR = 0x40086602, 0x401C5820
_CONTROLS = (_TIOCSTI, _TIOCLINUX, _FS_IOC_SETFLAGS, _FS_IOC_FSSETXATTR)
_PR_SET_SECCOMP, _PR_SET_PTRACER, _PR_SET_MM = 22, 0x59616D61, 35
_PERSONALITY_QUERY = 0xFFFFFFFF
_SOCKET_TYPE = 0xF

# fmt: off
DENIED = (
    "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount",
    "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "open_tree_attr", "ptrace",
    "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp",
    "pidfd_getfd", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "seccomp", "add_key", "request_key", "keyctl",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot",
    "swapon", "swapoff", "acct", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex",
    "open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark", "quotactl",
    "quotactl_fd", "nfsservctl", "lookup_dcookie", "iopl", "ioperm", "modify_ldt", "uselib",
    "ustat", "_sysctl", "vhangup", "syslog", "sethostname", "setdomainname", "memfd_secret",
    "remap_file_pages", "move_pages", "migrate_pages", "shmget", "shmat", "shmctl", "shmdt",
    "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl",
    "mq_open", "mq_unlink", "mq_notify", "mq_getsetattr", "mq_timedsend", "mq_timedreceive",
)
"""Refused with EPERM whatever the arguments."""

# What Landlock does not confine: attributes of files, by any path. Programs that copy files
# fail without the first; they are told that it is done.
_ATTRIBUTES_PRETENDED = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "utime", "utimes", "futimesat", "utimensat",
)
_ATTRIBUTES_REFUSED = (
    "chown", "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
    "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
)
# fmt: on
# Their callers fall back on something else when the kernel does not know them.
_UNKNOWN = ("clone3", "memfd_create")
# SO_SNDBUF, SO_RCVBUF and those that only root may use, of asm-generic/socket.h.
_BUFFER_OPTIONS = (7, 8, 32, 33)


class _Program:
    """BPF instructions; jumps are relative, so rules are built from their end."""

    def __init__(self) -> None:
        self.code: list[tuple[int, int, int, int]] = []

    def add(self, code: int, constant: int, then: int = 0, otherwise: int = 0) -> None:
        self.code.append((code, then, otherwise, constant))

    def refuse(self, error: int) -> None:
        self.add(_RET, _ERRNO | error)

    def allow(self) -> None:
        self.add(_RET, _ALLOW)

    def argument(self, index: int) -> None:
        """Load the low 32 bits of an argument (little endian)."""
        self.add(_LD_ABS, 16 + 8 * index)

    def bytes(self) -> bytes:
        return b"".join(struct.pack("=HBBI", *instruction) for instruction in self.code)


def build(
    machine: str, *, namespaces: bool, own_signals: int | None = None, truncation: bool = True
) -> bytes:
    """The filter as an array of ``struct sock_filter``; ``machine`` is of ``numbers.MACHINES``.

    ``namespaces``: whether network and file system are the sandbox's own; if not, no sockets
    can be made but pairs of connected AF_UNIX ones, and no attributes of files changed.
    ``own_signals``: the only process (or 0, the caller's group) that may be signalled, where
    nothing else confines signals. ``truncation``: whether a file that is only open for reading
    or closed may be truncated as far as permissions go.
    """
    if machine not in MACHINES:
        raise ValueError(f"no table of system calls for {machine}")
    program = _Program()
    program.add(_LD_ABS, 4)
    program.add(_JEQ, _ARCHITECTURE[machine], 1, 0)
    program.add(_RET, _KILL)
    program.add(_LD_ABS, 0)
    if machine == "x86_64":
        program.add(_JGE, _X32_BIT, 0, 1)
        program.refuse(errno.ENOSYS)
    errors = [(DENIED, errno.EPERM), (_UNKNOWN, errno.ENOSYS)]
    if not namespaces:
        errors += [(_ATTRIBUTES_PRETENDED, 0), (_ATTRIBUTES_REFUSED, errno.EPERM)]
    if not truncation:
        errors += [(("truncate",), errno.EPERM), (("openat2",), errno.ENOSYS)]
    for names, error in errors:
        for name in names:
            if (wanted := number(name, machine)) is not None:
                program.add(_JEQ, wanted, 0, 1)
                program.refuse(error)

    rules: list[tuple[str, Callable[[_Program], None]]] = [
        ("clone", lambda p: _refuse_bits(p, 0, _ANY_NEW_NAMESPACE)),
        ("mknod", lambda p: _refuse_devices(p, 1)),
        ("mknodat", lambda p: _refuse_devices(p, 2)),
        ("ioctl", lambda p: _refuse_values(p, 1, *_CONTROLS)),
        (
            "prctl",
            lambda p: _refuse_values(
                p,
                0,
                syscalls.PR_SET_PDEATHSIG,
                syscalls.PR_SET_DUMPABLE,
                _PR_SET_SECCOMP,
                _PR_SET_PTRACER,
                _PR_SET_MM,
            ),
        ),
        ("personality", lambda p: _only_values(p, 0, errno.EPERM, 0, _PERSONALITY_QUERY)),
        ("mmap", _refuse_shared_anonymous),
        ("socketpair", lambda p: _only_values(p, 0, errno.EAFNOSUPPORT, socket.AF_UNIX)),
        ("setsockopt", _keep_buffers),
        ("socket", _sockets if namespaces else lambda p: p.refuse(errno.EPERM)),
    ]
    if own_signals is not None:
        rules += [
            (name, lambda p: _only_values(p, 0, errno.EPERM, 0, own_signals))
            for name in ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
        ]
        rules.append(("pidfd_send_signal", lambda p: p.refuse(errno.EPERM)))
    if not truncation:
        rules.append(("open", lambda p: _refuse_truncating_reader(p, 1)))
        rules.append(("openat", lambda p: _refuse_truncating_reader(p, 2)))
    for name, write in rules:
        wanted = number(name, machine)
        if wanted is None:
            continue
        rule = _Program()
        write(rule)
        program.add(_JEQ, wanted, 0, len(rule.code))
        program.code += rule.code
    program.allow()
    return program.bytes()


def install(program: bytes) -> None:
    """Put the filter on every thread of this process; needs no_new_privs. Raises ``OSError``."""
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: unsigned short len, struct sock_filter *filter
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    syscalls.seccomp(_SET_MODE_FILTER, _FLAG_TSYNC, header)


def is_available() -> bool:
    """Whether the kernel knows filters: a null filter is a bad address, not a bad call."""
    try:
        syscalls.seccomp(_SET_MODE_FILTER, 0, None)
    except OSError as error:
        return error.errno == errno.EFAULT
    except ValueError:  # another machine than those of ``numbers``
        return False
    return False


def _refuse_bits(program: _Program, index: int, bits: int) -> None:
    program.argument(index)
    program.add(_JSET, bits, 0, 1)
    program.refuse(errno.EPERM)
    program.allow()


def _refuse_values(program: _Program, index: int, *values: int) -> None:
    program.argument(index)
    for value in values:
        program.add(_JEQ, value, 0, 1)
        program.refuse(errno.EPERM)
    program.allow()


def _only_values(program: _Program, index: int, error: int, *values: int) -> None:
    program.argument(index)
    for value in values:
        program.add(_JEQ, value, 0, 1)
        program.allow()
    program.refuse(error)


def _refuse_devices(program: _Program, index: int) -> None:
    program.argument(index)
    program.add(_AND, 0o170000)
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        program.add(_JEQ, kind, 0, 1)
        program.refuse(errno.EPERM)
    program.allow()


def _refuse_shared_anonymous(program: _Program) -> None:
    program.argument(3)
    program.add(_JSET, _MAP_ANONYMOUS, 0, 2)
    program.add(_JSET, _MAP_SHARED, 0, 1)
    program.refuse(errno.EPERM)
    program.allow()


def _refuse_truncating_reader(program: _Program, index: int) -> None:
    program.argument(index)
    program.add(_AND, os.O_TRUNC | os.O_ACCMODE)
    program.add(_JEQ, os.O_TRUNC | os.O_RDONLY, 0, 1)
    program.refuse(errno.EPERM)
    program.allow()


def _keep_buffers(program: _Program) -> None:
    """Pretend to set the size of a socket's buffers: nobody counts that memory of the kernel."""
    program.argument(1)
    program.add(_JEQ, socket.SOL_SOCKET, 1, 0)
    program.allow()
    program.argument(2)
    for option in _BUFFER_OPTIONS:
        program.add(_JEQ, option, 0, 1)
        program.refuse(0)
    program.allow()


def _sockets(program: _Program) -> None:
    """AF_UNIX; TCP and UDP over IP; routing queries. What is no network of the sandbox's own
    (AF_VSOCK reaches the host of a virtual machine) or needless kernel code is left out.
    """
    netlink_route = 0
    program.argument(0)
    program.add(_JEQ, socket.AF_UNIX, 0, 1)
    program.allow()
    program.add(_JEQ, socket.AF_NETLINK, 0, 4)
    program.argument(2)
    program.add(_JEQ, netlink_route, 0, 1)
    program.allow()
    program.refuse(errno.EPERM)
    program.add(_JEQ, socket.AF_INET, 2, 0)
    program.add(_JEQ, socket.AF_INET6, 1, 0)
    program.refuse(errno.EAFNOSUPPORT)
    program.argument(1)
    program.add(_AND, _SOCKET_TYPE)
    program.add(_JEQ, socket.SOCK_STREAM, 2, 0)
    program.add(_JEQ, socket.SOCK_DGRAM, 1, 0)
    program.refuse(errno.EPERM)
    program.argument(2)
    for protocol in (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        program.add(_JEQ, protocol, 0, 1)
        program.allow()
    program.refuse(errno.EPERM)
