"""What was executed, under the digest of everything that went in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbjudge.execution import Damaged, Execution
from nbjudge.files import remove_folder, write_atomically


def digest_of(inputs: Mapping[str, Any]) -> str:
    """The sha256 (hex) of what goes into an execution; ``inputs`` is anything JSON holds."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


class Store:
    """A folder of executions, each a file; it may be emptied at any time.

    An entry that is damaged is as good as none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> Execution | None:
        """The execution of what has this digest; ``None`` if it is not here, or not whole."""
        try:
            return Execution.from_bytes(self._path(digest).read_bytes())
        except (OSError, Damaged):
            return None

    def put(self, digest: str, execution: Execution) -> None:
        """Keep an execution, in place of an earlier one or whatever is there."""
        path = self._path(digest)
        if path.is_dir():
            remove_folder(path)
        write_atomically(path, execution.to_bytes())

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.execution"
