"""Grading this course: nbjudge, with the data set that is there and the versions that matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from dlcourse.data import find_source
from nbjudge.course import Course
from nbjudge.grading import GradingOutcome, grade
from nbjudge.submissions import Submission


def grade_course(
    course: Course,
    submissions: Iterable[Submission],
    *,
    jobs: int | None = None,
    force: bool = False,
) -> Iterator[GradingOutcome]:
    """Grade `submissions`, each on the same data; yields each outcome when it is there.

    The data is looked for once and named to the kernels, so that none of them goes looking (or
    downloading) by itself. What was used goes into the record beside each grade. Raises
    `DataError` where the data that was named cannot be used.
    """
    source = find_source()
    context = {"data": source.name, "data_sha256": source.sha256}
    context |= {name: version(name) for name in ("dlcourse", "keras", "numpy", "tensorflow")}
    return grade(
        course,
        submissions,
        jobs=jobs,
        force=force,
        context=context,
        environment={"DLCOURSE_DATA": source.path},
    )
