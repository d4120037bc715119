"""What a release adds to a plain nbgrader notebook, so that it works wherever students work.

nbgrader's own `IncludeHeaderFooter` puts `source/header.ipynb` before each notebook and
`source/footer.ipynb` behind it. `FinishNotebook` comes next and fills in what differs.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Unicode

from dlcourse.progress import Task, write_tasks

_TASK = re.compile(r"^###\s+Task (?P<number>\w+): (?P<name>.+?)(?: \([^()]*\))?\s*$", re.MULTILINE)
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<file>[^():]+\.(?:png|jpg|gif))\)")
_KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}
START = "START.ipynb"
# Colab has no folder of the course's to install.
_IN_COLAB = """In Colab, run this in a new cell above:

    %pip install {address}"""
_IN_COLAB_BY_FILE = """\
In Colab, make a zip file of the course's folder, drop it into Colab's files (the folder symbol
on the left), and run this in a new cell above, with the name of your file:

    %pip install /content/course.zip"""
# Jupyter and VS Code go on after an error in a cell with this tag.
_GOES_ON = "raises-exception"


class FinishNotebook(NbGraderPreprocessor):
    """Embed pictures, fold checks, and tell the first and the last cell what they need."""

    address = Unicode(
        "",
        help="Where students get the course from, for pip: an address that begins with git+https://"
        ", https://… of a zip file, or the name of a package. Without it, the first cell says that "
        "the course's folder is to be installed.",
    ).tag(config=True)
    colab = Unicode(
        "",
        help="The address of release/ in Colab, such as https://colab.research.google.com/github/"
        "OWNER/REPOSITORY/blob/main/release. Without it, there is no badge.",
    ).tag(config=True)
    hand_in = Unicode("", help="How students hand in, in a sentence, for the last cell.").tag(
        config=True
    )

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Finish one notebook. The source's own texts are kept but for the first line of checks."""
        folder = Path(resources["metadata"]["path"])
        name = str(resources["unique_key"])
        tasks = number_checks(nb.cells)
        values = {
            "«badge»": self._badge(name),
            "«install»": self.address or ".",
            "«in colab»": _IN_COLAB.format(address=self.address)
            if self.address
            else _IN_COLAB_BY_FILE,
            "«where»": "" if self.address else " in a terminal in the course's folder",
            "«notebook»": name,
            "«tasks»": write_tasks(tasks),
            "«hand in»": self.hand_in,
        }
        for cell in nb.cells:
            for place, value in values.items():
                cell.source = cell.source.replace(place, value)
            if cell.cell_type == "markdown":
                cell.source = embed_pictures(cell.source, folder)
            elif cell.cell_type == "code" and "progress.begin()" not in cell.source:
                # Where that cell fails there is no package, and nothing that could go on.
                cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), _GOES_ON})
        nb.cells = [cell for cell in nb.cells if cell.source or cell.cell_type != "markdown"]
        return nb, resources

    def _badge(self, name: str) -> str:
        if not self.colab:
            return ""
        address = f"{self.colab.rstrip('/')}/{quote(name)}/{quote(name)}.ipynb"
        picture = "https://colab.research.google.com/assets/colab-badge.svg"
        return f"[![Open in Colab]({picture})]({address})"


def number_checks(cells: list[NotebookNode]) -> list[Task]:
    """Give each check its first line, and fold it; the tasks, in their order.

    A task begins with a heading `### Task 3: its name (4 points)` and has all test cells up to the
    next one.
    """
    tasks: list[tuple[Task, list[NotebookNode]]] = []
    for cell in cells:
        if cell.cell_type == "markdown" and not is_solution(cell):
            for found in _TASK.finditer(cell.source):
                tasks.append((Task(found["number"], found["name"], 0, 0, 0), []))
        if not tasks or not is_grade(cell):
            continue
        points = float(cell.metadata.nbgrader.get("points", 0))
        task, checks = tasks[-1]
        if is_solution(cell):
            tasks[-1] = replace(task, by_hand=task.by_hand + points), checks
        elif cell.cell_type == "code" and not cell.source.startswith("%%"):
            task = replace(task, points=task.points + points, checks=task.checks + 1)
            tasks[-1] = task, [*checks, cell]
    for task, checks in tasks:
        for number, cell in enumerate(checks, start=1):
            part = f", part {number}" if len(checks) > 1 else ""
            title = f"Check of task {task.number}{part}: run this cell"
            cell.source = f'#@title {title} {{display-mode: "form"}}\n{cell.source}'
            cell.metadata["jupyter"] = {"source_hidden": True}
            cell.metadata["cellView"] = "form"
    return [task for task, _ in tasks]


def embed_pictures(text: str, folder: Path) -> str:
    """A text cell whose pictures, `![…](picture.png)` beside the notebook, are in the text itself.

    As addresses at its end, which is what Colab shows, too. A picture that is not in `folder` is
    left as it is.
    """
    addresses: dict[str, str] = {}

    def reference(found: re.Match[str]) -> str:
        path = folder / found["file"]
        if not path.is_file():
            return found[0]
        data = base64.b64encode(path.read_bytes()).decode()
        label = path.name.split(".")[0]
        addresses[label] = f"[{label}]: data:{_KINDS[path.suffix]};base64,{data}"
        return f"![{found['alt']}][{label}]"

    text = _PICTURE.sub(reference, text)
    return "\n\n".join([text, *addresses.values()]) if addresses else text


def start_page(source: Path) -> bytes:
    """The page `release/START.ipynb`, of `START.ipynb` in the folder `source`, pictures inside.

    The same bytes each time; b"" where there is no such page.
    """
    path = source / START
    if not path.is_file():
        return b""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        cell["source"] = embed_pictures(text, source).splitlines(keepends=True)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
