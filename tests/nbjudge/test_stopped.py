"""A name is missing because its cell stopped: the student is told which error to fix."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbjudge.judge.messages import Judged
from nbjudge.trial.stopped import with_cause


def cell(source, error=""):
    name, _, words = error.partition(": ")
    outputs = [new_output("error", ename=name, evalue=words, traceback=[])] if error else []
    return new_code_cell(source, outputs=outputs)


def judged(failure):
    output = {"output_type": "error", "ename": "", "evalue": failure, "traceback": [failure]}
    return Judged(({"output_type": "stream", "text": ""}, output), 0.0, failure)


MISSING = judged("NameError: name 'half' is not defined")


def test_a_hand_in_with_an_indentation_error_is_told_of_it(graded_class):
    messages = {v.grade_id: v.message for v in graded_class.record("indentation").cells}
    assert messages["test-double"] == (
        "NameError: name 'double' is not defined\nThe cell that makes double stopped: "
        "IndentationError: unindent does not match any outer indentation level (line 3). "
        "Fix that cell first."
    )


MADE = [
    "half = 1/0",
    "a, half = 1, 1/0",
    "(a, [half, *b]) = f()",
    "*half, a = f()",
    "a = half = 1/0",
    "half: float = 1/0",
    "half += 1",
    "half = !ls",
    "x = 1/0\nimport half",
    "import os as half",
    "from os import (path,\n    half)",
    "import half.x",
    "with open('x') as half: pass",
    "with a as (b, half): pass",
    "for a, half in 1/0: pass",
    "if (half := 1/0): pass",
    "[half := x for x in 1/0]",
    "def half(x): pass",
    "async def half(): pass",
    "@f\nclass half: pass",
    "try: 1/0\nexcept E as half: raise",
    "match 1/0:\n    case [half]: pass",
    "match 1/0:\n    case {'a': 1, **half}: pass",
    "def make():\n    global half\n    half = 1\nmake()",
    "if 1/0:\n    half = 1",
    "%matplotlib widget\nhalf = 1",
    "!pip install x\nhalf = 1",
    "%%time\nhalf = 1/0",
    "%time half = 1/0",
    "%%capture half\n1/0",
    "%%bash --out half\nls",
    "%store -r a half",
    "%sql half << select",
    "if True:\n    %store -r half",
    "%sc half=ls",
    # Python cannot read these.
    "def half(x:",
    "    async def half (",
    "class half",
    "half = (1",
    "a, half = (1",
    "a = half = (1",
    "half: int = (",
    "half += (1",
    "if (half := (1:",
    "for a, half in (x:",
    "with open(x as half:",
    "import os as half; (",
    "from os import path, half; (",
    "x = [\nhalf = 3",
]


@pytest.mark.parametrize("source", MADE)
def test_however_the_name_is_made(source):
    told = with_cause(MISSING, [new_markdown_cell("# half"), cell(source, "OSError: no disk")])
    why = "The cell that makes half stopped: OSError: no disk. Fix that cell first."
    assert told.failure.endswith(f"is not defined\n{why}")
    assert told.outputs[1]["evalue"].endswith(why)
    assert told.outputs[1]["traceback"][-1] == why
    assert told.score == 0


def test_the_last_cell_that_stopped_counts():
    cells = [cell("half = 1", "OSError: one"), cell("half = 2", "OSError: two"), cell("half = 3")]
    assert "stopped: OSError: two" in with_cause(MISSING, cells).failure


@pytest.mark.parametrize(
    "cells",
    [
        [cell("half == 1", "E: x")],
        [],
        [cell("half = 1")],
        [cell("print(half)", "OSError: x")],
        [cell("halfway = 1", "E: x")],
        [cell("f(half=1)", "E: x")],
        [cell("x.half = 1", "E: x")],
        [cell("d[half] = 1", "E: x")],
        [cell("a = half", "E: x")],
        [cell("[half for half in x]", "E: x")],
        [cell("def f(half): pass", "E: x")],
        [cell("%timeit half = 1", "E: x")],
        [cell("half == 1 (", "E: x")],
        [cell("f(half=(1", "E: x")],
        [cell("print(half, a=(1", "E: x")],
        [cell("a = half (1", "E: x")],
        [cell("# half = 1\nx = (", "E: x")],
    ],
)
def test_nothing_is_added_where_no_cell_that_makes_it_stopped(cells):
    assert with_cause(MISSING, cells) == MISSING


def test_another_failure_stays_as_it_is():
    other = judged("AssertionError: half is wrong")
    assert with_cause(other, [cell("half = 1", "OSError: x")]) == other
