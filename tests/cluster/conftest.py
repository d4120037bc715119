"""A real SLURM and a real Dask for the tests that need one, and a course to grade on them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import toy_course
from cluster import dask_processes
from cluster import slurm as machine
from cluster.counted_course import counted_notebook
from cluster.dask_processes import Dask
from nbjudge.course import load_course
from nbjudge.release.release import release

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


@pytest.fixture
def dask() -> Iterator[Dask]:
    """A scheduler without workers."""
    with dask_processes.running() as running:
        yield running


@pytest.fixture(scope="session")
def far_away(tmp_path_factory) -> tuple[str, ...]:
    """The beginning of a worker's command that lets it see none of the tests' own folders."""
    command = dask_processes.hiding(tmp_path_factory.getbasetemp())
    tried = subprocess.run([*command, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"a worker cannot be kept from the course's folder: {tried.stderr.strip()}")
    return command


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Path:
    """A released course to copy, since making a gradebook takes seconds."""
    root = tmp_path_factory.mktemp("pristine") / "course"
    toy_course.make_course(root, {"ps1/toys": counted_notebook()})
    release(load_course(root), "ps1")
    return root
