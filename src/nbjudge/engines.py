"""One SQLAlchemy engine for a gradebook in a process.

nbgrader makes an engine each time it looks into a gradebook, some twenty times for a submission,
and SQLAlchemy compiles each statement anew for each engine.
"""

from __future__ import annotations

from functools import cache

import nbgrader.api


def keep_engines() -> None:
    """Let nbgrader have the engine that it had before for the same database."""
    if not hasattr(nbgrader.api.create_engine, "cache_clear"):
        nbgrader.api.create_engine = cache(nbgrader.api.create_engine)
