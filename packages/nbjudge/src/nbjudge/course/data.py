"""What a course's notebooks and tests need from outside: data sets, mostly."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbjudge.content import Content, content_of
from nbjudge.errors import CourseError


@dataclass(frozen=True)
class GradingData:
    """The students' side and the judge's side of a course's data.

    ``environment`` holds the variables of the students' kernels, ``judge_environment`` those of
    the judge. A value that is a ``Path`` names a file or a folder that goes along with the work,
    to another machine too. Of the course's own files, kernels can read those in ``environment``
    alone, and whatever ``readable`` names, which has to be at the same place on every machine;
    the judge may read everything. ``context`` (names, digests, versions) goes into the records,
    and decides with the rest whether a grade is made again.
    """

    environment: Mapping[str, str | Path] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    judge_environment: Mapping[str, str | Path] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)

    def contents(self) -> dict[Path, Content]:
        """The files and folders that go along, by their paths here."""
        values = (*self.environment.values(), *self.judge_environment.values())
        return {value: content_of(value) for value in values if isinstance(value, Path)}

    def described(self) -> dict[str, str]:
        """The kernels' variables, a digest in the place of each path."""
        return {
            name: content_of(value).digest if isinstance(value, Path) else value
            for name, value in self.environment.items()
        }


def find_data(name: str, root: Path) -> GradingData:
    """Call the function that ``c.Grading.data`` names; an empty name means no data.

    Raises ``CourseError`` when there is no such function, and what the function raises.
    """
    if not name:
        return GradingData()
    module, _, function = name.partition(":")
    try:
        find: Callable[[Path], GradingData] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise CourseError(
            f"c.Grading.data is {name!r}, and that cannot be imported ({error}). It has to be "
            "'module:function'."
        ) from error
    return find(root)
