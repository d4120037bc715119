"""Trying cases: each on as little of the notebook as its verdicts rest on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from nbformat import NotebookNode

from nbjudge.assignment import Assignment
from nbjudge.cells.metadata import is_test
from nbjudge.cohort.task import Task, Worked
from nbjudge.cohort.work import work
from nbjudge.cohort.workers import Workers
from nbjudge.errors import CourseError
from nbjudge.trial import Trial
from nbjudge.trial.judging import Judging
from nbjudge.versions import packages
from nbjudge.vet import variants
from nbjudge.vet.cases import Case, Kind
from nbjudge.vet.variants import Subject, make_variant

# A test whose cells take more processor time is asked only about what the others let pass.
CHEAP_SECONDS = 3.0


@dataclass(frozen=True)
class Verdict:
    """What one test said to a case."""

    test: str
    score: float
    max_score: float
    message: str

    @property
    def is_full(self) -> bool:
        """Whether it gave all its points."""
        return self.score >= self.max_score


@dataclass(frozen=True)
class Tried:
    """A case with what the tests said, or the ``reason`` for which there is no verdict.

    A planted mistake is tried no further than to the first tests that catch it. ``seen`` are the
    verdicts on a misconception of what students have of the tests while they work.
    """

    case: Case
    verdicts: tuple[Verdict, ...]
    reason: str = ""
    seconds: float = 0.0
    seen: tuple[Verdict, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the tests said what they have to say."""
        if self.case.kind is Kind.MISTAKE:
            # A notebook that cannot be judged at all earns nothing: that is caught, too.
            return bool(self.reason) or any(not v.is_full for v in self.verdicts)
        if self.reason or not self.verdicts:
            return False
        if self.case.kind is Kind.MISCONCEPTION:
            said = self.case.says.casefold()
            return all(not v.is_full and said in v.message.casefold() for v in self.verdicts)
        return all(
            v.is_full if v.test in self.case.passing else v.score == 0 for v in self.verdicts
        )

    @property
    def is_seen(self) -> bool:
        """Whether a student who checks their own work is told that something is wrong."""
        return any(not verdict.is_full for verdict in self.seen)


