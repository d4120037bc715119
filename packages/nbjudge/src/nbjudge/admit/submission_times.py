"""When submissions were handed in, as the instructor's side knows it.

``timestamp.txt`` comes with the submission, so a student can write anything in it. Where the
learning platform knows better, its times go into ``gradebook/submission_times.csv``:

    student,assignment,time
    ada,convnet,2026-06-12 16:58:03 UTC
"""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from nbjudge.errors import CourseError

FILE = "submission_times.csv"
_COLUMNS = ("student", "assignment", "time")


def read_submission_times(gradebook_folder: Path) -> dict[tuple[str, str], datetime]:
    """The times (UTC, naive as in the gradebook) by student and assignment; none without a file.

    Raises ``CourseError`` that names the line and the column of the first mistake.
    """
    path = gradebook_folder / FILE
    if not path.is_file():
        return {}
    times: dict[tuple[str, str], datetime] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise CourseError(
                    f"{path}: the first line has to name the columns {', '.join(_COLUMNS)}; "
                    f"{', '.join(missing)} is missing."
                )
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                key = (row["student"] or "", row["assignment"] or "")
                if not all(key):
                    raise CourseError(f"{where}: the student or the assignment is missing.")
                if key in times:
                    raise CourseError(f"{where}: {key[0]}, {key[1]} is there twice.")
                times[key] = _read_time(row["time"], where)
    except (csv.Error, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    return times


def _read_time(text: str | None, where: str) -> datetime:
    from nbgrader.utils import parse_utc  # workers, who read no times, do without nbgrader

    try:
        time: datetime = parse_utc((text or "").strip())
    except (ValueError, OverflowError) as error:
        raise CourseError(
            f"{where}, column time: {text!r} is no time. Write it like 2026-06-12 16:58:03 UTC."
        ) from error
    return time
