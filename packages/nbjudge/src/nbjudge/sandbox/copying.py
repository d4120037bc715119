"""Copying a student's folder in, and removing what a hostile process left behind."""

from __future__ import annotations

import errno
import os
import stat

from nbjudge.sandbox.spec import SandboxError

_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO must not make the copy wait.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def copy_tree(source: str, target: str, owner: tuple[int, int] | None) -> None:
    """Copy regular files and folders into an existing folder; no link is followed or copied.

    ``owner``: user and group of the copies. Raises ``SandboxError`` if they do not fit.
    """
    try:
        waiting = [(os.open(source, _FOLDER), target)]
    except OSError as error:
        raise SandboxError(f"the files to copy: {error.strerror}") from error
    try:
        while waiting:
            folder, into = waiting.pop()
            try:
                for name in sorted(os.listdir(folder)):
                    _copy_entry(folder, name, os.path.join(into, name), owner, waiting)
            finally:
                os.close(folder)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SandboxError("the files to copy are larger than the limit on disk") from error
        raise
    finally:
        for folder, _ in waiting:
            os.close(folder)


def remove_tree(path: str) -> None:
    """Remove a folder that no process uses any more, however deep or locked it is.

    Nested folders are moved to the top before they are emptied, so that neither the length of
    a path nor their depth matters.
    """
    top = os.open(path, _FOLDER)
    moved = 0
    try:
        while names := os.listdir(top):
            for name in names:
                if not stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
                    os.unlink(name, dir_fd=top)
                    continue
                os.chmod(name, 0o700, dir_fd=top)
                folder = os.open(name, _FOLDER, dir_fd=top)
                try:
                    for inner in os.listdir(folder):
                        if stat.S_ISDIR(os.lstat(inner, dir_fd=folder).st_mode):
                            # A folder that is not writable cannot be moved.
                            os.chmod(inner, 0o700, dir_fd=folder)
                            moved += 1
                            unused = f".nbjudge-{os.getpid()}-{moved}"
                            os.rename(inner, unused, src_dir_fd=folder, dst_dir_fd=top)
                        else:
                            os.unlink(inner, dir_fd=folder)
                finally:
                    os.close(folder)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(path)


def size_of(path: str, most: int) -> tuple[int, int]:
    """Bytes on disk and entries of a folder that is in use; stops after ``most`` entries."""
    total = entries = 0
    waiting = [path]
    while waiting and entries < most:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    if entries >= most:
                        break
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total, entries


def _copy_entry(
    folder: int,
    name: str,
    target: str,
    owner: tuple[int, int] | None,
    waiting: list[tuple[int, str]],
) -> None:
    mode = os.lstat(name, dir_fd=folder).st_mode
    if stat.S_ISDIR(mode):
        os.mkdir(target, 0o755)
        if owner:
            os.chown(target, *owner)
        waiting.append((os.open(name, _FOLDER, dir_fd=folder), target))
    elif stat.S_ISREG(mode):
        source = os.open(name, _FILE, dir_fd=folder)
        try:
            _copy_file(source, target, owner)
        finally:
            os.close(source)


def _copy_file(source: int, target: str, owner: tuple[int, int] | None) -> None:
    status = os.fstat(source)
    if not stat.S_ISREG(status.st_mode):
        return
    copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while chunk := os.read(source, _CHUNK):
            view = memoryview(chunk)
            while view:
                view = view[os.write(copy, view) :]
        os.fchmod(copy, 0o644 | status.st_mode & 0o111)
        if owner:
            os.fchown(copy, *owner)
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        os.close(copy)
