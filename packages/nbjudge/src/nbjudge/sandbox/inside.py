"""The confined process's side of a set-up, from its fork to the call of ``main``."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from nbjudge.sandbox import landlock, limits, mounts, paths, privileges, seccomp, syscalls
from nbjudge.sandbox.copying import copy_tree
from nbjudge.sandbox.lifeline import die_with_parent
from nbjudge.sandbox.mounts import Identity
from nbjudge.sandbox.privileges import Way
from nbjudge.sandbox.spec import HOME, SOCKET_BYTES, WORK, Confinement, SandboxError

READY = b"ready"
GO = b"go"
_LINUX = sys.platform == "linux"
# Worst for the kernel to lose: out of memory, this goes first.
_FIRST_TO_GO = "1000"
_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")


def start(
    confinement: Confinement,
    main: Callable[[], object],
    guard: socket.socket,
    keep: Sequence[int],
    way: Way | None,
    folder: str | None,
) -> NoReturn:
    """Lock this process up, tell the guard, and call ``main`` when it answers; then exit.

    ``way`` for the tier ``"full"``; ``folder``, a private one, for the others. A failure is
    told to the guard in words, and ``main`` is not called.
    """
    try:
        _set_up(confinement, guard, keep, way, folder)
        if guard.recv(len(GO)) != GO:
            os._exit(1)
        guard.close()
    except BaseException as error:
        _tell(guard, error)
        os._exit(1)
    status = 1
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 0xFF)


def _set_up(
    confinement: Confinement,
    guard: socket.socket,
    keep: Sequence[int],
    way: Way | None,
    folder: str | None,
) -> None:
    # What the server opened is closed by number below; its objects must never close it again.
    gc.freeze()
    reset_signals()
    os.setsid()
    die_with_parent()
    _close_all((*keep, guard.fileno()))
    if _LINUX:
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    if confinement.tier == "full":
        if way is None:
            raise SandboxError("no way to the namespaces was chosen")
        told = _full(confinement, way)
        home, work, temporary = HOME, WORK, "/tmp"
    else:
        if folder is None:
            raise SandboxError("no private folder was made")
        home, work, temporary = folder, folder + "/work", folder + "/tmp"
        _in_folder(confinement, folder)
        told = ()
    os.umask(0o077)
    null_streams(keep)
    _set_environment(confinement, home, temporary)
    if confinement.tier != "none":
        alone, abi = confinement.tier == "full", landlock.version()
        scoped = alone or abi >= landlock.SCOPES_SINCE
        filters = seccomp.build(
            syscalls.machine(),
            namespaces=alone,
            own_signals=None if scoped else os.getpid(),
            truncation=alone or abi >= landlock.TRUNCATION_SINCE,
        )
        seccomp.install(filters)
    os.chdir(work)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    socket.send_fds(guard, [READY], list(told))
    for number in told:
        os.close(number)


def _full(confinement: Confinement, way: Way) -> tuple[int, ...]:
    identity = way.identity
    binds = paths.plan(confinement.readable)
    files = None if confinement.files is None else os.path.realpath(confinement.files)
    syscalls.unshare(
        syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    )
    with contextlib.suppress(OSError):
        syscalls.unshare(syscalls.CLONE_NEWCGROUP)
    socket.sethostname("notebook")
    syscalls.loopback_up()
    syscalls.limit_tcp_buffers(SOCKET_BYTES)
    others = privileges.tasks_of(os.geteuid()) if way.shared_user else 0
    mounts.enter_scratch()
    told = mounts.build(binds, confinement.hidden, files, confinement.limits, identity)
    limits.apply(confinement.limits, others)
    privileges.become(identity if way.privileged else None)
    die_with_parent()
    if landlock.version():
        devices = ("shm", "pts", "null", "zero", "full")
        write = [HOME, "/tmp", *(f"/dev/{name}" for name in devices)]
        landlock.restrict(landlock.Rules(read=["/"], write=write, tcp=True))
    return told


def _in_folder(confinement: Confinement, folder: str) -> None:
    identity = privileges.drop_identity() if confinement.tier == "filters" else None
    if confinement.files is not None:
        owner = (identity.user, identity.group) if identity else None
        copy_tree(os.path.realpath(confinement.files), folder + "/work", owner)
    if confinement.tier == "none":
        limits.apply(confinement.limits, _others(None))
        return
    for part in ("", "/work", "/tmp"):
        if identity:
            os.chown(folder + part, identity.user, identity.group)
    rules = landlock.Rules(read=["/proc"], write=[folder])
    shown = [bind.source for bind in paths.plan(confinement.readable)]
    hidden = [os.path.realpath(path) for path in confinement.hidden]
    rules.read += [part for path in shown for part in _without(path, hidden)]
    rules.listed = [path for path in shown if any(paths.below(h, path) for h in hidden)]
    rules.write += [path for path in _DEVICES if os.path.exists(path)]
    limits.apply(confinement.limits, _others(identity))
    # The rules are made with the privilege to reach every path, and bind afterwards.
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(rules)
    privileges.become(identity)
    die_with_parent()


def _without(path: str, hidden: Iterable[str]) -> list[str]:
    """What makes up a folder but for the hidden paths below it."""
    inside = [h for h in hidden if paths.below(h, path)]
    if not inside:
        return [path]
    if path in inside:
        return []
    with os.scandir(path) as entries:
        # A link is judged by where it leads, which is shown or is not.
        names = [entry.path for entry in entries if not entry.is_symlink()]
    return [part for name in names for part in _without(name, inside)]


def _others(identity: Identity | None) -> int:
    if not _LINUX:
        import resource

        return resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return privileges.tasks_of(identity.user if identity else os.getuid())


def reset_signals() -> None:
    """Python's own handling of signals, as if this process had just been started."""
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    ignored = {signal.SIGPIPE, getattr(signal, "SIGXFSZ", None)}
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)


