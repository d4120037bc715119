"""What was executed, under the digest of everything that went in."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nbjudge.execute.execution import Execution, read_whole
from nbjudge.files import remove_folder, write_atomically


class Executions(Protocol):
    """What was executed before, and what is now."""

    def get(self, digest: str) -> Execution | None:
        """The execution of what has this digest; ``None`` if it is not here, or not whole."""

    def put(self, digest: str, execution: Execution) -> None:
        """Keep an execution."""


class Store:
    """A folder of executions, each a file; it may be emptied at any time.

    An entry that is damaged, or another's under this name, is as good as none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, digest: str) -> Execution | None:
        """The execution of what has this digest; ``None`` if it is not here, or not whole."""
        return read_whole(self.get_bytes(digest))

    def put(self, digest: str, execution: Execution) -> None:
        """Keep an execution, in place of an earlier one or whatever is there."""
        self.put_bytes(digest, execution.to_bytes())

    def get_bytes(self, digest: str) -> bytes:
        """What is kept under this digest, whole or not; nothing where nothing is."""
        own = digest.encode()
        try:
            entry = self._path(digest).read_bytes()
        except OSError:
            return b""
        return entry.removeprefix(own) if entry.startswith(own) else b""

    def put_bytes(self, digest: str, execution: bytes) -> None:
        """``put`` for an execution's bytes."""
        path = self._path(digest)
        if path.is_dir():
            remove_folder(path)
        # The file says itself what it is the execution of: one may be copied to another's name.
        write_atomically(path, digest.encode() + execution)

    def _path(self, digest: str) -> Path:
        return entry_path(self.folder, digest)


def entry_path(folder: Path, digest: str) -> Path:
    """Where a store in ``folder`` keeps what has this digest."""
    return folder / digest[:2] / f"{digest}.execution"
