"""Who does the work: processes of this machine, or a cluster."""

from __future__ import annotations

import multiprocessing
import os
import queue
import resource
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext
from typing import Any

from nbjudge.errors import NbjudgeError
from nbjudge.warm.client import LastingServer
from nbjudge.warm.server import NICENESS

# For a worker's own data; far more than it needs.
_BYTES = 3 * 2**30


class WorkerDied(Exception):
    """The process that did a task is gone."""


class WorkersLost(NbjudgeError):
    """The executor ended while it was at work."""


@dataclass(frozen=True)
class Workers:
    """An executor with what has to be known of it.

    ``count()`` is how many tasks it does at a time, now; ``server()`` the address of the warm
    server that its workers share, "" where each starts its own. ``deaths`` are the errors by
    which it says that a worker is gone.
    """

    executor: Executor
    count: Callable[[], int]
    server: Callable[[], str] = field(default=lambda: "")
    deaths: tuple[type[Exception], ...] = (WorkerDied,)


@contextmanager
def local_workers(count: int, preload: Sequence[str]) -> Iterator[Workers]:
    """So many processes of this machine over one warm server, for a ``with`` block.

    When the block is left by an exception, what they are at is ended.
    """
    with LastingServer(preload) as server, LocalExecutor(count) as executor:
        try:
            yield Workers(executor, lambda: count, lambda: server.address)
        except BaseException:
            executor.end()
            raise


class LocalExecutor(Executor):
    """Worker processes, each a pool of its own: one that dies costs the task that it did.

    The future of that task raises ``WorkerDied``, and a new process takes its place.
    """

    def __init__(self, count: int) -> None:
        # A fork of this process would copy its threads' locks; one server imports for all.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["nbjudge.cohort.work"])
        self._tasks: queue.SimpleQueue[_Submitted | None] = queue.SimpleQueue()
        self._busy: dict[int, int] = {}
        self._lock = threading.Lock()
        self._ended = False
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have ``function(*args, **kwargs)`` done by the next process that is free."""
        future: Future[Any] = Future()
        self._tasks.put(_Submitted(future, function, args, kwargs))
        return future

    def end(self) -> None:
        """Interrupt what is running, and do nothing more."""
        with self._lock:
            self._ended = True
            for pid in self._busy.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Finish what was submitted, and end the processes."""
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self, number: int) -> None:
        """What one thread does: it keeps one process, and hands it one task after another."""
        # What is started from here has Ctrl-C held back, until it knows what to do with it.
        resource_tracker.ensure_running()  # which would let it through again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        process = self._started()
        while (task := self._tasks.get()) is not None:
            if self._ended or not task.future.set_running_or_notify_cancel():
                task.future.cancel()
                continue
            try:
                process = process or _Process.start(self._context)
                result = self._run(number, process, task)
            except BrokenProcessPool:
                process = None
                task.future.set_exception(WorkerDied())
            except BaseException as error:
                task.future.set_exception(error)
            else:
                task.future.set_result(result)
        if process is not None:
            process.pool.shutdown()

    def _started(self) -> _Process | None:
        """A process, before there is a task: it takes its time to import what it needs."""
        with suppress(BrokenProcessPool, OSError):
            return _Process.start(self._context)
        return None

    def _run(self, number: int, process: _Process, task: _Submitted) -> Any:
        with self._lock:
            if self._ended:
                raise WorkerDied
            running = process.pool.submit(task.function, *task.args, **task.kwargs)
            self._busy[number] = process.pid
        try:
            return running.result()
        finally:
            with self._lock:
                del self._busy[number]


@dataclass(frozen=True)
class _Process:
    pool: ProcessPoolExecutor
    pid: int

    @classmethod
    def start(cls, context: BaseContext) -> _Process:
        pool = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare_worker)
        return cls(pool, pool.submit(os.getpid).result())


@dataclass(frozen=True)
class _Submitted:
    future: Future[Any]
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def _prepare_worker() -> None:
    # Ctrl-C reaches every process of the terminal. The parent alone decides what it means, and
    # tells its workers by SIGTERM. (Not SIG_IGN: kernels would inherit that.)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.nice(NICENESS)
    # A kernel can send more than anybody can receive: then this process ends, and no other.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, hard))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose parent was killed would wait for its next task forever.
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)
