"""From a master notebook of Otter Assign to a source notebook of nbgrader.

https://otter-grader.readthedocs.io/en/latest/otter_assign/notebook_format.html is the format.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbjudge.errors import CourseError

_BEGIN = re.compile(r"^\s*#\s*BEGIN\s+(QUESTION|SOLUTION|TESTS|PROMPT)\s*$", re.I | re.M)
_END = re.compile(r"^\s*#\s*END\s+(QUESTION|SOLUTION|TESTS|PROMPT)\s*$", re.I | re.M)
_KEY = re.compile(r"^(\w+):[ \t]*(.*?)[ \t]*$", re.M)
_TEST_CONFIG = re.compile(
    r'^""" # BEGIN TEST CONFIG\n(.*?)^""";? # END TEST CONFIG\n?', re.S | re.M
)
_HIDDEN = re.compile(r"^\s*#\s*HIDDEN\s*$\n?", re.I | re.M)
_PROMPT = re.compile(r'^[ \t]*""" # BEGIN PROMPT\n.*?^[ \t]*""";? # END PROMPT\n?', re.S | re.M)
_IGNORED = re.compile(r"^[ \t]*# BEGIN IGNORE\n.*?^[ \t]*# END IGNORE\n?", re.S | re.M)
_IGNORED_LINE = re.compile(r"^.*# IGNORE[ \t]*$\n?", re.M)
_SOLUTION_LINE = re.compile(r"[ \t]*#[ \t]*(SEED|SOLUTION([ \t]+NO PROMPT)?)[ \t]*$", re.I)
_REGION = re.compile(r"^([ \t]*)#+[ \t]*(BEGIN|END)[ \t]+SOLUTION([ \t]+NO PROMPT)?[ \t]*$", re.I)
_WHOLE_CELL = re.compile(r"^## solution ##[ \t]*\n?", re.I | re.M)
_ID = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class Converted:
    """The source notebook, how many tests it has, and what a person must look at."""

    notebook: dict[str, Any]
    tests: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class _Question:
    name: str
    points: float | None
    is_manual: bool
    tests: list[tuple[Mapping[str, Any], float | None]] = field(default_factory=list)
    answers: int = 0


def convert_otter(master: Mapping[str, Any]) -> Converted:
    """Convert a master notebook, as JSON. Raises ``CourseError`` for one of another language."""
    language = master.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if str(language).lower() != "python":
        raise CourseError(f"This notebook is in {language}, and only Python is graded here.")
    found = Converted({**master, "cells": []})
    for cell in _cells(master, found):
        found.notebook["cells"].append(cell)
    return found


