"""Grading many submissions: one bad one never stops the others, nor looks like a zero."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from nbjudge.admit.submissions import Submission
from nbjudge.cohort.lock import course_lock
from nbjudge.cohort.workers import Workers, local_workers
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
    sandbox is weaker than the course asks for, and ``WorkerRefused`` where a worker has other
    packages than this process; nothing is graded then. ``ReferenceFailed`` comes last, when all
    else is graded: nothing is graded of the assignments whose reference solution does not get
    full marks. ``CannotRecord`` ends it where the gradebook or the disk takes no more.
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


def use_cluster(course: Course, cluster: str) -> None:
    """Have a course graded on this cluster in place of ``c.Grading.cluster``."""
    if cluster != course.settings.cluster:
        course.config.Grading.cluster = cluster
        course.config.Grading.cluster_options = {}  # those of another one


@contextmanager
def course_workers(course: Course) -> Iterator[Workers]:
    """The workers that a course asks for, kept for a ``with`` block; see ``grade_stream``."""
    settings = course.settings
    if not settings.cluster:
        with local_workers(settings.worker_count(), preload_of(course)) as workers:
            yield workers
        return
    from nbjudge.cohort.cluster import cluster_workers

    with cluster_workers(settings, settings.jobs, preload_of(course)) as workers:
        yield workers


def grade_stream(
    course: Course,
    workers: Workers,
    more: Callable[[], Sequence[Submission]],
    *,
    watch: Callable[[Running], object] = lambda running: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[GradingOutcome, None, None]:
    """Grade what ``more()`` gives, as it comes, and yield each outcome when it is recorded.

    ``more`` is asked whenever a worker is free; it must not give a submission of the same student
    and assignment before the outcome of the last one was yielded. It ends when ``more`` gives
    nothing and all is recorded. The rest is as in ``grade``, errors too; a slow notebook holds no
    other back.
    """
    with course_lock(course.gradebook_folder):
        from nbjudge.cohort.steps import stream

        yield from stream(course, workers, more, watch=watch, stopping=stopping)


def plan_grading(
    course: Course, submissions: Iterable[Submission], *, force: bool = False
) -> list[Planned]:
    """What ``grade`` would do; changes nothing."""
    from nbjudge.cohort.planning import plan
    from nbjudge.trial.judging import judging_of

    return plan(judging_of(course), list(submissions), force=force)
