"""What a plain assert says when it fails, and that it is the same assert otherwise."""

from __future__ import annotations

import ast
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.judge.asserts import TellValues
from nbjudge.judge.credit import NotPoints, points_for
from nbjudge.judge.showing import LONGEST, show


class RemoteFunction:
    """Stands for a student's function, as the real one by its class's name."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


GIVEN = {
    "three": 3,
    "none": None,
    "false": False,
    "word": "spam",
    "empty": [],
    "table": {"loss": 1},
    "array": np.arange(12.0).reshape(3, 4),
    "small": np.array([1, 2]),
    "frame": pd.DataFrame({"a": [1, 2]}),
    "square": RemoteFunction(lambda n: n * n + 1),
    "is_even": RemoteFunction(lambda n: False),
    "helper_name": lambda n: n,
    "long": list(range(200)),
    "np": np,
}


def rewritten(source: str):
    tree = TellValues().visit(ast.parse(source))
    return compile(ast.fix_missing_locations(tree), "<test>", "exec")


def message(source: str) -> str:
    with pytest.raises(AssertionError) as caught:
        exec(rewritten(source), dict(GIVEN))
    return str(caught.value)


MESSAGES = [
    ("assert three == 4", "got 3, expected 4"),
    ("assert 4 == three", "got 3, expected 4"),
    ("assert 4 < three", "got 3, expected more than 4"),
    ("assert three != 3", "got 3, expected anything but 3"),
    ("assert three >= 4", "got 3, expected at least 4"),
    ("assert 0 <= three < 3", "got 3, expected less than 3"),
    ("assert 5 < three < 9", "got 3, expected more than 5"),
    ("assert not three == 3", "got 3, expected anything but 3"),
    ("assert not 1 < three < 9", "got 3, expected at most 1; and got 3, expected at least 9"),
    ("assert three is None", "got 3, expected None"),
    ("assert none is not None", "got None, expected anything but None"),
    ("assert three in (1, 2)", "got 3, expected one that is in (1, 2)"),
    ("assert 'acc' in table", "got {'loss': 1}, expected one that contains 'acc'"),
    ("assert 'loss' not in table", "got {'loss': 1}, expected one that does not contain 'loss'"),
    ("assert square(3) == 9", "got 10 for 3, expected 9"),
    ("assert 9 == square(3)", "got 10 for 3, expected 9"),
    ("assert square(n=3) == 9", "got 10 for 3, expected 9"),
    ("assert square(*[3]) == 9", "got 10 for [3], expected 9"),
    ("assert is_even(2)", "got False for 2, expected True"),
    ("assert not square(2)", "got 5 for 2, expected something that is false or empty"),
    ("assert helper_name(3) == 4", "got 3, expected 4"),
    ("assert false", "got False, expected True"),
    ("assert empty", "got [], expected something that is true"),
    ("assert not word", "got 'spam', expected something that is false or empty"),
    ("assert isinstance(three, str)", "got 3 of type int, expected str"),
    ("assert isinstance(three, (str, list))", "got 3 of type int, expected str or list"),
    ("assert not isinstance(three, int)", "got True, expected False, for 3 and the type int"),
    ("assert word.startswith('x')", "got False, expected True, for 'spam' and 'x'"),
    ("assert all([1, 0])", "got False, expected True, for [1, 0]"),
    (
        "assert np.allclose(small, [1, 3])",
        "got array([1, 2]), expected about [1, 3]",
    ),
    (
        "assert np.array_equal(small, np.array([1, 3]))",
        "got array([1, 2]), expected array([1, 3]): 1 of 2 items differ, the first at 1: 2, not 3",
    ),
    (
        "assert (small == np.array([1, 3])).all()",
        "got array([1, 2]), expected array([1, 3]): 1 of 2 items differ, the first at 1: 2, not 3"
        " (in all items)",
    ),
    (
        "assert np.all(array > 0)",
        "got an array of shape (3, 4) and type float64 (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, …), "
        "expected more than 0 (in all items)",
    ),
    ("assert array.shape == (4, 3)", "got (3, 4), expected (4, 3)"),
    ("assert frame is None", "got a table of 2 rows with the columns ['a'], expected None"),
    ("assert three == 3 and three == 4", "got 3, expected 4"),
    ("assert three == 4 and undefined", "got 3, expected 4"),
    ("assert three == 4 or word == 'x'", "got 3, expected 4; or else got 'spam', expected 'x'"),
    ("assert not (three == 4 or three)", "got 3, expected something that is false or empty"),
    ("assert not (three and word)", "got 3, expected something that is false or empty; and got "
     "'spam', expected something that is false or empty"),
    ("assert three == '3'", "got 3, expected '3'"),
    ("assert (1, 2.0) == [1, 2.0]", "got (1, 2.0), expected [1, 2.0]"),
    ("assert helper_name is None", "got a function, expected None"),
    ("assert np is None", "got a module, expected None"),
    ("assert (got := three) == 4", "got 3, expected 4"),
    ("assert False", "the test reached a line that it should not reach"),
    ("assert False, 'never'", "never"),
    ("assert three == 4, 'four legs'", "four legs\n(got 3, expected 4)"),
    ("assert three == 4, ''", "got 3, expected 4"),
    ("assert three == 4, None", "got 3, expected 4"),
    ("assert three == 4, {'a': 1}", "{'a': 1}\n(got 3, expected 4)"),
    ("assert long == long[::-1], 'too long'", "too long"),
    ("def f(v):\n    assert v == 4\nf(3)", "got 3, expected 4"),
    ("class A:\n  n = 3\n  def f(self):\n    assert self.n == 4\nA().f()", "got 3, expected 4"),
    ("for v in (1, 2):\n    assert v == 1", "got 2, expected 1"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "said"), MESSAGES)
def test_message(source, said):
    assert message(source) == said


def test_long_values_are_told_by_their_difference():
    said = message("assert long == [*range(150), -1, *range(151, 200)]")
    assert said.endswith("the first difference is at 150: 150, not -1")
    assert message("assert long == long[:-1]").endswith("their lengths are 200 and 199")


def test_types_are_told_where_values_look_alike():
    source = "class Odd(str):\n    __eq__ = lambda self, other: False\nassert Odd('a') == 'a'"
    assert "'a'" in message(source)
    assert message("assert np.int64(3) == 4") == "got 3, expected 4"


def test_the_tests_own_names_are_not_told():
    source = (
        "class Secret: ...\ndef secret(): ...\nfor value in (Secret(), Secret, secret):\n"
        "    try:\n        assert value == 1\n    except AssertionError as error:\n"
        "        told.append(str(error))"
    )
    told: list[str] = []
    exec(rewritten(source), {"told": told, "__name__": "__main__"})
    assert len(told) == 3
    assert not any("ecret" in words for words in told)


def test_an_assert_that_holds_leaves_nothing():
    names: dict = dict(GIVEN)
    exec(rewritten("assert three == 3\nassert square(1), 'm'"), names)
    assert set(names) - set(GIVEN) == {"__builtins__"}


def test_errors_within_an_assert_are_the_errors():
    with pytest.raises(ZeroDivisionError):
        exec(rewritten("assert 1 / 0 == 1"), {})
    with pytest.raises(ValueError, match="ambiguous"):
        exec(rewritten("assert small == small"), dict(GIVEN))


OPERANDS = st.sampled_from([f"see({n})" for n in range(3)])
BOOLEANS = st.recursive(
    st.one_of(
        OPERANDS,
        st.builds("{} < {} <= {}".format, OPERANDS, OPERANDS, OPERANDS),
        st.builds("{} in [{}]".format, OPERANDS, OPERANDS),
        st.builds("bool({})".format, OPERANDS),
        st.builds("isinstance({}, int)".format, OPERANDS),
    ),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} == {})".format, inner, inner),
    ),
)


@given(BOOLEANS, st.booleans())
def test_a_rewritten_assert_evaluates_the_same(expression, has_message):
    source = f"assert {expression}" + ", say()" * has_message

    def run(code) -> tuple[list, bool]:
        seen: list = []

        def see(value):
            seen.append(value)
            return value

        def say():
            seen.append("message")
            return "message"

        try:
            exec(code, {"see": see, "say": say})
        except AssertionError as error:
            assert code is plain or str(error)
            return seen, False
        return seen, True

    plain = compile(source, "<test>", "exec")
    assert run(rewritten(source)) == run(plain)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=60,
    )
)
def test_what_is_shown_is_short(value):
    assert 0 < len(show(value)) <= LONGEST


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (0, 0.0),
        (2, 2.0),
        (3, 3.0),
        (1.5, 1.5),
        (0.1 * 3 * 10, 3.0),
        (-1e-12, 0.0),
        (-0.0, 0.0),
        (np.float32(1.5), 1.5),
        (np.int8(2), 2.0),
        (np.array(1.5), 1.5),
        (Fraction(3, 2), 1.5),
        (Decimal("1.5"), 1.5),
    ],
)
def test_points(value, score):
    found = points_for(value, 3, "test_x")
    assert (type(found), repr(found)) == (float, repr(score))


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.bool_(True),
        np.array(True),
        "2",
        np.array("2"),
        float("nan"),
        float("inf"),
        10**400,
        -0.1,
        3.1,
        1j,
        [1],
        np.array([1.0]),
        (),
        object(),
        print,
    ],
    # Workers compare the tests' names, and an object's text has its address.
    ids=lambda value: repr(value).partition(" at 0x")[0],
)
def test_no_points(value):
    words = r"^The last value of the test cell 'test_x' is .*\. It must be .* from 0 to 3"
    with pytest.raises(NotPoints, match=words):
        points_for(value, 3, "test_x")


@given(st.floats() | st.integers(), st.floats(0, 100))
def test_a_score_is_within_the_points(value, points):
    try:
        assert 0 <= points_for(value, points, "x") <= points
    except NotPoints:
        assert not 0 <= value <= points
