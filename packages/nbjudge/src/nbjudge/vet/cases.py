"""What an assignment's tests are tried on, and what they have to say to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from nbjudge.assignment.by_hand import FILE, ByHand
from nbjudge.cells.parsing import bindings
from nbjudge.errors import CourseError
from nbjudge.vet.change import Change
from nbjudge.vet.mistakes import plant_mistakes
from nbjudge.vet.rewrites import rewrite
from nbjudge.vet.variants import Subject

# Solutions made of right answers to all tasks, at most. Each trains what the notebook trains.
_TOGETHER = 3


class Kind(StrEnum):
    """What a case is, and so what is expected of the tests."""

    MISTAKE = "planted mistake"
    MISCONCEPTION = "misconception"
    RIGHT = "right answer"
    BLANK = "as handed out"
    ALONE = "one task answered alone"

    @property
    def is_unfinished(self) -> bool:
        """Whether answers are missing, and so any cell may do something else."""
        return self in (Kind.BLANK, Kind.ALONE)


@dataclass(frozen=True)
class Case:
    """A variant of the reference solution, whose ``answers`` differ, by grade id.

    Of ``tests``, a planted mistake has to lose points in one, a misconception in all, with the
    words ``says``; of other kinds, those in ``passing`` give all points and the others none.
    """

    kind: Kind
    notebook: str
    task: str
    change: Change
    answers: Mapping[str, str]
    tests: tuple[str, ...]
    passing: frozenset[str] = field(default_factory=frozenset)
    says: str = ""


def make_cases(subject: Subject, by_hand: ByHand) -> Iterator[Case]:
    """All cases of a notebook, those by hand included that are about a task of its.

    There are none where it has no tests.
    """
    if not subject.needs:
        return
    yield from _unfinished(subject)
    right: dict[str, list[str]] = {}
    for case in chain(_by_hand(subject, by_hand), _by_rule(subject)):
        if case.kind is Kind.RIGHT:
            right.setdefault(case.task, []).append(case.change.source)
        yield case
    yield from _together(subject, right)


def _by_rule(subject: Subject) -> Iterator[Case]:
    bound = {b.name for cell in subject.blueprint.cells for b in bindings(cell.source)}
    for task, source in subject.answers.items():
        if not (tests := subject.tests_of(task)):
            continue
        for change in plant_mistakes(source, globals_=bound):
            yield _changed(Kind.MISTAKE, subject, task, change, tests)
        for change in rewrite(source):
            yield _changed(Kind.RIGHT, subject, task, change, tests)


def _together(subject: Subject, right: Mapping[str, Sequence[str]]) -> Iterator[Case]:
    """Right answers to all tasks at once: what long trainings are asked of."""
    tests = tuple(subject.needs)
    rounds = min(_TOGETHER, max(map(len, right.values()), default=0))
    for number in range(rounds):
        answers = {task: texts[len(texts) * number // rounds] for task, texts in right.items()}
        change = Change("all at once", f"every task looks different, {number + 1}", "")
        notebook = subject.blueprint.notebook
        yield Case(Kind.RIGHT, notebook, "", change, answers, tests, frozenset(tests))


def check_by_hand(subjects: Mapping[str, Subject], by_hand: ByHand) -> None:
    """Raise ``CourseError`` for an entry about a task or a test that there is not."""
    tasks = {task for subject in subjects.values() for task in subject.answers}
    tests = {test for subject in subjects.values() for test in subject.needs}
    known = (by_hand.misconceptions, by_hand.right_answers, by_hand.equivalents)
    for task in (entry.task for entries in known for entry in entries):
        if task not in tasks:
            raise CourseError(
                f"{FILE}: there is no task {task!r}; there are {', '.join(sorted(tasks))}"
            )
    for entry in by_hand.misconceptions:
        if entry.caught_by not in tests:
            there = ", ".join(sorted(tests))
            raise CourseError(f"{FILE}: there is no test {entry.caught_by!r}; there are {there}")


def _unfinished(subject: Subject) -> Iterator[Case]:
    notebook, tests = subject.blueprint.notebook, tuple(subject.needs)
    yield Case(Kind.BLANK, notebook, "", Change("blank", "", ""), subject.blank, tests)
    for task in subject.answers:
        others = {other: text for other, text in subject.blank.items() if other != task}
        passing = frozenset(test for test in tests if subject.answers_of(test) <= {task})
        # Names of an earlier test may be there or not, where that one fails.
        asked = tuple(test for test in tests if test in passing or not subject.earlier[test])
        alone = Change("alone", "", subject.answers[task])
        if asked:
            yield Case(Kind.ALONE, notebook, task, alone, others, asked, passing)


def _by_hand(subject: Subject, by_hand: ByHand) -> Iterator[Case]:
    notebook = subject.blueprint.notebook
    for m in by_hand.misconceptions:
        if m.task in subject.answers:
            change = Change("by hand", m.about, m.answer)
            answers, tests = {m.task: m.answer}, (m.caught_by,)
            yield Case(Kind.MISCONCEPTION, notebook, m.task, change, answers, tests, says=m.says)
    for r in by_hand.right_answers:
        if r.task in subject.answers:
            change = Change("by hand", r.about, r.answer)
            yield _changed(Kind.RIGHT, subject, r.task, change, subject.tests_of(r.task))


def _changed(
    kind: Kind, subject: Subject, task: str, change: Change, tests: tuple[str, ...]
) -> Case:
    passing = frozenset(tests) if kind is Kind.RIGHT else frozenset[str]()
    notebook = subject.blueprint.notebook
    return Case(kind, notebook, task, change, {task: change.source}, tests, passing)
