"""A SLURM of one node on this machine: its own key, ports and folder, ended by process id.

Nothing of it is a service: munged, slurmctld and slurmd are children of this process, read no
file under /etc, and end with it. They run as whoever runs the tests; only installing needs root.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("slurm-wlm", "munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
NODE = "node"
QUEUE = "grading"
PATIENCE = 60  # seconds, for a daemon or a job on a busy machine
# An ordinary user's PATH has no daemons.
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# No cgroups: they are not delegated in most containers.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
KillWait=5
ReturnToService=2
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={megabytes}
PartitionName={queue} Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


class Unavailable(Exception):
    """SLURM cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Slurm:
    """A running SLURM with one idle node."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What has to be set for SLURM's commands to find this one; jobs inherit it."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    @property
    def options(self) -> dict[str, object]:
        """What `dask_jobqueue.SLURMCluster` needs: one worker of one core a job, loopback only.

        Its commands are run with this process's environment: set `environment` there before.
        """
        return {
            "queue": QUEUE,
            "cores": 1,
            "processes": 1,
            "memory": "2GB",
            "walltime": "00:30:00",
            "python": sys.executable,
            "interface": "lo",
            # Without a dashboard there still is a web server, by default for all the world.
            "scheduler_options": {"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            "worker_extra_args": ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"],
            "local_directory": str(self.folder / "scratch"),
            "log_directory": str(self.folder / "log"),
        }

    def run(self, *command: str, timeout: float = PATIENCE) -> str:
        """What one of SLURM's commands prints; RuntimeError with its complaint if it fails."""
        return _run(command, timeout, os.environ | self.environment)

    def jobs(self) -> list[str]:
        """The numbers of all jobs that wait, run or are being ended."""
        return self.run("squeue", "--noheader", "--format=%i").split()

    def processes(self) -> list[int]:
        """The ids of all processes that belong to a job of this SLURM."""
        ours = {f"{name}={value}".encode() for name, value in self.environment.items()}
        return [
            pid
            for pid, variables in _environments()
            if ours <= variables and any(item.startswith(b"SLURM_JOB_ID=") for item in variables)
        ]

    def wait_until_empty(self) -> None:
        """Return when no job is left, nor a process of one; RuntimeError after `PATIENCE` seconds.

        A job leaves the queue when its script has ended, a moment before what the script started.
        """
        wait_until(
            lambda: not self.jobs() and not self.processes(),
            "jobs or their processes are left",
            self.folder,
        )


def install(searched: str = SEARCHED) -> None:
    """Install `PACKAGES` with apt-get, unless SLURM is there; `Unavailable` if that cannot be.

    Programs, apt-get too, are looked for in the folders `searched`, divided by colons.
    """
    missing = [name for name in PROGRAMS if not shutil.which(name, path=searched)]
    if not missing:
        return
    problem = f"SLURM is not installed ({', '.join(missing)} not found)"
    if not shutil.which("apt-get", path=searched):
        raise Unavailable(f"{problem}, and without apt-get this test cannot install it")
    if os.getuid() != 0:
        raise Unavailable(f"{problem}, and only root may: apt-get install {' '.join(PACKAGES)}")
    get = ("apt-get", "--yes", "--option=Acquire::Retries=1", "--option=DPkg::Lock::Timeout=60")
    add = (*get, "install", "--no-install-recommends")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        _run((*get, "update"), 120, environment)
        _run((*add, "--download-only", *PACKAGES), 180, environment)
        _run((*add, "--no-download", *PACKAGES), 180, environment)
    except RuntimeError as error:
        raise Unavailable(f"{problem}, and apt-get could not install it: {error}") from error


@contextmanager
def running() -> Iterator[Slurm]:
    """A SLURM whose node is idle; its jobs are cancelled and its processes ended afterwards.

    RuntimeError with the logs if it does not come up within `PATIENCE` seconds.
    """
    # In /tmp, because the path of a Unix socket is short; and a job's user must get there.
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as name, ExitStack() as daemons:
        folder = Path(name)
        folder.chmod(0o711)
        for part in ("state", "spool", "scratch", "log"):
            (folder / part).mkdir(mode=0o755)
        slurm = Slurm(folder)
        _configure(folder)
        # Left in the order opposite to this one: slurmd, the controller, munged.
        munged = daemons.enter_context(_daemon(folder, "munged", *_munged_options(folder)))
        wait_until((folder / "munge.socket").exists, "munged does not start", folder, [munged])
        controller = daemons.enter_context(_daemon(folder, "slurmctld", "-D"))
        node = daemons.enter_context(_daemon(folder, "slurmd", "-D", "-N", NODE))
        wait_until(
            lambda: _state(slurm) == "idle",
            "the node does not become idle",
            folder,
            [munged, controller, node],
        )
        try:
            yield slurm
        finally:
            try:
                slurm.run("scancel", f"--partition={QUEUE}")
                slurm.wait_until_empty()
            finally:
                for process in slurm.processes():
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)


def wait_until(
    condition: Callable[[], bool],
    complaint: str,
    logs: Path,
    daemons: Sequence[subprocess.Popen] = (),
) -> None:
    """Return when `condition` holds.

    RuntimeError with `logs/*.log` after `PATIENCE` seconds, or when one of `daemons` has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        ended = [daemon.args for daemon in daemons if daemon.poll() is not None]
        if ended or time.monotonic() > deadline:
            why = f"{ended} ended" if ended else f"waited for {PATIENCE} seconds"
            texts = [f"{log.name}:\n{log.read_text()}" for log in logs.glob("*.log")]
            raise RuntimeError("\n".join([f"{complaint}: {why}", *texts]))
        time.sleep(0.1)


def _configure(folder: Path) -> None:
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    controller_port, node_port = _free_ports(2)
    text = _CONFIGURATION.format(
        folder=folder,
        host=socket.gethostname().partition(".")[0],
        user=os.getuid(),
        controller_port=controller_port,
        node_port=node_port,
        cores=os.cpu_count(),
        megabytes=megabytes,
        node=NODE,
        queue=QUEUE,
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "cgroup.conf").write_text("IgnoreSystemd=yes\n")


def _munged_options(folder: Path) -> list[str]:
    return [
        "--foreground",
        "--force",  # /tmp may be written to by everybody
        f"--socket={folder / 'munge.socket'}",
        f"--key-file={folder / 'munge.key'}",
        f"--pid-file={folder / 'munged.pid'}",
        f"--seed-file={folder / 'munged.seed'}",
        f"--log-file={folder / 'munged.log'}",
    ]


def _free_ports(number: int) -> list[int]:
    with ExitStack() as sockets:
        held = [sockets.enter_context(socket.socket()) for _ in range(number)]
        for item in held:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in held]


@contextmanager
def _daemon(folder: Path, name: str, *options: str) -> Iterator[subprocess.Popen]:
    """One daemon in the foreground, in a session of its own: Ctrl-C is for the tests alone."""
    command = [
        # Also when the tests are killed.
        *("setpriv", "--pdeathsig", "TERM"),
        shutil.which(name, path=SEARCHED) or name,
        *options,
    ]
    with (folder / f"{name}.out.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | Slurm(folder).environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _state(slurm: Slurm) -> str:
    with suppress(RuntimeError):  # the controller does not answer yet
        return slurm.run("sinfo", "--noheader", "--format=%T", timeout=10).strip()
    return ""


def _environments() -> Iterator[tuple[int, set[bytes]]]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or is another user's
            yield int(path.parent.name), set(path.read_bytes().split(b"\0"))


def _run(command: tuple[str, ...], timeout: float, environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{' '.join(command)}: no end within {timeout} seconds") from error
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
