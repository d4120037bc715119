"""What the exporters for learning platforms have in common."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin
from nbjudge.course import Course
from traitlets import Dict, Unicode

from nbcertify.errors import CertificateError
from nbcertify.exports.tables import Grades, Row, read_grades, write_table
from nbcertify.spreadsheet import harmless

# By what of the gradebook's a platform may know a student.
FIELDS = ("", "id", "email", "lms_user_id")


class PlatformExporter(ExportPlugin):
    """Writes the points into a file that one platform imports; subclasses say in which form.

    Nothing handed in, and nothing graded to its end, is blank and not 0; the latter is listed in
    the log. A text that a spreadsheet would take for a formula (it begins with = + - @) gets an
    apostrophe in front. If that is a student's id, the platform will not find the student by it;
    the log says so.
    """

    columns = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="What an assignment is called on the platform, where it is not called the same: "
        "{'convnet': 'Exercise 2'}.",
    ).tag(config=True)

    file_name = "grades.csv"

    def export(self, gradebook: Gradebook) -> None:
        """Write the file (`--to`), with the students and assignments that were asked for.

        `CertificateError` if there is one that the gradebook does not have, or if the file cannot
        be written; under the command `nbgrader export`, its message and exit code 1.
        """
        path = Path(self.to or self.file_name)
        try:
            grades = read_grades(
                self._course(gradebook),
                gradebook,
                [str(name) for name in self.assignment],
                [str(name) for name in self.student],
            )
            write_table(self.table(grades), path)
        except CertificateError as error:
            if isinstance(self.parent, NbGrader):
                self.parent.fail("%s", error)
            raise
        for remark in grades.remarks:
            self.log.warning("%s", remark)
        self.log.info("Exported %d students to %s", len(grades.rows), path)

    def table(self, grades: Grades) -> list[list[str]]:
        """The file's rows, the heading first."""
        raise NotImplementedError

    def column(self, assignment: str) -> str:
        """What an assignment is called on the platform."""
        return str(harmless(self.columns.get(assignment, assignment)))

    def known(self, grades: Grades, *fields: str) -> list[Row]:
        """The students of whom the gradebook has one of `fields`; the log names the others."""
        rows = []
        for row in grades.rows:
            if any(field and getattr(row, field) for field in fields):
                rows.append(row)
            else:
                wanted = " and no ".join(field for field in fields if field)
                self.log.warning("%s: left out: the gradebook has no %s of theirs", row.id, wanted)
        return rows

    def key(self, row: Row, field: str) -> str:
        """By what the platform finds a student, safe for a spreadsheet."""
        value = getattr(row, field) if field else ""
        safe = str(harmless(value))
        if safe != value:
            self.log.warning(
                "%s begins like a formula and was written as %s: the platform will not find the "
                "student by it. Enter these points by hand.",
                value,
                safe,
            )
        return safe

    def _course(self, gradebook: Gradebook) -> Course:
        config = deepcopy(self.config)
        directory = CourseDirectory(config=config)
        config.CourseDirectory.root = directory.root
        config.CourseDirectory.db_url = gradebook.engine.url.render_as_string(hide_password=False)
        return Course(Path(directory.root), config)
