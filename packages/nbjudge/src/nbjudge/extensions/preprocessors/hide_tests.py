"""Feedback without the hidden tests."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.assignment.leaks import is_telling
from nbjudge.assignment.markers import Kind, split
from nbjudge.cells.metadata import is_test

_HIDDEN: tuple[Kind, ...] = ("HIDDEN TESTS", "MARK SCHEME")


class HideTests(NbGraderPreprocessor):
    """Take hidden regions out of what feedback shows, with the tracebacks that quote them.

    Of a failed test, the exception's own message stays: it is written for the student.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Hide the regions in the sources and their lines in every output."""
        return hide_tests(nb), resources


def hide_tests(nb: NotebookNode) -> NotebookNode:
    """The notebook, changed in place, without its hidden regions."""
    secrets: set[str] = set()
    for cell in nb.cells:
        kept, hidden = split(cell.source, _HIDDEN)
        secrets.update(line.strip() for line in hidden if is_telling(line))
        if len(kept) != len(cell.source.split("\n")):
            cell.source = "\n".join(kept).rstrip() + "\n# (hidden tests)" * is_test(cell)
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if out.output_type == "error":
                message = f"{out.ename}: {out.evalue}".removesuffix(": ")
                traceback = _mask("\n".join(out.traceback), secrets)
                out.traceback = [message if is_test(cell) else traceback]
            elif out.output_type == "stream":
                out.text = _mask(out.text, secrets)
            else:
                for mimetype, value in out.data.items():
                    if isinstance(value, str):
                        out.data[mimetype] = _mask(value, secrets)
    return nb


def _mask(text: str, secrets: set[str]) -> str:
    # A student's cell may print what the kernel remembers of a test (`In`, a traceback).
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "(hidden)")
    return text
