"""What a hidden test that fails tells: the student's own value, and nothing that only it knows."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest
from nbjudge.assignment.markers import withheld_lines
from nbjudge.judge import failures, withheld
from nbjudge.judge.asserts import TellValues
from test_asserts import RemoteFunction

from dlcourse import checks as check

TELLS_NOT = "; a hidden test does not tell which"
NOTHING = "the test failed, and a hidden test does not tell more"
# What the student's notebook handed out.
OWN = {
    "triple": RemoteFunction(lambda n: n + 2),
    "is_even": RemoteFunction(lambda n: False),
    "name": "tea",
    "numbers": [1, 2, 3],
    "row": np.array([1.0, 2.0]),
    "table": pd.DataFrame({"a": [1, 2]}),
    "nothing": None,
}


def run(source: str, hidden: bool = True, tell: str = "") -> AssertionError:
    """The failure of a test cell whose text is hidden, or not."""
    if hidden:
        source = f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS\n{tell}"
    teller = TellValues()
    teller.begin(OWN)
    tree = ast.fix_missing_locations(teller.visit(ast.parse(source)))
    withheld.withhold("test cell t", withheld_lines(source))
    with pytest.raises(AssertionError) as caught:
        exec(compile(tree, "test cell t", "exec"), {"np": np, "pd": pd, "check": check, **OWN})
    return caught.value


def told(source: str, **options: object) -> str:
    return failures.message(run(source, **options))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("assert triple(771) == 2313", f"got 773, expected another number{TELLS_NOT}"),
        ("assert 2313 == triple(771)", f"got 773, expected another number{TELLS_NOT}"),
        (
            "for a, b in [(771, 2313)]:\n    assert triple(a) == b",
            "got 773, expected another number",
        ),
        ("result = triple(771)\nassert result == 2313", "got 773, expected another number"),
        ("assert triple(771) == [2313]", "got 773, expected a value of type list"),
        ("assert name == 'secret'", f"got 'tea', expected another value{TELLS_NOT}"),
        ("assert len(numbers) == 2313", "got 3, expected another number"),
        ("assert numbers == [2313, 4]", "got [1, 2, 3], expected another length"),
        ("assert numbers == [2313, 4, 5]", "got [1, 2, 3], expected other values"),
        ("assert triple(771) > 2313", "got 773, expected more"),
        ("assert 2313 < triple(771)", "got 773, expected more"),
        ("assert not triple(771) == 773", "got 773, expected anything else"),
        ("assert name in ['secret']", "got 'tea', expected one of those that the test knows"),
        ("assert 'secret' in name", "got 'tea', which does not hold what the test looks for"),
        ("assert is_even(2313)", "got False, expected True"),
        ("assert nothing", "got None, expected something that is true"),
        ("assert isinstance(name, list)", "got 'tea' of type str, expected another type"),
        ("assert np.allclose(row, [2313, 1])", "got array([1.0, 2.0]), expected a value of type"),
        ("assert (row == np.array([2313, 1])).all()", "got array([1.0, 2.0]), expected other"),
        ("assert name == 'tea' and triple(771) == 2313", "got 773, expected another number"),
        # What is made of a value that only the test knows is not shown.
        ("assert abs(triple(771) - 2313) < 1", NOTHING),
        ("secret = 2313\nassert secret == 1", NOTHING),
        ("name = 'secret'\nassert name == 'tea'", NOTHING),
        ("assert sum([2313, 1]) == 1", NOTHING),
    ],
)
def test_a_plain_assert(source, words):
    said = told(source)
    assert said.startswith(words)
    assert not [secret for secret in ("2313", "771", "secret") if secret in said.replace("773", "")]


def test_the_author_s_own_words_are_told():
    said = told("assert triple(771) == 2313, 'triple multiplies by three'")
    assert said == f"triple multiplies by three\n(got 773, expected another number{TELLS_NOT})"


@pytest.mark.parametrize(
    "source",
    [
        "np.testing.assert_allclose(row, [2313, 1])",
        "np.testing.assert_array_equal(row, [2313, 1])",
        "np.testing.assert_equal(name, 'secret')",
        "pd.testing.assert_frame_equal(table, pd.DataFrame({'a': [2313, 1]}))",
        "import unittest\nunittest.TestCase().assertEqual(triple(771), 2313)",
        "import unittest\nunittest.TestCase().assertIn('secret', name)",
    ],
)
def test_a_comparison_of_a_library_s(source):
    said = told(source)
    assert "does not hold for what the test looked at; a hidden test does not tell more" in said
    assert not [secret for secret in ("2313", "771", "secret") if secret in said]
    assert "2313" in told(source, hidden=False) or "secret" in told(source, hidden=False)


@pytest.mark.parametrize(
    "source",
    [
        "check.function('triple', triple).called_with(771).returns(2313)",
        "check.value('the name', name).equals('secret')",
        "check.array('the row', row).equals(np.array([2313.0, 1]))",
        "check.table('the table', table).holds({'a': [2313, 1]})",
        "check.table('the table', table).has_columns('secret')",
        "check.value('numbers', dict(a=1)).has_keys('secret')",
        "check.credit(check.part(1, 'a part', lambda: check.value('it', 1).equals(2313)))",
    ],
)
def test_the_course_s_own_checks(source, capsys):
    said = told(source) + capsys.readouterr().out
    assert "a hidden test does not tell what" in said.lower()
    assert not [secret for secret in ("2313", "2,313", "771", "secret") if secret in said]


def test_a_reason_in_the_author_s_words_is_told_without_the_value():
    said = told("check.value('it', 1).equals(2313, because='it is three times as much')")
    assert "Hint: it is three times as much" in said
    assert "2,313" not in said
    shown = told("check.value('it', 1).equals(2313, because='it is so')", hidden=False)
    assert "Expected: 2,313, because it is so" in shown


@pytest.mark.parametrize("source", ["assert triple(771) == 2313", "assert name == 'secret'"])
def test_a_visible_test_tells_all_and_so_does_one_whose_author_says_so(source):
    for said in (told(source, hidden=False), told(source, tell="### TELL EXPECTED VALUES")):
        assert "expected 2313" in said or "expected 'secret'" in said


def test_a_helper_of_a_visible_line_is_hidden_where_a_hidden_line_calls_it():
    source = (
        "def same(one, other):\n    assert one == other\n"
        "### BEGIN HIDDEN TESTS\nsame(triple(771), 2313)\n### END HIDDEN TESTS"
    )
    assert told(source, hidden=False) == NOTHING
