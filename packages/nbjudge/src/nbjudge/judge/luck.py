"""Failures that luck in training may explain, for the tests of any course. Imports nothing."""

from __future__ import annotations


class NarrowMiss(AssertionError):
    """A threshold on what training came to was missed by little: another seed might reach it.

    ``measured`` holds what was measured, by name, as plain numbers. Any other exception with
    these two attributes is understood as well.
    """

    is_narrow_miss = True

    def __init__(self, message: str = "", measured: dict[str, float] | None = None) -> None:
        super().__init__(message)
        self.measured = dict(measured or {})
