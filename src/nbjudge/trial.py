"""One notebook, tried: its cells are run, its test cells judged, in the order of the notebook."""

from __future__ import annotations

import copy
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode, from_dict
from nbgrader.utils import determine_grade, is_grade

from nbjudge.blueprint import Blueprint
from nbjudge.data import GradingData
from nbjudge.errors import NotGraded
from nbjudge.execution import NotStored, Replay, Run
from nbjudge.judge.client import Judge, JudgeFailed
from nbjudge.judge.messages import Judged, TestCell
from nbjudge.judge.names import kernel_prelude
from nbjudge.kernel.provisioner import KernelOrder
from nbjudge.live import LiveRun
from nbjudge.markers import split
from nbjudge.records import Attempt, NotebookRun
from nbjudge.sandbox import Tier
from nbjudge.scores import CellScore, error_message, is_test, tidy_test_outputs
from nbjudge.settings import Grading
from nbjudge.store import Store, digest_of
from nbjudge.submissions import digest_folder
from nbjudge.warm.client import ask_for_judge

# The seeds of another attempt are this far from those of the one before.
_SHIFT = 1_000


@dataclass(frozen=True)
class Setting:
    """Where and with what an assignment's notebooks are tried.

    ``files`` is the folder whose content the notebooks find beside themselves, ``judge_files``
    that which the tests find; ``server`` the address of the warm server; ``hidden`` what must not
    be seen even if it lies in a folder that can be read.
    """

    assignment: str
    grading: Grading
    data: GradingData
    server: str
    tier: Tier
    store: Store
    files: Path
    judge_files: Path
    hidden: tuple[Path, ...] = ()


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


def try_notebook(nb: NotebookNode, blueprint: Blueprint, setting: Setting) -> Trial:
    """Try a restored notebook; what depends on luck, and fails narrowly, more than once.

    The best attempt counts; the others are in its ``attempts``. Raises ``NotGraded`` where there
    is no verdict: the kernel died, a limit was passed, the judge failed, a test is wrong.
    """
    attempts: list[Attempt] = []
    best: Trial | None = None
    for number in range(1 + setting.grading.luck_attempts):
        shift = number * _SHIFT
        trial, judged = _try_once(copy.deepcopy(nb), blueprint, setting, shift)
        score = sum(cell.score or 0.0 for cell in trial.scores)
        measured = {cell: dict(found.measured) for cell, found in judged.items() if found.measured}
        if best is None or score > max(attempt.score for attempt in attempts):
            best = trial
        attempts.append(Attempt(shift, score, measured))
        if not any(found.narrow for found in judged.values()):
            break
    return replace(best, run=replace(best.run, attempts=tuple(attempts)))


def _try_once(
    nb: NotebookNode, blueprint: Blueprint, setting: Setting, shift: int
) -> tuple[Trial, dict[str, Judged]]:
    steps = _steps(nb, blueprint)
    grading = setting.grading
    confinement = grading.confinement(
        setting.files,
        setting.data.readable,
        {**setting.data.environment, "NBGRADER_EXECUTION": "autograde"},
        setting.tier,
        setting.hidden,
    )
    digest = digest_of(
        {
            "steps": [asdict(step) for step in steps],
            "files": digest_folder(setting.files),
            "data": dict(setting.data.context),
            "environment": dict(confinement.environment),
            "limits": asdict(confinement.limits),
            "seconds": [grading.seconds_for(setting.assignment), grading.call_seconds],
            "megabytes": [grading.max_output_megabytes, grading.max_value_megabytes],
            "seeds": [grading.seed, shift],
            "tier": setting.tier,
            "versions": versions(),
        }
    )
    stored = setting.store.get(digest) if grading.reuse_executions else None
    if stored is not None:
        try:
            judged = _walk(nb, steps, blueprint, Replay(stored), setting)
            run = NotebookRun(blueprint.notebook, digest, True, stored.usage, ())
            return Trial(nb, _scores(nb, blueprint, judged), run), judged
        except NotStored:
            pass  # a mended test asks for something that was not asked before
    order = KernelOrder(setting.server, confinement, grading.seed, shift)
    live = LiveRun(grading, setting.assignment, order)
    with live.kernel():
        judged = _walk(nb, steps, blueprint, live, setting)
    setting.store.put(digest, live.execution)
    run = NotebookRun(blueprint.notebook, digest, False, live.execution.usage, ())
    return Trial(nb, _scores(nb, blueprint, judged), run), judged


