"""Files and folders by what is in them, for work that may be done on another machine.

A worker looks where the file lies on the machine that sent the work; if the same is there, on a
shared disk or because it is the same machine, it is used in place. Otherwise the worker asks for
it, once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from nbjudge.digests import digest_folder, walk

_PREFIX, _LOCK = "nbjudge-content-", "lock"
# A file's bytes by its name relative to the content's path; "." for a content that is one file.
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Content:
    """A file, or a folder but for what ``ignore`` matches; ``digest`` is a sha256 (hex).

    A content that does not exist is like an empty folder.
    """

    path: Path
    digest: str
    ignore: tuple[str, ...] = ()


class Missing(Exception):
    """What is needed to go on, and is not here: the ``digests`` of contents or executions."""

    def __init__(self, digests: Collection[str]) -> None:
        super().__init__(frozenset(digests))
        self.digests = frozenset(digests)


def content_of(path: Path, ignore: tuple[str, ...] = ()) -> Content:
    """The content of ``path`` as it is now."""
    return Content(path, _digest(path, ignore, _signature(path, ignore)), ignore)


def read_content(content: Content) -> dict[str, bytes]:
    """The bytes of a content; raises ``OSError`` where they cannot be read."""
    return {
        path.relative_to(content.path).as_posix(): path.read_bytes()
        for path in walk(content.path, content.ignore)
        if path.is_file()
    }


def write_files(files: Files, folder: Path) -> None:
    """Write files below ``folder``, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def find_content(content: Content, supplied: Mapping[str, Files]) -> Path:
    """Where this process finds ``content``; raises ``Missing`` where it was not supplied either."""
    if content_of(content.path, content.ignore).digest == content.digest:
        return content.path
    folder = Path(_received().name) / content.digest
    path = folder / content.path.name
    if not folder.exists():
        if content.digest not in supplied:
            raise Missing([content.digest])
        _receive(supplied[content.digest], folder, content.path.name)
    return path


def _receive(files: Files, folder: Path, name: str) -> None:
    """Write what was supplied; another thread of this process may be at the same."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        new = Path(aside, "new")
        if set(files) == {"."}:
            write_files({name: files["."]}, new)
        else:
            write_files(files, new / name)
        with contextlib.suppress(OSError):  # it is there by now
            new.rename(folder)


@cache
def _received() -> tempfile.TemporaryDirectory[str]:
    """What this process was sent; it goes with the process.

    What a process left that was killed goes now.
    """
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError), lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
    # Never closed, so that it is held as long as this process lives.
    fcntl.flock(os.open(Path(folder.name, _LOCK), os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)
    return folder


def _signature(path: Path, ignore: tuple[str, ...]) -> tuple[tuple[str, int, int], ...]:
    """What changes with every change of a file, without reading it."""
    found = []
    for item in walk(path, ignore):
        try:
            info = item.lstat()
        except OSError:
            continue
        found.append((str(item), info.st_mtime_ns, info.st_size))
    return tuple(found)


@lru_cache(maxsize=64)
def _digest(
    path: Path, ignore: tuple[str, ...], signature: tuple[tuple[str, int, int], ...]
) -> str:
    return digest_folder(path, ignore)
