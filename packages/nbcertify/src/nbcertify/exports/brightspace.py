"""Points for Brightspace (D2L)."""

from __future__ import annotations

from traitlets import Enum

from nbcertify.exports.exporter import FIELDS, PlatformExporter
from nbcertify.exports.tables import Grades, number


class BrightspaceExporter(PlatformExporter):
    """A file for Grades > Enter Grades > Import in Brightspace.

    The format is D2L's: https://community.d2l.com/brightspace/kb/articles/3538-importing-grades.
    Columns OrgDefinedId or Username or both, one for each assignment, and End-of-Line Indicator. As
    in the platform's own exports (https://kb.wisc.edu/page.php?id=4330), "#" stands before an id,
    so that spreadsheets keep its zeros (and take it for no formula), and at the end of each row, so
    that a blank last grade is not lost. "<Numeric MaxPoints:40>" behind an assignment's name is
    for a grade item that is not there yet: choose "Create new grade item" when importing.
    """

    file_name = "brightspace.csv"

    org_defined_id = Enum(
        FIELDS,
        "",
        help="What of the gradebook's is the OrgDefinedId: id, email, lms_user_id, or empty for "
        "nothing.",
    ).tag(config=True)
    username = Enum(
        FIELDS, "id", help="What of the gradebook's is the Username; see org_defined_id."
    ).tag(config=True)

    def table(self, grades: Grades) -> list[list[str]]:
        """See the class."""
        names = {"OrgDefinedId": self.org_defined_id, "Username": self.username}
        keys = {name: field for name, field in names.items() if field}
        items = (
            f"{self.column(item.name)} Points Grade <Numeric MaxPoints:{number(item.possible)}>"
            for item in grades.items
        )
        rows = [[*keys, *items, "End-of-Line Indicator"]]
        for row in self.known(grades, *keys.values()):
            values = (getattr(row, field) for field in keys.values())
            points = ("" if p is None else number(p) for p in row.points)
            rows.append([*(f"#{value}" if value else "" for value in values), *points, "#"])
        return rows
