"""The two ways in which a value does not cross: not handed out, or damaged on the way."""

from __future__ import annotations


class NotHandedOut(Exception):
    """A value that cannot be handed out; the message says why, for a student.

    ``is_about_result`` tells a course's checks, which may know nothing of this package, that the
    function itself ran to its end.
    """

    is_about_result = True


class Damaged(Exception):
    """Bytes that are no value: cut off, altered, or made up to do harm."""


def megabytes(size: int) -> str:
    """``size`` in bytes as people say it: "123 MB"."""
    if size >= 10_000_000:
        return f"{size / 1e6:,.0f} MB"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size:,} bytes"
