"""Vetting an assignment: its tests tried on everything, and what was tried before remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

from nbjudge.assignment import Assignment, read_assignment
from nbjudge.cohort.workers import local_workers
from nbjudge.course import Course
from nbjudge.errors import CourseError
from nbjudge.files import write_atomically
from nbjudge.judging import Judging, judging_of
from nbjudge.preload import imports_of
from nbjudge.store import digest_of
from nbjudge.submissions import digest_folder
from nbjudge.versions import versions
from nbjudge.vet.by_hand import read_by_hand
from nbjudge.vet.cases import Case, check_by_hand, make_cases
from nbjudge.vet.report import VetReport, make_report
from nbjudge.vet.trying import Bench, Tried, Verdict
from nbjudge.vet.variants import Subject, read_subject

Watch = Callable[[int, int, str], object]


def vet(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    force: bool = False,
    watch: Watch = lambda done, of, what: None,
) -> VetReport:
    """Try the tests of an assignment on all its cases.

    What was tried before on the same cells, tests, data and packages is not tried again, unless
    ``force``. ``watch`` is told how many are done, of how many, and which was the last. Raises
    ``CourseError`` where the assignment was not released as it is now, or its reference solution
    does not get full marks.
    """
    began = monotonic()
    judging = judging_of(course)
    assignment = read_assignment(course, name)
    if assignment is None or any(b.source is None for b in assignment.blueprints):
        raise CourseError(f"{name} has to be released before its tests can be vetted.")
    by_hand = read_by_hand(course.source / name)
    subjects = {b.notebook: read_subject(b) for b in assignment.blueprints}
    check_by_hand(subjects, by_hand)
    cases = [case for subject in subjects.values() for case in make_cases(subject, by_hand)]
    memory = course.gradebook_folder / "vet" / f"{name}.json"
    world = _world(judging, assignment)
    keys = {_key(world, case): case for case in cases}
    known = {} if force else _read_memory(memory)
    tried = {key: _remembered(known[key], case) for key, case in keys.items() if key in known}
    fresh = {key: case for key, case in keys.items() if key not in tried}
    watch(len(tried), len(keys), "")
    if fresh:
        try:
            for one in _try(judging, assignment, subjects, fresh.values(), jobs):
                tried[_key(world, one.case)] = one
                watch(len(tried), len(keys), one.case.task or one.case.kind)
        finally:
            # What an interruption leaves is not tried again.
            content = {key: _to_json(one) for key, one in tried.items()}
            write_atomically(memory, json.dumps(content).encode())
    return make_report(name, subjects, tried.values(), by_hand, monotonic() - began)


def _try(
    judging: Judging,
    assignment: Assignment,
    subjects: Mapping[str, Subject],
    cases: Iterable[Case],
    jobs: int | None,
) -> Iterator[Tried]:
    """Try the cases, in the order in which they are done."""
    count = jobs or judging.course.settings.worker_count()
    with local_workers(count, judging.preload) as workers:
        yield from Bench(judging, assignment, workers, subjects).try_all(cases)


def _world(judging: Judging, assignment: Assignment) -> str:
    """The sha256 of all that verdicts follow from beside the notebooks: data, packages, checks."""
    named = {
        name
        for blueprint in assignment.blueprints
        for cell in blueprint.cells
        for name in imports_of(cell.source)
    }
    own = {name: _own_package(name) for name in sorted(named)}
    return digest_of(
        {
            "files": assignment.files.digest,
            "data": dict(judging.data.context),
            "environment": judging.data.described(),
            "versions": versions(),
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


def _key(world: str, case: Case) -> str:
    return digest_of({"world": world, **asdict(case), "passing": sorted(case.passing)})


def _to_json(tried: Tried) -> dict[str, Any]:
    verdicts = [asdict(verdict) for verdict in tried.verdicts]
    return {"verdicts": verdicts, "reason": tried.reason, "seconds": tried.seconds}


def _remembered(content: Mapping[str, Any], case: Case) -> Tried:
    verdicts = tuple(Verdict(**verdict) for verdict in content["verdicts"])
    return Tried(case, verdicts, content["reason"], content["seconds"])


def _read_memory(path: Path) -> dict[str, Any]:
    """The verdicts of an earlier vetting, by the digest of all that they follow from."""
    try:
        tried = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return tried if isinstance(tried, dict) else {}