def _steps(nb: NotebookNode, blueprint: Blueprint) -> list[_Step]:
    """What is to be done with each code cell. Of a test cell, only what is public is run."""
    later = [
        cell.source if cell.cell_type == "code" and not is_test(cell) else "" for cell in nb.cells
    ]
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
            visible, _ = split(cell.source, ("HIDDEN TESTS",))
            prelude = kernel_prelude("\n".join(visible), [text for text in later[place:] if text])
            steps.append(_Step("judge", place, grade_id, prelude))
    return steps


def _walk(
    nb: NotebookNode, steps: list[_Step], blueprint: Blueprint, run: Run, setting: Setting
) -> dict[str, Judged]:
    """Go through the notebook, leaving the outputs in it; the judge's verdicts by grade id."""
    judged: dict[str, Judged] = {}
    with _judge(setting) as judge:
        for step in steps:
            cell = nb.cells[step.place]
            if step.kind != "judge":
                start = run.run if step.kind == "run" else run.run_test
                outputs = start(step.place, step.source) if step.source.strip() else []
                cell.outputs = [from_dict(output) for output in outputs]
                if step.kind == "run and read":
                    tidy_test_outputs(cell)
                continue
            result = _judge_cell(judge, blueprint, step.grade_id, run)
            judged[step.grade_id] = result
            cell.outputs = [from_dict(output) for output in result.outputs]
            if step.source:
                run.run_unseen(step.source)
    return judged


def _judge_cell(judge: Judge, blueprint: Blueprint, grade_id: str, run: Run) -> Judged:
    master, needs = blueprint.tests[grade_id], blueprint.needs(grade_id)
    test = TestCell(
        grade_id, master.source, float(master.points or 0.0), needs.imports, needs.unbound
    )
    values = run.values(grade_id, needs.values)
    try:
        result = judge.run(test, values, lambda ref, request: run.call(grade_id, ref, request))
    except JudgeFailed as error:
        raise NotGraded(
            f"The test cell '{grade_id}' has no verdict: {error}. This is for the instructor to "
            "look into."
        ) from error
    if result.instructor_error:
        raise NotGraded(result.instructor_error)
    return result


@contextmanager
def _judge(setting: Setting) -> Iterator[Judge]:
    grading = setting.grading
    request = {
        "environment": {
            **os.environ,
            **grading.kernel_environment,
            **setting.data.judge_environment,
            "NBGRADER_EXECUTION": "autograde",
        },
        "folder": str(setting.judge_files),
        "memory_megabytes": 2 * grading.memory_megabytes,
    }
    limit = 1_000_000 * grading.max_value_megabytes
    connection = ask_for_judge(setting.server, request)
    with (
        closing(connection),
        Judge(connection, seconds=grading.judge_seconds, limit=limit) as judge,
    ):
        yield judge


def _scores(
    nb: NotebookNode, blueprint: Blueprint, judged: Mapping[str, Judged]
) -> tuple[CellScore, ...]:
    scores = []
    for cell in nb.cells:
        if not is_grade(cell):
            continue
        grade_id = cell.metadata.nbgrader["grade_id"]
        if grade_id in judged:
            found = judged[grade_id]
            points = float(cell.metadata.nbgrader["points"])
            verdict = (found.score, points, found.failure, round(found.seconds, 3))
        else:
            verdict = (*determine_grade(cell), error_message(cell))
        scores.append(CellScore(blueprint.notebook, grade_id, *verdict))
    return tuple(scores)


@cache
def versions() -> dict[str, str]:
    """What a run depends on: Python, the system, digests of all packages and of this one."""
    packages = sorted({f"{item.name}=={item.version}" for item in distributions()})
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": digest_of({"packages": packages}),
        "nbjudge": digest_folder(Path(__file__).parent, ["__pycache__"]),
    }
