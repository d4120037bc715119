"""Workers of Dask in the jobs of a real SLURM, and nothing left of them afterwards."""

import os
from collections.abc import Iterator

import psutil
import pytest
from cluster import counted_course as counted
from cluster import slurm as machine
from cluster.counted_course import DOUBLE, WRONG
from cluster.slurm import Slurm
from distributed import Client
from distributed.deploy import Cluster


@pytest.fixture
def cluster(slurm, slurm_cluster) -> Iterator[Cluster]:
    """A scheduler in this process, without a worker yet."""
    with slurm_cluster(**slurm.options) as cluster:
        yield cluster


def public_listeners(slurm: Slurm) -> set[tuple[str, int]]:
    """The addresses off the loopback at which this process, SLURM or a job takes connections."""
    own = psutil.Process()
    processes = [own, *own.children(recursive=True), *map(psutil.Process, slurm.processes())]
    return {
        (connection.laddr.ip, connection.laddr.port)
        for process in processes
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN and connection.laddr.ip != "127.0.0.1"
    }


def test_a_machine_without_slurm_and_apt_is_told_so(tmp_path):
    with pytest.raises(machine.Unavailable, match="srun.* not found.*without apt-get"):
        machine.install(searched=str(tmp_path))


@pytest.mark.slow
def test_srun_runs_a_command_in_a_job(slurm):
    assert slurm.run("srun", "sh", "-c", "echo job $SLURM_JOB_ID").startswith("job ")


@pytest.mark.slow
def test_sbatch_runs_a_script_in_a_job(slurm, tmp_path):
    script = tmp_path / "script.sh"
    script.write_text("#!/bin/sh\necho job $SLURM_JOB_ID\n")
    told = slurm.run("sbatch", "--wait", "--parsable", f"--output={tmp_path}/out", str(script))
    assert (tmp_path / "out").read_text() == f"job {told.strip()}\n"


@pytest.mark.slow
def test_dask_workers_compute_in_jobs(slurm, cluster):
    cluster.scale(jobs=2)
    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=machine.PATIENCE)
        executor = client.get_executor(pure=False)
        job = executor.submit(os.getenv, "SLURM_JOB_ID").result(timeout=machine.PATIENCE)
        assert job in slurm.jobs()
        assert len(slurm.jobs()) == 2


@pytest.mark.slow
def test_only_this_machine_can_reach_scheduler_workers_and_slurm(slurm, cluster):
    cluster.scale(jobs=1)
    with Client(cluster) as client:
        client.wait_for_workers(1, timeout=machine.PATIENCE)
        assert not public_listeners(slurm)


@pytest.mark.slow
def test_nothing_is_left_of_a_closed_cluster(slurm, slurm_cluster):
    with slurm_cluster(**slurm.options) as cluster, Client(cluster) as client:
        cluster.scale(jobs=1)
        client.wait_for_workers(1, timeout=machine.PATIENCE)
        assert slurm.jobs()
        assert slurm.processes()
    slurm.wait_until_empty()


@pytest.mark.slow
def test_nothing_is_left_of_slurm_itself(installed):
    before = set(psutil.Process().children())
    with machine.running() as slurm:
        slurm.run("sbatch", "--output=/dev/null", "--wrap=sleep 600")
        machine.wait_until(lambda: bool(slurm.processes()), "no job starts", slurm.folder)
        daemons = set(psutil.Process().children()) - before
        assert {daemon.name() for daemon in daemons} == {"munged", "slurmctld", "slurmd"}
    assert not slurm.folder.exists()
    assert not slurm.processes()
    assert not any(daemon.is_running() for daemon in daemons)


@pytest.mark.slow
def test_a_class_is_graded_in_jobs_and_nothing_is_left(slurm, pristine, tmp_path, monkeypatch):
    log = slurm.folder / "judged"
    monkeypatch.setenv(counted.LOG, str(log))
    settings = (
        "c.Grading.cluster = 'dask_jobqueue.SLURMCluster'\n"
        f"c.Grading.cluster_options = {slurm.options!r}"
    )
    course = counted.copy_course(pristine, tmp_path / "course", settings)
    counted.hand_in(course, {"anna": DOUBLE, "bob": WRONG, "cleo": f"X = 1\n{DOUBLE}"})
    jobs: set[str] = set()
    found = counted.outcomes(course, jobs=2, watch=lambda running: jobs.update(slurm.jobs()))
    assert counted.scores(found) == {"anna": 5, "bob": 3, "cleo": 5}
    notes = dict(line.split() for line in log.read_text().splitlines())
    assert set(notes) == {"anna", "bob", "cleo", "reference"}
    assert set(notes.values()) <= jobs
    slurm.wait_until_empty()
