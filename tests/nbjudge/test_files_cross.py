"""Files that a notebook wrote and a test reads, and the other way round."""

from __future__ import annotations

import pytest
import toy_course as toy
from nbjudge.record.records import read_record
from test_asked_in_the_kernel import release_with, run

pytestmark = pytest.mark.usefixtures("grades_here")

ANSWER = """import os
import pickle

def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

def save(name, values):
    os.makedirs("out", exist_ok=True)
    with open(os.path.join("out", name), "w") as file:
        file.writelines(f"{value}\\n" for value in values)

def count_lines(name):
    with open(name) as file:
        return len(file.readlines())

save("early.txt", [double(1), double(2)])
with open("model.pkl", "wb") as file:
    pickle.dump(double, file)
"""
TEST = """import os
assert open("out/early.txt").read() == "2\\n4\\n"
save("late.txt", "abc")
assert open("out/late.txt").read() == "a\\nb\\nc\\n"
assert sorted(os.listdir("out")) == ["early.txt", "late.txt"]
with open("mine.txt", "w") as file:
    file.write("1\\n2\\n3\\n")
assert count_lines("mine.txt") == 3
os.remove("mine.txt")
try:
    count_lines("mine.txt")
except FileNotFoundError:
    pass
else:
    raise AssertionError
assert os.path.exists("model.pkl") and os.path.getsize("model.pkl") > 10
"""
PICKLE = """import pickle
assert pickle.load(open("model.pkl", "rb"))(2) == 4
"""


def solved(text=ANSWER):
    text = text.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    return toy.RIGHT | {"double": text}


def test_what_either_side_writes_the_other_reads_and_nothing_that_can_run(released_course):
    course = released_course
    helper = course.source / "ps1" / "yaml.py"  # the name of an installed package
    helper.write_text("def expected():\n    return ['early.txt', 'late.txt']\n")
    imported = "from yaml import expected\nassert expected() == sorted(os.listdir('out'))\n"
    release_with(course, double=ANSWER, test_double=TEST + imported)
    toy.submit(course.root, "anna", solved())
    toy.submit(course.root, "bob", solved(ANSWER.replace('f"{value}\\n"', "str(value)")))
    # A file of the student's, under the name of a module of Python's that the judge may import.
    spoilt = "\nwith open('shelve.py', 'w') as file:\n    file.write('raise SystemExit')\n"
    toy.submit(course.root, "mallory", solved(ANSWER + spoilt))
    found = run(course)
    assert {name: item.score for name, item in found.items()} == {"anna": 5, "bob": 3, "mallory": 5}


def test_a_pickle_of_the_notebooks_is_not_read(released_course):
    course = released_course
    release_with(course, double=ANSWER, test_double=PICKLE)
    toy.submit(course.root, "anna", solved())
    with pytest.raises(Exception, match="RUN IN STUDENT KERNEL"):
        run(course)
    assert read_record(course.root / "gradebook", "ps1", "anna") is None
