"""Python's own values, numpy arrays and pandas tables come back as they were."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import itertools
import math
import os
import pathlib
import subprocess
import sys
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nbjudge.capture import Damaged, FunctionTable, NotHandedOut, encode
from two_ends import LIMIT, Notebook, crossed

texts = st.text(st.characters(), max_size=30)
paths = st.sampled_from([pathlib.Path("/a/b"), pathlib.PureWindowsPath("c:\\x")])
scalars = st.one_of(
    paths,
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**5000), 2**5000),
    st.floats(),
    st.complex_numbers(),
    texts,
    st.binary(max_size=30),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.uuids(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.timedeltas(),
    st.just(...),
    st.builds(slice, st.integers() | st.none(), st.integers() | st.none()),
    st.builds(range, st.integers(-1000, 1000), st.integers(-1000, 1000)),
)
keys = st.one_of(st.none(), st.booleans(), st.integers(), texts, st.tuples(texts, st.integers()))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(keys, inner, max_size=5),
        st.sets(keys, max_size=5),
        st.frozensets(keys, max_size=5),
        st.lists(inner, max_size=5).map(collections.deque),
        st.dictionaries(keys, inner, max_size=5).map(collections.OrderedDict),
    ),
    max_leaves=30,
)


def same(a, b):
    """The same types and values, NaN equal to NaN, -0.0 not equal to 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, (list, tuple, collections.deque)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    return a == b


@given(values)
@examples(200)
def test_plain_values_come_back(value):
    assert same(crossed(value), value)
    assert encode(value, limit=LIMIT) == encode(value, limit=LIMIT)


@given(st.lists(st.floats(), min_size=30) | st.lists(st.integers(), min_size=30))
@examples(30)
def test_long_lists_of_numbers_come_back(value):
    assert same(crossed(value), value)


@given(st.text(st.characters(codec=None, categories=["Cs", "L"]), max_size=20))
@examples(50)
def test_lone_surrogates_come_back(text):
    assert crossed([text, text * 100]) == [text, text * 100]


@pytest.mark.parametrize("value", [["d", 0], ["q", 1], ["ref", 0], ["list", []], [["ref", 0]]])
def test_lists_that_look_like_nodes_come_back(value):
    assert crossed(value) == value


@given(
    hnp.arrays(
        st.one_of(
            hnp.boolean_dtypes(),
            hnp.integer_dtypes(),
            hnp.floating_dtypes(),
            hnp.complex_number_dtypes(),
            hnp.datetime64_dtypes(),
            hnp.timedelta64_dtypes(),
            hnp.byte_string_dtypes(min_len=1),
            hnp.unicode_string_dtypes(min_len=1),
        ),
        hnp.array_shapes(min_dims=0, min_side=0),
    )
)
@examples(150)
def test_arrays_come_back(array):
    back = crossed(array)
    assert back.dtype == array.dtype and back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable
    for item in array.ravel()[:1]:
        one = crossed(item)
        assert type(one) is type(item) and one.tobytes() == item.tobytes()


def test_other_kinds_of_arrays():
    objects = crossed(np.array([[1, "x"], [None, 2.5]], dtype=object))
    assert objects.dtype == object and objects.tolist() == [[1, "x"], [None, 2.5]]
    # To a student's function as it is; a judge takes none that passes for an array.
    masked = np.ma.array([1, 2], mask=[False, True], fill_value=-7)
    told = Notebook().hand_out(lambda m: [type(m).__name__, m.mask.tolist(), int(m.fill_value)])
    assert told(masked) == ["MaskedArray", [False, True], -7]
    with pytest.raises(Damaged, match="a masked array"):
        crossed(masked)
    assert type(crossed(np.ones((1, 2)).view(type("Own", (np.ndarray,), {})))) is np.ndarray
    assert crossed(np.arange(12).reshape(3, 4).T[::2]).tolist() == [[0, 4, 8], [2, 6, 10]]
    assert crossed({"type": np.dtype("float32")}) == {"type": np.dtype("float32")}
    assert crossed([int, np.float64, type(None)]) == [int, np.float64, type(None)]


