"""The root of the tier ``"full"``: a fresh file system in a mount namespace of its own.

Called with the privilege to mount, in a new mount namespace. It is the scheme of bubblewrap: a
temporary file system becomes the root with the old one below it, so that every source stays
reachable; the new root is built beside; then that becomes the root and all else is detached.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbjudge.sandbox import syscalls
from nbjudge.sandbox.copying import copy_tree
from nbjudge.sandbox.paths import PRIVATE, Bind, below, places
from nbjudge.sandbox.spec import HOME, WORK, Limits, SandboxError
from nbjudge.sandbox.syscalls import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC

OLD = "/old"
_NEW = "/new"
_STORE = "/store"
_BASES = ("/tmp", "/mnt", "/srv", "/var", "/opt", "/home")
_SHARED_MEMORY_MEGABYTES = 256
_TERMINALS = 64
# A file costs the kernel about a kilobyte that no size limit counts.
_FILES_PER_MEGABYTE = 64
# /dev/zero can be mapped as shared memory that no process and no file system accounts for;
# /dev/full reads the same and cannot.
_DEVICES = {
    "null": "null",
    "zero": "full",
    "full": "full",
    "random": "random",
    "urandom": "urandom",
}
_MOUNT_OPTIONS = {"nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}


@dataclass(frozen=True)
class Identity:
    """The user and group of the confined process, as its own namespace numbers them."""

    user: int
    group: int


def enter_scratch() -> None:
    """Make an empty file system the root; the old one is at ``OLD``."""
    syscalls.mount(None, "/", None, MS_REC | syscalls.MS_PRIVATE)
    base = next((path for path in _BASES if os.path.isdir(path)), None)
    if base is None:
        raise SandboxError(f"none of {', '.join(_BASES)} is there to mount on")
    syscalls.mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=0755")
    for name in (OLD, _NEW, _STORE):
        os.mkdir(base + name)
    syscalls.pivot_root(base, base + OLD)
    os.chdir("/")


def build(
    binds: Sequence[Bind],
    hidden: Sequence[Path],
    files: str | None,
    limits: Limits,
    identity: Identity,
) -> tuple[int, ...]:
    """Build the root and enter it; the old one is gone afterwards.

    ``files`` is a host folder without links in its path. Returns open folders: the private
    ``/proc``, then one of each file system that holds memory. Raises ``OSError`` or
    ``SandboxError``.
    """
    os.umask(0o022)
    hidden_places = [place for path in hidden for place in places(path, binds)]
    syscalls.mount("tmpfs", _NEW, "tmpfs", MS_NOSUID | MS_NODEV, "size=8m,mode=0755")
    _mount_proc()
    _make_devices(limits, identity)
    _make_private(files, limits, identity)
    skeletons = _make_skeletons(binds)
    for bind in binds:
        _bind(OLD + bind.source, _NEW + bind.target)
    _write_accounts(identity)
    _mask(hidden_places)
    for path in ("/dev", *skeletons):
        _read_only(_NEW + path, MS_NOSUID | MS_NODEV)
    _read_only(_NEW + "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _read_only(_NEW, MS_NOSUID | MS_NODEV)
    _leave_scratch()
    os.chdir(WORK)
    os.umask(0o077)
    return tuple(
        os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for path in ("/proc", HOME, "/dev/shm")
    )


def _mount_proc() -> None:
    # While the old one is still in the namespace, without which an ordinary user may not.
    os.mkdir(_NEW + "/proc")
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    try:
        syscalls.mount("proc", _NEW + "/proc", "proc", flags)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        reason = "a private /proc may not be mounted (a container that masks parts of /proc?)"
        raise SandboxError(reason) from error


def _make_devices(limits: Limits, identity: Identity) -> None:
    folder = _NEW + "/dev"
    os.mkdir(folder)
    syscalls.mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=0755")
    for name, source in _DEVICES.items():
        Path(folder, name).touch()
        syscalls.mount(f"{OLD}/dev/{source}", f"{folder}/{name}", None, MS_BIND)
        _read_only(f"{folder}/{name}", MS_NOSUID | MS_NOEXEC)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{folder}/{name}")
    os.mkdir(folder + "/shm")
    size = min(_SHARED_MEMORY_MEGABYTES, max(1, limits.memory_megabytes // 4))
    options = f"size={size}m,nr_inodes={size * _FILES_PER_MEGABYTE + 16},mode=1777"
    syscalls.mount("tmpfs", folder + "/shm", "tmpfs", MS_NOSUID | MS_NODEV, options)
    os.chown(folder + "/shm", identity.user, identity.group)
    # Pseudo-terminals of the sandbox's own: IPython runs each `!command` in one.
    os.mkdir(folder + "/pts")
    options = f"newinstance,ptmxmode=0666,mode=0620,max={_TERMINALS}"
    syscalls.mount("devpts", folder + "/pts", "devpts", MS_NOSUID | MS_NOEXEC, options)
    os.symlink("pts/ptmx", folder + "/ptmx")


def _make_private(files: str | None, limits: Limits, identity: Identity) -> None:
    """One limited file system, seen as the home folder and as /tmp."""
    size = limits.disk_megabytes
    options = f"size={size}m,nr_inodes={size * _FILES_PER_MEGABYTE + 1024},mode=0755"
    syscalls.mount("tmpfs", _STORE, "tmpfs", MS_NOSUID | MS_NODEV, options)
    for part, target, mode in (("/home", HOME, 0o755), ("/tmp", "/tmp", 0o1777)):
        os.mkdir(_STORE + part)
        os.makedirs(_NEW + target, exist_ok=True)
        syscalls.mount(_STORE + part, _NEW + target, None, MS_BIND)
        os.chown(_NEW + target, identity.user, identity.group)
        os.chmod(_NEW + target, mode)
    work = _NEW + WORK
    os.mkdir(work, 0o755)
    os.chown(work, identity.user, identity.group)
    if files is not None:
        copy_tree(OLD + files, work, (identity.user, identity.group))


def _make_skeletons(binds: Sequence[Bind]) -> list[str]:
    """Fixed folders for what is shown inside private ones.

    A folder that the process could rename would let it put another file at a path that is
    thought to be read-only; a mount point cannot be renamed.
    """
    made = []
    for bind in binds:
        own = next((own for own in PRIVATE if below(bind.target, own)), None)
        if own is None:
            continue
        first = own + "/" + bind.target[len(own) + 1 :].split("/")[0]
        if first == bind.target or first in made:
            continue
        os.makedirs(_NEW + first, exist_ok=True)
        syscalls.mount("tmpfs", _NEW + first, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755")
        made.append(first)
    return made


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.lexists(target):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o444))
    syscalls.mount(source, target, None, MS_BIND | MS_REC)
    attributes = syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV
    try:
        syscalls.restrict_mounts(target, attributes)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        for mounted, flags in _mounts_below(target):
            _read_only(mounted, flags | MS_NOSUID | MS_NODEV)


def _mounts_below(folder: str) -> list[tuple[str, int]]:
    """Mount points at and below a folder with their flags: proc(5), mountinfo."""
    found = []
    for line in Path(OLD, "proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        fields = line.split(" ")
        path = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        if below(path, folder):
            flags = sum(_MOUNT_OPTIONS.get(option, 0) for option in set(fields[5].split(",")))
            found.append((path, flags))
    return found


def _read_only(path: str, flags: int) -> None:
    syscalls.mount(None, path, None, syscalls.MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def _write_accounts(identity: Identity) -> None:
    user, group = identity.user, identity.group
    texts = {
        "passwd": f"student:x:{user}:{group}:student:{HOME}:/bin/sh\n",
        "group": f"student:x:{group}:\n",
        "hosts": "127.0.0.1 localhost notebook\n::1 localhost\n",
    }
    for name, text in texts.items():
        path = Path(_NEW, "etc", name)
        if path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o444)


def _mask(hidden: Sequence[str]) -> None:
    if not hidden:
        return
    folder, file = _NEW + "/.hidden/folder", _NEW + "/.hidden/file"
    os.makedirs(folder)
    Path(file).touch(0o444)
    for place in hidden:
        if os.path.lexists(_NEW + place):
            empty = folder if os.path.isdir(_NEW + place) else file
            syscalls.mount(empty, _NEW + place, None, MS_BIND)
            _read_only(_NEW + place, MS_NOSUID | MS_NODEV)


def _leave_scratch() -> None:
    os.chdir(_NEW)
    # The old root is mounted over the new one, then taken away: pivot_root(2), ".".
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".")
    os.chdir("/")
