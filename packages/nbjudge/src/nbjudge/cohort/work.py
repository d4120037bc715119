"""A worker's work: one submission, or the reference solution, run and judged."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode

from nbjudge.admit.reading import read_notebook
from nbjudge.admit.staging import stage_files, stage_submission
from nbjudge.cohort.task import Task, Worked
from nbjudge.content import Missing, find_content, write_files
from nbjudge.errors import MachineTooBusy, NbjudgeError
from nbjudge.execute.execution import Execution, read_whole
from nbjudge.execute.store import Store
from nbjudge.sandbox import TIERS, find_tier
from nbjudge.trial import Conditions, Setting, Trial, try_notebook, with_notes
from nbjudge.trial.reference import try_reference
from nbjudge.versions import differences, packages
from nbjudge.warm.client import WarmServerError, server_address

INTERRUPTED = "Grading was interrupted before this submission was done. Grade it again."


def work(task: Task) -> Worked:
    """Do a task. Never raises for what is in a submission: the reason is given back.

    Raises ``WarmServerError`` where the warm server is gone.
    """
    if refused := _unfit(task):
        return Worked(refused=refused)
    started = time.monotonic()
    shelf = _Shelf(task)
    try:
        with tempfile.TemporaryDirectory(prefix="nbjudge-") as folder:
            worked = _work(task, shelf, Path(folder))
    except Missing as missing:
        worked = Worked(missing=missing.digests)
    except WarmServerError:
        raise
    except MachineTooBusy as error:
        worked = Worked(reason=str(error), is_to_be_tried_again=True)
    except NbjudgeError as error:
        worked = Worked(reason=str(error))
    except KeyboardInterrupt:
        worked = Worked(reason=INTERRUPTED)
    except Exception as error:
        worked = Worked(
            reason=f"Grading stopped with an unexpected error: {type(error).__name__}: {error}. "
            "The instructor must look into this."
        )
    return replace(worked, executions=shelf.new, seconds=time.monotonic() - started)


def _work(task: Task, shelf: _Shelf, folder: Path) -> Worked:
    paths = _contents(task)
    conditions = _here(task.conditions, paths)
    given, ignore = conditions.assignment.files.path, conditions.ignore
    files, judge_files = folder / "student", folder / "judge"
    server = task.server or server_address(conditions.preload)
    setting = Setting(conditions, server, shelf, files, judge_files)
    stage_files(given, judge_files, ignore)
    if task.files is None:
        stage_files(given, files, ignore)
        conditions.assignment.stage_libraries(files)
        if task.notebooks:
            tried = {name: try_notebook(nb, name, setting) for name, nb in task.notebooks.items()}
            return Worked(tried)
        return Worked(problems=tuple(try_reference(setting)))
    submitted = folder / "submitted"
    write_files(task.files, submitted)
    limit = 1_000_000 * conditions.grading.max_notebook_megabytes
    read = {
        name: read_notebook(task.files[f"{name}.ipynb"], f"{name}.ipynb", limit)
        for name in conditions.assignment.notebooks
    }
    graded, own = conditions.assignment.graded_files, conditions.own
    notes = [*task.notes, *stage_submission(submitted, given, files, ignore, graded, own)]
    return Worked({name: _try(nb, name, setting, notes) for name, nb in read.items()})


def _contents(task: Task) -> dict[Path, Path]:
    """Where the contents are on this machine; raises ``Missing`` for all that are not here."""
    paths: dict[Path, Path] = {}
    missing: set[str] = set()
    for path, item in task.contents.items():
        try:
            paths[path] = find_content(item, task.supplied.contents)
        except Missing as error:
            missing |= error.digests
    if missing:
        raise Missing(missing)
    return paths


def _try(notebook: NotebookNode, name: str, setting: Setting, notes: list[str]) -> Trial:
    restored = setting.conditions.assignment.restore(notebook, name)
    return with_notes(try_notebook(notebook, name, setting), [*restored, *notes])


def _unfit(task: Task) -> str:
    """Why this worker may not do the task, in words; empty if it may."""
    host = platform.node()
    if differ := differences(task.packages, packages()):
        listed = "; ".join(differ[:8]) + (f"; and {len(differ) - 8} more" if differ[8:] else "")
        return (
            f"The worker on {host} has other packages than the machine that grades: {listed}. "
            "Install the same lock file on both."
        )
    found, wanted = find_tier(), task.conditions.tier
    if TIERS.index(found.tier) < TIERS.index(wanted):
        reasons = "".join(f"\n  - {reason}" for reason in found.missing)
        return (
            f"The worker on {host} offers the isolation '{found.tier}', and '{wanted}' is needed:"
            f"{reasons}"
        )
    return ""


def _here(conditions: Conditions, paths: Mapping[Path, Path]) -> Conditions:
    """The conditions with the paths that this machine has."""
    data, assignment = conditions.data, conditions.assignment

    def local(environment: Mapping[str, str | Path]) -> dict[str, str | Path]:
        return {
            name: paths[value] if isinstance(value, Path) else value
            for name, value in environment.items()
        }

    return replace(
        conditions,
        data=replace(
            data,
            environment=local(data.environment),
            judge_environment=local(data.judge_environment),
        ),
        assignment=replace(
            assignment, files=replace(assignment.files, path=paths[assignment.files.path])
        ),
    )


class _Shelf:
    """Executions as a worker has them: the head's store if it is here, and what was supplied.

    ``new`` are those that were put here. Raises ``Missing`` for one that has to be asked for.
    """

    def __init__(self, task: Task) -> None:
        self.new: dict[str, bytes] = {}
        self._store = task.store
        self._supplied = task.supplied.executions

    def get(self, digest: str) -> Execution | None:
        at_hand = {**self._supplied, **self.new}
        if digest in at_hand:
            return read_whole(at_hand[digest])
        if self._store.is_dir():
            return Store(self._store).get(digest)
        raise Missing([digest])

    def put(self, digest: str, execution: Execution) -> None:
        self.new[digest] = execution.to_bytes()
