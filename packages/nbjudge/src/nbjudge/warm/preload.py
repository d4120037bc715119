"""Which modules are worth importing once for all: those that an assignment's notebooks import."""

from __future__ import annotations

import ast
import json
from importlib.util import find_spec
from pathlib import Path

from nbjudge.cells.parsing import parse
from nbjudge.course import Course


def preload_of(course: Course) -> tuple[str, ...]:
    """The modules that the warm server imports for a course."""
    return tuple(course.settings.preload) or imported_modules(course.source)


def imported_modules(source: Path) -> tuple[str, ...]:
    """The installed modules that the source notebooks import at the top of a cell, sorted.

    What lies beside a notebook, or in ``source``, under the name of an installed module is meant
    where it is imported: such a module is not among them.
    """
    named: set[str] = set()
    for path in sorted(source.glob("*/*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            for cell in cells:
                if cell["cell_type"] == "code":
                    named |= imports_of("".join(cell["source"]))
        except (OSError, ValueError, LookupError, TypeError):
            continue
    beside = {path.name.partition(".")[0] for path in source.glob("*/*") if _is_module(path)}
    return tuple(
        sorted(
            name for name in named if name.partition(".")[0] not in beside and _is_installed(name)
        )
    )


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))


def imports_of(text: str) -> set[str]:
    """The modules that a cell imports at its top level."""
    body = parse(text).body
    named = {alias.name for item in body if isinstance(item, ast.Import) for alias in item.names}
    return named | {
        item.module
        for item in body
        if isinstance(item, ast.ImportFrom) and item.module and not item.level
    }


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
