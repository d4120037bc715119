"""Values of libraries, told as plain values: an optional module for each library.

An adapter is a module with two functions:

``pack(value)``
    The parts of a value as plain ones (texts, numbers, lists, dicts, arrays, tables, functions,
    other values that have an adapter), or None where the value is none of its kind. It runs in
    the student's process.
``unpack(parts)``
    The value that these parts stand for. It runs with the tests, and the parts are whatever a
    student's process says: it must check them, may call nothing that they name but what it
    allows itself, and may raise any exception for parts that are none.

and, if values of its kind can be changed in place, a third:

``update(old, new)``
    Make ``old`` what ``new`` is. So what a function does to such an argument is seen by the test.

An adapter is imported only in a process that has imported the library it serves, or when such a
value arrives. A course adds its own by ``c.Grading.adapters = {"library": "module"}``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

__all__ = ["environment", "is_mutable", "packed", "unpacked", "update"]

VARIABLE = "NBJUDGE_ADAPTERS"
_BUILT_IN = {
    "PIL": "nbjudge.adapters.pillow_images",
    "altair": "nbjudge.adapters.altair_charts",
    "jax": "nbjudge.adapters.jax_arrays",
    "networkx": "nbjudge.adapters.networkx_graphs",
    "numpy": "nbjudge.adapters.numpy_values",
    "pandas": "nbjudge.adapters.pandas_groups",
    "plotly": "nbjudge.adapters.plotly_figures",
    "re": "nbjudge.adapters.patterns",
    "scipy": "nbjudge.adapters.scipy_values",
    "sklearn": "nbjudge.adapters.sklearn_estimators",
    "sympy": "nbjudge.adapters.sympy_expressions",
    "torch": "nbjudge.adapters.torch_tensors",
}


def environment(adapters: Mapping[str, str]) -> dict[str, str]:
    """How a kernel and a judge are told of a course's own adapters; empty for none."""
    return {VARIABLE: json.dumps(dict(adapters), sort_keys=True)} if adapters else {}


def packed(value: Any) -> tuple[str, Any] | None:
    """The library of the adapter that knows the value, and its parts; None for other values."""
    if type(value).__module__ == "__main__":
        return None
    for library, module in _loaded():
        parts = module.pack(value)
        if parts is not None:
            return library, parts
    return None


def unpacked(library: str, parts: Any) -> Any:
    """The value of these parts. Raises ``KeyError`` where there is no such adapter."""
    return _module(_known()[library]).unpack(parts)


def is_mutable(value: Any) -> bool:
    """Whether there is an adapter that can change the value."""
    return _adapter_with_update(value) is not None


def update(old: Any, new: Any) -> None:
    """Make ``old`` what ``new`` is, if they are of one kind."""
    adapter = _adapter_with_update(old)
    if adapter is not None and type(old) is type(new):
        adapter.update(old, new)


def _adapter_with_update(value: Any) -> Any:
    top = type(value).__module__.partition(".")[0]
    found = (module for library, module in _loaded() if library == top)
    return next((module for module in found if hasattr(module, "update")), None)


def _loaded() -> Iterator[tuple[str, Any]]:
    for library, name in _known().items():
        if library in sys.modules:
            yield library, _module(name)


def _known() -> dict[str, str]:
    return {**_own(os.environ.get(VARIABLE, "")), **_BUILT_IN}


@cache
def _own(text: str) -> dict[str, str]:
    return dict(json.loads(text)) if text else {}


@cache
def _module(name: str) -> Any:
    return importlib.import_module(name)
