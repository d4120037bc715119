"""What the evidence for a threshold was measured with, and whether that is still so.

A run of the reference follows from the notebook's cells that make and train the models, from the
data, and from the packages. Their digests stand beside the runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from nbjudge.assignment.markers import solved
from nbjudge.cells.names import SourceCell
from nbjudge.vet.slices import cells_for

from dlcourse.thresholds.claims import CLAIMS

# Those whose minor releases may change what training gives.
PACKAGES = ("tensorflow", "keras")
_ASKS = re.compile(r'threshold\("(\w+)"\)')

# Of each notebook the sha256 (hex) of each cell's text, by grade id.
Cells = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Basis:
    """What runs follow from: cells, the data's sha256 ("" if not at hand), versions by package."""

    cells: Cells
    data: str
    versions: Mapping[str, str]

    def digest(self) -> str:
        """sha256 (hex), the same as long as the runs count: of versions, two numbers do."""
        versions = {name: _minor(self.versions[name]) for name in PACKAGES}
        content = json.dumps([self.cells, self.data, versions], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def basis_now(course: Path, source: str, data: str = "") -> Basis:
    """What runs for `source` in the folder `course` would follow from, on data of this digest."""
    versions = {name: version(name) for name in PACKAGES}
    return Basis(deciding_cells(course, source), data, versions)


def deciding_cells(course: Path, source: str) -> Cells:
    """The cells that decide what a threshold for `source` is held to: data, models, training.

    They are those that the test cells which ask for a threshold rest on, told by their names. Of a
    solution cell the text without markers counts.
    """
    names = {claim.name for claim in CLAIMS[source]}
    found = {}
    for path in sorted((course / "source").glob("*/*.ipynb")):
        cells = _code_cells(path)
        asking = [
            cell.grade_id
            for cell in cells
            if cell.is_test and names.intersection(_ASKS.findall(cell.source))
        ]
        places = frozenset().union(*(cells_for(cells, grade_id) for grade_id in asking))
        if places:
            found[path.stem] = {
                cells[place].grade_id or f"code cell {place + 1}": _text_digest(cells[place].source)
                for place in sorted(places)
            }
    return found


def stale(file: Mapping[str, Any], now: Basis) -> list[str]:
    """In words, what has moved on since the runs in the thresholds `file` were made; [] if nothing.

    Of the versions the first two numbers count.
    """
    return [*_stale_cells(file.get("cells", {}), now.cells), *_stale_data(file, now.data)] + [
        f"{name} is {now.versions[name]} now, and was {measured or 'not noted'} when the "
        f"thresholds for {file['source']} were measured."
        for name in PACKAGES
        if _minor(measured := file["versions"].get(name, "")) != _minor(now.versions[name])
    ]


def _stale_cells(measured: Cells, now: Cells) -> list[str]:
    words = []
    for notebook in sorted({*measured, *now}):
        then, today = measured.get(notebook, {}), now.get(notebook, {})
        if not then:
            words.append(f"{notebook}: no cells are noted with the runs.")
            continue
        for name in dict.fromkeys([*then, *today]):
            if then.get(name) == today.get(name):
                continue
            what = (
                "decides runs now, and did not when they were measured"
                if name not in then
                else "decided the runs when they were measured, and does not now"
                if name not in today
                else "is not as it was when the runs were measured"
            )
            words.append(f"{notebook}: the cell {name} {what}.")
    return words


def _stale_data(file: Mapping[str, Any], now: str) -> list[str]:
    measured = file["data"].get("sha256", "")
    if not measured:
        return [f"{file['source']}: the data's digest is not noted with the runs."]
    if now and now != measured:
        return [f"{file['source']}: the data is not what the runs were measured on."]
    return []


def _code_cells(path: Path) -> list[SourceCell]:
    notebook = nbformat.read(path, as_version=4)
    return [
        SourceCell(
            flags.get("grade_id", ""),
            cell.source,
            is_test=bool(flags.get("grade")) and not flags.get("solution"),
            is_solution=bool(flags.get("solution")),
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
        for flags in [cell.metadata.get("nbgrader", {})]
    ]


def _text_digest(source: str) -> str:
    return hashlib.sha256(solved(source).encode()).hexdigest()


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
