"""What the documentation generates: checks, pictures of notebooks, links that lead somewhere."""

from __future__ import annotations

import base64
import json

from generate.exercises import pages
from generate.links import broken_links

PIXEL = b"\x89PNG of a pixel"


def test_a_picture_attached_to_a_cell_is_a_file_of_the_page(tmp_path):
    cell = {
        "cell_type": "markdown",
        "metadata": {"nbgrader": {"grade_id": "look"}},
        "source": ["Look:\n", "![two](attachment:two.png)"],
        "attachments": {"two.png": {"image/png": base64.b64encode(PIXEL).decode()}},
    }
    (tmp_path / "ps1").mkdir()
    (tmp_path / "ps1" / "ps1.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    (tmp_path / "ps1" / "plan.svg").write_text("<svg/>")
    (tmp_path / "ps1" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "ps1" / ".ipynb_checkpoints" / "ps1.ipynb").write_text("{}")
    made = pages(tmp_path)
    (shown,) = json.loads(made["ps1/ps1.ipynb"])["cells"]
    (picture,) = set(made) - {"ps1/ps1.ipynb", "ps1/plan.svg"}
    assert made[picture] == PIXEL
    assert shown["source"] == f"Look:\n![two]({picture.removeprefix('ps1/')})"
    assert "nbgrader" not in shown["metadata"]


def test_links_that_lead_nowhere_are_found(tmp_path):
    (tmp_path / "how").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="top"></h1><a href="how/a.html#there"></a><a href="how/b.html"></a>'
        '<a href="#top"></a><a href="#nowhere"></a><a href="https://example.org/x"></a>'
    )
    (tmp_path / "how" / "a.html").write_text(
        '<p id="there"></p><a href="../index.html#top"></a><img src="../a%20b.png"><a href="..#x">'
    )
    (tmp_path / "a b.png").write_bytes(PIXEL)
    assert broken_links(tmp_path) == [
        "how/a.html: ..#x",
        "index.html: #nowhere",
        "index.html: how/b.html",
    ]


def test_the_reference_of_checks_is_complete():
    """Each check has an example, which is refused with a message."""
    from generate.check_examples import EXAMPLES
    from generate.checks import _WITHOUT_MESSAGE, message_of, page

    text = page()
    assert text.count("```text") == len(EXAMPLES)
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert len(headings) == len(EXAMPLES) + len(_WITHOUT_MESSAGE)
    assert all(message_of(example) for example in EXAMPLES.values())
