"""A JupyterLab of its own: started in a course folder, ended by its own process id."""

import os
import queue
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# JupyterLab asks every new user whether it may fetch news.
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'

# The notebooks draw their data instead of downloading it.
OFFLINE = {"DLCOURSE_DATA": "stand-in"}


@dataclass(frozen=True)
class Lab:
    """A running server."""

    url: str
    token: str
    course: Path

    def at(self, path: str) -> str:
        """The address that signs in and goes to a page. (The formgrader's does not sign in.)"""
        return f"{self.url}/login?token={self.token}&next=/{path}"


@contextmanager
def running(course: Path, home: Path, patience: float = 120) -> Iterator[Lab]:
    """A server in `course`, with its settings, logs and kernels' files in `home`.

    RuntimeError with the log if it says no address within `patience` seconds.
    """
    token = secrets.token_hex(16)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(NO_NEWS)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
        *("--LabApp.extension_manager=readonly", f"--IdentityProvider.token={token}"),
    ]
    environment = (
        os.environ
        | OFFLINE
        | {
            "HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        }
    )
    log = home / "jupyterlab.log"
    server = subprocess.Popen(
        command,
        cwd=course,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    addresses: queue.Queue[str | None] = queue.Queue()

    def read_on() -> None:
        with log.open("w") as file:
            for line in server.stdout:
                file.write(line)
                file.flush()
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    addresses.put(found[0])
        addresses.put(None)

    reader = threading.Thread(target=read_on, daemon=True)
    reader.start()
    try:
        try:
            url = addresses.get(timeout=patience)
        except queue.Empty:
            url = None
        if url is None:
            raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
        yield Lab(url, token, course)
    finally:
        server.terminate()  # it takes its kernels along
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        reader.join(timeout=10)
