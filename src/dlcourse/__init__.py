"""The course: what its notebooks use (`checks`, `data`), and what its instructors do with it."""

__all__ = ["checks", "data"]