def frames():
    table = pd.DataFrame(
        {
            "number": [1, 2, 3],
            "share": [0.5, np.nan, -0.0],
            "text": ["x", None, "ä"],
            "kind": pd.Categorical(["u", "v", None], categories=["v", "u"], ordered=True),
            "when": pd.to_datetime(["2020-01-01", "2021-06-01", None]),
            "zoned": pd.to_datetime(["2020", "2021", None]).tz_localize("Europe/Berlin"),
            "span": pd.to_timedelta([1, 2, None], unit="h"),
            "Int64": pd.array([1, None, 2**60 + 1], dtype="Int64"),
            "Float32": pd.array([1.5, None, 2], dtype="Float32"),
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "string": pd.array(["s", None, "t"], dtype="string"),
            "between": pd.cut([1.0, 5.0, 9.0], 3),
            ("a", 1): [True, False, True],
        }
    )
    return {
        "mixed": table,
        "several levels": table.set_index(["number", "text"])[["share"]],
        "levels above": table[["share"]].T.groupby(level=0).agg(["mean", "max"]),
        "one dtype": pd.DataFrame(np.arange(6.0).reshape(2, 3), index=["r", "s"]),
        "dates": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2, name="day")),
        "same names": pd.DataFrame([[1, "x"]], columns=["a", "a"]),
        "no rows": table.iloc[:0],
        "nothing": pd.DataFrame(),
        "zoned index": table[["number"]].set_index(table["zoned"]),
        "categories as index": table[["number"]].set_index("number").groupby(level=0).sum(),
        "counted": table["kind"].value_counts().to_frame(),
        "slice of a range": table[["share"]].iloc[::2],
    }


@pytest.mark.parametrize("name", frames())
def test_tables_come_back(name):
    table = frames()[name]
    back = crossed(table)
    pd.testing.assert_frame_equal(back, table, check_freq=True)
    assert type(back.index) is type(table.index)
    for i in range(table.shape[1]):
        pd.testing.assert_series_equal(crossed(table.iloc[:, i]), table.iloc[:, i])
    pd.testing.assert_index_equal(crossed(table.index), table.index, exact=True)


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp("2020-01-02 03:04:05.000000007"),
        pd.Timestamp("2020", tz="Europe/Berlin"),
        pd.Timedelta("3h 2ns"),
        pd.Interval(1, 2.5, "both"),
        zoneinfo.ZoneInfo("Europe/Berlin"),
        datetime.UTC,
    ],
)
def test_moments_come_back(value):
    assert crossed(value) == value and type(crossed(value)) is type(value)


def test_missing_values_come_back():
    assert crossed([pd.NaT, pd.NA])[0] is pd.NaT
    assert crossed([pd.NaT, pd.NA])[1] is pd.NA


def test_subclasses_come_back_as_what_they_derive_from():
    class Text(str):
        def __str__(self):
            raise RuntimeError

    class Liar(list):
        def __iter__(self):
            raise RuntimeError

    class Whole(int):
        def __index__(self):
            return 7

    assert crossed([Text("ab"), Liar([1]), Whole(3)]) == ["ab", [1], 3]
    assert type(crossed(Text("ab"))) is str
    last = [1]
    back = crossed([Text("a" * 2000), Whole(2**70), last, last])
    assert back == ["a" * 2000, 2**70, [1], [1]] and back[2] is back[3]
    assert crossed(collections.Counter("aab")) == {"a": 2, "b": 1}
    back = crossed(collections.defaultdict(list, a=[1]))
    assert type(back) is collections.defaultdict and back["b"] == []
    assert crossed({"a": 1}.keys()) == {"a"} and crossed({1: 2.0}.values()).mapping == {0: 2.0}
    assert crossed(collections.OrderedDict(a=1).items()) == {("a", 1)}


