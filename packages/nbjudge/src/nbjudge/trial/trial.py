"""One notebook, tried: its cells are run, its test cells judged, in the order of the notebook."""

from __future__ import annotations

import contextlib
import copy
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode, from_dict

from nbjudge.assignment import Assignment
from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.markers import seen, withheld_lines
from nbjudge.capture.folders import FILES, digests, may_use_files
from nbjudge.cells.metadata import is_grade, is_test
from nbjudge.cells.names import kernel_prelude, replaced_functions
from nbjudge.course.data import GradingData
from nbjudge.course.settings import Grading
from nbjudge.digests import digest_folder, digest_of
from nbjudge.errors import NotGraded
from nbjudge.execute.execution import NotStored, Replay, Run
from nbjudge.execute.live import LiveRun
from nbjudge.execute.own_time import OwnTime
from nbjudge.execute.provisioner import KernelOrder
from nbjudge.execute.store import Executions
from nbjudge.judge.client import Judge, JudgeFailed
from nbjudge.judge.messages import Judged, TestCell, no_verdict
from nbjudge.record.records import Attempt, NotebookRun
from nbjudge.record.scores import CellScore, error_message, score_of, tidy_test_outputs
from nbjudge.sandbox import Tier
from nbjudge.trial.stopped import with_cause
from nbjudge.versions import versions
from nbjudge.warm.client import ask_for_judge

# The seeds of another attempt are this far from those of the one before.
_SHIFT = 1_000


@dataclass(frozen=True)
class Conditions:
    """With what the notebooks of an assignment are tried, on this machine or on another.

    ``preload`` are the modules that the warm server imports, ``ignore`` nbgrader's patterns of
    files to leave out, ``own`` the files that students may hand in in place of the assignment's;
    ``hidden`` must not be seen even if it lies in a folder that can be read.
    """

    assignment: Assignment
    grading: Grading
    data: GradingData
    tier: Tier
    preload: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    hidden: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Setting:
    """Where notebooks are tried now.

    ``files`` is the folder whose content the notebooks find beside themselves, ``judge_files``
    that which the tests find; ``server`` the address of the warm server.
    """

    conditions: Conditions
    server: str
    store: Executions
    files: Path
    judge_files: Path


@dataclass(frozen=True)
class Trial:
    """What came of a notebook: the notebook with its outputs, the scores, how they came about."""

    notebook: NotebookNode
    scores: tuple[CellScore, ...]
    run: NotebookRun


@dataclass(frozen=True)
class _Step:
    kind: Literal["run", "judge", "run and read"]
    place: int
    grade_id: str
    source: str


def with_notes(trial: Trial, notes: Sequence[str]) -> Trial:
    """The trial with what was put back or set aside before it, for the student to read."""
    trial.notebook.metadata["nbjudge"] = {"notes": list(notes)}
    return replace(trial, run=replace(trial.run, notes=tuple(notes)))


def try_notebook(nb: NotebookNode, name: str, setting: Setting) -> Trial:
    """Try the restored notebook ``name``; what depends on luck, and fails narrowly, more than once.

    The best attempt counts; the others are in its ``attempts``. Raises ``NotGraded`` where there
    is no verdict at all: the kernel died, a limit was passed. A test that is wrong, or whose judge
    failed, leaves its own cell without a score, and no other.
    """
    blueprint = setting.conditions.assignment.blueprint(name)
    tried: list[tuple[Attempt, Trial]] = []
    for number in range(1 + setting.conditions.grading.luck_attempts):
        shift = number * _SHIFT
        trial, judged = _try_once(copy.deepcopy(nb), blueprint, setting, shift)
        score = sum(cell.score or 0.0 for cell in trial.scores)
        measured = {cell: dict(found.measured) for cell, found in judged.items() if found.measured}
        tried.append((Attempt(shift, score, measured), trial))
        if not any(found.narrow for found in judged.values()):
            break
    _, best = max(tried, key=lambda pair: pair[0].score)
    attempts = tuple(attempt for attempt, _ in tried)
    return replace(best, run=replace(best.run, attempts=attempts))


