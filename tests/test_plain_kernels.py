"""What students are given runs to its end in a plain kernel, with every task unfinished.

VS Code and Colab speak to a kernel as nbclient does: none of Jupyter's extensions is there.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbjudge.release.sockets import use_private_sockets

RELEASED = sorted((Path(__file__).parents[1] / "release").glob("*/*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_nothing_stops_it_and_its_last_cell_lists_every_task(path, tmp_path, monkeypatch):
    monkeypatch.setenv("DLCOURSE_DATA", "stand-in")
    monkeypatch.setenv("DLCOURSE_WEATHER", "stand-in")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:  # VS Code does not know this tag
        cell.metadata.pop("tags", None)
    client = NotebookClient(notebook, timeout=240)
    use_private_sockets(client.create_kernel_manager(), tmp_path)
    client.execute(cwd=str(tmp_path))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    shown = [output for cell in code for output in cell.outputs]
    assert [o.text for o in shown if o.output_type == "stream" and o.name == "stderr"] == []
    overview = code[-1].outputs[-1]["data"]["text/plain"]
    assert "○ task" in overview
    assert "✓ task" not in overview
    assert "✓ stands at tasks of 0 out of" in overview
    assert "To hand in" in overview
