"""scipy's sparse matrices, results of its solvers, and frozen distributions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

_FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
# Dicts with attributes.
_RESULTS = {("scipy.optimize", "OptimizeResult"), ("scipy.optimize", "RootResults")}


def pack(value: Any) -> list[Any] | None:
    """The kind, and what it holds."""
    kind = type(value)
    if not kind.__module__.startswith("scipy."):
        return None
    if kind.__module__.startswith("scipy.sparse.") and hasattr(value, "tocoo"):
        coo = value.tocoo()
        if len(value.shape) != 2:
            return None
        place = [coo.data, np.asarray(coo.row), np.asarray(coo.col), list(value.shape)]
        return ["sparse", str(value.format), kind.__name__.endswith("_array"), *place]
    if kind.__name__ in {name for _, name in _RESULTS} and isinstance(value, dict):
        return ["result", kind.__name__, dict(value)]
    dist = getattr(value, "dist", None)
    if kind.__module__ == "scipy.stats._distn_infrastructure" and dist is not None:
        return ["distribution", str(dist.name), list(value.args), dict(value.kwds)]
    return None


def unpack(parts: Any) -> Any:
    """The value that these parts stand for."""
    what, *rest = parts
    if what == "sparse":
        return _sparse(*rest)
    if what == "result":
        name, items = rest
        (module,) = [module for module, known in _RESULTS if known == name]
        kind = getattr(importlib.import_module(module), name)
        made = kind.__new__(kind)
        dict.update(made, {str(key): item for key, item in items.items()})
        return made
    if what == "distribution":
        return _distribution(*rest)
    raise ValueError("none of scipy's")


def _sparse(form: Any, is_array: Any, data: Any, rows: Any, columns: Any, shape: Any) -> Any:
    from scipy import sparse

    if form not in _FORMATS or len(shape) != 2 or not all(type(n) is int for n in shape):
        raise ValueError("no sparse matrix")
    if not all(isinstance(part, np.ndarray) for part in (data, rows, columns)):
        raise ValueError("no arrays")
    if max(shape) > 1 << 31 or (form in ("bsr", "lil") and sum(shape) > 1 << 24):
        raise ValueError("a sparse matrix that is too large")
    kind = sparse.coo_array if is_array is True else sparse.coo_matrix
    # This looks at every index: one beyond the matrix would be one beyond memory.
    return kind((data, (rows, columns)), shape=tuple(shape)).asformat(form)


def _distribution(name: Any, args: Any, options: Any) -> Any:
    from scipy import stats

    found = getattr(stats, name) if type(name) is str and name.isidentifier() else None
    if not isinstance(found, (stats.rv_continuous, stats.rv_discrete)):
        raise ValueError("an unknown distribution")
    numbers = (int, float, np.number, np.ndarray)
    if not all(isinstance(item, numbers) for item in [*args, *options.values()]):
        raise ValueError("a distribution of something else than numbers")
    return found(*args, **options)
