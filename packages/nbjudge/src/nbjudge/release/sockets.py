"""Kernels that talk over sockets in a folder of their own."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_client.manager import KernelManager


def use_private_sockets(kernel_manager: KernelManager, folder: Path | str) -> None:
    """Let a kernel that is not started yet talk over Unix sockets in ``folder``.

    Over TCP, two processes that start kernels at once may pick the same free port: one of the
    kernels then never answers. Windows has no such sockets and stays with TCP.
    """
    if os.name != "nt":
        kernel_manager.transport = "ipc"
        kernel_manager.ip = str(Path(folder, "kernel"))