def _try_once(
    nb: NotebookNode, blueprint: Blueprint, setting: Setting, shift: int
) -> tuple[Trial, dict[str, Judged]]:
    steps = _steps(nb, blueprint)
    conditions = setting.conditions
    grading, data = conditions.grading, conditions.data
    confinement = grading.confinement(
        setting.files,
        (
            *data.readable,
            *(value for value in data.environment.values() if isinstance(value, Path)),
        ),
        {**_texts(data.environment), "NBGRADER_EXECUTION": "autograde"},
        conditions.tier,
        conditions.hidden,
    )
    digest = digest_of(
        {
            "steps": [asdict(step) for step in steps],
            "files": digest_folder(setting.files),
            "data": dict(data.context),
            "environment": {**grading.all_environment, **data.described()},
            # That of processor time follows from another one, and from the machine's cores.
            "limits": asdict(confinement.limits) | {"cpu_seconds": 0},
            "seconds": [grading.seconds_for(conditions.assignment.name), grading.call_seconds],
            "megabytes": [grading.max_output_megabytes, grading.max_value_megabytes],
            "seeds": [grading.seed, shift],
            "tier": conditions.tier,
            "versions": versions(),
        }
    )
    stored = setting.store.get(digest) if grading.reuse_executions else None
    if stored is not None:
        try:
            judged = _walk(nb, steps, blueprint, Replay(stored), setting)
            return _trial(nb, steps, blueprint, digest, stored.usage, judged, True), judged
        except NotStored:
            pass  # a changed test asks for something that was not asked before
    order = KernelOrder(setting.server, confinement, grading.seed, shift)
    live = LiveRun(grading, conditions.assignment.name, order)
    with live.kernel():
        judged = _walk(nb, steps, blueprint, live, setting)
    setting.store.put(digest, live.execution)
    return _trial(nb, steps, blueprint, digest, live.execution.usage, judged, False), judged


def _trial(
    nb: NotebookNode,
    steps: list[_Step],
    blueprint: Blueprint,
    digest: str,
    usage: dict[str, float],
    judged: Mapping[str, Judged],
    was_stored: bool,
) -> Trial:
    in_kernel = tuple(step.grade_id for step in steps if step.kind == "run and read")
    run = NotebookRun(blueprint.notebook, digest, was_stored, usage, (), tests_in_kernel=in_kernel)
    return Trial(nb, _scores(nb, blueprint, judged), run)


def _steps(nb: NotebookNode, blueprint: Blueprint) -> list[_Step]:
    """What is to be done with each code cell. Of a test cell, only what is public is run."""

    def runs_here(cell: NotebookNode) -> bool:
        if cell.cell_type != "code":
            return False
        return not is_test(cell) or blueprint.in_kernel(cell.metadata.nbgrader["grade_id"])

    later = [cell.source if runs_here(cell) else "" for cell in nb.cells]
    steps = []
    for place, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        if not is_test(cell):
            steps.append(_Step("run", place, "", cell.source))
            continue
        grade_id = cell.metadata.nbgrader["grade_id"]
        if blueprint.in_kernel(grade_id):
            steps.append(_Step("run and read", place, grade_id, cell.source))
        else:
            prelude = kernel_prelude(seen(cell.source), [text for text in later[place:] if text])
            steps.append(_Step("judge", place, grade_id, prelude))
    return steps


def _walk(
    nb: NotebookNode, steps: list[_Step], blueprint: Blueprint, run: Run, setting: Setting
) -> dict[str, Judged]:
    """Go through the notebook, leaving the outputs in it; the judge's verdicts by grade id."""
    judged: dict[str, Judged] = {}
    with _Judging(blueprint, run, setting) as judging:
        for step in steps:
            cell = nb.cells[step.place]
            if step.kind == "judge":
                result = with_cause(judging.verdict(step.grade_id), nb.cells[: step.place])
                judged[step.grade_id] = result
                cell.outputs = [from_dict(output) for output in result.outputs]
                if step.source:
                    run.run_unseen(step.source)
                continue
            start = run.run if step.kind == "run" else run.run_test
            outputs = start(step.place, step.source) if step.source.strip() else []
            cell.outputs = [from_dict(output) for output in outputs]
            if step.kind == "run and read":
                try:
                    tidy_test_outputs(cell)
                except NotGraded as error:
                    judged[step.grade_id] = no_verdict(str(error))
                    cell.outputs = [from_dict(out) for out in judged[step.grade_id].outputs]
    return judged


