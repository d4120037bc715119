"""Notebooks made from the reference solution, cut down to what some verdicts rest on."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from nbformat import NotebookNode

from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.markers import seen
from nbjudge.cells.metadata import is_solution, is_test
from nbjudge.cells.names import kernel_prelude
from nbjudge.cells.parsing import bindings
from nbjudge.trial.reference import reference_notebook
from nbjudge.vet.slices import cells_for


@dataclass(frozen=True)
class Subject:
    """A notebook of an assignment: the solved cells by grade id, and what each test needs.

    ``answers`` are the texts of the reference solution's cells, ``blank`` those that students are
    given; ``needs`` are the places of the code cells that each test rests on, counted as in the
    blueprint; ``earlier`` the tests whose own names it takes, in the judge.
    """

    blueprint: Blueprint
    notebook: NotebookNode
    answers: Mapping[str, str]
    blank: Mapping[str, str]
    needs: Mapping[str, frozenset[int]]
    earlier: Mapping[str, frozenset[str]]

    def tests_of(self, answer: str) -> tuple[str, ...]:
        """The tests whose verdict rests on a solution cell, in the notebook's order."""
        place = next(n for n, cell in enumerate(self.blueprint.cells) if cell.grade_id == answer)
        return tuple(test for test, places in self.needs.items() if place in places)

    def answers_of(self, test: str) -> frozenset[str]:
        """The solution cells that a test's verdict rests on."""
        cells = self.blueprint.cells
        return frozenset(
            cells[place].grade_id for place in self.needs[test] if cells[place].is_solution
        )


def read_subject(blueprint: Blueprint) -> Subject:
    """The subject of a blueprint that has its source."""
    notebook = reference_notebook(blueprint)
    answers = {
        cell.metadata.nbgrader["grade_id"]: cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and is_solution(cell)
    }
    tests = [cell for cell in blueprint.cells if cell.is_test]
    earlier: dict[str, frozenset[str]] = {}
    needs: dict[str, frozenset[int]] = {}
    for place, cell in enumerate(tests):
        taken = set(blueprint.needs(cell.grade_id).from_tests)
        sources = [
            other.grade_id
            for other in tests[:place]
            if taken & {binding.name for binding in bindings(other.source)}
        ]
        earlier[cell.grade_id] = frozenset(sources).union(*(earlier[one] for one in sources))
        needs[cell.grade_id] = cells_for(blueprint.cells, cell.grade_id).union(
            *(needs[one] for one in sources)
        )
    blank = {cell.grade_id: cell.source for cell in blueprint.masters if cell.grade_id in answers}
    return Subject(blueprint, notebook, answers, blank, needs, earlier)


def make_variant(
    subject: Subject, answers: Mapping[str, str], tests: Collection[str], *, whole: bool = False
) -> NotebookNode:
    """The notebook with other ``answers`` and ``tests``, and only the cells that these need.

    Earlier tests whose names they take are among these. With ``whole``, all cells before them stay.
    Of another test cell, what students see of it and a later cell relies on stays.
    """
    notebook = copy.deepcopy(subject.notebook)
    tests = frozenset(tests).union(*(subject.earlier[test] for test in tests))
    # Another answer may need other cells: imports, say.
    cells = [
        replace(cell, source=answers.get(cell.grade_id, cell.source))
        for cell in subject.blueprint.cells
    ]
    needed = frozenset().union(*(cells_for(cells, test) for test in tests))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        if (grade_id := _grade_id(cell)) in answers:
            cell.source = answers[grade_id]
    kept = []
    for place, cell in enumerate(code):
        if not is_test(cell):
            # An answer that cannot be parsed binds no names, and is to be seen to fail.
            if not whole and place not in needed and _grade_id(cell) not in answers:
                cell.source = ""
            kept.append(cell)
        elif _grade_id(cell) in tests:
            kept.append(cell)
        elif prelude := _prelude(cell, code[place + 1 :]):
            cell.source = prelude
            cell.metadata.pop("nbgrader")
            kept.append(cell)
    while kept and not is_test(kept[-1]):
        kept.pop()
    notebook.cells = kept
    return notebook


def as_seen(notebook: NotebookNode) -> NotebookNode:
    """The notebook with what students see of its test cells."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if is_test(cell):
            cell.source = seen(cell.source)
    return notebook


def _prelude(cell: NotebookNode, later: list[NotebookNode]) -> str:
    visible = seen(cell.source)
    offered = {binding.name for binding in bindings(visible)}
    # Only a cell that mentions a name can rely on it, and reading all of them takes long.
    texts = (other.source for other in later if not is_test(other))
    return _prelude_for(visible, tuple(text for text in texts if offered & _words(text)))


@lru_cache(1024)
def _prelude_for(visible: str, later: tuple[str, ...]) -> str:
    return kernel_prelude(visible, later)


@lru_cache(1024)
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _grade_id(cell: NotebookNode) -> str:
    grade_id: str = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return grade_id
