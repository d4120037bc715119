"""Enter automatic scores, and leave what a person did as it is."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import SaveAutoGrades

from nbjudge.assignment.elsewhere import added_texts
from nbjudge.cells.metadata import is_grade, is_solution, is_task, is_test
from nbjudge.course import course_of
from nbjudge.record.answers import answer_digests
from nbjudge.record.records import read_record

_NO_RESPONSE = "No response."


class SaveGrades(SaveAutoGrades):
    """Nbgrader's ``SaveAutoGrades``, but for two things.

    Points that a person gave stay given as long as the answer is the one that was read; stock
    nbgrader asks for them again. And "No response." is said only where there is none: not where
    the tests of an untouched cell give points, or the student added cells of their own.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Enter the scores and comments."""
        about, judged = resources["nbgrader"], resources["nbjudge"]
        folder = course_of(self.config).gradebook_folder
        record = read_record(folder, about["assignment"], about["student"])
        marks = record.kept.marks if record is not None else ()
        self._read = {
            mark.grade_id: (mark.answer, mark.score)
            for mark in marks
            if mark.notebook == about["notebook"] and mark.answer is not None
        }
        self._answers = answer_digests(nb, judged["scores"])
        blueprint = judged["assignment"].blueprint(about["notebook"])
        self._has_added = bool(added_texts(nb.cells, blueprint.masters, blueprint.given))
        self._earned = _earned(nb, {item.grade_id: item.score for item in judged["scores"]})
        super().preprocess(nb, resources)
        return nb, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Enter one cell's; nbgrader leaves the scores of tasks as they are."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if is_grade(cell) or is_task(cell):
            self._leave_read(cell.metadata.nbgrader["grade_id"], is_task(cell))
        return cell, resources

    def _leave_read(self, grade_id: str, task: bool) -> None:
        grade = self.gradebook.find_grade(
            grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        if task:
            grade.needs_manual_grade = True
        if self._read.get(grade_id) == (self._answers[grade_id], grade.manual_score):
            grade.needs_manual_grade = False
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        super()._add_comment(cell, resources)
        grade_id = cell.metadata.nbgrader["grade_id"]
        comment = self.gradebook.find_comment(
            grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        is_untrue = grade_id in self._earned or (self._has_added and not is_grade(cell))
        if comment.auto_comment == _NO_RESPONSE and is_untrue:
            comment.auto_comment = None
            self.gradebook.db.commit()


def _earned(nb: NotebookNode, scores: dict[str, float | None]) -> set[str]:
    """The solution cells whose tests gave points: those up to the next solution cell."""
    earned: set[str] = set()
    waiting: list[str] = []
    tested = False
    for cell in nb.cells:
        if is_test(cell):
            tested = True
            if scores.get(cell.metadata.nbgrader["grade_id"]):
                earned.update(waiting)
        elif is_solution(cell) and not is_grade(cell):
            if tested:
                waiting, tested = [], False
            waiting.append(cell.metadata.nbgrader["grade_id"])
    return earned
