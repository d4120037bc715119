"""The same class for Otter: its environment, the exercise translated, `otter run` on each notebook.

Otter is not among this project's packages. It gets an environment of its own, once, with the
versions of TensorFlow, of the kernel and of all that the notebooks import that this one has.
"""

from __future__ import annotations

import builtins
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from importlib.metadata import version
from pathlib import Path
from textwrap import indent

import nbformat
from nbformat import NotebookNode, v4
from nbjudge.assignment.markers import split
from nbjudge.cells.flow import free_names
from nbjudge.cells.parsing import parse

OTTER = "otter-grader==7.0.0"
ENVIRONMENT = Path.home() / ".cache" / "dlcourse-benchmarks" / "otter"
# What notebooks, tests and their kernel need; `dlcourse` itself is installed without the rest.
_SHARED = (
    "tensorflow", "keras", "numpy", "pandas", "matplotlib", "pooch",
    "ipykernel", "jupyter-client", "nbclient", "nbconvert",
)  # fmt: skip
_ROOT = Path(__file__).parents[1]
_START = "import otter\ngrader = otter.Notebook()"
_TEST = """from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points}


@test_case(hidden=True)
def test({names}):
{text}
"""


class OtterUnavailable(Exception):
    """The environment cannot be made, or `otter run` fails in it; the text says why."""


def make_environment(folder: Path) -> None:
    """Make the environment in `folder` with uv, unless it is there; `dlcourse` is always renewed.

    Raises `OtterUnavailable`.
    """
    if shutil.which("uv") is None:
        raise OtterUnavailable("uv, which makes its environment, is not on PATH")
    wanted = [OTTER, *(f"{name}=={version(name)}" for name in _SHARED)]
    made = folder / "made-with.txt"
    if folder.exists() and not made.is_file():
        raise OtterUnavailable(f"{folder} is something else: it was not made by this script")
    if not made.is_file() or made.read_text().split() != wanted:
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        made.write_text("")  # not complete yet, and ours to clear
        _install(folder, *wanted)
        made.write_text("\n".join(wanted))
    _install(folder, "--no-deps", "--reinstall-package", "dlcourse", str(_ROOT))


def _install(folder: Path, *arguments: str) -> None:
    _uv("pip", "install", "--compile-bytecode", "--python", str(folder), *arguments)


def _uv(*arguments: str) -> None:
    done = subprocess.run(["uv", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OtterUnavailable(f"uv {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def translate(course: Path, assignment: str, target: Path) -> list[Path]:
    """Write `autograder.zip` and every submission of an nbgrader course; returns the notebooks.

    A graded cell becomes one test of Otter's, which holds its visible and its hidden lines, and in
    the notebook a call of that test. What a person grades is left out.
    """
    source = nbformat.read(course / "source" / assignment / f"{assignment}.ipynb", as_version=4)
    target.mkdir()
    with zipfile.ZipFile(target / "autograder.zip", "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"lang": "python"}))
        for cell in filter(_is_test, source.cells):
            archive.writestr(f"tests/{cell.metadata.nbgrader['grade_id']}.py", _test_file(cell))
    notebooks = []
    for path in sorted((course / "submitted").glob(f"*/{assignment}/{assignment}.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in filter(_is_test, notebook.cells):
            cell.source = f'grader.check("{cell.metadata.nbgrader["grade_id"]}")'
        for cell in notebook.cells:
            cell.metadata.pop("nbgrader", None)
        notebook.cells.insert(0, v4.new_code_cell(_START, id="start-otter"))
        notebooks.append(target / path.parents[1].name / path.name)
        notebooks[-1].parent.mkdir()
        nbformat.write(notebook, notebooks[-1])
    return notebooks


def _is_test(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and about.get("grade", False) and not about["solution"]


def _test_file(cell: NotebookNode) -> str:
    about = cell.metadata.nbgrader
    visible, hidden = split(cell.source, ("HIDDEN TESTS",))
    text = "\n".join([*visible, *hidden])
    # Otter hands a test whatever its parameters are called in the notebook.
    names = sorted(free_names(parse(text)) - set(dir(builtins)))
    return _TEST.format(
        name=about["grade_id"],
        points=about["points"],
        names=", ".join(names),
        text=indent(text, "    "),
    )


def grade_one_by_one(environment: Path, notebooks: list[Path], points: float) -> float:
    """`otter run` on one notebook after another; the seconds of all together.

    Raises `OtterUnavailable` where a command fails, or a notebook has other than `points`.
    """
    began = time.monotonic()
    for notebook in notebooks:
        _grade(environment, notebook)
    seconds = time.monotonic() - began
    for notebook in notebooks:
        results = json.loads((notebook.parent / "results.json").read_text())
        score = sum(test.get("score", 0.0) for test in results["tests"])
        if score != points:
            raise OtterUnavailable(
                f"{notebook.parent.name} has {score:g} of {points:g} points with Otter, so there "
                f"is nothing to compare:\n{json.dumps(results['tests'], indent=2)[:5000]}"
            )
    return seconds


def _grade(environment: Path, notebook: Path) -> None:
    archive = notebook.parents[1] / "autograder.zip"
    scripts = environment.absolute() / "bin"
    done = subprocess.run(
        [scripts / "otter", "run", "-a", archive, "-o", notebook.parent, "--no-logo", notebook],
        cwd=notebook.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
    )
    if done.returncode:
        raise OtterUnavailable(
            f"otter run of {notebook} ended with {done.returncode}:\n{done.stdout[-5000:]}"
        )
