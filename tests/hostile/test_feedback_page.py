"""Who hands in to learn the answers reads them nowhere on the page of feedback."""

from __future__ import annotations

import copy
from html import unescape
from pathlib import Path

import hostile_class
import hostile_course
import pytest
from hostile_course import CONFIG, answer, cell, notebook
from hostile_course import test as graded
from nbjudge.course import load_course
from nbjudge.release.release import release

# What only hidden tests hand in, and what only they expect.
ARGUMENTS = ["7731", "mango", "8.8125"]
EXPECTED = ["23193", "ognam", "17.625", "'quince'", "quince", "durian", "23,193", "17.62"]
GIVEN = {
    "triple": "def triple(n):\n    return 3 * n",
    "reverse": "def reverse(text):\n    return text[::-1]",
    "labels": "labels = ['quince', 'durian', 'quince']",
    "row": "import numpy as np\nrow = np.array([17.625, 2.0])",
    "double": "def double(x):\n    return 2 * x",
}
# Right for what the visible tests ask.
WRONG = {
    "triple": "def triple(n):\n    return 3 * n if n < 10 else -1",
    "reverse": "def reverse(text):\n    return text[::-1] if len(text) < 3 else 'wrong'",
    "labels": "labels = ['apple', 'pear', 'apple']",
    "row": "import numpy as np\nrow = np.array([1.0, 1.0])",
    "double": "def double(x):\n    return 2 * x if x < 2 else -1.0",
}


def course_notebook():
    return notebook(
        cell("markdown", "title", "# Fruit"),
        *(answer(id, solution) for id, solution in GIVEN.items()),
        graded("plain", "assert triple(1) == 3", "assert triple(7731) == 23193", 1),
        graded("turned", "", "wanted = 23193\nassert wanted == triple(7731)", 1),
        graded("named", "", "for a, b in [(7731, 23193)]:\n    assert triple(a) == b", 1),
        graded("text", "", "assert reverse('mango') == 'ognam', 'from the last letter on'", 1),
        graded("lists", "", "assert labels == ['quince', 'durian', 'quince']", 1),
        graded("each", "", "assert all(a == b for a, b in zip(labels, ['quince', 'durian']))", 1),
        graded("numpy", "", "np.testing.assert_allclose(row, [17.625, 2.0])", 1),
        graded("close", "", "assert np.allclose(row, [17.625, 2.0])", 1),
        graded("far", "", "assert abs(double(8.8125) - 17.625) < 1e-6", 1),
        graded(
            "unittest",
            "",
            "import unittest\nunittest.TestCase().assertEqual(triple(7731), 23193)",
            1,
        ),
        graded(
            "checks",
            "from dlcourse import checks as check",
            "check.function('triple', triple).called_with(7731).returns(23193)",
            1,
        ),
        graded(
            "parts",
            "from dlcourse import checks as check\nimport numpy as np",
            "check.credit(\n"
            "    check.part(1, 'labels', lambda: check.value('labels', labels).equals("
            "['quince', 'durian', 'quince'])),\n"
            "    check.part(1, 'row', lambda: check.array('row', row).equals("
            "np.array([17.625, 2.0]))),\n"
            "    check.part(1, 'nothing', lambda: None))",
            3,
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory, hidden) -> str:
    """The page of feedback on answers that pass the visible tests alone."""
    root = Path(tmp_path_factory.mktemp("page")) / "course"
    hostile_course.make_course(root, hidden, CONFIG)
    source = root / "source" / "h1"
    (source / "tasks.ipynb").unlink()
    hostile_course.write(source / "tasks.ipynb", course_notebook())
    course = load_course(root)
    release(course, "h1")
    made = copy.deepcopy(hostile_course.read(root / "release" / "h1" / "tasks.ipynb"))
    for id, text in WRONG.items():
        hostile_course.by_id(made, id)["source"] = text
    hostile_course.write(root / "submitted" / "curious" / "h1" / "tasks.ipynb", made)
    outcome = hostile_class.grade_all(course, jobs=1)["curious"]
    assert (outcome.status, outcome.score) == ("graded", 1.0), outcome
    return unescape(hostile_class.Graded("curious", course, outcome).feedback)


@pytest.mark.parametrize("secret", [*ARGUMENTS, *EXPECTED])
def test_the_page_shows_nothing_that_only_a_hidden_test_knows(page, secret):
    assert secret not in page


@pytest.mark.parametrize(
    "words",
    [
        "got -1, expected another number",
        "from the last letter on",
        "got 'wrong', expected another value",
        "got ['apple', 'pear', 'apple'], expected other values",
        "assert_allclose does not hold",
        "triple(…) returned -1.",
    ],
)
def test_the_page_tells_the_student_s_own_value_and_what_kind_of_thing_is_wrong(page, words):
    assert words in page
