"""What a worker is told, and what it gives back: all of it by content.

A worker may be a process of this machine or one far away. It sees neither the gradebook nor the
course's folder, and what it was not told it asks for once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from nbjudge.content import Content, Files
from nbjudge.trial import Conditions, Trial


@dataclass(frozen=True)
class Supplied:
    """What a worker asked for, by digest; of what nobody has, ``executions`` holds ``b""``."""

    contents: Mapping[str, Files] = field(default_factory=dict)
    executions: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A submission to try, or the reference solution where ``files`` is ``None``.

    With ``notebooks``, by name, these are tried as they are, beside the assignment's own files.
    ``contents`` are those that ``conditions`` names, by their paths on the head's machine, and
    ``packages`` the head's (see ``nbjudge.versions``). ``store`` is the head's folder of
    executions, ``server`` the address of a warm server on the worker's machine, "" where it is
    to start its own. ``notes`` are for the student, of which files were taken for its notebooks.
    """

    conditions: Conditions
    contents: Mapping[Path, Content]
    files: Files | None
    packages: Mapping[str, str]
    store: Path
    server: str = ""
    supplied: Supplied = Supplied()
    notebooks: Mapping[str, NotebookNode] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Worked:
    """What came of a task.

    ``trials`` are by the notebook's name, ``reason`` says why there are none; ``problems`` are
    those of a reference solution. ``executions`` are new, by digest; ``executed`` are the digests
    of those that the head has kept, of every try. With ``missing``, digests
    that are to be supplied, the task is not done; with ``refused`` this worker may not do it, in
    words. ``seconds`` are the worker's. Where ``is_to_be_tried_again``, the worker's machine was
    too busy.
    """

    trials: Mapping[str, Trial] = field(default_factory=dict)
    reason: str = ""
    problems: tuple[str, ...] = ()
    executions: Mapping[str, bytes] = field(default_factory=dict)
    executed: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    refused: str = ""
    is_to_be_tried_again: bool = False
    seconds: float = 0.0
