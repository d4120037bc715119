"""What given cells put on `sys.path`, for the judge."""

from __future__ import annotations

import sys

import pytest
from nbjudge.cells.paths import path_statements


@pytest.mark.parametrize(
    ("sources", "added"),
    [
        (["import sys\nsys.path.append('code')"], ["code"]),
        (["code_dir = './code'\nfrom sys import path; path.append(code_dir)"], ["./code"]),
        (["import sys, os\nsys.path.insert(0, os.path.join('a', 'b'))"], ["a/b"]),
        (
            ["from pathlib import Path\nHERE = Path('x')", "sys.path.append(str(HERE / 'y'))"],
            ["x/y"],
        ),
        (["sys.path.extend(['a', 'b'])"], ["a", "b"]),
        (["sys.path.append(download())", "route.path.append('x')", "path.append('x')"], []),
    ],
)
def test_what_is_put_on_the_path(sources, added, monkeypatch):
    statements = path_statements(sources)
    monkeypatch.setattr(sys, "path", [])
    namespace = {}
    for statement in statements:
        exec(statement, namespace)
    assert sys.path == added and set(namespace) <= {"__builtins__"}
