"""What was executed, under the digest of everything that went in."""

from __future__ import annotations

import contextlib
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nbjudge.execute.execution import Execution, read_whole
from nbjudge.files import remove_folder, write_atomically

# What an entry may grow to when it is read, at most: far above what any limit lets through.
_LARGEST = 4_000_000_000


class Executions(Protocol):
    """What was executed before, and what is now."""

    def get(self, digest: str) -> Execution | None:
        """The execution of what has this digest; ``None`` if it is not here, or not whole."""

    def put(self, digest: str, execution: Execution) -> None:
        """Keep an execution."""


@dataclass(frozen=True)
class Quota:
    """How much a store keeps, in bytes on the disk: in all, and of one execution."""

    total: int
    each: int


UNLIMITED = Quota(sys.maxsize, sys.maxsize)


class Store:
    """A folder of executions, each a compressed file; it may be emptied at any time.

    An entry that is damaged, or another's under this name, is as good as none. What does not fit
    into the quota or onto the disk is not kept: grading again then runs the notebook again. To make
    room, old and large entries go first.
    """

    def __init__(self, folder: Path, quota: Quota = UNLIMITED) -> None:
        self.folder = folder
        self.quota = quota

    def get(self, digest: str) -> Execution | None:
        """The execution of what has this digest; ``None`` if it is not here, or not whole."""
        return read_whole(self.get_bytes(digest))

    def put(self, digest: str, execution: Execution) -> None:
        """Keep an execution, in place of an earlier one or whatever is there."""
        self.put_bytes(digest, execution.to_bytes())

    def prepare(self) -> None:
        """Make the folder: a worker on this machine then looks into the store by itself."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)

    def get_bytes(self, digest: str) -> bytes:
        """What is kept under this digest, whole or not; nothing where nothing is."""
        own = digest.encode()
        try:
            entry = self._path(digest).read_bytes()
        except OSError:
            return b""
        if not entry.startswith(own):
            return b""
        reader = zlib.decompressobj()
        try:
            execution = reader.decompress(entry.removeprefix(own), _LARGEST)
        except zlib.error:
            return b""
        return execution if reader.eof else b""

    def put_bytes(self, digest: str, execution: bytes) -> None:
        """``put`` for an execution's bytes."""
        path = self._path(digest)
        # The file says itself what it is the execution of: one may be copied to another's name.
        entry = digest.encode() + zlib.compress(execution, 1)
        with contextlib.suppress(OSError):
            remove_folder(path)
            if len(entry) <= min(self.quota.each, self.quota.total):
                self._make_room(len(entry))
                write_atomically(path, entry)

    def remove(self, digest: str) -> None:
        """Keep nothing under this digest."""
        with contextlib.suppress(OSError):
            remove_folder(self._path(digest))

    def _make_room(self, size: int) -> None:
        """Remove entries until one of ``size`` bytes fits into the quota."""
        now, entries = time.time(), list(self._entries())
        excess = sum(length for _, _, length in entries) + size - self.quota.total
        if excess <= 0:
            return
        entries.sort(key=lambda entry: (now - entry[1]) * entry[2], reverse=True)
        for path, _, length in entries:
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= length

    def _entries(self) -> Iterator[tuple[Path, float, int]]:
        """Each entry with the time (seconds since the epoch) and the size (bytes) of its file."""
        for path in self.folder.glob("*/*.execution"):
            with contextlib.suppress(OSError):
                info = path.stat()
                yield path, info.st_mtime, info.st_size

    def _path(self, digest: str) -> Path:
        return entry_path(self.folder, digest)


def entry_path(folder: Path, digest: str) -> Path:
    """Where a store in ``folder`` keeps what has this digest."""
    return folder / digest[:2] / f"{digest}.execution"
