"""A cell of an assignment as its instructor released it. Pure functions over notebook nodes."""

from __future__ import annotations

from dataclasses import dataclass

from nbformat import NotebookNode

from nbjudge.assignment.markers import split

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class MasterCell:
    """A cell as it was released, hidden tests included, with nbgrader's flags for it."""

    grade_id: str
    cell_type: str
    source: str
    checksum: str | None
    grade: bool
    solution: bool
    locked: bool
    task: bool
    points: float | None

    @property
    def metadata(self) -> dict[str, str | float]:
        """Nbgrader's metadata for this cell."""
        flags: dict[str, str | float] = {
            "schema_version": SCHEMA_VERSION,
            "grade_id": self.grade_id,
            "grade": self.grade,
            "solution": self.solution,
            "locked": self.locked,
            "task": self.task,
            "cell_type": self.cell_type,
        }
        points = {} if self.points is None else {"points": self.points}
        checksum = {} if self.checksum is None else {"checksum": self.checksum}
        return flags | points | checksum

    @property
    def is_test(self) -> bool:
        """Whether it is scored by running it."""
        return self.grade and not self.solution and self.cell_type == "code"

    @property
    def must_be_there(self) -> bool:
        """Whether a submission without this cell gets it back; an answer is the student's own."""
        return self.grade or self.task or self.locked

    @property
    def is_written(self) -> bool:
        """Whether it is an answer that a person grades."""
        return self.grade and self.solution


def released_text(master: MasterCell) -> str:
    """The cell's text as students got it."""
    kept, _ = split(master.source, ("HIDDEN TESTS", "MARK SCHEME"))
    return "\n".join(kept)


def cell_grade_id(cell: NotebookNode) -> str | None:
    """Nbgrader's id of a cell, as its metadata say."""
    nbgrader = cell.metadata.get("nbgrader")
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return grade_id if isinstance(grade_id, str) else None
