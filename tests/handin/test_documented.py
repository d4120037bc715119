"""The configuration that the how-to page tells to copy is such as the programs take."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/hand-in-page.md"


def block(begins: str) -> str:
    """The text of the block of code that begins so."""
    found = re.search(rf" *```\w+\n(\s*{re.escape(begins)}.*?)```", PAGE.read_text(), re.DOTALL)
    return textwrap.dedent(found[1])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_takes_the_unit(tmp_path):
    unit = block("[Unit]").replace("/home/handin/course/.venv/bin/dlcourse", "/bin/true")
    (tmp_path / "handin.service").write_text(unit)
    command = ["systemd-analyze", "verify", tmp_path / "handin.service"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("caddy"), reason="there is no Caddy")
def test_caddy_takes_its_file(tmp_path):
    (tmp_path / "Caddyfile").write_text(block("handin.example.org {"))
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
