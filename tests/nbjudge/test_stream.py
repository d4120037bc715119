"""Grading what comes, as it comes: a slow notebook holds no other back."""

from __future__ import annotations

from concurrent.futures import Executor, Future

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import course_lock, grade_stream
from nbjudge.cohort.lock import CourseLocked
from nbjudge.cohort.workers import Workers
from nbjudge.trial.reference import ReferenceFailed


class HoldsBack(Executor):
    """Does each task at once, but that of one student only when it is told to."""

    def __init__(self, held: str) -> None:
        self.held, self.waiting = held, []

    def submit(self, function, /, *args, **kwargs):
        future = Future()

        def act() -> None:
            future.set_result(function(*args, **kwargs))

        task = args[0]
        if task.files is not None and self.held.encode() in task.files["toys.ipynb"]:
            self.waiting.append(act)
        else:
            act()
        return future


@pytest.fixture
def stream(released_course, warm_server):
    """Begin to grade the students' hand-ins, in this order; the outcomes, and who holds back."""

    def begin(*students: str, course=released_course):
        executor = HoldsBack("slow one")
        workers = Workers(executor, lambda: 2, lambda: warm_server.address)
        left = list(students)

        def more():
            return find_submissions(course, students=[left.pop(0)]) if left else []

        return grade_stream(course, workers, more), executor

    return begin


def test_what_comes_later_is_graded_while_another_runs(released_course, stream):
    toy.submit(released_course.root, "anna", toy.RIGHT | {"why": "I am the slow one."})
    toy.submit(released_course.root, "bob")
    outcomes, executor = stream("anna", "bob")
    first = next(outcomes)
    assert (first.student, first.score, first.status) == ("bob", 5, "graded")
    with (
        pytest.raises(CourseLocked, match="being graded already"),
        course_lock(released_course.gradebook_folder),
    ):
        pass
    executor.waiting.pop()()
    assert [(one.student, one.score) for one in outcomes] == [("anna", 5)]
    with course_lock(released_course.gradebook_folder):
        pass  # nobody holds it any more


def test_it_is_graded_again_when_it_is_given_again(released_course, stream):
    toy.submit(released_course.root, "bob")
    outcomes, _ = stream("bob", "bob")
    assert [(one.student, one.score, one.reused) for one in outcomes] == [("bob", 5, False)] * 2


def test_nothing_counts_before_the_reference_has_full_marks(released_course, stream):
    source = released_course.source / "ps1" / "toys.ipynb"
    notebook = toy.read(source)
    solved = toy.by_id(notebook, "double")
    solved["source"] = solved["source"].replace("2 * x", "3 * x")
    toy.write(source, notebook)
    toy.submit(released_course.root, "bob")
    outcomes, _ = stream("bob")
    with pytest.raises(ReferenceFailed, match="ps1"):
        list(outcomes)
    assert not (released_course.autograded / "bob").exists()


def test_a_name_that_nobody_can_have_is_told_and_stops_no_other(released_course, stream):
    odd = "b" * 150
    toy.submit(released_course.root, odd)
    toy.submit(released_course.root, "bob")
    outcomes, _ = stream(odd, "bob")
    found = {one.student: one for one in outcomes}
    assert found["bob"].score == 5
    assert "cannot be a student's name" in found[odd].reason
