"""A scheduler and workers of Dask, each in a process of its own, on 127.0.0.1 alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE = 60  # seconds, on a busy machine
_QUIET = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


@dataclass(frozen=True)
class Member:
    """A scheduler or a worker: its process, and where it writes what it has to say."""

    process: subprocess.Popen
    log: Path

    def below(self) -> list[psutil.Process]:
        """Its process and all that it started."""
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        return []

    def kernels(self) -> list[psutil.Process]:
        """The kernels that run a student's code for it now; each is its guard's child."""
        found = []
        for process in self.below():
            with suppress(psutil.NoSuchProcess):
                if "nbjudge.warm.server" in process.cmdline() and "nbjudge.warm.server" in (
                    process.parent().cmdline()
                ):
                    found += process.children()
        return found

    def kill(self) -> None:
        """End it at once, and the nanny with its worker; what they started is left to itself."""
        for process in [self.process, *self._own()]:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)

    def _own(self) -> list[psutil.Process]:
        """Dask's own processes, without the warm server and its children."""
        own = []
        for process in self.below():
            with suppress(psutil.NoSuchProcess):
                if "nbjudge.warm.server" not in process.cmdline():
                    own.append(process)
        return own


@dataclass(frozen=True)
class Dask:
    """A scheduler that listens at ``address``; ``folder`` holds the logs of all members."""

    address: str
    scheduler: Member
    folder: Path
    members: ExitStack

    def worker(
        self,
        *options: str,
        command: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = ("-m", "distributed.cli.dask_worker"),
        joined: bool = True,
    ) -> Member:
        """Start a worker, by default of one thread and without a nanny, and wait for it to join.

        ``command`` is put before the program, such as ``hiding``.
        """
        number = len(list(self.folder.glob("worker-*.log")))
        chosen = {"--nthreads": "1", "--memory-limit": "0"}
        given = [
            part for name, value in chosen.items() if name not in options for part in (name, value)
        ]
        nanny = () if "--nanny" in options else ("--no-nanny",)
        member = self.members.enter_context(
            _member(
                self.folder / f"worker-{number}.log",
                (
                    *command,
                    sys.executable,
                    *program,
                    self.address,
                    *_QUIET,
                    *given,
                    *nanny,
                    *options,
                    "--local-directory",
                    str(self.folder / f"scratch-{number}"),
                ),
                environment,
            )
        )
        if joined:
            wait_until(lambda: _says(member, "Registered to:"), "no worker joins", member)
        return member


@contextmanager
def running() -> Iterator[Dask]:
    """A scheduler without workers; it and all its workers are ended afterwards."""
    with ExitStack() as members:
        folder = Path(members.enter_context(tempfile.TemporaryDirectory(prefix="dask-")))
        told = folder / "scheduler.json"
        scheduler = members.enter_context(
            _member(
                folder / "scheduler.log",
                (
                    sys.executable,
                    "-m",
                    "distributed.cli.dask_scheduler",
                    *_QUIET,
                    "--port",
                    "0",
                    "--scheduler-file",
                    str(told),
                ),
            )
        )
        wait_until(told.exists, "the scheduler does not start", scheduler)
        yield Dask(json.loads(told.read_text())["address"], scheduler, folder, members)


def hiding(folder: Path) -> tuple[str, ...]:
    """The beginning of a command that sees an empty folder in the place of ``folder``."""
    mount = 'mount -t tmpfs none "$0" && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", mount, str(folder))


def wait_until(condition: Callable[[], object], complaint: str, *members: Member) -> object:
    """What the condition gives as soon as it gives something.

    AssertionError with the logs after ``PATIENCE`` seconds, or when one of ``members`` has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        ended = [member for member in members if member.process.poll() is not None]
        if ended or time.monotonic() > deadline:
            raise AssertionError("\n".join([complaint, *(m.log.read_text() for m in members)]))
        time.sleep(0.05)
    return found


def _says(member: Member, text: str) -> bool:
    return text in member.log.read_text()


@contextmanager
def _member(
    log: Path, command: tuple[str, ...], environment: Mapping[str, str] | None = None
) -> Iterator[Member]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            # Ends also when the tests are killed.
            ("setpriv", "--pdeathsig", "KILL", *command),
            cwd="/",
            # What a killed worker leaves goes with the folder.
            env={**os.environ, "TMPDIR": str(log.parent), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    member = Member(process, log)
    try:
        yield member
    finally:
        everybody = member.below()
        member.kill()
        psutil.wait_procs(everybody, timeout=PATIENCE)
