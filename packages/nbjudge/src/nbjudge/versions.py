"""What a run depends on beside its inputs: Python, the system, the packages, this engine."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from nbjudge.digests import digest_folder, digest_of


@cache
def packages() -> dict[str, str]:
    """The installed packages with their versions, Python and this engine's digest among them."""
    found: dict[str, str] = {}
    # Whatever imports setuptools puts its own copies of packages on the path.
    installed = [entry for entry in sys.path if Path(entry).name != "_vendor"]
    for item in distributions(path=installed):
        found.setdefault(str(item.name).lower(), item.version)  # the first is what is imported
    return found | {"python": platform.python_version(), "nbjudge (files)": _engine()}


@cache
def versions() -> dict[str, str]:
    """``packages`` and the system, short enough for a record: digests are sha256 in hex."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": digest_of({"packages": packages()}),
        "nbjudge": _engine(),
    }


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """What differs between two ``packages``, in words: ``keras 3.15.0, not 3.14.1``."""
    return [
        f"{name} {there.get(name, 'missing')}, not {here.get(name, 'missing')}"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]


@cache
def _engine() -> str:
    # Commands and how tests are vetted have no part in a grade.
    return digest_folder(Path(__file__).parent, ["__pycache__", "cli", "vet"])
