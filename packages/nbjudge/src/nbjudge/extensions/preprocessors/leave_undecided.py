"""Leave a test cell without a verdict to a person."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from nbjudge.cells.metadata import is_test
from nbjudge.course import course_of


class LeaveUndecided(NbGraderPreprocessor):
    """Comes after ``SaveAutoGrades``, which takes the error in such a cell for a wrong answer."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Take the score of each cell without a verdict back, and ask for a person's."""
        about = resources["nbgrader"]
        tests = {cell.metadata.nbgrader["grade_id"] for cell in nb.cells if is_test(cell)}
        undecided = [
            score.grade_id
            for score in resources["nbjudge"]["scores"]
            if score.score is None and score.grade_id in tests
        ]
        if undecided:
            course = course_of(self.config)
            with Gradebook(course.db_url, course.coursedir().course_id) as gradebook:
                for grade_id in undecided:
                    place = (grade_id, about["notebook"], about["assignment"], about["student"])
                    grade = gradebook.find_grade(*place)
                    grade.auto_score = None
                    grade.needs_manual_grade = grade.manual_score is None
                gradebook.db.commit()
        return nb, resources
