"""Of which assignment a notebook is, whatever the file is called."""

from __future__ import annotations

import json
import zipfile

import toy_course as toy
from nbjudge.assignment import read_assignment
from nbjudge.assignment.recognise import assignments_held

LIMIT = 20_000_000


def test_it_is_known_by_its_cells(released_course, tmp_path):
    blueprints = {"ps1": read_assignment(released_course, "ps1").blueprints}
    ours = (released_course.release / "ps1" / "toys.ipynb").read_bytes()
    other = json.dumps(toy.notebook(toy.code("mine", "print('mine')"))).encode()
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("deep/Untitled.ipynb", ours)
    files = {
        "toys (2).ipynb": ours,
        "mine.ipynb": other,
        "all.zip": (tmp_path / "all.zip").read_bytes(),
        "data.csv": b"1,2",
        "broken.ipynb": ours[:-100],
    }
    assert assignments_held(files, blueprints, LIMIT) == {
        "ps1": ["deep/Untitled.ipynb in all.zip", "toys (2).ipynb"],
        "": ["mine.ipynb"],
    }
