"""IPython as the judge runs it: magics and ``display``, no history, no files, limited outputs."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

TEXT_LIMIT = 100_000
# All that is displayed; a message's header, JSON, must stay below wire.HEADER_LIMIT.
DISPLAY_LIMIT = 1_500_000
_CUT = "\n… (the rest of the output was cut)\n"


class _Bytes(io.BufferedIOBase):
    """Keeps the first ``limit`` bytes that are written to it."""

    name = "<output>"

    def __init__(self, limit: int) -> None:
        self.kept = bytearray()
        self.is_cut = False
        self._limit = limit

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        data = memoryview(data).cast("B")
        room = self._limit - len(self.kept)
        self.kept += data[: max(room, 0)]
        self.is_cut = self.is_cut or len(data) > room
        return len(data)


class Publisher(DisplayPublisher):
    """Keeps what is displayed, as far as an autograded notebook may show it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.shown: list[dict[str, Any]] = []
        self._room = DISPLAY_LIMIT

    def publish(self, data: Any, metadata: Any = None, *args: Any, **kwargs: Any) -> None:
        """Keep text and PNG images; what updates an earlier output is one more."""
        kept = {}
        for kind in ("text/plain", "image/png"):
            value = data.get(kind)
            if isinstance(value, bytes):
                value = base64.b64encode(value).decode()
            if isinstance(value, str) and len(value) <= self._room:
                kept[kind] = value
                # JSON may need six characters for one.
                self._room -= len(value) * (1 if kind == "image/png" else 6)
        if kept:
            self.shown.append({"output_type": "display_data", "data": kept, "metadata": {}})

    def clear_output(self, wait: bool = False) -> None:
        """Keep all: nothing is seen before the end."""

    def take(self) -> list[dict[str, Any]]:
        """What was displayed since the last time, as nbformat's outputs."""
        shown, self.shown, self._room = self.shown, [], DISPLAY_LIMIT
        return shown


class _Output(io.TextIOWrapper):
    """What a cell writes to; ``nbjudge.capture.remote`` leaves it alone."""

    is_output_of_cell = True


class Shell(InteractiveShell):
    """One for a whole notebook; ``shown_errors`` are those that magics show and do not raise."""

    display_pub_class = Type(Publisher)

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        super().__init__(config=config)  # type: ignore[no-untyped-call]
        self.shown_errors: list[BaseException] = []

    @property
    def publisher(self) -> Publisher:
        """What keeps that which is displayed."""
        assert isinstance(self.display_pub, Publisher)
        return self.display_pub

    def init_ipython_dir(self, ipython_dir: Any) -> None:
        """None: the judge leaves nothing behind."""

    def init_profile_dir(self, profile_dir: Any) -> None:
        """None."""

    def init_virtualenv(self) -> None:
        """Nothing to warn of."""

    def init_logstart(self) -> None:
        """No log."""

    def ask_exit(self) -> None:
        """``exit`` ends nothing."""

    def enable_matplotlib(self, gui: Any = None) -> tuple[None, str]:
        """``%matplotlib inline`` changes nothing: figures are looked at, not shown."""
        return None, "agg"

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Remember the error: one that a magic shows fails the cell, as in a notebook."""
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        if error is not None:
            self.shown_errors.append(error)

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """Remember it like any other error."""
        self.showtraceback()


@contextmanager
def outputs_of(shell: Shell, outputs: list[dict[str, Any]]) -> Iterator[None]:
    """Put what the block writes and displays into ``outputs``, as nbformat's; drop stderr."""
    kept, dropped = _Bytes(TEXT_LIMIT), _Bytes(0)
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = (
        _Output(target, "utf-8", errors="backslashreplace", write_through=True)
        for target in (kept, dropped)
    )
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        text = kept.kept.decode("utf-8", "replace") + (_CUT if kept.is_cut else "")
        if text:
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        outputs += shell.publisher.take()
