"""What was tried before: kept by the digest of all that its verdicts follow from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from nbjudge.assignment import Assignment
from nbjudge.cells.metadata import is_test
from nbjudge.digests import digest_folder, digest_of
from nbjudge.files import write_atomically
from nbjudge.trial.judging import Judging
from nbjudge.vet.cases import Case
from nbjudge.vet.trying import Tried, Verdict
from nbjudge.vet.variants import Subject, make_variant
from nbjudge.warm.preload import imports_of


@dataclass(frozen=True)
class Ground:
    """What the verdicts on a notebook's cases rest on: ``needs`` are those of its tests."""

    world: str
    subject: Subject
    needs: Mapping[str, Mapping[str, Any]]

    def key(self, case: Case, *, whole: bool = False) -> str:
        """The sha256 (hex) of all that the verdicts on a case follow from, and of the case.

        It was tried on the ``whole`` of the cells before its tests, or on those that names tell.
        """
        whole = whole or case.kind.is_unfinished
        notebook = make_variant(self.subject, case.answers, case.tests, whole=whole)
        return digest_of(
            {
                "world": self.world,
                "case": asdict(case) | {"passing": sorted(case.passing)},
                "cells": [_description(cell) for cell in notebook.cells if cell.source],
                "needs": [self.needs[test] for test in case.tests],
            }
        )


def grounds_of(
    judging: Judging, assignment: Assignment, subjects: Mapping[str, Subject]
) -> dict[str, Ground]:
    """The ground of each of an assignment's notebooks, by its name."""
    world = _world(judging, assignment)
    return {
        name: Ground(
            world, subject, {test: asdict(subject.blueprint.needs(test)) for test in subject.needs}
        )
        for name, subject in subjects.items()
    }


def read_memory(path: Path) -> dict[str, dict[str, Any]]:
    """What was found by an earlier vetting, by key: fields of ``Tried``. Empty if unreadable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            key: {
                "verdicts": tuple(Verdict(**verdict) for verdict in found["verdicts"]),
                "reason": str(found["reason"]),
                "seconds": float(found["seconds"]),
                "seen": tuple(Verdict(**verdict) for verdict in found["seen"]),
            }
            for key, found in content.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_memory(path: Path, tried: Mapping[str, Tried]) -> None:
    """Keep what was tried, by its key."""
    content = {key: _to_json(one) for key, one in tried.items()}
    write_atomically(path, json.dumps(content).encode())


def _description(cell: NotebookNode) -> list[Any]:
    """A cell's text; of a test, with its name and its points."""
    flags = cell.metadata["nbgrader"] if is_test(cell) else {}
    return [cell.source, flags.get("grade_id"), flags.get("points")]


def _world(judging: Judging, assignment: Assignment) -> str:
    """The sha256 of all that verdicts follow from beside the cells.

    These are the files handed out, data, packages, limits, seed and isolation.
    """
    named = {
        name
        for blueprint in assignment.blueprints
        for cell in blueprint.cells
        for name in imports_of(cell.source)
    }
    own = {name: _own_package(name) for name in sorted(named)}
    inputs = judging.inputs(assignment, submission_digest="")
    return digest_of(
        {
            "inputs": asdict(replace(inputs, source=assignment.files.digest)),
            "packages": {name: digest for name, digest in own.items() if digest},
        }
    )


def _own_package(module: str) -> str:
    """The digest of a package that is being worked on; "" for one that is installed for good."""
    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return ""
    origin = Path(spec.origin) if spec and spec.origin else Path()
    if origin.name != "__init__.py" or "site-packages" in origin.parts or not origin.exists():
        return ""
    return digest_folder(origin.parent, ["__pycache__"])


def _to_json(tried: Tried) -> dict[str, Any]:
    return {
        "verdicts": [asdict(verdict) for verdict in tried.verdicts],
        "reason": tried.reason,
        "seconds": tried.seconds,
        "seen": [asdict(verdict) for verdict in tried.seen],
    }
