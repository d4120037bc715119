"""A PostgreSQL server of the tests' own, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

ROLE = "gradebook"
# Only this role needs its password; PostgreSQL takes the first line that fits.
ACCESS = "local all guarded scram-sha-256\nlocal all all trust\n"


@dataclass(frozen=True)
class Server:
    """A running server; ``gradebook`` is its administrator, ``guarded`` needs the password."""

    sockets: Path
    password: str = "correct-horse"

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.sockets}"

    def make_database(self) -> str:
        """Make an empty database, as an instructor would; returns its name."""
        name = f"class_{uuid4().hex[:8]}"
        self.ask("postgres", f"CREATE DATABASE {name}")
        return name

    def ask(self, database: str, sql: str) -> list[tuple]:
        """The rows that a statement gives, without any of nbgrader's or SQLAlchemy's code."""
        where = {"host": str(self.sockets), "user": ROLE, "dbname": database}
        with psycopg.connect(**where, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, _running(binaries, Path(folder)):
        found = Server(Path(folder))
        found.ask("postgres", f"CREATE ROLE guarded LOGIN PASSWORD '{found.password}'")
        yield found


@pytest.fixture
def database(server) -> str:
    """The name of an empty database."""
    return server.make_database()


@contextmanager
def _running(binaries: Path, folder: Path) -> Iterator[None]:
    """A server for the block, with its data and its socket in ``folder``."""
    as_owner: list[str] = []
    if os.getuid() == 0:  # which PostgreSQL refuses to run as
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        ids = ("--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid))
        as_owner = ["setpriv", *ids, "--clear-groups"]
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [*as_owner, binaries / program, "--pgdata", data, *arguments]
        # To a file, since a server would keep a pipe open as long as it runs.
        with (folder / "log").open("a") as log:
            done = subprocess.run(command, cwd="/", stdout=log, stderr=log, timeout=120)
        assert done.returncode == 0, (folder / "log").read_text()

    run("initdb", "--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-sync")
    (data / "pg_hba.conf").write_text(ACCESS)
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    run("pg_ctl", "start", "--wait", "--options", options)
    folder.chmod(0o711)  # whoever runs a command of the tests may come to the socket
    try:
        yield
    finally:
        run("pg_ctl", "stop", "--wait")


def _binaries() -> Path:
    """The folder of Debian's PostgreSQL, which is installed where that can be done."""
    found = _installed()
    if not found and os.getuid() == 0 and shutil.which("apt-get"):
        _install()
        found = _installed()
    if not found:
        pytest.skip("needs PostgreSQL: apt-get install postgresql, as root")
    return found[-1]


def _installed() -> list[Path]:
    """The folders with a server's programs, the newest version last."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return sorted((path.parent for path in found), key=lambda path: float(path.parent.name))


def _install() -> None:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    package = ["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"]
    for command in (["apt-get", "update"], package):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            pytest.skip(f"PostgreSQL cannot be installed: {done.stderr[-500:]}")
    # The package starts a server for the whole machine, which these tests do not need.
    clusters = subprocess.check_output(["pg_lsclusters", "--no-header"], text=True)
    for version, name, *_ in map(str.split, clusters.splitlines()):
        subprocess.run(["pg_ctlcluster", version, name, "stop"], capture_output=True, timeout=60)
