"""What a cell asks of Jupyter itself: programs by ``!`` or ``%pip``, ``exit()``."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable

from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.utils._process_posix import system as run_in_terminal

_DOWNLOADS = re.compile(
    r"\b(pip3?|uv|conda|mamba|apt|apt-get|git|wget|curl|gdown|kaggle|npm)\b(?!\.\w)"
)
_OFFLINE = (
    "There is no network while a notebook is graded: nothing can be installed or downloaded. "
    "Packages that are installed here can be used, and the rest of the cell goes on."
)
_GOES_ON = (
    "exit() and quit() stop the kernel in JupyterLab, and the cells below have none then. "
    "While a notebook is graded, the notebook goes on. Delete the call before you hand in."
)
# By default pip tries five times, and waits longer each time.
_PIP_OFFLINE = {"PIP_RETRIES": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def prepare_commands(shell: ZMQInteractiveShell) -> None:
    """Let ``shell`` run programs as Jupyter does, and explain downloads that fail offline.

    A cell that calls ``exit()`` goes on, as in Jupyter, and leaves the kernel to those below.
    """
    run: Callable[[str], int] = run_in_terminal if _has_terminals() else _run_with_a_pipe
    offline = not _has_network()
    if offline:
        for name, value in _PIP_OFFLINE.items():
            os.environ.setdefault(name, value)

    def system(command: str) -> None:
        if command.rstrip().endswith("&"):
            raise OSError("Background processes not supported.")  # as IPython says
        # Names in $braces are those of the function that runs the command.
        expanded = shell.var_expand(command, depth=1)
        status = run(expanded)
        shell.user_ns["_exit_code"] = status
        if status and offline and _DOWNLOADS.search(expanded):
            print(_OFFLINE, file=sys.stderr)

    def ask_exit() -> None:
        print(_GOES_ON, file=sys.stderr)

    shell.system = system  # type: ignore[method-assign]
    shell.ask_exit = ask_exit  # type: ignore[method-assign]


def _run_with_a_pipe(command: str) -> int:
    with subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
        except KeyboardInterrupt:
            process.kill()
            raise
    return process.returncode


def _has_terminals() -> bool:
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def _has_network() -> bool:
    try:
        return any(name != "lo" for _, name in socket.if_nameindex())
    except OSError:
        return False
