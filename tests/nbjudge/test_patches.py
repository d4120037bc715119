"""What a test replaces is replaced for the student's functions that it calls, and only then."""

from __future__ import annotations

import pytest
import toy_course as toy
from nbjudge.record.records import read_record
from test_asked_in_the_kernel import release_with, run

pytestmark = pytest.mark.usefixtures("grades_here")

ANSWER = """import random
import time

THROWS = 3

def throw():
    return random.randint(1, 6)

def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

def twice(x):
    return double(double(x))

def age():
    return int(input("How old are you? ")) + 1

def guess():
    throws = [throw() for _ in range(THROWS)]
    time.sleep(sum(throws))
    return throws
"""
TEST = """from unittest.mock import patch
import builtins
import random

kept = double
del double
try:
    twice(1)
except NameError:
    pass
else:
    raise AssertionError("twice does not use double")
finally:
    double = kept
assert twice(3) == 12

double = lambda x: x + 1
assert twice(3) == 5
double = kept

with patch("builtins.input", side_effect=["20", "30"]) as asked:
    assert (age(), age()) == (21, 31)
    assert asked.call_args.args == ("How old are you? ",)
input = lambda *words: "7"
assert age() == 8
del input

with patch("time.sleep") as slept, patch.object(random, "randint", return_value=6) as thrown:
    assert guess() == [6, 6, 6] and thrown.call_count == 3
slept.assert_called_once_with(18)
before, random.randint, THROWS = random.randint, lambda a, b: b - a, 2
with patch("time.sleep"):
    assert guess() == [5, 5]
random.randint, THROWS = before, 3
with patch("__main__.throw", return_value=0):
    assert guess() == [0, 0, 0]
assert 1 <= throw() <= 6
"""


def solved(text=ANSWER):
    text = text.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    return toy.RIGHT | {"double": text}


def test_what_a_test_replaces_is_replaced_for_the_students_functions(released_course):
    course = released_course
    release_with(course, double=ANSWER, test_double=TEST)
    toy.submit(course.root, "anna", solved())
    toy.submit(course.root, "bob", solved(ANSWER.replace("double(double(x))", "4 * x")))
    # A function that does without what the test puts in its place.
    cheat = ANSWER.replace("random.randint(1, 6)", "6")
    toy.submit(course.root, "carl", solved(cheat))
    found = run(course)
    assert {name: item.score for name, item in found.items()} == {"anna": 5, "bob": 3, "carl": 3}
    record = read_record(course.root / "gradebook", "ps1", "anna")
    assert [notebook.tests_in_kernel for notebook in record.notebooks] == [()]


def test_what_does_not_cross_is_said_with_what_to_do(released_course):
    course = released_course
    test = "import time\ntime.sleep = iter(())\nclass Odd:\n    pass\ntime.sleep = Odd()\nguess()\n"
    release_with(course, double=ANSWER, test_double=test)
    toy.submit(course.root, "anna", solved())
    with pytest.raises(Exception, match=r"replaces time\.sleep.*RUN IN STUDENT KERNEL"):
        run(course)
