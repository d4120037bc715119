"""Points for Canvas."""

from __future__ import annotations

from traitlets import Dict, Enum, Integer, Unicode

from nbcertify.exports.exporter import FIELDS, PlatformExporter
from nbcertify.exports.tables import Grades, Row, number
from nbcertify.spreadsheet import harmless


class CanvasExporter(PlatformExporter):
    """A file for Grades > Import in Canvas.

    The format is what `lib/gradebook_importer.rb` in https://github.com/instructure/canvas-lms
    reads: the columns Student, ID, SIS User ID, SIS Login ID and Section, then the assignments; a
    row "Points Possible"; a row for each student. Canvas finds a student by ID (its own number),
    else by SIS User ID, else by SIS Login ID, else by name; an assignment by the number in brackets
    behind its name, else by its name, and offers to make one that it does not have. Where it has
    points and the cell is blank, its preview shows that they would go.
    """

    file_name = "canvas.csv"

    assignment_ids = Dict(
        key_trait=Unicode(),
        value_trait=Integer(),
        help="The number of an assignment in Canvas, the last part of its address: "
        "{'convnet': 48291}.",
    ).tag(config=True)
    canvas_id = Enum(
        FIELDS,
        "lms_user_id",
        help="What of the gradebook's is Canvas' own number of a student: id, email, lms_user_id, "
        "or empty for nothing.",
    ).tag(config=True)
    sis_user_id = Enum(
        FIELDS, "", help="What of the gradebook's is the SIS User ID; see canvas_id."
    ).tag(config=True)
    sis_login_id = Enum(
        FIELDS, "id", help="What of the gradebook's is the SIS Login ID; see canvas_id."
    ).tag(config=True)

    def column(self, assignment: str) -> str:
        """The assignment's name, with its number where that is known."""
        name = super().column(assignment)
        known = self.assignment_ids.get(assignment)
        return name if known is None else f"{name} ({known})"

    def table(self, grades: Grades) -> list[list[str]]:
        """See the class."""
        heading = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        rows = [
            [*heading, *(self.column(item.name) for item in grades.items)],
            ["Points Possible", "", "", "", "", *(number(item.possible) for item in grades.items)],
        ]
        for row in grades.rows:
            keys = (self.key(row, f) for f in (self.canvas_id, self.sis_user_id, self.sis_login_id))
            points = ("" if p is None else number(p) for p in row.points)
            rows.append([str(harmless(_name(row))), *keys, "", *points])
        return rows


def _name(row: Row) -> str:
    return ", ".join(filter(None, (row.last_name, row.first_name))) or row.id
