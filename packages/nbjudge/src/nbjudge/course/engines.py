"""What nbgrader does each time it opens a gradebook, some ten times for a submission, done once.

It makes a SQLAlchemy engine, for which each statement is compiled anew, looks for every table, and
drops its connections.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import nbgrader.api
from sqlalchemy import Engine, inspect, make_url


def keep_engines() -> None:
    """Let nbgrader have the engine that it had before for the same database."""
    if hasattr(nbgrader.api.create_engine, "cache_clear"):
        return
    create_engine: Callable[..., Engine] = nbgrader.api.create_engine
    metadata = nbgrader.api.Base.metadata
    create_all = metadata.create_all

    def make_engine(url: str, **options: Any) -> Engine:
        if make_url(url).get_backend_name() == "sqlite":
            # A file may be replaced by another one: it has to be opened anew.
            return create_engine(url, **options)
        engine = create_engine(url, pool_pre_ping=True, **options)
        engine.dispose = lambda close=True: None  # type: ignore[method-assign]
        return engine

    def create_missing(bind: Engine) -> None:
        if not inspect(bind).has_table(nbgrader.api.Course.__tablename__):
            create_all(bind=bind)

    nbgrader.api.create_engine = cache(make_engine)
    metadata.create_all = create_missing
