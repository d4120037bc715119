"""Functions of the test and objects of the notebook, across a kernel in its sandbox."""

from __future__ import annotations

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.record.records import read_record

pytestmark = pytest.mark.usefixtures("grades_here")

ANSWER = """def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

def apply(f, *values):
    return [f(value) for value in values]

def for_ever(f):
    while True:
        f(0)

class Counter:
    def __init__(self, n):
        self.n = n
    def up(self, by=lambda n: n + 1):
        self.n = by(self.n)
        return self
    def __eq__(self, other):
        return self.n == other.n
"""
TEST = """assert double(21) == 42
seen = []
assert apply(lambda x: seen.append(x) or x * x, 1, 2, 3) == [1, 4, 9]
assert seen == [1, 2, 3]
assert apply(lambda x: double(x) + 1, 1, 2) == [3, 5]
assert apply(lambda x: apply(lambda y: x + y, 1)[0], 5) == [6]
try:
    apply(lambda x: 1 / x, 0)
except ZeroDivisionError:
    pass
else:
    raise AssertionError
counter = Counter(3)
assert counter.up().n == 4 and counter.up(lambda n: 10 * n).n == 40
assert counter == Counter(40) and isinstance(counter, Counter)
"""


def release_with(course, **sources):
    notebook = toy.toy_notebook()
    for id, source in sources.items():
        toy.by_id(notebook, id.replace("_", "-"))["source"] = source
    toy.write(course.source / "ps1" / "toys.ipynb", notebook)
    result = course.api().generate_assignment("ps1", force=True)
    assert result["success"], result


def run(course):
    here = load_course(course.root)
    return {item.student: item for item in grade(here, find_submissions(here))}


def solved(text=ANSWER):
    return toy.RIGHT | {"double": text.replace("    ### BEGIN SOLUTION\n", "")}


def test_the_tests_functions_are_called_from_the_kernel_and_from_the_store(released_course):
    course = released_course
    release_with(course, double=ANSWER, test_double=TEST)
    toy.submit(course.root, "anna", solved())
    wrong = ANSWER.replace("[f(value) for value in values]", "[f(value) for value in values[:2]]")
    toy.submit(course.root, "bob", solved(wrong))
    found = run(course)
    assert {name: item.score for name, item in found.items()} == {"anna": 5, "bob": 3}
    release_with(course, double=ANSWER, test_double=f"{TEST}# and another line\n")
    again = run(course)
    assert {name: item.score for name, item in again.items()} == {"anna": 5, "bob": 3}
    assert read_record(course.gradebook_folder, "ps1", "anna").notebooks[0].was_stored
    # What the test's function gives has changed: the stored answers rest on another one.
    release_with(
        course,
        double=ANSWER,
        test_double=TEST.replace("x * x", "x + x").replace("[1, 4, 9]", "[2, 4, 6]"),
    )
    changed = run(course)
    assert {name: item.score for name, item in changed.items()} == {"anna": 5, "bob": 3}
    assert not read_record(course.gradebook_folder, "ps1", "anna").notebooks[0].was_stored


def test_calls_back_are_bounded_in_number(released_course, monkeypatch):
    monkeypatch.setattr("nbjudge.execute.live._MOST_ASKED", 50)
    course = released_course
    release_with(
        course,
        double=ANSWER,
        test_double="""
try:
    for_ever(lambda x: x)
except TimeoutError as error:
    assert "called the test's function more than 50 times" in str(error), error
else:
    raise AssertionError
assert double(1) == 2
""",
    )
    toy.submit(course.root, "anna", solved())
    assert run(course)["anna"].score == 5
