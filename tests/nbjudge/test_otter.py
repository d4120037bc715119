"""From a master notebook of Otter Assign to a source notebook of nbgrader."""

from __future__ import annotations

import ast
import json

import pytest
from nbjudge.cli.app import app
from nbjudge.course import load_course
from nbjudge.errors import CourseError
from nbjudge.release.otter import convert_otter
from typer.testing import CliRunner


def raw(*lines):
    return {"cell_type": "raw", "metadata": {}, "source": "\n".join(lines)}


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, shown=None, printed=None):
    outputs = []
    if printed is not None:
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed})
    if shown is not None:
        data = {"text/plain": shown}
        outputs.append(
            {"output_type": "execute_result", "data": data, "execution_count": 1, "metadata": {}}
        )
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": outputs,
        "execution_count": 1,
    }


CONFIG = '""" # BEGIN TEST CONFIG\nhidden: true\npoints: 2\n""" # END TEST CONFIG\n'
PROMPT = '""" # BEGIN PROMPT\nx = ...\n"""; # END PROMPT\n'
CELLS = [
    raw("# ASSIGNMENT CONFIG", "files:", "    - data.csv"),
    code("import math # IGNORE\nLIMIT = 3"),
    raw("# BEGIN QUESTION", "name: q1", "points: 5"),
    text("Assign `x`, and define `square`."),
    raw("# BEGIN SOLUTION"),
    code(
        f"x = 2 # SOLUTION\n{PROMPT}def square(n):\n"
        "    m = n * n # SOLUTION\n    return m # SOLUTION"
    ),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code("isinstance(x, int)", shown="True"),
    code("# HIDDEN\ny = square(x)\ny", shown="4"),
    code(f"{CONFIG}print(square(3))", printed="9\n"),
    code("def test_it(square):\n    assert square(5) == 25"),
    code("round(square(1.5), 2)", shown="2.25"),
    raw("# END TESTS"),
    raw("# END QUESTION"),
    raw("# BEGIN QUESTION", "name: q2", "manual: true", "points: 3"),
    raw("# BEGIN SOLUTION"),
    text("Because."),
    raw("# END SOLUTION"),
    raw("# END QUESTION"),
]
MASTER = {"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def flags(cell):
    return cell["metadata"].get("nbgrader", {})


def outcome(cells, answer):
    """For each test cell whether it passes, with this answer in place of the solution."""
    namespace = {}
    passed = []
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        source = answer if flags(cell).get("solution") else cell["source"]
        try:
            exec(source, namespace)
            done = True
        except AssertionError:
            done = False
        if flags(cell).get("grade"):
            passed.append(done)
    return passed


def test_its_tests_are_ours_and_tell_right_from_wrong():
    found = convert_otter(MASTER)
    cells = found.notebook["cells"]
    tests = [cell for cell in cells if flags(cell).get("grade") and cell["cell_type"] == "code"]
    assert found.tests == 5 and sum(flags(cell)["points"] for cell in tests) == 5
    assert flags(tests[2])["points"] == 2
    hidden = ["BEGIN HIDDEN TESTS" in cell["source"] for cell in tests]
    assert hidden == [False, True, True, False, False]
    (answer,) = [
        cell for cell in cells if cell["cell_type"] == "code" and flags(cell).get("solution")
    ]
    assert answer["source"].count("### BEGIN SOLUTION") == 2 and "..." not in answer["source"]
    assert outcome(cells, answer["source"]) == [True] * 5
    assert outcome(cells, "x = 2.5\ndef square(n):\n    return 2 * n") == [False] * 5
    (manual,) = [cell for cell in cells if flags(cell).get("grade_id") == "q2"]
    assert flags(manual)["solution"] and flags(manual)["points"] == 3
    assert any("files" in note for note in found.notes)
    assert "IGNORE" not in "".join(cell["source"] for cell in cells)


def test_a_test_that_only_otter_can_call_is_named_never_passed_by_all():
    cells = [*CELLS[:8], code("def test_it(env):\n    assert env['x'] == 2"), *CELLS[13:]]
    found = convert_otter({**MASTER, "cells": cells})
    assert found.tests == 0 and any("q1-test-1" in note for note in found.notes)
    with pytest.raises(CourseError, match="only Python"):
        convert_otter({**MASTER, "metadata": {"kernelspec": {"language": "R"}}})


def test_nbgrader_releases_what_the_command_writes(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nfrom nbjudge.configure import configure\nconfigure(c)\n"
    )
    (tmp_path / "master.ipynb").write_text(json.dumps(MASTER))
    arguments = ["convert-otter", str(tmp_path / "master.ipynb")]
    target = tmp_path / "source" / "hw1" / "hw1.ipynb"
    shown = CliRunner().invoke(app, [*arguments, str(target)])
    assert shown.exit_code == 0 and "5 test cells" in shown.output, shown.output
    again = CliRunner().invoke(app, [*arguments, str(target)])
    assert again.exit_code != 0 and "there already" in again.output
    result = load_course(tmp_path).api().generate_assignment("hw1")
    assert result["success"], result
    released = json.loads((tmp_path / "release" / "hw1" / "hw1.ipynb").read_text())
    sources = ["".join(cell["source"]) for cell in released["cells"]]
    assert not any("n * n" in source or "HIDDEN TESTS" in source for source in sources)
    for cell in released["cells"]:
        if cell["cell_type"] == "code":
            ast.parse("".join(cell["source"]))
