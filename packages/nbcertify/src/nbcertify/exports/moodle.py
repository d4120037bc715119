"""Points for Moodle."""

from __future__ import annotations

from traitlets import Enum

from nbcertify.exports.exporter import FIELDS, PlatformExporter
from nbcertify.exports.tables import Grades, number
from nbcertify.spreadsheet import harmless

_HEADINGS = {"username": "Username", "email": "Email address", "idnumber": "ID number"}


class MoodleExporter(PlatformExporter):
    """A file for Grades > Import > CSV file in Moodle.

    The format is any table: https://docs.moodle.org/en/Grade_import. In the import's preview, say
    which column identifies the user ("Map from", "Map to") and which grade item each other column
    is. How its cells are read is in `grade/import/csv/classes/load_data.php` of
    https://github.com/moodle/moodle: no grade is "-" here, since an empty cell of a new grade item
    becomes 0; a student without the identifying column is left out, since the points would go to
    the student in the row before; one student whom Moodle does not know ends the import, and so do
    points above 100 unless the site allows them. E-mail addresses must agree in their capitals.
    """

    file_name = "moodle.csv"

    identifier = Enum(
        tuple(_HEADINGS),
        "username",
        help="By what Moodle finds a student: username, email or idnumber.",
    ).tag(config=True)
    source = Enum(
        FIELDS[1:],
        "id",
        help="What of the gradebook's that is: id, email or lms_user_id.",
    ).tag(config=True)

    def table(self, grades: Grades) -> list[list[str]]:
        """See the class."""
        names = [self.column(item.name) for item in grades.items]
        rows = [[_HEADINGS[self.identifier], "First name", "Last name", *names]]
        for row in self.known(grades, self.source):
            who = (str(harmless(name)) for name in (row.first_name, row.last_name))
            points = ("-" if p is None else number(p) for p in row.points)
            rows.append([self.key(row, self.source), *who, *points])
        return rows
