"""A real SLURM for the tests that need one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from cluster import slurm as machine

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def installed() -> None:
    """SLURM's programs; skips where they cannot be had."""
    try:
        machine.install()
    except machine.Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def slurm(installed) -> Iterator[machine.Slurm]:
    """A SLURM that the commands of this process, and of those that it starts, find."""
    with machine.running() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
def slurm_cluster(slurm) -> Callable[..., SLURMCluster]:
    """`SLURMCluster`, to be called with `**slurm.options`."""
    # The import takes Ctrl-C away from this process.
    handler = signal.getsignal(signal.SIGINT)
    from dask_jobqueue import SLURMCluster

    signal.signal(signal.SIGINT, handler)
    return SLURMCluster
