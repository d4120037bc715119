"""A process that ends with its parent, however that one ends."""

from __future__ import annotations

import os
import signal
import sys

from nbjudge.sandbox import syscalls


def die_with_parent(parent: int | None = None) -> None:
    """Be killed when the parent ends; a change of user undoes it.

    ``parent``: its id as it was before the fork; with it, one that has ended already is noticed,
    and elsewhere than on Linux only that.
    """
    if sys.platform == "linux":
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
