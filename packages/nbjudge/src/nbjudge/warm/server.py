"""The server: ``python -m nbjudge.warm.server SOCKET [MODULE …]``.

It listens on the Unix socket SOCKET, imports the modules, writes ``ready`` and a line of JSON
(what could not be imported) to its standard output, and ends when its standard input does.

A client sends one byte, with file descriptors if it needs to, and then a message of
``nbjudge.wire``. The server reads the byte, forks, and the child reads the message: nothing of
what it says, such as where the hidden data is, stays in the memory that later children get.

* ``K``: a kernel. Its listening sockets come as descriptors; the child confines itself.
* ``J``: a judge. The child is trusted and stays as it is.

Nothing may be computed here. A library that has started threads, as TensorFlow does with its
first operation, hangs or aborts in the children: the server refuses to fork then.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

from nbjudge import wire
from nbjudge.judge.session import preload as preload_judge

KERNEL, JUDGE = b"K", b"J"
# Of Jupyter itself, what every kernel and every judge needs.
ALWAYS = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.core.completer",
    "IPython.core.debugger",
    "IPython.core.historyapp",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
    "nbjudge.capture.calls",
    "nbjudge.capture.leftovers",
    "nbjudge.kernel.app",
    "nbjudge.sandbox",
    "tornado.platform.asyncio",
)
_MESSAGE_LIMIT = 1_000_000
# All that is forked here gives way to who records the grades: everything waits for that.
NICENESS = 5
_CREDENTIALS = struct.Struct("iII")  # struct ucred, unix(7)
_SECONDS_TO_READ = 30.0


def main(arguments: Sequence[str]) -> None:
    """Import, listen, fork; see the module's text."""
    address, *modules = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this
    os.nice(NICENESS)
    # What is imported stays: to look for garbage in it takes a quarter of the time.
    gc.disable()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)  # whoever connects now waits for the imports
        print("listening", flush=True)
        failed = _import_all([*ALWAYS, *modules])
        preload_judge()
        gc.freeze()
        gc.enable()
        print("ready", json.dumps(failed), flush=True)
        _serve(listener)


def _import_all(modules: Sequence[str]) -> dict[str, str]:
    failed = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def _serve(listener: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select(timeout=1.0)]
            _reap()
            if sys.stdin in ready and not os.read(0, 4096):
                return
            if listener in ready:
                connection, _ = listener.accept()
                with connection:
                    _answer(connection, listener, selector)


def _answer(
    connection: socket.socket, listener: socket.socket, selector: selectors.BaseSelector
) -> None:
    connection.settimeout(_SECONDS_TO_READ)
    descriptors: list[int] = []
    try:
        kind, descriptors, _, _ = socket.recv_fds(connection, 1, 8)
        if kind not in (KERNEL, JUDGE) or not _is_a_grader(connection):
            return
        threads = _count_threads()
        if threads > 1:
            wire.send(connection, {"refused": _threads_text(threads)})
            return
        if os.fork():
            return
    except OSError:
        return
    finally:
        # The child goes on below with its own copies.
        if os.getpid() == _SERVER_PID:
            for descriptor in descriptors:
                os.close(descriptor)
    _child(kind, connection, descriptors, listener, selector)


def _count_threads() -> int:
    """Those of libraries too, where the system tells."""
    try:
        return len(os.listdir("/proc/self/task"))
    except FileNotFoundError:
        return threading.active_count()


def _is_a_grader(connection: socket.socket) -> bool:
    """Whether the other end is of this account, and none of what was forked here.

    In a weak sandbox a student's process may find the socket, and a judge is not confined. Without
    Linux there is no sandbox to speak of.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(credentials)
    if user != os.geteuid():
        return False
    while pid > 1:
        if pid == _SERVER_PID:
            return False
        pid = _parent(pid)
    return True


def _parent(pid: int) -> int:
    # proc_pid_stat(5): the name, in brackets, may hold anything; then state and parent.
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def _child(
    kind: bytes,
    connection: socket.socket,
    descriptors: list[int],
    listener: socket.socket,
    selector: selectors.BaseSelector,
) -> NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        listener.close()
        selector.close()
        request, _ = wire.receive(connection, _MESSAGE_LIMIT)
        connection.settimeout(None)
        if kind == KERNEL:
            _become_kernel(request, connection, descriptors)
        _become_judge(request, connection)
        status = 0
    except BaseException as error:
        with contextlib.suppress(OSError):
            wire.send(connection, {"refused": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(status)


def _become_kernel(
    request: dict[str, Any], connection: socket.socket, descriptors: list[int]
) -> NoReturn:
    from nbjudge.kernel.app import KernelRequest, run_kernel
    from nbjudge.sandbox import Confinement, run_confined

    confinement = Confinement.from_json(request["confinement"])
    asked = KernelRequest(**request["kernel"])
    run_confined(
        confinement,
        lambda: run_kernel(asked, descriptors),
        connection,
        keep=descriptors,
        parent=_SERVER_PID,
    )


def _become_judge(request: dict[str, Any], connection: socket.socket) -> None:
    from nbjudge.judge.session import serve
    from nbjudge.sandbox.lifeline import die_with_parent

    die_with_parent(_SERVER_PID)
    os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    limit = request["memory_megabytes"] * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # As in a notebook, what is beside it comes before what is installed.
    sys.path[:] = ["", *(entry for entry in sys.path if entry)]
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    serve(connection)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _threads_text(threads: int) -> str:
    return (
        f"The warm server has {threads} threads, so nothing can be forked from it. A module that "
        "it imports computes something, or starts a thread, when it is imported. Take that "
        "module out of c.Grading.preload in nbgrader_config.py."
    )


_SERVER_PID = os.getpid()

if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # there is nothing to tidy up, and Python would take its time
