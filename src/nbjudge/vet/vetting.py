"""Vetting an assignment: its tests tried on everything, and what was tried before remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

from nbformat import NotebookNode

from nbjudge.assignment import Assignment, read_assignment
from nbjudge.cohort.workers import local_workers
from nbjudge.course import Course
from nbjudge.errors import CourseError
from nbjudge.files import write_atomically
from nbjudge.judging import Judging, judging_of
from nbjudge.preload import imports_of
from nbjudge.scores import is_test
from nbjudge.store import digest_of
from nbjudge.submissions import digest_folder
from nbjudge.vet.by_hand import ByHand, read_by_hand
from nbjudge.vet.cases import Case, Kind, check_by_hand, make_cases
from nbjudge.vet.report import VetReport, make_report
from nbjudge.vet.trying import Bench, Tried, Verdict
from nbjudge.vet.variants import Subject, make_variant, read_subject

Watch = Callable[[int, int, str], object]
# About as much as a process that is killed may lose.
_SECONDS_UNWRITTEN = 30.0


def vet(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    force: bool = False,
    watch: Watch = lambda done, of, what: None,
    clock: Callable[[], float] = monotonic,
) -> VetReport:
    """Try the tests of an assignment on all its cases.

    A case that was tried before, on the same cells, tests, data and packages, is remembered and not
    tried again, unless ``force``. ``watch`` is told how many are done, of how many, and which was
    the last; ``clock`` tells seconds. Raises ``CourseError`` where the assignment was not released
    as it is now, or its reference solution does not get full marks.
    """
    began = written = clock()
    judging = judging_of(course)
    assignment = read_assignment(course, name)
    if assignment is None or any(b.source is None for b in assignment.blueprints):
        raise CourseError(f"{name} has to be released before its tests can be vetted.")
    by_hand = read_by_hand(course.source / name)
    subjects = {b.notebook: read_subject(b) for b in assignment.blueprints}
    check_by_hand(subjects, by_hand)
    path = course.gradebook_folder / "vet" / f"{name}.json"
    memory = {} if force else _read_memory(path)
    grounds = _grounds(_world(judging, assignment), subjects)
    known: dict[str, Tried] = {}
    fresh: list[Case] = []
    for key, case in _cases(grounds, by_hand).items():
        if key not in memory:
            key = grounds[case.notebook].key(case, whole=True)
        if key in memory:
            known[key] = _remembered(memory[key], case)
        else:
            fresh.append(case)
    new: dict[str, Tried] = {}
    watch(len(known), len(known) + len(fresh), "")
    try:
        for one, whole in _try(judging, assignment, subjects, fresh, jobs) if fresh else ():
            new[grounds[one.case.notebook].key(one.case, whole=whole)] = one
            watch(len(known) + len(new), len(known) + len(fresh), one.case.task or one.case.kind)
            if clock() - written > _SECONDS_UNWRITTEN:
                _write_memory(path, known | new)
                written = clock()
    finally:
        # What an interruption leaves is not tried again; what no case has any more is forgotten.
        _write_memory(path, known | new)
    seconds = clock() - began
    return make_report(name, subjects, new.values(), by_hand, seconds, known.values())


def _try(
    judging: Judging,
    assignment: Assignment,
    subjects: Mapping[str, Subject],
    cases: Iterable[Case],
    jobs: int | None,
) -> Iterator[tuple[Tried, bool]]:
    """Try the cases, in the order in which they are done; whether on the whole notebook."""
    count = jobs or judging.course.settings.worker_count()
    with local_workers(count, judging.preload) as workers:
        bench = Bench(judging, assignment, workers, subjects)
        for one in bench.try_all(cases):
            yield one, bench.tries_whole(one.case)


@dataclass(frozen=True)
class _Ground:
    """What the verdicts on a notebook's cases rest on: ``needs`` are those of its tests."""

    world: str
    subject: Subject
    needs: Mapping[str, Mapping[str, Any]]

    def key(self, case: Case, *, whole: bool = False) -> str:
        """The sha256 (hex) of all that the verdicts on a case follow from, and of the case.

        It was tried on the ``whole`` of the cells before its tests, or on those that names tell.
        """
        whole = whole or case.kind in (Kind.BLANK, Kind.ALONE)
        notebook = make_variant(self.subject, case.answers, case.tests, whole=whole)
        return digest_of(
            {
                "world": self.world,
                "case": asdict(case) | {"passing": sorted(case.passing)},
                "cells": [_description(cell) for cell in notebook.cells if cell.source],
                "needs": [self.needs[test] for test in case.tests],
            }
        )


def _description(cell: NotebookNode) -> list[Any]:
    """A cell's text; of a test, with its name and its points."""
    flags = cell.metadata["nbgrader"] if is_test(cell) else {}
    return [cell.source, flags.get("grade_id"), flags.get("points")]


def _grounds(world: str, subjects: Mapping[str, Subject]) -> dict[str, _Ground]:
    return {
        name: _Ground(
            world, subject, {test: asdict(subject.blueprint.needs(test)) for test in subject.needs}
        )
        for name, subject in subjects.items()
    }


def _cases(grounds: Mapping[str, _Ground], by_hand: ByHand) -> dict[str, Case]:
    """All cases by their keys; those that are one and the same, once."""
    return {
        ground.key(case): case
        for ground in grounds.values()
        for case in make_cases(ground.subject, by_hand)
    }


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
    verdicts = [asdict(verdict) for verdict in tried.verdicts]
    return {"verdicts": verdicts, "reason": tried.reason, "seconds": tried.seconds}


def _remembered(content: Mapping[str, Any], case: Case) -> Tried:
    verdicts = tuple(Verdict(**verdict) for verdict in content["verdicts"])
    return Tried(case, verdicts, content["reason"], content["seconds"])


def _write_memory(path: Path, tried: Mapping[str, Tried]) -> None:
    content = {key: _to_json(one) for key, one in tried.items()}
    write_atomically(path, json.dumps(content).encode())


def _read_memory(path: Path) -> dict[str, Any]:
    """The verdicts of an earlier vetting, by the digest of all that they follow from."""
    try:
        tried = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return tried if isinstance(tried, dict) else {}
