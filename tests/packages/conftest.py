"""The wheels, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from packages.wheels import build_wheels


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """The folder with the three wheels."""
    return build_wheels(tmp_path_factory.mktemp("wheels"))
