"""An assignment as it was released: its notebooks' blueprints and the files handed out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from nbjudge.assignment.blueprint import Blueprint, read_blueprint
from nbjudge.assignment.masters import restore
from nbjudge.content import Content, content_of
from nbjudge.course import Course
from nbjudge.digests import digest_of
from nbjudge.errors import CourseError, NotGraded

_AROUND = ("header", "footer")


@dataclass(frozen=True)
class Assignment:
    """A released assignment; ``files`` is the folder of what is handed out with its notebooks."""

    name: str
    blueprints: tuple[Blueprint, ...]
    files: Content

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The names of its notebooks, without ``.ipynb``."""
        return tuple(blueprint.notebook for blueprint in self.blueprints)

    @property
    def graded_files(self) -> frozenset[str]:
        """The names of the files whose cells are graded, or to be answered."""
        return frozenset(f"{b.notebook}.ipynb" for b in self.blueprints if not b.is_library)

    @property
    def max_score(self) -> float:
        """The points of all cells, those that a person grades included."""
        return sum(blueprint.max_score for blueprint in self.blueprints)

    def blueprint(self, notebook: str) -> Blueprint:
        """The blueprint of one of its notebooks."""
        return next(item for item in self.blueprints if item.notebook == notebook)

    @cached_property
    def digest(self) -> str:
        """The sha256 (hex) of the cells that grade it, and of the files."""
        cells = {blueprint.notebook: blueprint.digest() for blueprint in self.blueprints}
        return digest_of({"cells": cells, "files": self.files.digest})

    def stage_libraries(self, folder: Path) -> None:
        """Write those notebooks into ``folder`` that only others use, where they are missing."""
        for blueprint in self.blueprints:
            path = folder / f"{blueprint.notebook}.ipynb"
            if blueprint.is_library and blueprint.source is not None and not path.exists():
                path.write_text(json.dumps(blueprint.source), encoding="utf-8")

    def restore(self, nb: NotebookNode, notebook: str) -> tuple[str, ...]:
        """Give a submitted notebook back, in place, what was not the student's to change.

        Returns what was changed, for the student to read. Raises ``NotGraded`` where it holds no
        cell of this assignment.
        """
        blueprint = self.blueprint(notebook)
        restored = restore(nb, blueprint.masters, blueprint.given)
        if blueprint.masters and not restored.found:
            raise NotGraded(
                f"{notebook}.ipynb holds none of the cells of {self.name}. Answer in the notebook "
                "that you were given, and hand that in."
            )
        return restored.notes


def read_assignment(course: Course, name: str) -> Assignment:
    """An assignment as the gradebook has it. Raises ``CourseError`` if it was not released."""
    assignment = find_assignment(course, name)
    if assignment is None:
        raise CourseError(f"{name} has not been released yet. Release it first.")
    return assignment


def find_assignment(course: Course, name: str) -> Assignment | None:
    """An assignment as the gradebook has it; ``None`` if it was not released."""
    from nbgrader.api import MissingEntry

    folder, release = course.source / name, course.release / name
    options = course.config.IncludeHeaderFooter
    around = [course.root / options[key] if options.get(key) else None for key in _AROUND]
    with course.gradebook() as gradebook:
        try:
            notebooks = [notebook.name for notebook in gradebook.find_assignment(name).notebooks]
        except MissingEntry:
            return None
        in_kernel = course.settings.tests_in_student_kernel.get(name, [])
        blueprints = tuple(
            read_blueprint(gradebook, folder, release, name, item, around).with_kernel_tests(
                in_kernel
            )
            for item in notebooks
        )
    if not blueprints:
        return None
    return Assignment(name, blueprints, files_of(course, name))


def files_of(course: Course, name: str) -> Content:
    """What is handed out with an assignment's notebooks; nbgrader hands out no other notebooks."""
    return content_of(course.source / name, (*course.coursedir().ignore, "*.ipynb"))
