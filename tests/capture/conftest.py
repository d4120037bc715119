"""The two ends of a capture."""

from __future__ import annotations

import os

import pytest

# Before TensorFlow is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
from two_ends import Notebook


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()
