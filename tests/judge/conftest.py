"""Judges for these tests."""

from __future__ import annotations

import judge_process
import pytest
from nbjudge.capture import encode
from nbjudge.judge import session
from nbjudge.judge.client import Judge


@pytest.fixture(scope="session", autouse=True)
def preloaded():
    """Judges fork from here with all that they need."""
    session.preload()


@pytest.fixture
def notebook():
    """A judge with a fresh namespace."""
    with (
        judge_process.process(session.serve) as connection,
        Judge(connection, seconds=20, limit=10**7) as judge,
    ):
        yield judge_process.Notebook(judge, lambda value: encode(value, limit=10**7))
