"""What the kernel answers beside Jupyter's own requests: the values of names, calls of functions.

Everything here runs in the student's process. An answer is what that process says; it is bytes
until the judge has read them, and nothing on the other side trusts them.

Messages of the type ``nbjudge_request`` on the shell channel, by their content's ``ask``:

* ``values``: ``names``, ``prefix`` (of the functions' references), ``limit`` (bytes for each).
  The reply's ``names`` maps each name to ``["value", number of the buffer]``, ``["same", name]``
  for the very object of an earlier name, ``["missing"]`` or ``["refused", reason]``. With
  ``known``, digests of files by name, it is asked only for the files that are others here.
* ``call``: ``ref``, ``limit``, and the request of ``nbjudge.capture.calls`` as its buffer. The
  reply's buffer is the reply of ``perform_call``.

While a call runs, the kernel may send ``nbjudge_ask`` on the stdin channel: the ``number`` of a
function of the test's, and the arguments as buffer. It waits there for the answer as a buffer, or
for a call in between, with ``ref`` and ``limit``, which it answers there.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any, TypeAlias

from ipykernel.ipkernel import IPythonKernel
from IPython.core.error import StdinNotImplementedError

from nbjudge.capture import FunctionTable, NotHandedOut, encode
from nbjudge.capture.calls import perform_call
from nbjudge.capture.folders import FILES, differing
from nbjudge.kernel.channels import ASK, REPLY, REQUEST

Buffer: TypeAlias = "bytes | memoryview[bytes]"
_NOBODY = (
    "While a notebook is graded, nobody is there to type an answer. "
    "Write the value into the cell, or pass it as an argument."
)


class AnsweringKernel(IPythonKernel):
    """IPython's kernel, which also hands out values and calls functions."""

    msg_types = [*IPythonKernel.msg_types, REQUEST]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._functions = FunctionTable()
        self._functions.root = Path.cwd()

    def raw_input(self, prompt: object = "") -> str:
        """Refuse ``input()``; Jupyter's own words speak of a frontend."""
        raise StdinNotImplementedError(_NOBODY)

    def getpass(self, *arguments: object, **options: object) -> str:
        """Refuse ``getpass.getpass()``."""
        raise StdinNotImplementedError(_NOBODY)

    async def nbjudge_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Answer one request."""
        content = parent["content"]
        # What a student's function prints to a test is nobody's output.
        assert self.shell is not None  # since the kernel was started
        self._functions.namespace = self.shell.user_ns
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if content["ask"] == "values":
                answer, buffers = self._values(content)
            else:
                self._functions.ask = lambda number, message: self._ask(
                    number, message, parent, ident
                )
                answer, buffers = {}, [self._call(content, parent["buffers"][0])]
        assert self.session is not None  # since the kernel was started
        self.session.send(stream, REPLY, answer, parent, ident=ident, buffers=buffers)

    def _values(self, content: dict[str, Any]) -> tuple[dict[str, Any], list[Buffer]]:
        names: dict[str, list[Any]] = {}
        buffers: list[Buffer] = []
        handed_out: dict[int, str] = {}
        assert self.shell is not None  # since the kernel was started
        namespace = self.shell.user_ns
        if (known := content.get("known")) is not None:
            try:
                namespace = {FILES: differing(self._functions.root, known, content["limit"] // 2)}
            except NotHandedOut as error:
                return {"names": {FILES: ["refused", str(error)]}}, buffers
        for name in content["names"]:
            if name not in namespace:
                names[name] = ["missing"]
                continue
            value, limit = namespace[name], content["limit"]
            if id(value) in handed_out:
                names[name] = ["same", handed_out[id(value)]]
                continue
            table = self._functions.under(f"{content['prefix']}/{name}")
            try:
                data = encode(value, limit=limit, functions=table, name=name)
            except NotHandedOut as error:
                names[name] = ["refused", str(error)]
            else:
                names[name] = ["value", len(buffers)]
                buffers.append(data)
                handed_out[id(value)] = name
        return {"names": names}, buffers

    def _ask(self, number: int, message: bytes, parent: dict[str, Any], ident: Any) -> bytes:
        """Have the judge call a function of the test's; answer its own calls until it has."""
        assert self.session is not None
        self.session.send(
            self.stdin_socket, ASK, {"number": number}, parent, ident=ident, buffers=[message]
        )
        while True:
            self.stdin_socket.poll(1000)
            _, reply = self.session.recv(self.stdin_socket)
            if reply is None:
                continue
            data = bytes(reply["buffers"][0])
            if reply["content"].get("ref") is None:
                return data
            called = self._call(reply["content"], data)
            self.session.send(self.stdin_socket, REPLY, {}, parent, ident=ident, buffers=[called])

    def _call(self, content: dict[str, Any], request: Any) -> bytes:
        return perform_call(self._functions, content["ref"], bytes(request), limit=content["limit"])
