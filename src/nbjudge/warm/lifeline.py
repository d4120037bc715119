"""A process that ends with its parent, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2); linux/prctl.h


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when ``parent``, its parent, ends; elsewhere than on
    Linux only what has ended already is noticed."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the request was in force
        os._exit(1)
