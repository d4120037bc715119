"""An assignment, and all that its submissions are judged with."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from nbgrader.api import MissingEntry

from nbjudge.blueprint import Blueprint, read_blueprint
from nbjudge.course import Course
from nbjudge.data import GradingData, find_data
from nbjudge.errors import IsolationError
from nbjudge.records import Inputs
from nbjudge.sandbox import TIERS, Tier, find_tier
from nbjudge.store import Store, digest_of
from nbjudge.submission_times import read_submission_times
from nbjudge.submissions import digest_folder
from nbjudge.trial import Setting, versions


@dataclass(frozen=True)
class Assignment:
    """A released assignment; ``files`` is the folder of what is handed out with its notebooks."""

    name: str
    blueprints: tuple[Blueprint, ...]
    files: Path
    files_digest: str

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The names of its notebooks, without ``.ipynb``."""
        return tuple(blueprint.notebook for blueprint in self.blueprints)

    @property
    def max_score(self) -> float:
        """The points of all cells, those that a person grades included."""
        return sum(blueprint.max_score for blueprint in self.blueprints)

    def blueprint(self, notebook: str) -> Blueprint:
        """The blueprint of one of its notebooks."""
        return next(item for item in self.blueprints if item.notebook == notebook)

    def digest(self) -> str:
        """The sha256 (hex) of the cells that grade it, and of the files."""
        cells = {blueprint.notebook: blueprint.digest() for blueprint in self.blueprints}
        return digest_of({"cells": cells, "files": self.files_digest})


def read_assignment(course: Course, name: str) -> Assignment | None:
    """An assignment as the gradebook has it; ``None`` if it was not released."""
    folder = course.source / name
    with course.gradebook() as gradebook:
        try:
            notebooks = [notebook.name for notebook in gradebook.find_assignment(name).notebooks]
        except MissingEntry:
            return None
        blueprints = tuple(read_blueprint(gradebook, folder, name, item) for item in notebooks)
    if not blueprints:
        return None
    ignore = [*course.coursedir().ignore, "*.ipynb"]
    files = digest_folder(folder, ignore) if folder.is_dir() else ""
    return Assignment(name, blueprints, folder, files)


@dataclass(frozen=True)
class Judging:
    """A course's data and isolation, found out once for many submissions."""

    course: Course
    data: GradingData
    tier: Tier
    times: Mapping[tuple[str, str], datetime]

    def inputs(self, assignment: Assignment, submission_digest: str, student: str = "") -> Inputs:
        """All that a grade of this submission follows from."""
        submitted = self.times.get((student, assignment.name))
        settings = self.course.settings
        limits = settings.confinement(None).limits
        return Inputs(
            submission=submission_digest,
            source=assignment.digest(),
            versions=versions(),
            context=dict(self.data.context),
            limits={
                "cell_seconds": settings.seconds_for(assignment.name),
                "call_seconds": settings.call_seconds,
                "notebook_seconds": limits.wall_seconds,
                "memory_megabytes": limits.memory_megabytes,
                "disk_megabytes": limits.disk_megabytes,
                "processes": limits.processes,
                "value_megabytes": settings.max_value_megabytes,
                "output_megabytes": settings.max_output_megabytes,
                "luck_attempts": settings.luck_attempts,
            },
            environment={**settings.kernel_environment, **self.data.environment},
            seed=settings.seed,
            tier=self.tier,
            submitted=f"{submitted.isoformat(' ')} UTC" if submitted is not None else "",
        )

    def setting(self, assignment: str, server: str, files: Path, judge_files: Path) -> Setting:
        """Where and with what the notebooks of ``assignment`` are tried; see ``Setting``."""
        return Setting(
            assignment=assignment,
            grading=self.course.settings,
            data=self.data,
            server=server,
            tier=self.tier,
            store=self.store,
            files=files,
            judge_files=judge_files,
            hidden=self._hidden,
        )

    @property
    def _hidden(self) -> tuple[Path, ...]:
        course = self.course
        folders = (course.source, course.submitted, course.autograded, course.feedback)
        return (*folders, course.gradebook_folder)

    @property
    def store(self) -> Store:
        """What was executed in this course."""
        return Store(self.course.gradebook_folder / "store")

    @property
    def preload(self) -> tuple[str, ...]:
        """The modules that the warm server imports."""
        return tuple(self.course.settings.preload) or imported_modules(self.course.source)


def judging_of(course: Course, data: GradingData | None = None) -> Judging:
    """Find the data of the course, unless it is given, the isolation and the submission times.

    Raises ``IsolationError`` where the isolation is weaker than ``c.Grading.isolation_floor``,
    ``CourseError`` for a mistake in ``submission_times.csv``, and what the course's own search
    for data raises.
    """
    settings = course.settings
    return Judging(
        course,
        find_data(settings.data, course.root) if data is None else data,
        _tier(settings.isolation_floor),
        read_submission_times(course.gradebook_folder),
    )


def judging_here(course: Course) -> Judging:
    """``judging_of`` for one notebook of many: this process looks for the data once."""
    return judging_of(course, _data(course.settings.data, course.root))


@cache
def _data(name: str, root: Path) -> GradingData:
    return find_data(name, root)


@cache
def _tier(floor: Tier) -> Tier:
    finding = find_tier()
    if TIERS.index(finding.tier) < TIERS.index(floor):
        reasons = "\n".join(f"  - {reason}" for reason in finding.missing)
        raise IsolationError(
            f"This machine offers the isolation '{finding.tier}', and the course asks for "
            f"'{floor}', so no student's notebook is run:\n{reasons}\n"
            "Mend that, or grade on another machine. Only where you trust every student with this "
            f"account: c.Grading.isolation_floor = '{finding.tier}' in nbgrader_config.py; each "
            "record then says so."
        )
    return finding.tier


def imported_modules(source: Path) -> tuple[str, ...]:
    """The installed modules that the source notebooks import at the top of a cell, sorted."""
    named: set[str] = set()
    for path in sorted(source.glob("*/*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            for cell in cells:
                if cell["cell_type"] == "code":
                    named |= _imports("".join(cell["source"]))
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return tuple(sorted(name for name in named if _is_installed(name)))


def _imports(text: str) -> set[str]:
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return set()
    named = {alias.name for item in body if isinstance(item, ast.Import) for alias in item.names}
    return named | {
        item.module
        for item in body
        if isinstance(item, ast.ImportFrom) and item.module and not item.level
    }


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
