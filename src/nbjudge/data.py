"""What a course's notebooks and tests need from outside: data sets, mostly."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbjudge.errors import CourseError


@dataclass(frozen=True)
class GradingData:
    """The students' side and the judge's side of a course's data.

    ``environment`` holds the variables of the students' kernels, and ``readable`` the only files
    and folders of the course that they can read; ``judge_environment`` those of the judge, which
    may read everything. ``context`` (names, digests, versions) goes into the records, and decides
    with the rest whether a grade is made again.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    judge_environment: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


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
