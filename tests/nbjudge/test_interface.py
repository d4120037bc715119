"""What the packages and the rooms of the engine export."""

import importlib
import pkgutil
import subprocess
import sys

import nbjudge
import pytest

# Commands are called by their names, not imported.
_COMMANDS = {"nbjudge.cli"}
_ROOMS = {
    f"nbjudge.{found.name}" for found in pkgutil.iter_modules(nbjudge.__path__) if found.ispkg
}
_PACKAGES = {"nbjudge", "nbcertify", "dlcourse"} | (_ROOMS - _COMMANDS)


@pytest.mark.parametrize("name", sorted(_PACKAGES))
def test_what_a_package_exports_can_be_imported(name):
    exported = importlib.import_module(name).__all__
    found = {}
    exec(f"from {name} import *", found)

    assert exported
    assert set(exported) <= set(found)


def test_what_nobody_asks_for_is_not_imported():
    looks = "import sys, nbjudge.cohort, nbcertify, dlcourse; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", looks], capture_output=True, text=True, check=True)

    assert not {"pandas", "tensorflow", "nbjudge.cohort.grading"} & set(run.stdout.split())
