"""What came of each submission, and of all of them together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from nbjudge.admit.submissions import Submission
from nbjudge.cohort.task import Worked
from nbjudge.record.marks import Totals
from nbjudge.record.records import Status


@dataclass(frozen=True)
class GradingOutcome:
    """What came of one submission.

    Scores are in points, late penalty taken off; 0 of ``max_score`` for one that is not
    graded, whose ``reason`` says why. ``reused`` means nothing had changed since it was graded.
    ``seconds`` are a worker's, ``student_seconds`` of processor time in the student's cells and
    functions, 0 where the notebook was not run now. ``weaker_tests`` counts the test cells that ran
    in the student's kernel, where a notebook can read them and change what they find.
    """

    student: str
    assignment: str
    status: Status
    reason: str
    score: float
    max_score: float
    needs_manual_grade: bool
    late_seconds: float
    seconds: float
    reused: bool
    student_seconds: float = 0.0
    weaker_tests: int = 0


def outcome(
    item: Submission,
    totals: Totals,
    worked: Worked | None = None,
    *,
    reason: str = "",
    weaker_tests: int = 0,
) -> GradingOutcome:
    """The outcome of a submission; without ``worked`` it was not worked on now: see ``reason``."""
    reason = worked.reason if worked is not None else reason
    runs = [trial.run for trial in worked.trials.values()] if worked is not None else []
    return GradingOutcome(
        item.student,
        item.assignment,
        "not graded" if reason else "graded",
        reason,
        totals.score,
        totals.max_score,
        totals.needs_manual_grade,
        totals.late_seconds,
        worked.seconds if worked is not None else 0.0,
        reused=worked is None and not reason,
        student_seconds=sum(
            run.usage["cell_cpu_seconds"] + run.usage["call_cpu_seconds"]
            for run in runs
            if not run.was_stored
        ),
        weaker_tests=weaker_tests or sum(len(run.tests_in_kernel) for run in runs),
    )


@dataclass(frozen=True)
class Running:
    """What is going on: ``submissions`` are worked on, ``waiting`` more have not been begun.

    ``doing`` is said in words where no submission is worked on yet.
    """

    doing: str = ""
    submissions: tuple[Submission, ...] = ()
    waiting: int = 0


@dataclass(frozen=True)
class Summary:
    """A whole run: counts, times in seconds, and what a person has to look at.

    ``graded`` and ``not_graded`` are of those that were looked at now; ``to_read`` have answers
    that a person grades, ``weaker`` have tests that ran in the student's kernel.
    """

    graded: int
    reused: int
    not_graded: int
    to_read: int
    seconds: float
    student_seconds: float
    median_seconds: float
    slowest: tuple[GradingOutcome, ...]
    for_a_person: tuple[GradingOutcome, ...]
    weaker: int = 0


def summarise(outcomes: Sequence[GradingOutcome], seconds: float) -> Summary:
    """The summary of a run that took ``seconds``."""
    fresh = [item for item in outcomes if not item.reused]
    return Summary(
        graded=sum(item.status == "graded" for item in fresh),
        reused=len(outcomes) - len(fresh),
        not_graded=sum(item.status != "graded" for item in fresh),
        to_read=sum(item.needs_manual_grade for item in outcomes),
        seconds=seconds,
        student_seconds=sum(item.student_seconds for item in fresh),
        median_seconds=statistics.median([item.seconds for item in fresh] or [0.0]),
        slowest=tuple(sorted(fresh, key=lambda item: -item.seconds)[:3]),
        for_a_person=tuple(item for item in outcomes if item.status != "graded"),
        weaker=sum(item.weaker_tests > 0 for item in outcomes),
    )
