"""Grading many submissions: one bad one never stops the others, nor looks like a zero."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from nbjudge.admit.submissions import Submission
from nbjudge.cohort.lock import course_lock
from nbjudge.cohort.workers import local_workers
from nbjudge.course import Course
from nbjudge.warm.preload import preload_of

if TYPE_CHECKING:
    from nbjudge.cohort.outcomes import GradingOutcome, Running
    from nbjudge.cohort.planning import Planned


def grade(
    course: Course,
    submissions: Iterable[Submission],
    *,
    jobs: int | None = None,
    force: bool = False,
    watch: Callable[[Running], object] = lambda running: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[GradingOutcome, None, None]:
    """Grade submissions through nbgrader, and yield each outcome as soon as it is recorded.

    First come those whose record shows that nothing changed since they were graded, and those
    that cannot be graded at all; the others are worked on, ``jobs`` at a time (by default
    ``c.Grading.jobs``), by processes of this machine or on ``c.Grading.cluster``, and recorded in
    their order. What was executed before is judged again without running it; with ``force``, all
    is done anew. ``watch`` is told what is going on. When ``stopping`` says so, what runs is
    finished and recorded, and nothing more is begun.

    Closing the iterator, or Ctrl-C, ends the workers; what they were at is then not graded.
    Raises ``CourseLocked`` while somebody else grades this course, ``IsolationError`` where the
    sandbox is weaker than the course asks for, ``ReferenceFailed`` where a reference solution
    does not get full marks, and ``WorkerRefused`` where a worker has other packages than this
    process; nothing is graded then. ``CannotRecord`` ends it where the gradebook or the disk
    takes no more.
    """
    submissions, settings = list(submissions), course.settings
    with course_lock(course.gradebook_folder), ExitStack() as opened:
        workers = None
        if submissions and not settings.cluster:
            # They and their server import while this process does so, and plans.
            count = min(jobs or settings.worker_count(), len(submissions))
            workers = opened.enter_context(local_workers(count, preload_of(course)))
        from nbjudge.cohort.steps import steps

        yield from steps(
            course, submissions, workers, jobs=jobs, force=force, watch=watch, stopping=stopping
        )


def plan_grading(
    course: Course, submissions: Iterable[Submission], *, force: bool = False
) -> list[Planned]:
    """What ``grade`` would do; changes nothing."""
    from nbjudge.cohort.planning import plan
    from nbjudge.trial.judging import judging_of

    return plan(judging_of(course), list(submissions), force=force)
