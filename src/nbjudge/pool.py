"""Run a function over many items in worker processes, so that a dead worker costs one item."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

# For a worker's own data; far more than it needs.
_BYTES = 3 * 2**30
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """An item whose worker died (``error`` is ``None``), or whose function raised ``error``."""

    error: Exception | None


@dataclass(frozen=True)
class _Running(Generic[Item]):
    item: Item
    pool: ProcessPoolExecutor
    pid: Future[int]


def each(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int,
) -> Iterator[tuple[Item, Result | Failure]]:
    """Yield ``(item, function(item))`` as they are done, at most ``jobs`` at a time.

    An item is taken from ``items`` only when a worker is free for it. Every worker is a pool
    of its own: when one dies, it is clear which item it was, and a new one takes its place.
    When the iterator is closed or interrupted, the workers are ended and waited for.
    """
    waiting = iter(items)
    idle: list[tuple[ProcessPoolExecutor, Future[int]]] = []
    running: dict[Future[Result], _Running[Item]] = {}
    try:
        while True:
            while len(running) < jobs:
                try:
                    item = next(waiting)
                except StopIteration:
                    break
                pool, pid = idle.pop() if idle else _start()
                running[pool.submit(function, item)] = _Running(item, pool, pid)
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                try:
                    result: Result | Failure = future.result()
                    idle.append((task.pool, task.pid))
                except BrokenProcessPool:
                    task.pool.shutdown(wait=False)
                    result = Failure(None)
                except Exception as error:
                    idle.append((task.pool, task.pid))
                    result = Failure(error)
                yield task.item, result
    finally:
        for task in running.values():
            with suppress(Exception):
                os.kill(task.pid.result(timeout=30), signal.SIGTERM)
        for pool in [*(task.pool for task in running.values()), *(pool for pool, _ in idle)]:
            pool.shutdown(wait=True, cancel_futures=True)


def _start() -> tuple[ProcessPoolExecutor, Future[int]]:
    pool = ProcessPoolExecutor(
        1,
        # A fork would copy the parent's threads' locks and whatever libraries it has loaded.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_worker,
    )
    return pool, pool.submit(os.getpid)


def _prepare_worker() -> None:
    # Ctrl-C reaches every process of the terminal. The parent alone decides what it means, and
    # tells its workers by SIGTERM. (Not SIG_IGN: kernels would inherit that.)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A kernel can send more than anybody can receive: then this process ends, and no other.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, hard))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose parent was killed would wait for its next item forever.
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)