def _cells(master: Mapping[str, Any], found: Converted) -> Iterator[dict[str, Any]]:
    question: _Question | None = None
    part = ""
    for cell in master["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "raw":
            if begun := _BEGIN.search(source):
                what = begun[1].upper()
                if what == "QUESTION":
                    question = _question(source, found)
                else:
                    part = what
            elif ended := _END.search(source):
                if ended[1].upper() == "QUESTION" and question is not None:
                    yield from _tests(question, found)
                    question = None
                part = ""
            elif "ASSIGNMENT CONFIG" in source:
                _look_at_config(source, found)
            continue
        if question is None or not part:
            yield _plain(cell, source)
        elif part == "TESTS":
            question.tests.append((cell, None))
        else:
            yield _answer(cell, source, question)


def _question(source: str, found: Converted) -> _Question:
    keys = dict(_KEY.findall(source))
    name = _ID.sub("-", keys.get("name", "question").strip("\"'"))
    points = _number(keys.get("points", ""))
    if points is None and "points" in keys:
        found.notes.append(f"{name}: its points are no single number; set them in JupyterLab")
    return _Question(name, points, keys.get("manual", "").lower() == "true")


def _look_at_config(source: str, found: Converted) -> None:
    for key in ("files", "environment", "requirements", "plugins", "seed", "tests"):
        if re.search(rf"^\s*{key}:", source, re.M):
            found.notes.append(f"the assignment's '{key}' have to be taken over by hand")


def _plain(cell: Mapping[str, Any], source: str) -> dict[str, Any]:
    return _made(cell, _without_ignored(source))


def _answer(cell: Mapping[str, Any], source: str, question: _Question) -> dict[str, Any]:
    """A cell that students answer in; a person gives points for it in a manual question."""
    question.answers += 1
    number = f"-{question.answers}" if question.answers > 1 else ""
    is_text = cell["cell_type"] == "markdown"
    flags = _flags(f"{question.name}{number}", solution=True)
    if is_text or question.is_manual:
        is_first = question.answers == 1
        points = (1.0 if question.points is None else question.points) if is_first else 0.0
        flags |= {"grade": True, "points": points}
    return _made(cell, source if is_text else _marked(source), flags)


def _marked(source: str) -> str:
    """An answer's text with nbgrader's markers."""
    lines: list[str] = []
    in_region = False
    is_whole = bool(_WHOLE_CELL.search(source))
    text = _PROMPT.sub("", _without_ignored(_WHOLE_CELL.sub("", source)))
    for line in text.splitlines():
        if region := _REGION.match(line):
            in_region = region[2].upper() == "BEGIN"
            lines.append(f"{region[1]}### {region[2].upper()} SOLUTION")
        elif not in_region and (_SOLUTION_LINE.search(line) and "SEED" not in line):
            indent = line[: len(line) - len(line.lstrip())]
            end = f"{indent}### END SOLUTION"
            if lines and lines[-1] == end:
                lines.pop()
            else:
                lines.append(f"{indent}### BEGIN SOLUTION")
            lines += [_SOLUTION_LINE.sub("", line), end]
        else:
            lines.append(_SOLUTION_LINE.sub("", line))
    if is_whole and not any("BEGIN SOLUTION" in line for line in lines):
        lines = ["### BEGIN SOLUTION", *lines, "### END SOLUTION"]
    return "\n".join(lines)


def _tests(question: _Question, found: Converted) -> Iterator[dict[str, Any]]:
    """The question's test cells, one for each of Otter's."""
    told = [_test(cell) for cell, _ in question.tests]
    given = [points for _, points, _, _ in told]
    rest = sum(points is None for points in given)
    whole = 1.0 if question.points is None else question.points
    left = max(whole - sum(points or 0.0 for points in given), 0.0)
    if question.points is None and len(given) > rest:
        left = 0.0 if rest == 0 else float(rest)
    for number, (cell, points, is_hidden, text) in enumerate(told, start=1):
        grade_id = f"{question.name}-test-{number}"
        if text is None:
            found.notes.append(
                f"{grade_id} is a function that only Otter can call, and is left out: write it as "
                "plain statements"
            )
            continue
        if is_hidden:
            text = f"# Hidden tests.\n### BEGIN HIDDEN TESTS\n{text}\n### END HIDDEN TESTS"
        flags = _flags(grade_id, grade=True, locked=True)
        flags["points"] = round(left / rest, 4) if points is None else points
        found.tests += 1
        yield _made({**cell, "cell_type": "code"}, text, flags)


def _test(cell: Mapping[str, Any]) -> tuple[Mapping[str, Any], float | None, bool, str | None]:
    """A test cell: itself, its points, whether it is hidden, its statements for nbgrader."""
    source = "".join(cell["source"])
    config = _TEST_CONFIG.search(source)
    keys = dict(_KEY.findall(config[1])) if config else {}
    is_hidden = keys.get("hidden", "").lower() == "true" or bool(_HIDDEN.search(source))
    text = _HIDDEN.sub("", _TEST_CONFIG.sub("", source)).strip("\n")
    return cell, _number(keys.get("points", "")), is_hidden, _compared(text, cell)


def _compared(text: str, cell: Mapping[str, Any]) -> str | None:
    """The statements, and a comparison with what the cell showed, as Otter compares it."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if any(node.decorator_list or _parameters(node) == ["env"] for node in functions):
        return None
    # Otter calls such a function itself, with what the notebook has under its parameters' names.
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    calls = [
        f"{node.name}({', '.join(_parameters(node))})"
        for node in functions
        if node.name.startswith("test") and node.name not in called
    ]
    if calls:
        return "\n".join([text, *calls])
    printed = "".join("".join(out["text"]) for out in _outputs(cell, "stream"))
    shown = ["".join(out["data"].get("text/plain", "")) for out in _outputs(cell, "execute_result")]
    last = tree.body[-1] if tree.body else None
    lines = text.splitlines()
    check = ""
    if shown and isinstance(last, ast.Expr):
        expression = ast.unparse(last.value)
        lines = lines[: last.lineno - 1]
        check = _comparison(expression, shown[0])
    if not printed:
        return "\n".join([*lines, *([check] if check else [])])
    return "\n".join(
        [
            "import contextlib, io",
            "with contextlib.redirect_stdout(io.StringIO()) as printed:",
            *(f"    {line}" for line in [*lines, *([check] if check else [])]),
            f"assert printed.getvalue() == {printed!r}",
        ]
    )


def _parameters(node: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in node.args.args]


def _comparison(expression: str, shown: str) -> str:
    try:
        value = ast.literal_eval(shown)
    except (ValueError, SyntaxError):
        return f"assert repr({expression}) == {shown!r}"
    if value is True:
        return f"assert {expression}"
    return f"assert ({expression}) == {value!r}"


def _outputs(cell: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [out for out in cell.get("outputs", ()) if out.get("output_type") == kind]


def _without_ignored(source: str) -> str:
    return _IGNORED_LINE.sub("", _IGNORED.sub("", source))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _flags(
    grade_id: str, *, solution: bool = False, grade: bool = False, locked: bool = False
) -> dict[str, Any]:
    return {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }


def _made(
    cell: Mapping[str, Any], source: str, flags: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    made = {key: value for key, value in cell.items() if key not in ("outputs", "attachments")}
    made |= {"source": source, "metadata": {**cell.get("metadata", {})}}
    if "attachments" in cell:
        made["attachments"] = cell["attachments"]
    if cell["cell_type"] == "code":
        made |= {"outputs": [], "execution_count": None}
    if flags is not None:
        made["metadata"]["nbgrader"] = dict(flags)
    return made
