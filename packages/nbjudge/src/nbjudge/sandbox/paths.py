"""Which folders are shown inside, and where: what Python needs, and a plan of the mounts."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbjudge.sandbox.spec import HOME, WORK, SandboxError

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/nsswitch.conf",
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/matplotlibrc",
    "/etc/jupyter",
    "/etc/ipython",
    "/etc/ssl/openssl.cnf",
    "/var/cache/fontconfig",
)
PRIVATE = (WORK, HOME, "/tmp", "/dev/shm")
"""Writable folders of the sandbox's own, deeper ones first."""
_RESERVED = ("/proc", "/dev", "/sys")


def readable_paths() -> tuple[Path, ...]:
    """What a Python process of this interpreter reads, as far as it exists.

    The system's programs, libraries and fonts; the interpreter and its environment; the folders
    of ``sys.path``, so also the source of packages installed editable. The folders of the
    current script and the current folder, which may be a course with its gradebook, are left
    out unless they belong to the environment; so are ``/``, the home folder and ``/tmp``.
    """
    found: dict[str, None] = dict.fromkeys(_SYSTEM)
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    python += [*sysconfig.get_paths().values(), *_own_path(), os.path.realpath(sys.executable)]
    for name in python:
        if name and os.path.isabs(name):
            found.setdefault(os.path.normpath(name))
            found.setdefault(os.path.realpath(name))
    main = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    passing = {os.getcwd(), os.path.dirname(os.path.abspath(main)), os.path.expanduser("~")}
    passing |= {os.path.realpath(path) for path in passing}
    passing -= {str(Path(__file__).parents[2])}
    wanted = [
        path
        for path in found
        if path not in passing and os.path.exists(path) and not _is_reserved(path)
    ]
    return tuple(Path(path) for path in _outermost(wanted))


@cache
def _own_path() -> tuple[str, ...]:
    """The ``sys.path`` of this interpreter when nobody adds to it."""
    ask = [sys.executable, "-I", "-c", "import sys; print(*sys.path, sep='\\n')"]
    asked = subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60)
    return tuple(asked.stdout.split("\n"))


@dataclass(frozen=True)
class Bind:
    """A host path without links, and where it appears."""

    source: str
    target: str


def plan(readable: Iterable[Path]) -> list[Bind]:
    """The mounts that show these paths, outer ones first.

    Raises ``SandboxError`` for one that does not exist or would hide the sandbox's own folders.
    """
    binds: list[Bind] = []
    waiting = sorted({os.path.normpath(path) for path in readable}, key=lambda p: (p.count("/"), p))
    while waiting:
        target = waiting.pop(0)
        if _is_reserved(target):
            raise SandboxError(f"{target} cannot be shown: the sandbox has such a folder itself")
        try:
            source = os.path.realpath(target, strict=True)
        except OSError as error:
            raise SandboxError(f"{target} cannot be shown: {error.strerror}") from error
        over = next((bind for bind in binds if below(target, bind.target)), None)
        if over is None:
            binds.append(Bind(source, target))
        elif source != os.path.normpath(over.source + target[len(over.target) :]) and not any(
            below(source, bind.target) for bind in binds
        ):
            # A link inside a folder that is shown leads out of it: show where it leads.
            waiting.insert(0, source)
    return sorted(binds, key=lambda bind: bind.target.count("/"))


def places(path: Path, binds: Iterable[Bind]) -> list[str]:
    """Everywhere that a host path appears inside, with these mounts."""
    real = os.path.realpath(path)
    return [
        os.path.normpath(bind.target + real[len(bind.source) :])
        for bind in binds
        if below(real, bind.source)
    ]


def below(path: str, folder: str) -> bool:
    """Whether ``path`` is the folder or inside it, by name."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_reserved(target: str) -> bool:
    inside = any(below(target, own) for own in _RESERVED) and not below(target, "/dev/shm")
    return inside or any(below(own, target) for own in (*PRIVATE, *_RESERVED))


def _outermost(paths: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(paths, key=lambda p: p.count("/")):
        over = next((k for k in kept if below(path, k)), None)
        real = os.path.realpath(path)
        # What is reached by a link of its own must be shown by name.
        if over is None or not below(real, os.path.realpath(over)):
            kept.append(path)
    return kept
