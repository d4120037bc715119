"""What only the answer imports is the student's to import: the judge does not supply it."""

from __future__ import annotations

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.record.records import read_record
from nbjudge.release.release import release

SOLVED = (
    "import os.path\n### BEGIN SOLUTION\nimport numpy as np\nfrom fractions import Fraction\n"
    "from math import gcd\n### END SOLUTION"
)
TESTS = {
    "function": "assert gcd(12, 18) == 6",
    "class": "half = Fraction(1, 2)\nassert half + half == 1 and isinstance(half, Fraction)",
    "module": "assert np.arange(3).sum() == 3",
    "given": "assert os.path.basename('a/b') == 'b' and json.loads('1') == 1",
    "own": "from math import gcd\nassert gcd(4, 6) == 2",
}  # fmt: skip
ALL = set(TESTS)
GIVEN = {"given", "own"}
ANSWERS = {
    "same": ("import numpy as np\nfrom fractions import Fraction\nfrom math import gcd", ALL),
    "blank": (None, GIVEN),
    "nothing": ("", GIVEN),
    "own-function": (
        "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a",
        GIVEN | {"function"},
    ),
    "another-way": ("import math, numpy\nnp = numpy\ngcd = math.gcd\nclass Fraction: pass",
        ALL - {"class"}),
    "wrong": ("def gcd(a, b):\n    return 1\nclass Fraction: pass\nimport os as np", GIVEN),
    "patched": ("import math\nmath.gcd = lambda a, b: 6\ngcd = math.gcd\nnp = 3",
        GIVEN | {"function"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The cells that earn points, by student."""
    made = toy.notebook(
        toy.text("title", "# Imports"),
        toy.code("setup", "import json"),
        toy.text("task", "## Import"),
        toy.answer("imports", SOLVED),
        *(toy.test_cell(name, source) for name, source in TESTS.items()),
    )
    root = toy.make_course(tmp_path_factory.mktemp("imports") / "course", {"ps1/toys": made})
    course = load_course(root)
    release(course, "ps1")
    for student, (source, _) in ANSWERS.items():
        toy.submit(root, student, {} if source is None else {"imports": source})
    outcomes = list(grade(course, find_submissions(course)))
    assert not [o.reason for o in outcomes if o.status == "not graded"], outcomes
    records = {name: read_record(course.gradebook_folder, "ps1", name) for name in ANSWERS}
    return {n: {c.grade_id for c in found.cells if c.score} for n, found in records.items()}


@pytest.mark.parametrize("student", ANSWERS)
def test_points_for_what_the_student_imported(graded, student):
    assert graded[student] == ANSWERS[student][1]
