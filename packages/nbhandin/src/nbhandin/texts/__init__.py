"""All that the page says: one file for each language."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("en.toml").read_text(encoding="utf-8"))


def say(key: str, **what: object) -> str:
    """The text of a key such as ``student.title``, with ``what`` put in. KeyError without one."""
    table, _, name = key.partition(".")
    return _texts()[table][name].format_map(what)