class _Judging:
    """The test cells of one notebook, judged one by one: a fault in one costs no other.

    A judge that gave none is replaced. A later cell that takes names from test cells which the
    new one has not run has no verdict either.
    """

    def __init__(self, blueprint: Blueprint, run: Run, setting: Setting) -> None:
        self._blueprint, self._run, self._setting = blueprint, run, setting
        self._tells_expected = setting.conditions.grading.hidden_tests_tell == "expected"
        self._judge: Judge | None = None
        self._lost = ""
        self._known: dict[str, str] = {}
        self._folders = contextlib.ExitStack()

    def __enter__(self) -> _Judging:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._judge is not None:
            self._judge.close()
        self._folders.close()

    def _new_judge(self) -> Judge:
        """A judge; in a folder of its own where the notebook's files go into it."""
        given = self._setting.judge_files
        if not any(may_use_files(cell.source) for cell in self._blueprint.tests.values()):
            return _judge(self._setting, given)
        folder = self._folders.enter_context(tempfile.TemporaryDirectory(prefix="nbjudge-judge-"))
        for path in given.iterdir():
            Path(folder, path.name).symlink_to(path.resolve())
        self._known = digests(given)
        return _judge(self._setting, Path(folder))

    def verdict(self, grade_id: str) -> Judged:
        """The verdict on a test cell; its score is ``None`` where there is none."""
        master, needs = self._blueprint.tests[grade_id], self._blueprint.needs(grade_id)
        if self._lost and needs.from_tests:
            names = ", ".join(needs.from_tests)
            return no_verdict(
                f"The test cell '{grade_id}' takes {names} from a test cell before it, and the "
                f"judge was replaced since: '{self._lost}' had no verdict. The "
                "instructor must look into this."
            )
        test = TestCell(
            grade_id,
            master.source,
            float(master.points or 0.0),
            needs.imports,
            needs.unbound,
            needs.answer_imports,
            replaced_functions(self._blueprint.cells, grade_id),
            () if self._tells_expected else withheld_lines(master.source),
        )
        values = dict(self._run.values(grade_id, needs.values))
        if self._judge is None:
            self._judge = self._new_judge()
        judge = self._judge
        if may_use_files(master.source):
            values[FILES] = self._run.files(grade_id, self._known)
        try:
            return judge.run(
                test, values, lambda ref, request: self._run.call(grade_id, ref, request, judge.ask)
            )
        except JudgeFailed as error:
            self._judge.close()
            self._judge, self._lost = None, grade_id
            return no_verdict(
                f"The test cell '{grade_id}' has no verdict: {error}. The instructor must "
                "look into this."
            )


def _judge(setting: Setting, folder: Path) -> Judge:
    grading, data = setting.conditions.grading, setting.conditions.data
    request = {
        "environment": {
            **os.environ,
            **grading.all_environment,
            **_texts(data.judge_environment),
            "NBGRADER_EXECUTION": "autograde",
        },
        "folder": str(folder),
        "memory_megabytes": 2 * grading.memory_megabytes,
    }
    limit = 1_000_000 * grading.max_value_megabytes
    connection = ask_for_judge(setting.server, request)
    seconds = grading.judge_seconds
    return Judge(
        connection,
        seconds=seconds,
        limit=limit,
        watch=lambda pid: OwnTime((pid,), seconds).waited,
    )


def _texts(environment: Mapping[str, str | Path]) -> dict[str, str]:
    return {name: str(value) for name, value in environment.items()}


def _scores(
    nb: NotebookNode, blueprint: Blueprint, judged: Mapping[str, Judged]
) -> tuple[CellScore, ...]:
    scores = []
    for cell in nb.cells:
        if not is_grade(cell):
            continue
        grade_id = cell.metadata.nbgrader["grade_id"]
        points = float(cell.metadata.nbgrader["points"])
        found = judged.get(grade_id)
        if found is None:
            score, failure, seconds = score_of(cell), error_message(cell), 0.0
        else:
            failure = found.instructor_error or found.failure
            score, seconds = found.score, round(found.seconds, 3)
        scores.append(CellScore(blueprint.notebook, grade_id, score, points, failure, seconds))
    return tuple(scores)
