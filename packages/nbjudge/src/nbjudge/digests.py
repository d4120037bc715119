"""Digests of values and of folders, and the one way in which a folder's files are listed."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# Folders in each other; nbgrader's own walk ends at a thousand.
DEEPEST = 50


def digest_of(inputs: Mapping[str, Any]) -> str:
    """The sha256 (hex) of what goes into an execution; ``inputs`` is anything JSON holds."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def digest_folder(folder: Path, ignore: Sequence[str] = (), size_limit: int | None = None) -> str:
    """The sha256 (hex) of a folder's relative names and contents, links not followed.

    Files above ``size_limit`` bytes count with their size alone, what cannot be read with its name.
    """
    total = hashlib.sha256()
    for path in walk(folder, ignore):
        total.update(os.fsencode(path.relative_to(folder).as_posix()) + b"\0")
        try:
            total.update(_digest_file(path, size_limit))
        except OSError:
            total.update(b"unreadable")
    return total.hexdigest()


def _digest_file(path: Path, size_limit: int | None) -> bytes:
    info = path.lstat()
    if stat.S_ISLNK(info.st_mode):
        return b"link\0" + os.fsencode(os.readlink(path))
    if not stat.S_ISREG(info.st_mode):
        return b"special"
    if size_limit is not None and info.st_size > size_limit:
        return b"large\0%d" % info.st_size
    with path.open("rb") as file:
        return b"file\0" + hashlib.file_digest(file, "sha256").digest()


def walk(folder: Path, ignore: Sequence[str] = ()) -> Iterator[Path]:
    """All that is in ``folder`` but folders themselves, sorted; links are not followed.

    A folder that cannot be listed, or that is too deep in others, stands for what is in it.
    """
    waiting = [(folder, 0)]
    while waiting:
        path, depth = waiting.pop()
        names = _names_in(path) if depth <= DEEPEST else None
        if names is None:
            yield path
            continue
        waiting += [
            (path / name, depth + 1)
            for name in sorted(names, reverse=True)
            if not is_ignored(name, ignore)
        ]


def is_ignored(name: str, patterns: Iterable[str]) -> bool:
    """Whether a file's or folder's name matches one of nbgrader's patterns of what to leave out."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _names_in(path: Path) -> list[str] | None:
    """What a folder holds; ``None`` for anything else, and for one that cannot be listed."""
    try:
        return os.listdir(path) if stat.S_ISDIR(path.lstat().st_mode) else None
    except OSError:
        return None
