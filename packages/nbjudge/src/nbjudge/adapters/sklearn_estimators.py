"""scikit-learn's estimators: class, parameters, what was learned; predictions are remote calls.

The estimator of a test is a real one of its class, so ``isinstance`` and ``get_params`` hold. What
it learned is there as far as it crosses. Its methods that compute something ask the notebook's.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

_METHODS = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "transform"),
    *("inverse_transform", "score_samples", "kneighbors", "apply", "staged_predict"),
)
_PLAIN = (type(None), bool, int, float, str, np.number, np.ndarray)


def pack(value: Any) -> dict[str, Any] | None:
    """The class, the parameters, what was learned, and the methods."""
    kind = type(value)
    if not kind.__module__.startswith("sklearn."):
        return None
    if kind.__name__ == "Bunch" and isinstance(value, dict):
        return {"class": ["sklearn.utils", "Bunch"], "items": dict(value)}
    if not isinstance(value, _base()):
        return None
    learned = {
        name: item
        for name, item in vars(value).items()
        if name.endswith("_") and not name.startswith("_") and _crosses(item)
    }
    own = vars(value)
    methods = {
        name: own.get(name) or getattr(value, name)
        for name in _METHODS
        if learned and hasattr(value, name)
    }
    return {
        "class": [kind.__module__, kind.__name__],
        "parameters": dict(value.get_params(deep=False)),
        "learned": learned,
        "methods": methods,
    }


def unpack(parts: Any) -> Any:
    """An estimator of the class, which asks the notebook's for what it computes."""
    module, name = parts["class"]
    kind = _class(module, name)
    if name == "Bunch":
        return kind(**{str(key): item for key, item in parts["items"].items()})
    known = set(kind._get_param_names())
    parameters = {key: item for key, item in parts["parameters"].items() if key in known}
    made = kind.__new__(kind)
    for key, item in parameters.items():
        object.__setattr__(made, key, item)
    for key, item in parts["learned"].items():
        if not key.endswith("_") or key.startswith("_") or not _crosses(item):
            raise ValueError("nothing that is learned")
        object.__setattr__(made, key, item)
    for key, item in parts["methods"].items():
        if key not in _METHODS or not callable(item):
            raise ValueError("no method")
        object.__setattr__(made, key, item)
    return made


def update(old: Any, new: Any) -> None:
    """Give the estimator what the other one learned."""
    vars(old).clear()
    vars(old).update(vars(new))


def _base() -> Any:
    return importlib.import_module("sklearn.base").BaseEstimator


def _class(module: Any, name: Any) -> Any:
    if type(module) is not str or type(name) is not str or not module.startswith("sklearn."):
        raise ValueError("no class of scikit-learn")
    kind = getattr(importlib.import_module(module), name)
    is_bunch = (module, name) == ("sklearn.utils", "Bunch")
    if not isinstance(kind, type) or not (is_bunch or issubclass(kind, _base())):
        raise ValueError("no estimator")
    return kind


def _crosses(value: Any) -> bool:
    """Whether it is an array, a number, a text, or a list or dict of these."""
    if isinstance(value, _PLAIN):
        return True
    if isinstance(value, (list, tuple)):
        return all(isinstance(item, _PLAIN) for item in value)
    return type(value) is dict and all(isinstance(item, _PLAIN) for item in value.values())