def test_named_tuples_come_back():
    Point = collections.namedtuple("Point", "x y")
    back = crossed(Point(1, [2]))
    assert back == (1, [2]) and back._fields == ("x", "y") and repr(back) == "Point(x=1, y=[2])"


def test_iterators_come_back_as_iterators():
    for make in (
        lambda: map(str, [1, 2]),
        lambda: (str(i) for i in (1, 2)),
        lambda: iter(["1", "2"]),
        lambda: itertools.chain(["1"], ["2"]),
    ):
        back = crossed(make())
        assert next(back) == "1" and list(back) == ["2"]


def test_shared_objects_stay_shared():
    inner, array = [1], np.zeros(2)
    back = crossed({"a": inner, "b": [inner, array], "c": (array, inner)})
    assert back["a"] is back["b"][0] is back["c"][1]
    assert back["b"][1] is back["c"][0]


def test_sets_are_written_down_in_one_order():
    code = (
        "import hashlib; from nbjudge.capture import encode, decode\n"
        "a, b = ('b', (1,)), ('a', (2,))\n"
        "value = [{a, b, 'x', 'y', 1.5, frozenset('pq'), len}, b, a]\n"
        "value.append({('c', i) for i in range(9)})\n"
        "from nbjudge.capture import FunctionTable\n"
        "data = encode(value, limit=10**6, functions=FunctionTable())\n"
        "back = decode(data, limit=10**6, make_function=lambda facts: len)\n"
        "assert back == value, back\n"
        "print(hashlib.sha256(data).hexdigest())"
    )
    done = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "12345"
    }
    assert len(done) == 1


class Dog:
    pass


@dataclasses.dataclass
class Cat:
    name: str


class Colour(enum.Enum):
    RED = 1


def _cycle():
    a: list = []
    a.append({"x": (a,)})
    return a


def _bomb():
    a: list = [0]
    for _ in range(60):
        a = [a, a]
    return a


def _deep():
    a: list = []
    for _ in range(5000):
        a = [a]
    return a


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: {"dogs": [1, Dog()]}, "class Dog.* at dogs/1"),
        (lambda: Cat("x"), "class Cat"),
        (lambda: Colour.RED, "the enumeration Colour"),
        (lambda: math, "a module"),
        (_cycle, "my_value contains itself"),
        (_bomb, "more than 3,000,000 single values"),
        (_deep, "nested too deeply"),
        (lambda: itertools.count(), "never ends"),
        (lambda: range(10**12), "range of more than 10,000,000"),
        (lambda: 10**4001, "more than 4,000 digits"),
        (lambda: np.zeros(10**7), "my_value has 80 MB; .* may have 50 MB"),
        (lambda: bytes(60_000_000), "my_value has 60 MB"),
        (lambda: pd.DataFrame(np.zeros((10, 10**6))), "has 80 MB"),
        (lambda: np.zeros(2, dtype=[("a", object)]).dtype, "dtype"),
        (lambda: print, "a function cannot be handed out here"),
        (lambda: sys.__stdout__, "TextIOWrapper"),
        (lambda: pd.RangeIndex(10**12), "index of more than"),
        (lambda: (1 / 0 for _ in [1]), "ZeroDivisionError|IterationFailed"),
    ],
)
def test_refusals_are_in_words(make, words):
    with pytest.raises(NotHandedOut, match=words):
        encode(make(), limit=LIMIT, name="my_value")


def test_numbers_of_4000_digits_come_back():
    assert crossed(10**3999) == 10**3999


def test_nothing_heavy_is_imported_for_plain_values():
    code = (
        "import sys; from nbjudge.capture import encode, decode; "
        "decode(encode({'a': [1, 2.5]}, limit=1000), limit=1000); "
        "print(sorted({'numpy', 'pandas', 'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_references_of_functions_tell_where_they_were():
    table = FunctionTable()
    functions = {"f": len, "more": [1, print]}
    for _ in range(2):
        encode(functions, limit=LIMIT, functions=table.under("test_a/functions"))
        assert table.get("test_a/functions/f") is len
        assert table.get("test_a/functions/more/1") is print
