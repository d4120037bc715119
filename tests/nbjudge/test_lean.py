"""What is imported, and what is not: nobody waits for what is not used."""

from __future__ import annotations

import subprocess
import sys

import pytest

NBGRADER = {"nbgrader.api", "nbgrader.utils", "nbgrader.apps", "sqlalchemy", "nbconvert"}
SERVERS = {"jupyter_server", "nbgrader.exchange"}


def imported_by(code: str) -> set[str]:
    code += "\nimport sys; print(*(name for name, is_there in sys.modules.items() if is_there))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import nbjudge.cohort.work", NBGRADER | SERVERS),
        ("import nbjudge.warm.server", NBGRADER | SERVERS),
        ("import nbjudge.course", NBGRADER | SERVERS),
        ("import nbjudge.cohort.planning", {"nbconvert", "nbgrader.converters"} | SERVERS),
        ("import nbjudge.cohort.grading", {"nbclient"} | NBGRADER | SERVERS),
        ("import nbjudge.cohort.steps", SERVERS),
        ("import nbjudge.cli.app", {"nbformat"} | NBGRADER | SERVERS),
        ("import nbcertify.cli", {"nbformat"} | NBGRADER | SERVERS),
    ],
)
def test_what_is_not_used_is_not_imported(code, unwanted):
    assert not unwanted & imported_by(code)


def test_nbgraders_server_extensions_can_still_be_loaded():
    code = "import nbjudge, nbgrader; nbgrader.load_formgrader"
    assert "nbgrader.server_extensions.formgrader" not in imported_by(code)
    code = """
import nbjudge, nbgrader

class App:
    def __getattr__(self, name):
        raise LookupError(f"asked for {name}")

try:
    nbgrader.load_formgrader(App())
except LookupError as error:
    assert "asked for" in str(error)
else:
    raise AssertionError("the extension did not look at the server")
"""
    assert "nbgrader.server_extensions.formgrader" in imported_by(code)


def test_nbgrader_is_left_alone_where_it_was_imported_first():
    code = "import nbgrader; assert 'nbgrader.apps' in __import__('sys').modules; import nbjudge"
    assert "nbgrader.server_extensions.formgrader" in imported_by(code)
