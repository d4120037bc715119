"""A zip file with what students get, and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbjudge.course import Course
from nbjudge.errors import ReleaseError
from nbjudge.files import write_atomically
from nbjudge.release.release import expected_release

# The earliest time that a zip file can hold: the same files give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def pack(
    course: Course,
    assignments: Sequence[str],
    target: Path,
    others: Mapping[str, bytes] | None = None,
) -> list[str]:
    """Write the released ``assignments`` into the zip file ``target``; returns the names in it.

    Only what a release makes of the source goes in, as it is in ``release/``; of other files there,
    such as a solved copy, none does. ``others`` are added by name. Raises ``ReleaseError`` where a
    released file is missing, or is not what the source gives by now.
    """
    files = dict(others or {})
    for assignment in assignments:
        for name, data in expected_release(course, assignment).items():
            path = course.release / assignment / name
            if not path.is_file() or path.read_bytes() != data:
                raise ReleaseError(
                    f"{path} is not what the source gives. Release {assignment} first, and pack "
                    "again."
                )
            files[f"{assignment}/{name}"] = data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _TIME), files[name], zipfile.ZIP_DEFLATED)
    write_atomically(target, buffer.getvalue())
    return sorted(files)
