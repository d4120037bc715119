"""Workers on a cluster, through Dask's ``distributed``.

``c.Grading.cluster`` names a scheduler that is there already (``tcp://…``, ``tls://…``), or a class
that makes one, with ``c.Grading.cluster_options``: ``distributed.LocalCluster``,
``dask_jobqueue.SLURMCluster``, and the like.
"""

from __future__ import annotations

import importlib
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from nbjudge.cohort.workers import WorkerDied, Workers, WorkersLost
from nbjudge.course.settings import Grading
from nbjudge.errors import CourseError

if TYPE_CHECKING:
    from distributed import Client

# What a worker is sent are built-in functions and bytes: one that lacks this engine then says so,
# where a reference that it cannot read would end it, and Dask wait for ever.
_CALL = (
    "(lambda pickle: getattr(__import__(module, fromlist=['x']), name)(*pickle.loads(arguments)))"
    "(__import__('pickle'))"
)
_DASK = {
    # A task that ends its worker is tried again by the run, not by Dask.
    "distributed.scheduler.allowed-failures": 0,
    # A data set may go along with a task.
    "distributed.admin.large-graph-warning-threshold": "1TB",
}
_SECONDS_TO_ANSWER = 30


class ClusterError(CourseError):
    """The cluster that the configuration names cannot be used."""


@contextmanager
def cluster_workers(grading: Grading, jobs: int, preload: Sequence[str]) -> Iterator[Workers]:
    """The workers of the cluster that ``grading`` names, for a ``with`` block.

    A cluster that is made for this ends with the block; it is kept at ``jobs`` workers, or, with
    0, has those that its options ask for. Of a scheduler that is there already, the options are
    those of ``distributed.Client``. Raises ``ClusterError`` where it cannot be reached or made.
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
    with dask.config.set(_DASK):
        is_address = "://" in grading.cluster
        options = dict(grading.cluster_options) if is_address else {}
        made = nullcontext(grading.cluster) if is_address else _make(grading, jobs)
        with made as cluster:
            try:
                client = Client(
                    cluster, timeout=_SECONDS_TO_ANSWER, set_as_default=False, **options
                )
            except (OSError, ValueError, TypeError) as error:
                raise ClusterError(f"{grading.cluster} does not answer: {error}") from error
            with client:
                yield Workers(
                    _ByName(client.get_executor(pure=False)),
                    count=lambda: _count(client),
                    deaths=(WorkerDied, KilledWorker),
                )


class _ByName(Executor):
    """Submits functions by their names, so that it is the task that fails where they are not."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a module's function with positional arguments."""
        if kwargs:
            raise TypeError("only positional arguments are sent")
        call = {"module": function.__module__, "name": function.__name__}
        return self._executor.submit(eval, _CALL, call | {"arguments": pickle.dumps(args)})


def _count(client: Client) -> int:
    try:
        return sum(client.nthreads().values())
    except (OSError, ValueError, RuntimeError) as error:
        raise WorkersLost(
            f"The cluster's scheduler does not answer any more ({error}). What was executed and "
            "could be kept is not run again: grade again when it is there."
        ) from error


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
        cluster.scheduler_address  # noqa: B018 (whether it is a cluster)
    except (AttributeError, TypeError, ValueError, OSError, RuntimeError) as error:
        raise ClusterError(
            f"{grading.cluster} cannot be made with c.Grading.cluster_options: {error}"
        ) from error
    if not jobs and not getattr(cluster, "worker_spec", True):
        cluster.close()
        raise ClusterError(
            f"{grading.cluster} was asked for no workers: set c.Grading.jobs, or use --jobs."
        )
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
