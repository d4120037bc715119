"""The files that a notebook finds beside itself when it is run: copies, and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from nbjudge.admit.submissions import shown_name
from nbjudge.digests import is_ignored


def stage_submission(
    submitted: Path,
    source: Path,
    target: Path,
    ignore: Sequence[str] = (),
    graded: Collection[str] = (),
    own: Collection[str] = (),
) -> list[str]:
    """Copy a submission's files to ``target``, the instructor's over the student's.

    The files of ``graded`` notebooks are left out: the sandbox gets their cells one by one. So are
    links, and what would stand in the way of a module that the notebook imports, unless the
    instructor handed it out. Of files in ``own``, named relative to the folder, the student's stay
    (``c.Autograde.exclude_overwriting``). Returns what was set aside, for the student to read.
    """
    given = {path.name for path in source.iterdir()} if source.is_dir() else set()
    notes = []
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(submitted.iterdir()):
        if is_ignored(path.name, ignore) or path.name in graded:
            continue
        if path.name not in given and _module_name(path) in _modules():
            notes.append(
                f"{shown_name(path.name)} was set aside: it would stand in the way of the module "
                f"{_module_name(path)}. Give it another name."
            )
            continue
        _copy(path, target / path.name)
    kept = {target / name for name in own if (target / name).is_file()}
    stage_files(source, target, ignore, kept)
    return notes


def stage_files(
    source: Path, target: Path, ignore: Sequence[str] = (), kept: Collection[Path] = ()
) -> None:
    """Copy an assignment's own files, without notebooks, to ``target``.

    Notebooks in ``source`` have solutions, and nbgrader hands those in its folders out to nobody.
    What is at a path of ``kept`` stays there.
    """
    target.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if not is_ignored(path.name, ignore):
                _copy(path, target / path.name, kept, notebooks=False)


def _copy(path: Path, target: Path, kept: Collection[Path] = (), *, notebooks: bool = True) -> None:
    if path.is_symlink() or target in kept or (path.suffix == ".ipynb" and not notebooks):
        return
    if path.is_dir():
        if target.exists() and not target.is_dir():
            target.unlink()
        target.mkdir(exist_ok=True)
        for inner in sorted(path.iterdir()):
            _copy(inner, target / inner.name, kept, notebooks=notebooks)
    elif path.is_file():
        if target.is_dir():
            shutil.rmtree(target)
        shutil.copyfile(path, target)


def _module_name(path: Path) -> str:
    """The name by which Python would import this before an installed module; "" if it would not.

    A folder without ``__init__`` comes after every installed module of its name.
    """
    if path.is_dir():
        return path.name if any(path.glob("__init__.*")) else ""
    return path.name.split(".")[0] if path.suffix in (".py", ".pyc", ".so", ".pth") else ""


@cache
def _modules() -> frozenset[str]:
    return frozenset({*sys.stdlib_module_names, *packages_distributions()})
