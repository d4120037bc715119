"""Grading many submissions: one bad one never stops the others, nor looks like a zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

from nbjudge.admit.submissions import Submission
from nbjudge.cohort.cluster import cluster_workers
from nbjudge.cohort.lock import course_lock
from nbjudge.cohort.outcomes import GradingOutcome, Running, outcome
from nbjudge.cohort.planning import Planned, plan
from nbjudge.cohort.recording import patiently, refuse
from nbjudge.cohort.run import Run
from nbjudge.cohort.standing import bring_up_to_date
from nbjudge.cohort.workers import local_workers
from nbjudge.course import Course
from nbjudge.course.engines import keep_engines
from nbjudge.record.marks import Totals, no_totals
from nbjudge.trial.judging import Judging, judging_of, preload_of


def grade(
    course: Course,
    submissions: Iterable[Submission],
    *,
    jobs: int | None = None,
    force: bool = False,
    watch: Callable[[Running], object] = lambda running: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[GradingOutcome]:
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
    keep_engines()
    submissions, settings = list(submissions), course.settings
    with course_lock(course.gradebook_folder), ExitStack() as opened:
        workers = None
        if submissions and not settings.cluster:
            # Their server imports while this process finds out what there is to do.
            count = min(jobs or settings.worker_count(), len(submissions))
            workers = opened.enter_context(local_workers(count, preload_of(course)))
        judging = judging_of(course)
        planned = patiently(lambda: plan(judging, submissions, force=force))
        fresh = [item for item in planned if item.to_grade]
        for item in planned:
            if item.totals is not None:
                totals = _up_to_date(judging, item.submission, item.totals)
                yield outcome(item.submission, totals)
            elif item.refusal:
                max_score = item.assignment.max_score if item.assignment is not None else 0.0
                if item.assignment is None:
                    refuse(judging, item.submission, item.refusal)
                yield outcome(item.submission, no_totals(max_score), reason=item.refusal)
        if fresh:
            if workers is None:
                cluster = cluster_workers(settings, jobs or settings.jobs, judging.preload)
                workers = opened.enter_context(cluster)
            run = Run(judging, fresh, workers, force=force, watch=watch, stopping=stopping)
            yield from run.outcomes()


def _up_to_date(judging: Judging, item: Submission, totals: Totals) -> Totals:
    return patiently(lambda: bring_up_to_date(judging, item, totals))


def plan_grading(
    course: Course, submissions: Iterable[Submission], *, force: bool = False
) -> list[Planned]:
    """What ``grade`` would do; changes nothing."""
    return plan(judging_of(course), list(submissions), force=force)
