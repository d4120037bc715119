"""What a confinement is: its tier, its limits, what it may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

Tier = Literal["full", "filters", "none"]
TIERS: tuple[Tier, ...] = ("none", "filters", "full")
"""In rising strength."""

HOME = "/home/student"
WORK = "/home/student/work"
"""Where the process finds itself in the tier ``"full"``; elsewhere these are temporary."""

SOCKET_BYTES = 1 << 18
"""What the buffers of one socket may hold in the kernel, about: Linux' default and its overhead."""


class SandboxError(Exception):
    """A confinement could not be set up; the message says what failed."""


@dataclass(frozen=True)
class Limits:
    """What a notebook may use. 1 megabyte is 2**20 bytes."""

    memory_megabytes: int = 4000
    """Anonymous memory of the whole process tree, what its temporary file systems hold, and what
    its sockets and pipes can hold in the kernel; what a process shares with others (after a fork)
    counts in equal parts."""
    processes: int = 512
    """Processes and threads at one time."""
    disk_megabytes: int = 1000
    """The private writable folders in all."""
    file_megabytes: int = 500
    """One file."""
    open_files: int = 1024
    """Of each process."""
    cpu_seconds: int = 7200
    """Of the whole process tree."""
    wall_seconds: int = 3600
    """From the call of ``run_confined`` to the end."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{item.name} is not a positive whole number: {value!r}")


@dataclass(frozen=True)
class Confinement:
    """One run: how strongly it is confined, and what it finds inside."""

    tier: Tier
    limits: Limits
    files: Path | None
    """A host folder whose files and folders are copied into the working folder."""
    readable: tuple[Path, ...] = ()
    """Host files or folders visible read-only at the same path; each must exist."""
    hidden: tuple[Path, ...] = ()
    """Paths below readable ones that appear empty; in the tier ``"filters"`` names can be listed
    but no file opened. One that does not exist hides nothing."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """All of the environment but PATH, HOME, LANG, TMPDIR and USER, which it may replace."""

    def __post_init__(self) -> None:
        if self.tier not in get_args(Tier):
            raise ValueError(f"no such tier: {self.tier!r}")
        for path in (*self.readable, *self.hidden, *([self.files] if self.files else [])):
            if not path.is_absolute():
                raise ValueError(f"not an absolute path: {path}")

    def to_json(self) -> dict[str, Any]:
        """What JSON holds of it, for ``from_json``."""
        return {
            "tier": self.tier,
            "limits": asdict(self.limits),
            "files": None if self.files is None else str(self.files),
            "readable": [str(path) for path in self.readable],
            "hidden": [str(path) for path in self.hidden],
            "environment": dict(self.environment),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Confinement:
        """The inverse of ``to_json``; ``ValueError``, ``LookupError`` or ``TypeError`` else."""
        return cls(
            tier=value["tier"],
            limits=Limits(**value["limits"]),
            files=None if value["files"] is None else Path(value["files"]),
            readable=tuple(Path(path) for path in value["readable"]),
            hidden=tuple(Path(path) for path in value["hidden"]),
            environment={str(name): str(text) for name, text in value["environment"].items()},
        )


@dataclass(frozen=True)
class Finding:
    """The strongest tier of this machine, and why there is no stronger one."""

    tier: Tier
    missing: tuple[str, ...]
    landlock: int = 0
    """The version of Landlock's interface, 0 without it."""
