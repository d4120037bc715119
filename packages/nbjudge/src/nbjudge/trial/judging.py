"""All that the submissions of a course are judged with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path

from nbjudge.admit.submission_times import read_submission_times
from nbjudge.assignment import Assignment
from nbjudge.course import Course
from nbjudge.course.data import GradingData, find_data
from nbjudge.errors import IsolationError
from nbjudge.execute.store import Quota, Store
from nbjudge.record.records import Inputs
from nbjudge.sandbox import TIERS, Tier, find_tier
from nbjudge.trial.trial import Conditions
from nbjudge.versions import versions
from nbjudge.warm.preload import preload_of


@dataclass(frozen=True)
class Judging:
    """A course's data and isolation, found out once for many submissions."""

    course: Course
    data: GradingData
    tier: Tier
    times: Mapping[tuple[str, str], datetime]

    def inputs(self, assignment: Assignment, submission_digest: str, student: str = "") -> Inputs:
        """All that a grade of this submission follows from."""
        settings = self.course.settings
        limits = settings.limits()
        return Inputs(
            submission=submission_digest,
            source=assignment.digest,
            versions=versions(),
            context=dict(self.data.context),
            limits={
                "cell_seconds": settings.seconds_for(assignment.name),
                "call_seconds": settings.call_seconds,
                "notebook_seconds": limits.wall_seconds,
                "memory_megabytes": limits.memory_megabytes,
                "disk_megabytes": limits.disk_megabytes,
                "processes": limits.processes,
                "value_megabytes": settings.max_value_megabytes,
                "output_megabytes": settings.max_output_megabytes,
                "luck_attempts": settings.luck_attempts,
            },
            environment={**settings.all_environment, **self.data.described()},
            seed=settings.seed,
            tier=self.tier,
            submitted=self.submitted(assignment.name, student),
            hidden_tests_tell=settings.hidden_tests_tell,
        )

    def submitted(self, assignment: str, student: str) -> str:
        """The time of submission as the instructor knows it, in words; "" if only the student."""
        time = self.times.get((student, assignment))
        return f"{time.isoformat(' ')} UTC" if time is not None else ""

    def conditions(self, assignment: Assignment) -> Conditions:
        """With what the notebooks of ``assignment`` are tried."""
        course = self.course
        folders = (course.source, course.submitted, course.autograded, course.feedback)
        return Conditions(
            assignment,
            course.settings,
            self.data,
            self.tier,
            self.preload,
            tuple(course.coursedir().ignore),
            tuple(course.config.Autograde.get("exclude_overwriting", {}).get(assignment.name, ())),
            (*folders, course.gradebook_folder),
        )

    @property
    def store(self) -> Store:
        """What was executed in this course."""
        settings = self.course.settings
        quota = Quota(
            1_000_000 * settings.store_megabytes, 1_000_000 * settings.stored_execution_megabytes
        )
        return Store(self.course.gradebook_folder / "store", quota)

    @cached_property
    def preload(self) -> tuple[str, ...]:
        """The modules that the warm server imports."""
        return preload_of(self.course)


def judging_of(course: Course, data: GradingData | None = None) -> Judging:
    """Find the data of the course, unless it is given, the isolation and the submission times.

    Raises ``IsolationError`` where the isolation is weaker than ``c.Grading.isolation_floor``,
    ``CourseError`` for a mistake in ``submission_times.csv``, and what the course's own search
    for data raises.
    """
    settings = course.settings
    return Judging(
        course,
        find_data(settings.data, course.root) if data is None else data,
        _tier(settings.isolation_floor),
        read_submission_times(course.gradebook_folder),
    )


def judging_here(course: Course) -> Judging:
    """``judging_of`` for one notebook of many: this process looks for the data once."""
    return judging_of(course, _data(course.settings.data, course.root))


@cache
def _data(name: str, root: Path) -> GradingData:
    return find_data(name, root)


@cache
def _tier(floor: Tier) -> Tier:
    finding = find_tier()
    if TIERS.index(finding.tier) < TIERS.index(floor):
        reasons = "\n".join(f"  - {reason}" for reason in finding.missing)
        raise IsolationError(
            f"This machine offers the isolation '{finding.tier}', and the course asks for "
            f"'{floor}', so no student's notebook is run:\n{reasons}\n"
            "Fix that, or grade on another machine. Only if you trust every student with this "
            f"account: c.Grading.isolation_floor = '{finding.tier}' in nbgrader_config.py; each "
            "record then says so."
        )
    return finding.tier
