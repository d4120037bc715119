"""From the queue into nbgrader's own places; the grader may end at any moment."""

from __future__ import annotations

import pytest
import toy_course as toy
from handin.conftest import NOON, notebook
from nbhandin.attempts import Graded, read_graded_now
from nbhandin.events import Done, Held, Idle
from nbhandin.feedback import WITHHELD
from nbjudge.cohort import course_lock
from nbjudge.record.records import read_record

WRONG = "def double(x):\n    return x if x > 9 else 2 * x"


def test_every_attempt_is_graded_and_the_last_one_counts(queue, workers):
    data = notebook(queue.course)
    first = queue.hand_in("ada", data)
    second = queue.hand_in("ada", notebook(queue.course, double=WRONG))
    other = queue.hand_in("bob", data)
    assert queue.grader().grade_all(workers)
    assert [queue.score(n) for n in (first, second, other)] == [5, 3, 5]
    assert queue.in_gradebook("ada") == 3
    assert [event for event in queue.said if isinstance(event, Done)]
    assert queue.said[-1] == Idle()
    course = queue.course
    assert (course.autograded / "ada" / "ps1" / "toys.ipynb").is_file()
    assert (course.feedback / "ada" / "ps1" / "toys.html").is_file()
    assert (course.submitted / "ada" / "ps1" / "timestamp.txt").read_text() == (
        "2030-01-01 12:00:00 UTC"
    )
    assert read_record(course.gradebook_folder, "ps1", "ada").status == "graded"
    tasks = {task.grade_id: task for task in queue.attempts.find(second).state.tasks}
    assert tasks["test-double"].hidden and not tasks["test-sums"].hidden
    assert "should be 42" in tasks["test-double"].message


def test_if_the_best_one_counts_the_gradebook_has_that_one_in_the_end(queue, workers):
    first = queue.hand_in("ada", notebook(queue.course))
    queue.hand_in("ada", notebook(queue.course, double=WRONG))
    assert queue.grader(counts="best").grade_all(workers)
    assert queue.in_gradebook("ada") == 5
    assert read_graded_now(queue.places)["ada", "ps1"] == first


def test_what_hidden_tests_say_can_be_held_back(queue, workers):
    number = queue.hand_in("ada", notebook(queue.course, double=WRONG))
    assert queue.grader(hidden_messages="after due").grade_all(workers)
    folder = queue.places.attempt(number)
    full = (folder / "feedback" / "toys.html").read_text()
    less = (folder / "feedback-held-back" / "toys.html").read_text()
    assert "should be 42" in full and WITHHELD not in full
    assert "should be 42" not in less and WITHHELD in less
    assert toy.HIDDEN.partition(",")[0] not in full + less


def test_one_that_cannot_be_graded_says_why_and_stops_no_other(queue, workers):
    bad = queue.hand_in("ada", notebook(queue.course, double="import os\nos._exit(0)"))
    good = queue.hand_in("bob", notebook(queue.course))
    assert queue.grader().grade_all(workers)
    assert "kernel died" in queue.attempts.find(bad).state.reason
    assert queue.score(good) == 5


def test_grading_again_after_a_test_was_repaired(queue, workers):
    number = queue.hand_in("ada", notebook(queue.course))
    grader = queue.grader()
    assert grader.grade_all(workers)
    before = queue.attempts.find(number).state.finished
    queue.attempts.ask_again(number)
    assert grader.grade_all(workers)
    after = queue.attempts.find(number)
    assert not after.again and after.state.finished > before


def test_while_another_holds_the_gradebook_it_waits_and_says_who(queue, workers):
    number = queue.hand_in("ada", notebook(queue.course))
    with course_lock(queue.course.gradebook_folder, "Certificates are being issued"):
        assert not queue.grader().grade_all(workers)
    assert isinstance(queue.said[-1], Held) and queue.said[-1].by_another
    assert "Certificates are being issued" in queue.said[-1].why
    assert queue.attempts.find(number).is_pending
    assert queue.grader().grade_all(workers)
    assert queue.score(number) == 5


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["make_pages", "write_state", "write_durably"])
def test_killed_at_any_step_the_next_grader_goes_on(queue, workers, monkeypatch, step):
    number = queue.hand_in("ada", notebook(queue.course))

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(f"nbhandin.grading.{step}", die)
        queue.grader().grade_all(workers)
    assert ("ada", "ps1") not in read_graded_now(queue.places)
    assert queue.grader().grade_all(workers)
    assert isinstance(queue.attempts.find(number).state, Graded)
    assert queue.in_gradebook("ada") == 5
    assert not list(queue.course.submitted.glob(".handin-*"))


def test_what_graders_die_over_holds_no_other_back_and_is_left_to_a_person(queue, workers):
    """A file says how often; whoever is ended in order takes it away."""
    bad = queue.hand_in("ada", notebook(queue.course))
    good = queue.hand_in("bob", notebook(queue.course))
    queue.places.deaths_of(bad).write_text("2")
    grader = queue.grader()
    assert [job.attempt.number for job in grader._jobs()] == [good, bad]
    queue.places.deaths_of(bad).write_text("5")
    assert grader.grade_all(workers)
    assert queue.score(good) == 5
    assert "instructor has to look" in queue.attempts.find(bad).state.reason
    assert list(queue.places.deaths.iterdir()) == []
    queue.attempts.ask_again(bad)
    assert grader.grade_all(workers)
    assert queue.score(bad) == 5


def test_an_exercise_whose_reference_fails_holds_no_other_back(queue, workers):
    source = queue.course.source / "ps1" / "toys.ipynb"
    broken = toy.read(source)
    cell = toy.by_id(broken, "double")
    cell["source"] = cell["source"].replace("2 * x", "3 * x")
    toy.write(source, broken)
    number = queue.hand_in("ada", notebook(queue.course), NOON)
    assert not queue.grader().grade_all(workers)
    assert "reference solution of ps1" in queue.said[-1].why
    assert queue.attempts.find(number).is_pending
