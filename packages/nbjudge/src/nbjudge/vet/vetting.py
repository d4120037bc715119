"""Vetting an assignment: its tests tried on everything, and what was tried before remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic

from nbjudge.assignment import Assignment, read_assignment
from nbjudge.assignment.by_hand import ByHand, read_by_hand
from nbjudge.cohort.workers import local_workers
from nbjudge.course import Course
from nbjudge.errors import CourseError
from nbjudge.trial.judging import Judging, judging_of
from nbjudge.vet.cases import Case, check_by_hand, make_cases
from nbjudge.vet.memory import Ground, grounds_of, read_memory, write_memory
from nbjudge.vet.report import VetReport, make_report
from nbjudge.vet.trying import Bench, Tried
from nbjudge.vet.variants import Subject, read_subject

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
    if any(b.source is None for b in assignment.blueprints):
        raise CourseError(f"{name} has to be released before its tests can be vetted.")
    by_hand = read_by_hand(course.source / name)
    subjects = {b.notebook: read_subject(b) for b in assignment.blueprints}
    check_by_hand(subjects, by_hand)
    path = course.gradebook_folder / "vet" / f"{name}.json"
    memory = read_memory(path)
    grounds = grounds_of(judging, assignment, subjects)
    found: dict[str, Tried] = {}
    fresh: list[Case] = []
    for key, case in _cases(grounds, by_hand).items():
        if key not in memory:
            key = grounds[case.notebook].key(case, whole=True)
        if key in memory:
            found[key] = Tried(case, **memory[key])
        if force or key not in found:
            fresh.append(case)
    known = {} if force else found
    new: dict[str, Tried] = {}
    watch(len(known), len(known) + len(fresh), "")
    try:
        for one, whole in _try(judging, assignment, subjects, fresh, jobs) if fresh else ():
            new[grounds[one.case.notebook].key(one.case, whole=whole)] = one
            watch(len(known) + len(new), len(known) + len(fresh), one.case.task or one.case.kind)
            if clock() - written > _SECONDS_UNWRITTEN:
                write_memory(path, found | new)
                written = clock()
    finally:
        # What an interruption leaves is kept as it was; what no case has any more is forgotten.
        write_memory(path, found | new)
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


def _cases(grounds: Mapping[str, Ground], by_hand: ByHand) -> dict[str, Case]:
    """All cases by their keys; those that are one and the same, once."""
    return {
        ground.key(case): case
        for ground in grounds.values()
        for case in make_cases(ground.subject, by_hand)
    }