class Bench:
    """Where the cases of one assignment are tried: workers that run no more than what is asked.

    Making one tries the reference solution on each test, on the cells that the test needs by name.
    Raises ``CourseError`` where it does not get full marks.
    """

    def __init__(
        self,
        judging: Judging,
        assignment: Assignment,
        workers: Workers,
        subjects: Mapping[str, Subject],
    ) -> None:
        self._judging, self._assignment, self._workers = judging, assignment, workers
        self._conditions = judging.conditions(assignment)
        # A mistake that only luck hides would be tried again and again.
        self._conditions.grading.luck_attempts = 0
        self._seen_conditions = replace(
            self._conditions,
            assignment=replace(
                assignment, blueprints=tuple(b.as_seen() for b in assignment.blueprints)
            ),
        )
        contents = (assignment.files, *judging.data.contents().values())
        self._contents = {item.path: item for item in contents}
        self._subjects = subjects
        self._seconds: dict[tuple[str, str], float] = {}
        self._whole: set[tuple[str, str]] = set()
        judging.store.folder.mkdir(parents=True, exist_ok=True)
        for subject in self._subjects.values():
            self._measure(subject)

    def try_all(self, cases: Iterable[Case]) -> Iterator[Tried]:
        """Try the cases, several at once; each when it is done, in no order."""
        waiting, running = deque(cases), dict[Future[Worked], _Going]()
        while waiting or running:
            while waiting and len(running) < 2 * self._workers.count():
                case = waiting.popleft()
                self._send(_Going(case, self._stages(case)), running)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                going = running.pop(future)
                what = f"{going.case.task}, {going.case.change.said}"
                tried = self._take(going, self._result(future, what))
                if tried is not None:
                    yield tried
                else:
                    self._send(going, running)

    def tries_whole(self, case: Case) -> bool:
        """Whether a case needs all cells before its tests, since names do not tell which."""
        return self._is_whole(case.notebook, case.tests)

    def _is_whole(self, notebook: str, tests: Iterable[str]) -> bool:
        return any((notebook, test) in self._whole for test in tests)

    def _stages(self, case: Case) -> list[_Stage]:
        """Groups of tests to ask, one after another: the cheap ones first.

        What right answers do in long trainings is asked of all of them together. A misconception
        is shown to what students see of the tests, too.
        """
        if case.kind is Kind.MISCONCEPTION:
            return [_Stage(case.tests), _Stage(case.tests, as_seen=True)]
        if case.kind not in (Kind.MISTAKE, Kind.RIGHT):
            return [_Stage(case.tests)]
        costs = {test: self._seconds[case.notebook, test] for test in case.tests}
        cheap = tuple(test for test, seconds in costs.items() if seconds <= CHEAP_SECONDS)
        costly = tuple(test for test in case.tests if test not in cheap)
        if case.kind is Kind.RIGHT and case.task:
            costly = () if cheap else (min(costs, key=costs.__getitem__),)
        return [_Stage(tests) for tests in (cheap, costly) if tests]

    def _send(self, going: _Going, running: dict[Future[Worked], _Going]) -> None:
        case, tests = going.case, going.stages[0].tests
        whole = case.kind.is_unfinished or self._is_whole(case.notebook, tests)
        subject = self._subjects[case.notebook]
        notebook = make_variant(subject, case.answers, tests, whole=whole)
        future = self._submit(case.notebook, notebook, as_seen=going.stages[0].as_seen)
        running[future] = going

    def _take(self, going: _Going, worked: Worked) -> Tried | None:
        """The case with its verdicts; None where other tests have to be asked."""
        going.seconds += worked.seconds
        stage = going.stages.pop(0)
        trial = worked.trials.get(going.case.notebook)
        verdicts = going.seen if stage.as_seen else going.verdicts
        verdicts += [v for v in _verdicts(trial) if v.test in stage.tests] if trial else []
        tried = Tried(
            going.case, tuple(going.verdicts), worked.reason, going.seconds, tuple(going.seen)
        )
        caught = going.case.kind is Kind.MISTAKE and tried.is_right
        return tried if caught or worked.reason or not going.stages else None

    def _measure(self, subject: Subject) -> None:
        groups: dict[frozenset[int], list[str]] = {}
        for test, places in subject.needs.items():
            groups.setdefault(places, []).append(test)
        name = subject.blueprint.notebook
        futures = {
            self._submit(name, make_variant(subject, {}, tests)): tests for tests in groups.values()
        }
        for future, tests in futures.items():
            worked = self._result(future, "the reference solution")
            if not _is_full(worked, name):
                # The names did not tell all that is needed: a file, say.
                notebook = make_variant(subject, {}, tests, whole=True)
                worked = self._result(self._submit(name, notebook), "the reference solution")
                self._whole |= {(name, test) for test in tests}
            if not _is_full(worked, name):
                raise CourseError(_not_full(self._assignment.name, name, tests, worked))
            usage = worked.trials[name].run.usage
            seconds = usage.get("cell_cpu_seconds", 0.0) + usage.get("call_cpu_seconds", 0.0)
            self._seconds |= {(name, test): seconds for test in tests}

    def _submit(
        self, name: str, notebook: NotebookNode, *, as_seen: bool = False
    ) -> Future[Worked]:
        task = Task(
            self._seen_conditions if as_seen else self._conditions,
            self._contents,
            None,
            packages(),
            self._judging.store.folder,
            self._workers.server(),
            notebooks={name: variants.as_seen(notebook) if as_seen else notebook},
        )
        return self._workers.executor.submit(work, task)

    def _result(self, future: Future[Worked], what: str) -> Worked:
        try:
            worked = future.result()
        except self._workers.deaths as error:
            raise CourseError(
                f"A worker ended ({type(error).__name__}), perhaps at {what}. What was tried "
                "before is remembered: vet again, with fewer at once (--jobs) if memory was short."
            ) from error
        for digest, execution in worked.executions.items():
            self._judging.store.put_bytes(digest, execution)
        return worked


@dataclass(frozen=True)
class _Stage:
    """Tests that are asked together; all of them, or what students see of them."""

    tests: tuple[str, ...]
    as_seen: bool = False


@dataclass(eq=False)
class _Going:
    case: Case
    stages: list[_Stage]
    verdicts: list[Verdict] = field(default_factory=list)
    seen: list[Verdict] = field(default_factory=list)
    seconds: float = 0.0


def _verdicts(trial: Trial) -> list[Verdict]:
    shown = {
        cell.metadata.nbgrader["grade_id"]: _text(cell)
        for cell in trial.notebook.cells
        if is_test(cell)
    }
    return [
        Verdict(one.grade_id, one.score or 0.0, one.max_score, one.message or shown[one.grade_id])
        for one in trial.scores
        if one.score is not None or one.grade_id in shown
    ]


def _text(cell: NotebookNode) -> str:
    """What a test cell shows: with part of the points, that is where the reasons are."""
    return "".join(out.get("text", "") for out in cell.outputs)


def _is_full(worked: Worked, name: str) -> bool:
    trial = worked.trials.get(name)
    return trial is not None and all(verdict.is_full for verdict in _verdicts(trial))


def _not_full(assignment: str, name: str, tests: Iterable[str], worked: Worked) -> str:
    lost = [v for t in worked.trials.values() for v in _verdicts(t) if not v.is_full]
    why = worked.reason or "; ".join(f"{v.test}: {v.message}" for v in lost)
    return (
        f"The reference solution of {assignment} does not get full marks in {name}, "
        f"{', '.join(tests)}, so its tests cannot be vetted: {why}"
    )
