"""Data sets that come with the package: small, and free to be passed on (see NOTICE)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from dlcourse.data.errors import DamagedData


@dataclass(frozen=True)
class ShippedData:
    """A data set in one file of this package: which it is, for people and for the record.

    `about` says what it holds, and by which licence. `sha256` is the digest of the file.
    """

    name: str
    file: str
    sha256: str
    about: str

    def __str__(self) -> str:
        return f"Data: {self.about}; comes with dlcourse"

    def read(self) -> bytes:
        """The file's content. Raises `DamagedData` where it is not what was shipped."""
        content = resources.files(__package__).joinpath(self.file).read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise DamagedData(
                f"The file {self.file} of dlcourse was changed. Install dlcourse again."
            )
        return content
