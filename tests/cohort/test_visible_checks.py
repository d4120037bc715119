"""What students see at once: their own checks name most misconceptions, and pass right answers."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbjudge.assignment.markers import solved

ROOT = Path(__file__).parents[2]
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
_LEAST = 0.9


class Notebook:
    """The reference, run once; then single answers against the visible part of a test."""

    def __init__(self, name: str) -> None:
        path = ROOT / "source" / name / f"{name}.ipynb"
        self.tests, self.space = {}, {"__name__": "__main__"}
        for cell in nbformat.read(path, as_version=4).cells:
            flags = cell.metadata.get("nbgrader", {})
            if flags.get("grade") and cell.cell_type == "code":
                self.tests[flags["grade_id"]] = _HIDDEN.sub("", cell.source)
            elif cell.cell_type == "code":
                self._run(solved(cell.source), self.space)

    def complaint(self, answer: str, *tests: str) -> str:
        """What the visible checks say of an answer, "" if nothing."""
        space, printed = dict(self.space), ""
        try:
            self._run(answer, space)
            for test in tests:
                printed += self._run(self.tests[test], space)
        except Exception as error:
            return str(error) or type(error).__name__
        # Of several parts, those that are wrong are printed.
        return printed if "✗" in printed else ""

    @staticmethod
    def _run(text: str, space: dict) -> str:
        """What a cell prints."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(text, "<cell>", "exec"), space)
        return printed.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["neurons", "penguins", "image-data"])
def test_visible_checks_name_nine_of_ten_misconceptions_and_pass_right_answers(name, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = Notebook(name)
    by_hand = tomllib.loads((ROOT / "source" / name / "vet.toml").read_text())
    wrong = by_hand["misconceptions"]
    unseen = [w["about"] for w in wrong if not notebook.complaint(w["answer"], w["caught_by"])]
    assert len(unseen) <= (1 - _LEAST) * len(wrong), unseen
    for right in by_hand["right_answers"]:
        tests = [test for test, text in notebook.tests.items() if right["task"] in text]
        assert not (told := notebook.complaint(right["answer"], *tests)), (right["about"], told)