def _close_all(keep: Iterable[int]) -> None:
    if not _LINUX:
        import resource

        kept = {0, 1, 2, *keep}
        for number in range(3, min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[0])):
            if number not in kept:
                with contextlib.suppress(OSError):
                    os.close(number)
        return
    last = 2
    for number in sorted({*keep, 1 << 30}):
        if number > last:
            os.closerange(last + 1, number)
            last = number


def null_streams(keep: Iterable[int] = ()) -> None:
    """Make ``/dev/null`` of the standard streams, but for those in ``keep``."""
    kept = set(keep)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for number in (0, 1, 2):
        if number not in kept:
            os.dup2(null, number)
    if null > 2:
        os.close(null)


def _set_environment(confinement: Confinement, home: str, temporary: str) -> None:
    programs = [os.path.join(sys.prefix, "bin"), "/usr/local/bin", "/usr/bin", "/bin"]
    fixed = {
        "PATH": os.pathsep.join(programs),
        "HOME": home,
        "LANG": "C.UTF-8",
        "TMPDIR": temporary,
        "USER": "student",
    }
    if _LINUX:
        # Where the kernel put the environment of the program: proc(5), stat, 50 and 51.
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        first, last = int(fields[47]), int(fields[48])
        os.environ.clear()
        if 0 < first < last:
            syscalls.clear_memory(first, last - first)
    os.environ.clear()
    os.environ.update({**fixed, **confinement.environment})
    tempfile.tempdir = None


def in_words(error: BaseException) -> str:
    """What failed: a ``SandboxError`` says so itself, of another the class is told, too."""
    return str(error) if isinstance(error, SandboxError) else f"{type(error).__name__}: {error}"


def _tell(guard: socket.socket, error: BaseException) -> None:
    with contextlib.suppress(BaseException):
        guard.send(json.dumps({"failed": in_words(error)[:4000]}).encode())
