"""What a page of the documentation tells its reader to do, step by step.

A fence of kind `sh` is a command that a test runs. A code block whose caption names a file is a
file that the reader writes; one that names a notebook is a cell of it. What is in a `console`
fence is for people only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_CELL = re.compile(
    r"(?P<notebook>\S+\.ipynb): (?P<kind>[\w -]+?)"
    r"(, ID (?P<id>[\w-]+))?(, (?P<points>\d+) points?)?"
)
# The words of nbgrader's panel, and what it notes for them.
_KINDS = {
    "text": None,
    "answer": None,
    "Autograded answer": {"solution": True},
    "Autograded tests": {"grade": True, "locked": True},
    "Manually graded answer": {"solution": True, "grade": True},
    "Read-only": {"locked": True},
}


@dataclass(frozen=True)
class Fence:
    """One block of code of a page: its language, its caption ("" without) and its text."""

    language: str
    caption: str
    text: str


def pages() -> list[Path]:
    """Every page that a person wrote."""
    written = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in written.stdout.splitlines() if (ROOT / name).is_file()]


def fences(page: Path) -> list[Fence]:
    """The blocks of code of a page, in order."""
    return [
        _fence(token.info, token.content)
        for token in MarkdownIt().parse(page.read_text())
        if token.type == "fence"
    ]


def _fence(info: str, text: str) -> Fence:
    if not info.startswith("{code-block}"):
        return Fence(info, "", text)
    head, _, body = text.partition("\n\n")
    caption = re.search(r'^:caption: "(.*)"$', head, re.MULTILINE)
    return Fence(info.removeprefix("{code-block}").strip(), caption[1] if caption else "", body)


def follow(page: Path, folder: Path, bin: Path = Path(sys.executable).parent) -> str:
    """Do in `folder` what a page says, with the programs in `bin`; returns all that was printed.

    Fails the test at the first command that fails.
    """
    printed = []
    for fence in fences(page):
        if fence.caption:
            _write(folder, fence)
        elif fence.language == "sh":
            printed.append(run(fence.text, folder, bin))
    assert printed, f"{page} has no command to run"
    return "".join(printed)


def run(commands: str, folder: Path, bin: Path = Path(sys.executable).parent) -> str:
    """Run shell commands in `folder`; what they print. Fails the test if one of them fails."""
    kept = ("HOME", "LANG", "DLCOURSE_DATA", "DLCOURSE_CACHE", "DLCOURSE_KEYS", "TMPDIR")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={key: os.environ[key] for key in kept if key in os.environ}
        | {"PATH": f"{bin}{os.pathsep}{os.defpath}", "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{commands}\nended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _write(folder: Path, fence: Fence) -> None:
    if not (cell := _CELL.fullmatch(fence.caption)):
        path = folder / fence.caption
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fence.text)
        return
    path = folder / cell["notebook"]
    notebook = nbformat.read(path, as_version=4) if path.is_file() else _new_notebook()
    text = fence.text.rstrip("\n")
    if cell["kind"] == "answer":
        ids = [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]
        notebook.cells[ids.index(cell["id"])].source = text
    else:
        make = new_markdown_cell if fence.language == "markdown" else new_code_cell
        made = make(text)
        if kind := _KINDS[cell["kind"]]:
            made.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade": False,
                "solution": False,
                "locked": False,
                "task": False,
                "grade_id": cell["id"],
                **({"points": int(cell["points"])} if cell["points"] else {}),
                **kind,
            }
        notebook.cells.append(made)
    nbformat.write(notebook, path)


def _new_notebook() -> nbformat.NotebookNode:
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(metadata={"kernelspec": kernel})
