"""For the tests of the sandbox: each runs as root and as an ordinary user."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(params=["root", "ordinary"])
def user(request):
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("the tests were not started as root")
    return request.param


@pytest.fixture
def folder():
    """A folder that every user may read and write, outside pytest's private one."""
    path = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)
