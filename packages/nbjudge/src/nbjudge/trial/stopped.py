"""Verdicts on a name that is not there since the cell that makes it stopped with an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nbformat import NotebookNode

from nbjudge.cells.metadata import is_test
from nbjudge.cells.parsing import bindings, parse
from nbjudge.judge.messages import Judged
from nbjudge.record.scores import error_message

_NOT_DEFINED = re.compile(r"NameError: name '(?P<name>\w+)' is not defined")
_COMMENT = re.compile(r"#.*")
# The names behind a word that binds them.
_BEHIND = re.compile(
    r"\b(?:(?:def|class|global|type)\s+(\w+)|import\s+([\w\s,*()]+)|as\s+([\w\s,*()]+)"
    r"|for\s+([\w\s,*()]+?)\s+in\b|case\s+([^:]+):)"
)
_WALRUS = re.compile(r"\b(\w+)\s*:=")
_EQUALS = re.compile(r"(?<![=!<>:])=(?!=)")
# The names before `=` or `+=`, perhaps with an annotation; what is called is no target.
_TARGET = re.compile(r"([\w\s,*()\[\]]+?)(?::[^=]*)?\s*(?:\*\*|//|>>|<<|[-+*/%@&|^])?\s*")
_CALL = re.compile(r"\w[(\[]|\b(?:lambda|if|while|return|print)\b")


def with_cause(judged: Judged, cells: Sequence[NotebookNode]) -> Judged:
    """The verdict, and which cell to fix where a name is missing since its cell stopped.

    ``cells`` are those before the test, with their outputs.
    """
    match = _NOT_DEFINED.match(judged.failure)
    if match is None:
        return judged
    name = match["name"]
    error = _error_where_made(name, cells)
    if not error:
        return judged
    why = f"The cell that makes {name} stopped: {error}. Fix that cell first."
    outputs = tuple(
        {**out, "evalue": f"{out['evalue']}\n{why}", "traceback": [*out["traceback"], why]}
        if out["output_type"] == "error"
        else out
        for out in judged.outputs
    )
    return replace(judged, failure=f"{judged.failure}\n{why}", outputs=outputs)


def _error_where_made(name: str, cells: Sequence[NotebookNode]) -> str:
    """The error of the last cell that stopped and makes ``name``; "" if there is none."""
    errors = [
        error_message(cell)
        for cell in cells
        if cell.cell_type == "code" and not is_test(cell) and _makes(cell.source, name)
    ]
    # A syntax error's place is in a text that has no name.
    return re.sub(r"\(<[^>]*>, line", "(line", next(filter(None, reversed(errors)), ""))


def _makes(source: str, name: str) -> bool:
    if parse(source).body:
        return any(binding.name == name for binding in bindings(source))
    return name in _names_in_broken(source)


def _names_in_broken(source: str) -> set[str]:
    """The names that a text which cannot be parsed seems to bind, read line by line."""
    found: set[str] = set()
    for line in source.splitlines():
        line = _COMMENT.sub("", line)
        for match in _BEHIND.finditer(line):
            found |= _words(next(filter(None, match.groups()), ""))
        found |= {match[1] for match in _WALRUS.finditer(line)}
        *targets, _ = _EQUALS.split(line)
        for target in targets:
            names = _TARGET.fullmatch(target)
            if names and not _CALL.search(target):
                found |= _words(names[1])
    return found


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))
