"""numpy's polynomials and random number generators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import polynomial

_SERIES = {
    kind.__name__: kind
    for kind in (
        polynomial.Polynomial,
        polynomial.Chebyshev,
        polynomial.Legendre,
        polynomial.Laguerre,
        polynomial.Hermite,
        polynomial.HermiteE,
    )
}
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_MOST_ROOTS = 10_000


def pack(value: Any) -> list[Any] | None:
    """The coefficients, or the state."""
    kind = type(value)
    if _SERIES.get(kind.__name__) is kind:
        parts = [value.coef, value.domain, value.window, str(value.symbol)]
        return [kind.__name__, *parts]
    if kind is np.poly1d:
        return ["poly1d", value.coeffs, str(value.variable)]
    if kind is np.random.Generator:
        return ["Generator", value.bit_generator.state]
    if kind is np.random.RandomState:
        return ["RandomState", list(value.get_state())]
    return None


def unpack(parts: Any) -> Any:
    """The polynomial or the generator."""
    name, *rest = parts
    if name in _SERIES:
        coefficients, domain, window, symbol = rest
        return _SERIES[name](_coefficients(coefficients), domain, window, str(symbol))
    if name == "poly1d":
        return np.poly1d(_coefficients(rest[0]), variable=str(rest[1]))
    if name == "Generator":
        (state,) = rest
        if state["bit_generator"] not in _BIT_GENERATORS:
            raise ValueError("an unknown generator")
        bits = getattr(np.random, state["bit_generator"])()
        bits.state = state
        return np.random.Generator(bits)
    if name == "RandomState":
        made = np.random.RandomState()
        made.set_state(tuple(rest[0]))
        return made
    raise ValueError("none of numpy's")


def update(old: Any, new: Any) -> None:
    """Give the generator the other one's state, the polynomial its coefficients."""
    if isinstance(old, np.random.Generator):
        old.bit_generator.state = new.bit_generator.state
    elif isinstance(old, np.random.RandomState):
        old.set_state(new.get_state())
    elif type(old) in _SERIES.values():
        old.coef = new.coef


def _coefficients(value: Any) -> Any:
    if not isinstance(value, np.ndarray) or value.ndim != 1 or len(value) > _MOST_ROOTS:
        raise ValueError("no coefficients")
    return value
