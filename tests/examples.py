"""How many examples a property test draws."""

from __future__ import annotations

from hypothesis import settings

# What Hypothesis draws where nobody says how many.
_USUAL = 100


def examples(count: int) -> settings:
    """Draw ``count`` examples, or as many times more as the profile that is loaded asks for."""
    return settings(max_examples=max(1, count * settings.default.max_examples // _USUAL))
