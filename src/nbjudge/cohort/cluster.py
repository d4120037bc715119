"""Workers on a cluster, through Dask's ``distributed``.

``c.Grading.cluster`` names a scheduler that is there already (``tcp://…``, ``tls://…``), or a class
that makes one, with ``c.Grading.cluster_options``: ``distributed.LocalCluster``,
``dask_jobqueue.SLURMCluster``, and the like.
"""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from nbjudge.cohort.workers import WorkerDied, Workers
from nbjudge.errors import CourseError
from nbjudge.settings import Grading

if TYPE_CHECKING:
    from distributed import Client

# Loads what a worker needs; sent as text, since one that lacks it could not even read a reference.
_CHECK = "__import__('nbjudge.cohort.work') and None"
_SECONDS_TO_ANSWER = 30


class ClusterError(CourseError):
    """The cluster that the configuration names cannot be used."""


@contextmanager
def cluster_workers(grading: Grading, jobs: int, preload: Sequence[str]) -> Iterator[Workers]:
    """The workers of the cluster that ``grading`` names, for a ``with`` block.

    A cluster that is made for this ends with the block; it is kept at ``jobs`` workers, or, with
    0, has those that its options ask for. Raises ``ClusterError`` where it cannot be reached or
    made.
    """
    try:
        import dask
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise ClusterError(
            "Grading on a cluster needs Dask, which is not installed: "
            "pip install '.[grading,cluster]'."
        ) from error
    # A task that ends its worker is tried again by the run, not by Dask.
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        is_address = "://" in grading.cluster
        made = nullcontext(grading.cluster) if is_address else _make(grading, jobs)
        with made as cluster:
            try:
                client = Client(cluster, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
            except (OSError, ValueError) as error:
                raise ClusterError(f"{grading.cluster} does not answer: {error}") from error
            with client:
                _check(client)
                yield Workers(
                    client.get_executor(pure=False),
                    count=lambda: sum(client.nthreads().values()),
                    deaths=(WorkerDied, KilledWorker),
                )


def _make(grading: Grading, jobs: int) -> Any:
    module, _, name = grading.cluster.rpartition(".")
    try:
        kind = getattr(_import(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ClusterError(
            f"c.Grading.cluster is {grading.cluster!r}: it has to be a scheduler's address such as "
            "tcp://10.0.0.1:8786, or a class such as dask_jobqueue.SLURMCluster that is installed "
            f"({error})."
        ) from error
    try:
        cluster = kind(**grading.cluster_options)
        if jobs:
            # Unlike scale(), this replaces workers that were lost.
            cluster.adapt(minimum=jobs, maximum=jobs)
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        raise ClusterError(
            f"{grading.cluster} cannot be made with c.Grading.cluster_options: {error}"
        ) from error
    return cluster


def _import(module: str) -> Any:
    """Import a module that may take Ctrl-C away from this process, as dask_jobqueue does."""
    if threading.current_thread() is not threading.main_thread():
        return importlib.import_module(module)
    handler = signal.getsignal(signal.SIGINT)
    try:
        return importlib.import_module(module)
    finally:
        signal.signal(signal.SIGINT, handler)


def _check(client: Client) -> None:
    """Refuse workers that have not got this engine: Dask would wait for them forever."""
    for worker, problem in client.run(eval, _CHECK, on_error="return").items():
        if problem is not None:
            raise ClusterError(
                f"The worker {worker} cannot import what grading needs ({problem}). Install the "
                "same lock file there: uv sync --frozen --extra grading --extra cluster."
            )
