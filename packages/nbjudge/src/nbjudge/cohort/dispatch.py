"""Tasks at the workers: sent, supplied with what is missing there, sent again where one ended."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from nbjudge.cohort.recording import GO_ON
from nbjudge.cohort.task import Supplied, Task, Worked
from nbjudge.cohort.work import work
from nbjudge.cohort.workers import Workers, WorkersLost
from nbjudge.content import read_content
from nbjudge.errors import NbjudgeError
from nbjudge.execute.store import Store
from nbjudge.warm.client import WarmServerError

# Each worker has one task waiting, so that none waits while a grade is recorded.
_TASKS_FOR_EACH_WORKER = 2
# A worker that ends takes its task along: once more, in case it was not the task's fault.
_TRIES = 2
_SECONDS_TO_LOOK = 0.5

WORKER_DIED = (
    "The process that graded this submission was ended while it ran, twice: somebody ended it, or "
    "the notebook sent more than can be received. Grade it again."
)
Job = TypeVar("Job")


class WorkerRefused(NbjudgeError):
    """A worker may not do the work: other packages, or a weaker isolation."""


@dataclass(frozen=True)
class _Sent(Generic[Job]):
    job: Job
    task: Task
    deaths: int = 0
    executed: tuple[str, ...] = ()


class Dispatcher(Generic[Job]):
    """Has tasks done by ``workers``; each belongs to a job, which is given back with what came.

    What was executed is kept in ``store``, and taken from there where a worker asks for it.
    """

    def __init__(self, workers: Workers, store: Store) -> None:
        self._workers = workers
        self._store = store
        self._sent: dict[Future[Worked], _Sent[Job]] = {}
        self._suspects: deque[_Sent[Job]] = deque()
        self._something_done = False

    @property
    def jobs(self) -> list[Job]:
        """The jobs whose tasks are at the workers, the oldest first."""
        return [sent.job for sent in self._sent.values()]

    def worker_count(self) -> int:
        """How many tasks are done at a time, now."""
        return self._workers.count()

    def capacity(self) -> int:
        """How many tasks keep the workers busy."""
        # Until something has come back, a worker may still have to ask for what all need.
        each = _TASKS_FOR_EACH_WORKER if self._something_done else 1
        return each * max(1, self._workers.count())

    def send(self, job: Job, task: Task) -> None:
        """Have a task done."""
        self._submit(_Sent(job, task))

    def retry(self) -> bool:
        """Whether tasks may have ended their workers; each is sent again, alone."""
        # A worker's death is blamed on all that it had: alone, none is blamed for another.
        if self._suspects and not self._sent:
            self._submit(self._suspects.popleft())
            return True
        return bool(self._suspects)

    def take_back(self) -> list[Job]:
        """Take back what the workers have not begun; returns its jobs."""
        taken = [sent.job for sent in self._suspects]
        self._suspects.clear()
        # The oldest are running; an executor may let those be cancelled, too.
        for future in list(self._sent)[self._workers.count() :]:
            if future.cancel():
                taken.append(self._sent.pop(future).job)
        return taken

    def receive(self) -> Iterator[tuple[Job, Worked]]:
        """Wait a moment for the workers: the jobs that are done, and what came of each.

        Raises ``WorkerRefused``, and ``WorkersLost`` where they are gone.
        """
        # No future outlives this: a cluster would do again what a lost worker had done.
        done, _ = wait(self._sent, timeout=_SECONDS_TO_LOOK, return_when=FIRST_COMPLETED)
        for future in done:
            sent = self._sent.pop(future)
            worked = self._take(sent, future)
            if worked is not None:
                self._something_done = True
                executed = (*sent.executed, *worked.executions)
                yield sent.job, replace(worked, executions={}, executed=executed)

    def abandon(self) -> list[Job]:
        """Wait for nothing more, and keep what was executed; returns the jobs that were begun."""
        begun = [sent.job for future, sent in self._sent.items() if not future.cancel()]
        with contextlib.suppress(OSError):
            for future in self._sent:
                if future.done() and not future.cancelled() and not future.exception():
                    self._keep(future.result())
        return begun

    def _submit(self, sent: _Sent[Job]) -> None:
        task = replace(sent.task, server=self._workers.server())
        self._sent[self._workers.executor.submit(work, task)] = replace(sent, task=task)

    def _take(self, sent: _Sent[Job], future: Future[Worked]) -> Worked | None:
        """What came of a task; ``None`` where it is sent again."""
        deaths: tuple[type[Exception], ...] = (WarmServerError, *self._workers.deaths)
        try:
            worked = future.result()
        except deaths as error:
            sent = replace(sent, deaths=sent.deaths + 1)
            if sent.deaths < _TRIES:
                self._suspects.append(sent)
                return None
            server_gone = isinstance(error, WarmServerError)
            return Worked(reason=str(error) if server_gone else WORKER_DIED)
        except ImportError as error:
            raise WorkerRefused(
                f"A worker cannot import what grading needs ({error}). Install the same lock file "
                "there: uv sync --frozen --extra grading --extra cluster."
            ) from error
        except CancelledError as error:
            raise WorkersLost(f"The workers are gone. {GO_ON}") from error
        except Exception as error:
            return Worked(reason=f"The grader failed: {type(error).__name__}: {error}")
        if worked.refused:
            raise WorkerRefused(worked.refused)
        self._keep(worked)
        so_far = replace(sent, executed=(*sent.executed, *worked.executions))
        if worked.is_to_be_tried_again and sent.deaths + 1 < _TRIES:
            self._suspects.append(replace(so_far, deaths=sent.deaths + 1))  # these are tried alone
            return None
        if worked.missing:
            supplied = self._supply(sent.task, worked.missing)
            self._submit(replace(so_far, task=replace(sent.task, supplied=supplied)))
            return None
        return worked

    def _keep(self, worked: Worked) -> None:
        for digest, execution in worked.executions.items():
            self._store.put_bytes(digest, execution)

    def _supply(self, task: Task, missing: frozenset[str]) -> Supplied:
        """What a worker asked for, and the executions for which it had asked before."""
        known = {item.digest: item for item in task.contents.values()}
        executions = {*missing, *task.supplied.executions} - set(known)
        return Supplied(
            {digest: read_content(known[digest]) for digest in missing & set(known)},
            {digest: self._store.get_bytes(digest) for digest in executions},
        )
