"""For every test."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# nbgrader runs alembic and jupyter by name, also when this environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# A busy machine is not a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items):
    """Those of the sandbox come first: they fork this process, while it has no threads yet."""
    items.sort(key=lambda item: "sandbox" not in item.path.parts)


@pytest.fixture(scope="session")
def monkeypatch_session():
    """`monkeypatch` for fixtures that last as long as the session."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
