"""The exporter of feedback pages: bounded in time and size, and with nothing from elsewhere."""

from __future__ import annotations

import copy
import html
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode

from nbjudge.errors import NbjudgeError

# What a browser may load: MathJax, which nbgrader's template names, draws what is not in MathML.
_MATHJAX = "https://cdnjs.cloudflare.com"
_POLICY = (
    f"default-src 'none'; img-src 'self' data: {_MATHJAX}; media-src 'self' data:; "
    f"style-src 'unsafe-inline' {_MATHJAX}; font-src data: {_MATHJAX}; "
    f"script-src 'unsafe-inline' 'unsafe-eval' {_MATHJAX}; base-uri 'none'; form-action 'none'"
)
_LONGEST_CELL = 100_000
_LONGEST_PAGE = 40_000_000
_LONGEST_CODE = 1_000_000
_SECONDS = 120
_LEFT_OUT = "[The rest is left out: this page would be too large.]"


class _Compiled(BytecodeCache):
    """Templates that this process has compiled: nbgrader makes an exporter for each page."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was compiled before; Jinja looks whether the template is still the same."""
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._known[bucket.key] = bucket.bytecode_to_string()


@cache
def _compiled(passed: frozenset[tuple[str, str]]) -> _Compiled:
    """The cache for filters that are ``passed`` more than a value: these are called otherwise."""
    return _Compiled()


class FeedbackTooSlow(NbjudgeError):
    """A page that took too long to make; the others are made."""


class FeedbackExporter(HTMLExporter):
    """Nbconvert's exporter for the page of one notebook.

    What is too long is cut, and says so. Raises ``FeedbackTooSlow`` after two minutes.
    """

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        filters = environment.filters.items()
        passed = {name: str(getattr(one, "jinja_pass_arg", "")) for name, one in filters}
        environment.bytecode_cache = _compiled(frozenset(passed.items()))
        return environment

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page."""
        with _limited_time(nb):
            page, resources = super().from_notebook_node(cut(nb), resources, **kwargs)
        head = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        return page.replace("<head>", f"<head>\n{head}", 1), resources or {}


def cut(nb: NotebookNode) -> NotebookNode:
    """The notebook without what would make its page too large; raw cells show their text."""
    nb = copy.copy(nb)
    nb.cells = [copy.deepcopy(cell) for cell in nb.cells]
    code, page = _LONGEST_CODE, _LONGEST_PAGE
    for cell in nb.cells:
        room = min(_LONGEST_CELL, code)
        if len(cell.source) > room:
            cell.source = f"{cell.source[:room]}\n{_LEFT_OUT}"
        code -= len(cell.source)
        code = max(code, 0)
        if cell.cell_type == "raw":
            cell.source = f"<pre>{html.escape(cell.source)}</pre>"
        for output in cell.get("outputs", []):
            size = len(str(output))
            if size > page:
                output.clear()
                output.update(output_type="stream", name="stderr", text=_LEFT_OUT)
            else:
                page -= size
    return nb


@contextmanager
def _limited_time(nb: NotebookNode) -> Iterator[None]:
    """Raise ``FeedbackTooSlow`` in a ``with`` block that takes too long; only a main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise FeedbackTooSlow(
            f"The page could not be made in {_SECONDS} s, and is left out. Look at the notebook in "
            "autograded/."
        )

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
