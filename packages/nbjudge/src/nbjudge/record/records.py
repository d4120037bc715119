"""The record beside each grade: what was graded, by what, and what came out. JSON files."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from nbjudge.files import write_atomically
from nbjudge.record.scores import CellScore

BEGUN = "Grading has begun and has not come to an end. Grade it again."
Status = Literal["graded", "not graded"]


@dataclass(frozen=True)
class Mark:
    """What a person gave one cell; ``score`` and ``extra_credit`` in points.

    ``answer`` is the digest of the answer that was read (see ``nbjudge.record.answers``), ``None``
    where it waits to be read.
    """

    notebook: str
    grade_id: str
    score: float | None = None
    extra_credit: float | None = None
    comment: str | None = None
    answer: str | None = None


@dataclass(frozen=True)
class KeptMarks:
    """A person's work on a submission, which a failed run must not lose."""

    extension_seconds: float | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """All that a grade follows from; when none of it changed, the grade is not made again.

    Digests are sha256 in hex. ``source`` is that of the cells the gradebook grades with and
    of the files beside the source notebooks; ``context`` is that of the course's data; ``tier`` the
    isolation that the notebooks run in; ``submitted`` the time of submission where the instructor
    knows it, "" where only the student's ``timestamp.txt`` says one; ``hidden_tests_tell`` the
    policy of what feedback tells ("expected" in records from before there was one).
    """

    submission: str
    source: str
    versions: dict[str, str]
    context: dict[str, str]
    limits: dict[str, float]
    environment: dict[str, str]
    seed: int
    tier: str
    submitted: str = ""
    hidden_tests_tell: str = "expected"


@dataclass(frozen=True)
class Attempt:
    """One run of a notebook: how far its seeds were shifted, and what it earned and measured.

    ``measured`` are the figures of tests that depend on luck, by the test cell's grade id.
    """

    shift: int
    score: float
    measured: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class NotebookRun:
    """How one notebook was judged.

    ``execution`` is the digest under which what it yielded is stored; ``was_stored`` says that it
    was there already and nothing was run. ``usage`` is the run's: ``seconds`` in all, until the
    kernel was ready (``kernel_``), in the student's cells (``cell_``) and in the functions that
    tests called (``call_``), of processor time in these (``cell_cpu_``, ``call_cpu_``) and in all
    (``cpu_``), ``peak_megabytes`` and the most ``sockets`` at one time. ``notes`` say what
    was put back or set aside before it was run. ``tests_in_kernel`` are the test cells that ran in
    the student's kernel, which is weaker.
    """

    notebook: str
    execution: str
    was_stored: bool
    usage: dict[str, float]
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()
    tests_in_kernel: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """How one grade came about. ``started`` is a UTC time in ISO format, ``seconds`` the run's.

    ``answers`` are the digests of the answers that were graded last, by notebook and grade id, and
    ``kept`` is what a person had given them, as long as they are graded anew or not graded.
    """

    student: str
    assignment: str
    status: Status
    reason: str
    inputs: Inputs
    started: str
    seconds: float
    notebooks: tuple[NotebookRun, ...] = ()
    cells: tuple[CellScore, ...] = ()
    kept: KeptMarks = field(default_factory=KeptMarks)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)


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
        notebooks = tuple(_read_run(run) for run in raw["notebooks"])
        known = {"inputs": Inputs(**raw["inputs"]), "cells": cells, "kept": kept}
        return Record(**raw | known | {"notebooks": notebooks})
    except (OSError, ValueError, LookupError, TypeError):
        return None


def begin_record(gradebook_folder: Path, assignment: str, student: str, inputs: Inputs) -> Record:
    """Leave a record that holds if the grader never comes back; returns it.

    One that was begun for the same inputs and has not come to an end goes on.
    """
    old = read_record(gradebook_folder, assignment, student)
    if old is not None and old.inputs == inputs and old.reason == BEGUN:
        return old
    started = datetime.now(UTC).isoformat(timespec="seconds")
    kept = old.kept if old is not None else KeptMarks()
    answers = old.answers if old is not None else {}
    record = Record(
        student, assignment, "not graded", BEGUN, inputs, started, 0.0, kept=kept, answers=answers
    )
    write_record(gradebook_folder, record)
    return record


def add_notebook(
    gradebook_folder: Path,
    assignment: str,
    student: str,
    run: NotebookRun,
    scores: Sequence[CellScore],
    answers: Mapping[str, str],
    notebooks: Collection[str],
) -> None:
    """Add a judged notebook to a record that was begun; with all ``notebooks`` it is graded.

    ``answers`` are the digests of the notebook's answers by grade id.
    """
    begun = read_record(gradebook_folder, assignment, student)
    if begun is None:
        raise ValueError(f"no record was begun for {student}, {assignment}")
    runs = (*(item for item in begun.notebooks if item.notebook != run.notebook), run)
    cells = (*(item for item in begun.cells if item.notebook != run.notebook), *scores)
    is_done = set(notebooks) <= {item.notebook for item in runs}
    seconds = datetime.now(UTC) - datetime.fromisoformat(begun.started)
    record = replace(
        begun,
        status="graded" if is_done else "not graded",
        reason="" if is_done else begun.reason,
        seconds=max(0.0, round(seconds.total_seconds(), 3)),  # clocks are set back
        notebooks=runs,
        cells=cells,
        kept=KeptMarks() if is_done else begun.kept,
        answers=begun.answers | {run.notebook: dict(answers)},
    )
    write_record(gradebook_folder, record)


def _read_run(raw: dict[str, Any]) -> NotebookRun:
    attempts = tuple(Attempt(**attempt) for attempt in raw["attempts"])
    texts = {key: tuple(raw.get(key, ())) for key in ("notes", "tests_in_kernel")}
    return NotebookRun(**raw | {"attempts": attempts} | texts)
