"""The files that a notebook finds beside itself when it is run: copies, and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from nbjudge.admit.submissions import shown_name
from nbjudge.digests import is_ignored


def stage_submission(
    submitted: Path, source: Path, target: Path, ignore: Sequence[str] = ()
) -> list[str]:
    """Copy a submission's files to ``target``, the instructor's over the student's.

    Notebooks are left out: the sandbox gets cells one by one. So are links, and what would stand
    in the way of a module that the notebook imports, unless the instructor handed it out. Returns
    what was set aside, for the student to read.
    """
    given = {path.name for path in source.iterdir()} if source.is_dir() else set()
    notes = []
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(submitted.iterdir()):
        if is_ignored(path.name, ignore):
            continue
        if path.name not in given and _module_name(path) in _modules():
            notes.append(
                f"{shown_name(path.name)} was set aside: it would stand in the way of the module "
                f"{_module_name(path)}. Give it another name."
            )
            continue
        _copy(path, target / path.name)
    stage_files(source, target, ignore)
    return notes


def stage_files(source: Path, target: Path, ignore: Sequence[str] = ()) -> None:
    """Copy an assignment's own files, without notebooks, to ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if not is_ignored(path.name, ignore):
                _copy(path, target / path.name)


def _copy(path: Path, target: Path) -> None:
    if path.is_symlink() or path.suffix == ".ipynb":
        return
    if path.is_dir():
        if target.exists() and not target.is_dir():
            target.unlink()
        target.mkdir(exist_ok=True)
        for inner in sorted(path.iterdir()):
            _copy(inner, target / inner.name)
    elif path.is_file():
        if target.is_dir():
            shutil.rmtree(target)
        shutil.copyfile(path, target)


def _module_name(path: Path) -> str:
    """The name by which Python would import a file or folder; "" for one it would not."""
    if path.is_dir():
        return path.name
    return path.name.split(".")[0] if path.suffix in (".py", ".pyc", ".so", ".pth") else ""


@cache
def _modules() -> frozenset[str]:
    return frozenset({*sys.stdlib_module_names, *packages_distributions()})
