"""The judge's process: it runs one notebook's test cells as the grader asks for them."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbjudge import wire
from nbjudge.capture import Link, NotHandedOut, decode, randomness
from nbjudge.capture.folders import JudgeFolder
from nbjudge.capture.patches import Patches
from nbjudge.judge.comparisons import look_at_all, watching_hooks
from nbjudge.judge.messages import judged_message, read_run

if TYPE_CHECKING:
    from nbjudge.judge.running import Runner

# The grader is trusted; this is against a mistake, not against an attack.
_LIMIT = 1 << 34
_ALWAYS = (
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "nbjudge.capture.arrays",
    "nbjudge.judge.explain",
    "nbjudge.judge.running",
)
_WITH = {
    "keras": ("nbjudge.capture.keras_values",),
    "matplotlib": ("matplotlib.backends.backend_agg", "nbjudge.capture.figures"),
    "pandas": ("nbjudge.capture.tables",),
}


def preload() -> None:
    """Import what a session needs, for a process that judges are forked from.

    Of what serves large packages, only what serves those that are imported already.
    """
    for module in _ALWAYS:
        importlib.import_module(module)
    for package, modules in _WITH.items():
        if package in sys.modules:
            for module in modules:
                importlib.import_module(module)
    if "keras" in sys.modules:
        importlib.import_module("nbjudge.capture.keras_configs").allowed_classes()
    if "matplotlib" in sys.modules:
        # What every package says of itself: each fork would read it again, to name its backend.
        with contextlib.suppress(Exception):  # whatever packages say of themselves
            importlib.import_module("matplotlib.backends.registry").backend_registry.list_all()


def serve(connection: socket.socket) -> None:
    """Run test cells until the connection is closed; the process is the judge's alone.

    ``nbjudge.judge.messages`` tells what is said. A mistake of the judge's own ends it, and is
    told to the grader.
    """
    from nbjudge.judge.running import Runner

    _seed()
    randomness.watch()
    session = _Session(connection)
    runner = session.runner = Runner(session)
    try:
        while True:
            told, blobs = wire.receive(connection, _LIMIT)
            cell, values, limit = read_run(told["run"], blobs)
            wire.send(connection, {"pid": os.getpid()})
            wire.send(connection, judged_message(runner.run(cell, values, limit)))
    except (wire.Closed, BrokenPipeError, ConnectionResetError):
        return
    except Exception:
        words = traceback.format_exc()[-2000:]
        wire.send(connection, {"trouble": words})
    finally:
        runner.close()


def _seed() -> None:
    """Let tests that draw random numbers ask a notebook the same each time.

    A model that a test hands to a function begins with random weights: with others, the call would
    be none that was stored, and a changed test would have the notebook run again.
    """
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


class _Session:
    """What a captured function and its calls need of the connection."""

    runner: Runner

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        look_at_all()
        self._link = Link(self.send, hooks=watching_hooks())
        self._folder: JudgeFolder | None = None

    def decode(self, data: bytes, limit: int) -> Any:
        """The value in ``data``; functions among it call back over the connection."""

        self._link.limit = limit
        wire.send(self._connection, {"reading": True})
        try:
            return decode(data, limit=limit, hooks=self._link.hooks())
        finally:
            wire.send(self._connection, {"reading": False})

    def use_files(self, files: bytes, limit: int) -> JudgeFolder | None:
        """The folder with the notebook's files in it, as ``Runner`` asks for it."""
        self._link.folder = None
        if not files:
            return None
        if self._folder is None:
            self._folder = JudgeFolder(limit // 2)
        self._folder.begin(self.decode(files, limit))
        self._link.folder = self._folder
        return self._folder

    def watch(self, namespace: dict[str, Any], places: Sequence[str]) -> None:
        """Tell the notebook's functions from now on what the test puts at ``places``."""
        self._link.patches = Patches(namespace, places)

    def send(self, ref: str, request: bytes) -> bytes:
        """What came of a call of the function ``ref`` in the student's kernel, encoded.

        Raises ``TimeoutError`` or ``NotHandedOut`` inside the test; where the kernel is dead,
        ends the cell without a verdict.
        """
        wire.send(self._connection, {"call": ref}, request)
        told, blobs = wire.receive(self._connection, _LIMIT)
        while "ask" in told:  # the function calls one of the test's
            wire.send(self._connection, {"answer": True}, self._link.answer(told["ask"], blobs[0]))
            told, blobs = wire.receive(self._connection, _LIMIT)
        state, reason = told.get("reply"), str(told.get("reason") or "")
        if state == "value":
            return blobs[0]
        if state == "timeout":
            raise TimeoutError(reason or "the function ran too long")
        if state == "refused":
            raise NotHandedOut(reason or "what the function gave could not be handed out")
        raise self.runner.lose_verdict(reason or "the kernel died")
