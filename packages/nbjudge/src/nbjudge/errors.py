"""The errors that nbjudge raises; each message says what, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class NbjudgeError(Exception):
    """The base of every error that nbjudge raises on purpose."""


class CourseError(NbjudgeError):
    """The course folder or its configuration is not usable as it is."""


@dataclass(frozen=True)
class Problem:
    """One mistake: the file, the cell, what is wrong and how to fix it."""

    file: str
    cell: str
    what: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}, {self.cell}" if self.cell else self.file
        return f"{place}: {self.what}. {self.fix}."


class SourceError(NbjudgeError):
    """A source notebook has mistakes that must be fixed before it is released.

    ``problems`` holds all of them, in the order of the files and cells.
    """

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ReleaseError(NbjudgeError):
    """A student version failed one of its proofs; the old one was left as it was."""


class NotGraded(NbjudgeError):
    """A submission that could not be graded; the message is the reason, in plain words."""


class MachineTooBusy(NotGraded):
    """The notebook had too little of a processor to say anything of it: to be tried again."""


class IsolationError(NbjudgeError):
    """A sandbox that is as strong as the course asks for cannot be had on this machine."""
