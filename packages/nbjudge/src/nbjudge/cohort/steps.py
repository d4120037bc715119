"""The steps of grading a class: what holds is taken as it is, the rest is run and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from nbjudge.admit.submissions import Submission
from nbjudge.cohort.cluster import cluster_workers
from nbjudge.cohort.outcomes import GradingOutcome, Running, outcome
from nbjudge.cohort.planning import Holds, Planned, Refused, ToGrade, plan
from nbjudge.cohort.recording import patiently
from nbjudge.cohort.run import Run, refused
from nbjudge.cohort.standing import bring_up_to_date
from nbjudge.cohort.workers import Workers
from nbjudge.course import Course
from nbjudge.course.engines import keep_engines
from nbjudge.record.marks import Totals
from nbjudge.trial.judging import Judging, judging_of


def steps(
    course: Course,
    submissions: Sequence[Submission],
    workers: Workers | None,
    *,
    jobs: int | None,
    force: bool,
    watch: Callable[[Running], object],
    stopping: Callable[[], bool],
) -> Iterator[GradingOutcome]:
    """See ``nbjudge.cohort.grade``; without ``workers``, those of the course's cluster work."""
    keep_engines()
    judging, settings = judging_of(course), course.settings
    planned = patiently(lambda: plan(judging, submissions, force=force))
    for item in planned:
        if isinstance(item, Holds):
            totals = _up_to_date(judging, item.submission, item.totals)
            yield outcome(item.submission, totals, weaker_tests=item.weaker_tests)
        elif isinstance(item, Refused):
            yield refused(judging, item)
    fresh = [item for item in planned if isinstance(item, ToGrade)]
    if not fresh:
        return
    with ExitStack() as opened:
        if workers is None:
            cluster = cluster_workers(settings, jobs or settings.jobs, judging.preload)
            workers = opened.enter_context(cluster)
        run = Run(judging, fresh, workers, force=force, watch=watch, stopping=stopping)
        yield from run.outcomes()


def stream(
    course: Course,
    workers: Workers,
    more: Callable[[], Sequence[Submission]],
    *,
    watch: Callable[[Running], object],
    stopping: Callable[[], bool],
) -> Iterator[GradingOutcome]:
    """See ``nbjudge.cohort.grade_stream``."""
    keep_engines()
    judging = judging_of(course)

    def planned() -> list[Planned]:
        submissions = list(more())
        # Judged again even where the grade holds: whoever asks wants an outcome in its turn.
        return patiently(lambda: plan(judging, submissions, force=True)) if submissions else []

    run = Run(
        judging,
        (),
        workers,
        force=False,
        watch=watch,
        stopping=stopping,
        more=planned,
        in_order=False,
    )
    yield from run.outcomes()


def _up_to_date(judging: Judging, item: Submission, totals: Totals) -> Totals:
    return patiently(lambda: bring_up_to_date(judging, item, totals))
