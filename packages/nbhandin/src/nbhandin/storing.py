"""Uploads stored so that nothing that was acknowledged is lost: written, synced, then renamed.

An upload is a folder in ``incoming/`` until it is whole. The last step renames it to its number.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nbhandin.attempts import Receipt, receipt_bytes
from nbhandin.errors import NotStored
from nbhandin.places import Places

DISK_FULL = (
    "The server's disk is full, so your file was not taken. This is not your fault. Tell your "
    "instructor, keep your file, and hand it in again later."
)
FAILED = (
    "The server could not store your file, so it was not taken. This is not your fault. Try "
    "again in a minute; if it goes on, tell your instructor."
)
_MOST_TRIES = 100


def prepare(places: Places) -> None:
    """Make the folders, and remove what uploads that never ended have left."""
    folders = (places.attempts, places.incoming, places.graded_now, places.again, places.deaths)
    for folder in (places.root, *folders):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    for left in places.incoming.iterdir():
        shutil.rmtree(left, ignore_errors=True)


class Incoming:
    """An upload on its way, for a ``with`` block; what was not kept by its end is removed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.folder = places.incoming / secrets.token_hex(8)

    def __enter__(self) -> Incoming:
        with errors_told():
            (self.folder / "uploaded").mkdir(parents=True)
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def uploaded(self) -> Path:
        """Where the files are put as they come."""
        return self.folder / "uploaded"

    @property
    def files(self) -> Path:
        """Where the files are put under the names that they are graded by."""
        return self.folder / "files"

    def keep(self, receipt: Receipt, last_number: int) -> Receipt:
        """Keep it under the next free number; when this returns, no crash can lose it.

        Returns the receipt with its number. Raises ``NotStored``.
        """
        with errors_told():
            shutil.rmtree(self.uploaded)
            for number in range(last_number + 1, last_number + _MOST_TRIES):
                numbered = replace(receipt, number=number)
                _write(self.folder / "receipt.json", receipt_bytes(numbered))
                sync_tree(self.folder)
                try:
                    # A folder that is there, and not empty, is never replaced.
                    self.folder.rename(self._places.attempt(number))
                except OSError as error:
                    if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                        continue
                    raise
                sync_folder(self._places.attempts)
                return numbered
        raise NotStored(FAILED)


class errors_told:
    """Turn an error of the disk into ``NotStored``, for a ``with`` block."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise NotStored(DISK_FULL if full else FAILED) from error


def write_durably(path: Path, data: bytes) -> None:
    """Write a small file so that a crash leaves the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write(new, data)
        new.rename(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    sync_folder(path.parent)


def sync_tree(folder: Path, sync: Callable[[int], None] = os.fsync) -> None:
    """Have all that is in ``folder``, and it itself, on the disk."""
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path, sync)
    _sync(folder, sync)


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` on the disk."""
    _sync(folder, os.fsync)


def _sync(path: Path, sync: Callable[[int], None]) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)
