"""The record beside each grade: what was graded, by what, and what came out. JSON files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nbjudge.files import write_atomically
from nbjudge.marks import KeptMarks, Mark
from nbjudge.scores import CellScore

Status = Literal["graded", "not graded"]


@dataclass(frozen=True)
class Inputs:
    """All that a grade follows from; when none of it changed, the grade is not made again.

    Digests are sha256 in hex. ``source`` is that of the cells the gradebook grades with and
    of the files beside the source notebooks; ``context`` is the caller's (data, packages).
    """

    submission: str
    source: str
    versions: dict[str, str]
    context: dict[str, str]
    limits: dict[str, float]
    environment: dict[str, str]
    seed: int | None


@dataclass(frozen=True)
class Record:
    """How one grade came about. ``started`` is a UTC time in ISO format, ``seconds`` the run's."""

    student: str
    assignment: str
    status: Status
    reason: str
    inputs: Inputs
    started: str
    seconds: float
    cells: tuple[CellScore, ...] = ()
    kept: KeptMarks = field(default_factory=KeptMarks)


def record_path(gradebook_folder: Path, assignment: str, student: str) -> Path:
    """Where the record of a submission is: ``gradebook/records/ASSIGNMENT/STUDENT.json``."""
    return gradebook_folder / "records" / assignment / f"{student}.json"


def write_record(gradebook_folder: Path, record: Record) -> Path:
    """Write a record, atomically; returns its path."""
    path = record_path(gradebook_folder, record.assignment, record.student)
    data = json.dumps(asdict(record), indent=2, ensure_ascii=False)
    write_atomically(path, (data + "\n").encode("utf-8", errors="replace"))
    return path


def read_record(gradebook_folder: Path, assignment: str, student: str) -> Record | None:
    """The record of a submission; ``None`` if there is none, or none that can be read."""
    try:
        raw: dict[str, Any] = json.loads(
            record_path(gradebook_folder, assignment, student).read_text(encoding="utf-8")
        )
        kept = KeptMarks(
            raw["kept"]["extension_seconds"], tuple(Mark(**mark) for mark in raw["kept"]["marks"])
        )
        cells = tuple(CellScore(**cell) for cell in raw["cells"])
        return Record(**raw | {"inputs": Inputs(**raw["inputs"]), "cells": cells, "kept": kept})
    except (OSError, ValueError, LookupError, TypeError):
        return None
