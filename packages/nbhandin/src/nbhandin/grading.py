"""Grading what is in the queue: from the attempts into nbgrader's own places, one by one.

What is to be done follows from what is on the disk (``attempts.jobs``), so this may end at any
moment: whoever comes next goes on.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from nbjudge.admit.submissions import TIMESTAMP_FILE, Submission, submission_digest
from nbjudge.assignment import find_assignment
from nbjudge.cohort import GradingOutcome, Running, Workers, grade_stream
from nbjudge.cohort.lock import CourseLocked
from nbjudge.cohort.workers import WorkersLost
from nbjudge.course import Course
from nbjudge.errors import NbjudgeError
from nbjudge.files import replace_folder
from nbjudge.record.records import read_record
from nbjudge.trial.reference import ReferenceFailed

from nbhandin.attempts import (
    Attempt,
    Attempts,
    Graded,
    Job,
    NotGraded,
    TaskResult,
    jobs,
    now_utc,
    read_deaths,
    read_graded_now,
    write_state,
)
from nbhandin.events import Came, Done, Event, Exchanged, Held, Idle, Now
from nbhandin.exchange import Exchange
from nbhandin.feedback import hidden_tests, make_pages
from nbhandin.places import FULL, HELD_BACK, Places
from nbhandin.settings import HandIn
from nbhandin.storing import write_durably

Pair = tuple[str, str]
# An assignment that cannot be graded is looked at again after so many seconds.
_SECONDS_BLOCKED = 30.0
_MOST_DEATHS = 5
_DIED = (
    "Each time that this attempt was graded, the grader itself ended. That may be the notebook's "
    "doing, or not. Your instructor has to look at it."
)
_NO_PAGES = "The page with your notebook could not be made ({error}). Your points are right."


class QueueGrader:
    """Grades the attempts of a course; ``say`` is told what goes on.

    ``exchange`` is looked at for more; ``stopping`` says that nothing more is to be begun.
    """

    def __init__(
        self,
        course: Course,
        settings: HandIn,
        say: Callable[[Event], object],
        stopping: Callable[[], bool] = lambda: False,
        exchange: Exchange | None = None,
    ) -> None:
        self._exchange = exchange
        self._problems: tuple[str, ...] | None = None
        self._course, self._settings = course, settings
        self._say, self._stopping = say, stopping
        self._places = Places(course.gradebook_folder)
        self._attempts = Attempts(self._places)
        self._flying: dict[Pair, Attempt] = {}
        self._blocked: dict[str, float] = {}
        self._hidden: dict[str, frozenset[str]] = {}

    def grade_all(self, workers: Workers) -> bool:
        """Grade until nothing is left; whether that was possible.

        Raises ``WorkersLost`` where these workers will never grade again.
        """
        every = {job.attempt.receipt.assignment for job in self._jobs()}
        if not every:
            return True
        try:
            self._stream(workers, lambda name: True)
        except ReferenceFailed:
            # One exercise that cannot be graded holds no other back: each on its own.
            could = [self._alone(workers, name) for name in sorted(every)]
            return all(could)
        except WorkersLost:
            raise
        except (NbjudgeError, OSError) as error:
            self._hold(str(error), isinstance(error, CourseLocked))
            return False
        self._say(Idle())
        return True

    def _alone(self, workers: Workers, assignment: str) -> bool:
        try:
            self._stream(workers, lambda name: name == assignment)
        except ReferenceFailed as error:
            self._blocked[assignment] = time.monotonic() + _SECONDS_BLOCKED
            self._hold(str(error), False)
            return False
        except WorkersLost:
            raise
        except (NbjudgeError, OSError) as error:
            self._hold(str(error), isinstance(error, CourseLocked))
            return False
        return True

    def _stream(self, workers: Workers, wanted: Callable[[str], bool]) -> None:
        """Grade what there is of the wanted assignments, and what comes meanwhile."""
        self._flying.clear()
        self._hidden.clear()

        def more() -> list[Submission]:
            for job in self._jobs():
                if not wanted(job.attempt.receipt.assignment):
                    continue
                if self._has_died_too_often(job.attempt):
                    self._keep(job.attempt, NotGraded(_DIED, now_utc()))
                    continue
                return [self._place(job.attempt)]
            return []

        outcomes = grade_stream(
            self._course, workers, more, watch=self._watch, stopping=self._stopping
        )
        try:
            with closing(outcomes):
                for outcome in outcomes:
                    self._finish(outcome)
        finally:
            # Only a grader that could not even come here has died.
            for attempt in self._flying.values():
                self._places.deaths_of(attempt.number).unlink(missing_ok=True)

    def _jobs(self) -> list[Job]:
        self._attempts.refresh()
        if self._exchange is not None:
            self._look(self._exchange)
        found = jobs(
            self._attempts.by_pair(),
            read_graded_now(self._places),
            self._settings.counts,
            frozenset(self._flying),
            read_deaths(self._places),
        )
        now = time.monotonic()
        return [j for j in found if self._blocked.get(j.attempt.receipt.assignment, 0.0) <= now]

    def _look(self, exchange: Exchange) -> None:
        """Take in what came from the exchange, and say what is wrong with it."""
        look = exchange.look(self._attempts)
        self._attempts.refresh()
        for number, reason in look.came.items():
            self._say(Came(number))
            attempt = self._attempts.find(number)
            if reason and attempt is not None:
                self._keep(attempt, NotGraded(reason, now_utc()))
        if look.problems is not None and look.problems != self._problems:
            self._problems = look.problems
            self._say(Exchanged(look.problems))

    def _place(self, attempt: Attempt) -> Submission:
        """Put an attempt into ``submitted/STUDENT/ASSIGNMENT``, with the time of its receipt."""
        student, assignment = attempt.pair
        received = attempt.receipt.received
        self._marker(attempt).unlink(missing_ok=True)
        deaths = read_deaths(self._places).get(attempt.number, 0)
        self._places.deaths_of(attempt.number).write_text(str(deaths + 1), encoding="utf-8")
        target = self._course.submitted / student / assignment
        self._course.submitted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._course.submitted, prefix=".handin-") as aside:
            new = Path(aside, "new")
            shutil.copytree(self._places.attempt(attempt.number) / "files", new)
            text = f"{received:%Y-%m-%d %H:%M:%S} UTC"
            (new / TIMESTAMP_FILE).write_text(text, encoding="utf-8")
            replace_folder(new, target)
        self._flying[attempt.pair] = attempt
        return Submission(
            student,
            assignment,
            target,
            submission_digest(self._course, target),
            received.replace(tzinfo=None, microsecond=0),
        )

    def _finish(self, outcome: GradingOutcome) -> None:
        """Keep what came of an attempt, and make its pages."""
        attempt = self._flying[outcome.student, outcome.assignment]
        folder = self._places.attempt(attempt.number)
        state: Graded | NotGraded = NotGraded(outcome.reason, now_utc())
        if outcome.status == "graded":
            notes = self._make_pages(outcome, folder)
            state = self._graded(outcome, notes)
        self._keep(attempt, state)
        del self._flying[attempt.pair]

    def _has_died_too_often(self, attempt: Attempt) -> bool:
        return read_deaths(self._places).get(attempt.number, 0) >= _MOST_DEATHS

    def _keep(self, attempt: Attempt, state: Graded | NotGraded) -> None:
        """Write down what came of an attempt, and that the gradebook has it."""
        write_state(self._places.attempt(attempt.number), state)
        self._places.asked_again(attempt.number).unlink(missing_ok=True)
        write_durably(self._marker(attempt), str(attempt.number).encode())
        self._places.deaths_of(attempt.number).unlink(missing_ok=True)
        self._attempts.reread(attempt.number)
        self._say(Done(attempt.number))

    def _graded(self, outcome: GradingOutcome, notes: tuple[str, ...]) -> Graded:
        record = read_record(self._course.gradebook_folder, outcome.assignment, outcome.student)
        hidden = self._hidden_tests(outcome.assignment)
        return Graded(
            outcome.score,
            outcome.max_score,
            outcome.needs_manual_grade,
            outcome.late_seconds,
            now_utc(),
            tuple(
                TaskResult(
                    cell.grade_id,
                    cell.score,
                    cell.max_score,
                    cell.message,
                    cell.grade_id in hidden,
                )
                for cell in (record.cells if record is not None else ())
            ),
            (
                *(note for run in (record.notebooks if record else ()) for note in run.notes),
                *notes,
            ),
        )

    def _make_pages(self, outcome: GradingOutcome, folder: Path) -> tuple[str, ...]:
        """Make the feedback pages; what the student is told where they cannot be made."""
        try:
            pages = make_pages(
                self._course,
                outcome.assignment,
                outcome.student,
                hold_back=self._settings.hidden_messages != "at once",
            )
            for part in (FULL, HELD_BACK):
                shutil.rmtree(folder / part, ignore_errors=True)
            for name, text in pages.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            return (_NO_PAGES.format(error=error.strerror or "the disk"),)
        except Exception as error:  # whatever nbconvert stumbles on: the grade stands
            return (_NO_PAGES.format(error=type(error).__name__),)
        return ()

    def _hidden_tests(self, name: str) -> frozenset[str]:
        if name not in self._hidden:
            assignment = find_assignment(self._course, name)
            self._hidden[name] = hidden_tests(assignment) if assignment else frozenset()
        return self._hidden[name]

    def _marker(self, attempt: Attempt) -> Path:
        student, assignment = attempt.pair
        return self._places.graded_now / student / assignment

    def _watch(self, running: Running) -> None:
        pairs = ((one.student, one.assignment) for one in running.submissions)
        numbers = (self._flying[pair].number for pair in pairs if pair in self._flying)
        self._say(Now(running.doing, tuple(numbers)))

    def _hold(self, why: str, by_another: bool) -> None:
        self._flying.clear()
        self._say(Held(why, by_another))
