"""What the kernel answers beside Jupyter's own requests: the values of names, calls of functions.

Everything here runs in the student's process. An answer is what that process says; it is bytes
until the judge has read them, and nothing on the other side trusts them.

Messages of the type ``nbjudge_request`` on the shell channel, by their content's ``ask``:

* ``values``: ``names``, ``prefix`` (of the functions' references), ``limit`` (bytes for each).
  The reply's ``names`` maps each name to ``["value", number of the buffer]``, ``["same", name]``
  for the very object of an earlier name, ``["missing"]`` or ``["refused", reason]``.
* ``call``: ``ref``, ``limit``, and the request of ``nbjudge.capture.calls`` as its buffer. The
  reply's buffer is the reply of ``perform_call``.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any, TypeAlias

from ipykernel.ipkernel import IPythonKernel

from nbjudge.capture import FunctionTable, NotHandedOut, encode
from nbjudge.capture.calls import perform_call
from nbjudge.kernel.channels import REPLY, REQUEST

Buffer: TypeAlias = "bytes | memoryview[bytes]"


class AnsweringKernel(IPythonKernel):
    """IPython's kernel, which also hands out values and calls functions."""

    msg_types = [*IPythonKernel.msg_types, REQUEST]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._functions = FunctionTable()

    async def nbjudge_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Answer one request."""
        content = parent["content"]
        # What a student's function prints to a test is nobody's output.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if content["ask"] == "values":
                answer, buffers = self._values(content)
            else:
                answer, buffers = {}, [self._call(content, parent["buffers"][0])]
        assert self.session is not None  # since the kernel was started
        self.session.send(stream, REPLY, answer, parent, ident=ident, buffers=buffers)

    def _values(self, content: dict[str, Any]) -> tuple[dict[str, Any], list[Buffer]]:
        names: dict[str, list[Any]] = {}
        buffers: list[Buffer] = []
        handed_out: dict[int, str] = {}
        assert self.shell is not None  # since the kernel was started
        namespace = self.shell.user_ns
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

    def _call(self, content: dict[str, Any], request: Any) -> bytes:
        return perform_call(self._functions, content["ref"], bytes(request), limit=content["limit"])
