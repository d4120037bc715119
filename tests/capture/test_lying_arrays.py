"""Whatever kind of array an answer is: what is wrong in one element does not compare as right."""

from __future__ import annotations

import contextlib
import decimal
import operator

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.capture import Link, RemoteFunction
from nbjudge.judge.comparisons import look_at_all, watching_hooks
from two_ends import LIMIT, Notebook

from dlcourse import checks
from dlcourse.checks.values import is_same


@pytest.fixture(autouse=True, scope="module")
def judges_comparisons():
    """This process compares as a judge does."""
    with pytest.MonkeyPatch.context() as patch:
        look_at_all(patch.setattr)
        yield


class JudgedNotebook(Notebook):
    def __init__(self):
        super().__init__()
        self.link = Link(self.send, limit=LIMIT, hooks=watching_hooks())
        self.table.ask = self.link.answer

    def make(self, facts):
        return RemoteFunction(facts, self.send, limit=LIMIT, link=self.link)


class Liar(np.ndarray):
    """An array that equals everything."""

    __array_priority__ = 1e9
    __hash__ = None

    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __ne__(self, other):
        return np.zeros(self.shape, bool)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(one) for one in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        return np.zeros_like(result)


class LyingSeries(pd.Series):
    @property
    def _constructor(self):
        return LyingSeries

    def __eq__(self, other):
        return pd.Series(True, self.index)

    def __array__(self, dtype=None, copy=None):
        return np.zeros(len(self))


class LyingFrame(pd.DataFrame):
    def __eq__(self, other):
        return pd.DataFrame(True, self.index, self.columns)


class Whatever:
    """No array, but something that says to be one, and equal to all."""

    shape, dtype, ndim = (4,), np.dtype(float), 1
    __hash__ = None

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        return self.items[place]

    def __iter__(self):
        return iter(self.items)

    def __eq__(self, other):
        return np.ones(len(self.items), bool)

    def __ne__(self, other):
        return np.zeros(len(self.items), bool)

    def __sub__(self, other):
        return np.zeros(len(self.items))

    __rsub__ = __sub__

    def __array__(self, dtype=None, copy=None):
        return np.array(self.items, dtype)


class LyingNumber(float):
    __hash__ = float.__hash__

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0


def with_one_missing(make, missing=None):
    """The same kind, with the wrong element missing rather than wrong."""

    def made(wrong, place):
        items = wrong.tolist()
        items[place] = missing
        return make(items)

    return made


def of_items(make):
    return lambda wrong, place: make(wrong)


def objects(items):
    made = np.empty(len(items), object)
    made[:] = items
    return made


def structured(wrong, place):
    made = np.zeros(len(wrong), dtype=[("x", float), ("y", int)])
    made["x"] = wrong
    return made


def aligned(wrong, place):
    """The right values under labels that pandas puts in order; the wrong one under none."""
    labels = list(range(len(wrong)))
    labels[place] = -1
    return pd.Series(wrong, index=labels)


def masked_there(wrong, place):
    return np.ma.masked_array(wrong, mask=np.arange(len(wrong)) == place)


def element(make):
    """An array of objects whose wrong element is something odd."""

    def made(wrong, place):
        items = objects(wrong.tolist())
        items[place] = make(wrong[place])
        return items

    return made


KINDS = {
    "array": of_items(np.array),
    "list": of_items(lambda a: a.tolist()),
    "tuple": of_items(lambda a: tuple(a.tolist())),
    "float16": of_items(lambda a: a.astype(np.float16)),
    "complex": of_items(lambda a: a + 0j),
    "big endian": of_items(lambda a: a.astype(">f8")),
    "not contiguous": of_items(lambda a: np.repeat(a, 2)[::2]),
    "matrix": of_items(np.asmatrix),
    "text": of_items(lambda a: a.astype(str)),
    "bytes": of_items(lambda a: a.astype(bytes)),
    "text of numpy 2": of_items(lambda a: a.astype(str).astype(np.dtypes.StringDType())),
    "structured": structured,
    "record": lambda a, place: structured(a, place).view(np.recarray),
    "masked nowhere": of_items(np.ma.masked_array),
    "masked": masked_there,
    "masked all over": of_items(lambda a: np.ma.masked_all(a.shape)),
    "liar": of_items(lambda a: a.view(Liar)),
    "whatever": of_items(Whatever),
    "ragged": lambda a, place: [[x] if i == place else x for i, x in enumerate(a.tolist())],
    "nan": with_one_missing(np.array, np.nan),
    "none": with_one_missing(objects),
    "objects": of_items(lambda a: a.astype(object)),
    "NA among objects": element(lambda x: pd.NA),
    "NaT among objects": element(lambda x: pd.NaT),
    "nan among objects": element(lambda x: np.nan),
    "array among objects": element(lambda x: np.array([x])),
    "empty array among objects": element(lambda x: np.array([])),
    "masked among objects": element(lambda x: np.ma.masked),
    "masked array among objects": element(lambda x: np.ma.masked_array([x], [True])),
    "liar among objects": element(lambda x: Whatever([x])),
    "lying number": element(LyingNumber),
    "decimal nan": element(lambda x: decimal.Decimal("nan")),
    "series": of_items(pd.Series),
    "series of objects": of_items(lambda a: pd.Series(a, dtype=object)),
    "series, aligned": aligned,
    "series, lying": of_items(LyingSeries),
    "series of nan": with_one_missing(lambda items: pd.Series(items, dtype=float)),
    "index": of_items(pd.Index),
    "index of NA": with_one_missing(lambda items: pd.Index(pd.array(items, "Float64"))),
    "frame": of_items(lambda a: pd.DataFrame({"x": a})),
    "frame, lying": of_items(lambda a: LyingFrame({"x": a})),
    "frame of NA": with_one_missing(lambda items: pd.DataFrame({"x": pd.array(items, "Float64")})),
    "Float64": of_items(lambda a: pd.Series(a, dtype="Float64")),
    "Float64 of NA": with_one_missing(lambda items: pd.Series(items, dtype="Float64")),
    "Int64 of NA": with_one_missing(lambda items: pd.Series(items, dtype="Int64")),
    "Int64 of NA alone": of_items(lambda a: pd.Series([None] * len(a), dtype="Int64")),
    "array of NA": with_one_missing(lambda items: pd.array(items, "Float64")),
    "boolean of NA": of_items(lambda a: pd.Series([None] * len(a), dtype="boolean")),
    "string of NA": with_one_missing(lambda items: pd.Series(items, dtype="string")),
    "string of nan": of_items(
        lambda a: pd.Series([None] * len(a), dtype=pd.StringDtype("python", na_value=np.nan))
    ),
    "categories": of_items(lambda a: pd.Series(pd.Categorical(a))),
    "categories of nan": with_one_missing(lambda items: pd.Series(pd.Categorical(items))),
    "sparse": of_items(lambda a: pd.arrays.SparseArray(a)),
    "intervals": of_items(lambda a: pd.arrays.IntervalArray.from_arrays(a, a + 1)),
    "none at all": of_items(lambda a: np.empty(0)),
    "rows of none": of_items(lambda a: np.empty((0, len(a)))),
    "empty list": of_items(lambda a: []),
    "empty series": of_items(lambda a: pd.Series([], dtype=float)),
    "one number": lambda a, place: a[place],
    "one number in an array": lambda a, place: np.array(a[place]),
    "one number in a list": lambda a, place: [a[place]],
    "iterator": of_items(lambda a: iter(a.tolist())),
    "range": of_items(lambda a: range(len(a))),
    "dict": of_items(lambda a: dict(enumerate(a.tolist()))),
}


def numpys(got, right):
    yield lambda: np.array_equal(got, right)
    yield lambda: np.array_equal(got, right, equal_nan=True)
    yield lambda: np.array_equiv(got, right)
    yield lambda: np.allclose(got, right)
    yield lambda: np.allclose(right, got)
    yield lambda: np.isclose(got, right).all()
    yield lambda: (got == right).all()
    yield lambda: (right == got).all()
    yield lambda: all(right == got)
    yield lambda: not (got != right).any()
    yield lambda: not (right != got).any()
    yield lambda: np.equal(got, right).all()
    yield lambda: (got - right == 0).all()
    yield lambda: np.abs(np.asarray(got) - right).max() < 1e-6
    yield lambda: np.testing.assert_array_equal(got, right) is None
    yield lambda: np.testing.assert_allclose(got, right) is None
    yield lambda: np.testing.assert_almost_equal(got, right) is None
    yield lambda: np.testing.assert_equal(got, right) is None
    yield lambda: list(got) == right.tolist()
    yield lambda: sorted(right.tolist()) == sorted(got)


def pandas(got, right):
    table = pd.Series(right)
    for wanted in (table, table.astype("Float64"), pd.array(right, "Float64"), pd.Index(right)):
        yield lambda wanted=wanted: (got == wanted).all()
        yield lambda wanted=wanted: (wanted == got).all()
        yield lambda wanted=wanted: not (got != wanted).any()
        yield lambda wanted=wanted: wanted.equals(got)
        yield lambda wanted=wanted: got.equals(wanted)
        yield lambda wanted=wanted: (got + 0 == wanted).all()
    yield lambda: table.eq(got).all()
    yield lambda: got.eq(table).all()
    yield lambda: table.compare(got).empty
    yield lambda: pd.testing.assert_series_equal(got, table) is None
    yield lambda: pd.testing.assert_series_equal(got, table, check_dtype=False) is None
    frame = pd.DataFrame({"x": right})
    yield lambda: (got == frame).all().all()
    yield lambda: (got["x"] == frame["x"]).all()
    yield lambda: frame.eq(got).all(axis=None)
    yield lambda: got.equals(frame)
    yield lambda: pd.testing.assert_frame_equal(got, frame, check_dtype=False) is None


def ours(got, right):
    yield lambda: is_same(got, right)
    yield lambda: is_same(got, right.tolist())
    yield lambda: checks.array("answer", got).equals(right)
    yield lambda: checks.array("answer", got).is_normalised_from(right * 255)


def holds(comparison):
    """Whether a test with this comparison passes."""
    with contextlib.suppress(Exception, Warning):
        return bool(comparison())
    return False


answers = st.lists(st.integers(1, 200).map(float), min_size=2, max_size=5, unique=True)


@pytest.mark.parametrize("kind", KINDS)
@given(right=answers, place=st.integers(0, 4), off=st.sampled_from([-300.0, 0.5, 300.0]))
@examples(6)
@pytest.mark.filterwarnings("ignore")
def test_what_is_wrong_in_one_element_is_unequal(kind, right, place, off):
    right = np.array(right)
    place %= len(right)
    wrong = right.copy()
    wrong[place] += off
    answer = KINDS[kind](wrong, place)
    notebook = JudgedNotebook()
    for hand_out in (lambda: notebook.hand_out(answer), notebook.hand_out(lambda: answer)):
        try:
            got = hand_out()
        except Exception:
            continue  # it says what it is, and does not come
        for compare in (numpys, pandas, ours):
            for number, comparison in enumerate(compare(got, right)):
                assert not holds(comparison), (compare.__name__, number, got)


@pytest.mark.parametrize(
    "make",
    [
        np.array, pd.Series, pd.Index, list, pd.array,
        lambda a: pd.Series(a, dtype="Float64"),
        lambda a: pd.DataFrame({"x": a}),
        lambda a: pd.Series(a, dtype="object"),
    ],
)  # fmt: skip
def test_what_is_right_is_equal(make):
    right = np.array([1.0, 7.0, 3.0])
    got = JudgedNotebook().hand_out(make(right))
    held = [compare.__name__ for compare in (numpys, pandas, ours) for c in compare(got, right)
            if holds(c)]  # fmt: skip
    assert "numpys" in held or "pandas" in held


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (np.array([1.0, 7.0]), np.array([1.0, 7.0 + 1j])),
        (np.array([1.0, 7.0]), np.array(["1.0", "7.0"])),
        (np.array([2**60, 5]), np.array([2**60 + 1, 5])),
        (np.array([1, 0], np.uint8), np.array([1, 256])),
    ],
)
def test_no_conversion_makes_it_right(right, wrong):
    got = JudgedNotebook().hand_out(wrong)
    assert not any(map(holds, [*numpys(got, right), *pandas(got, right)])) or right[0] > 2**50
    assert not holds(lambda: checks.array("answer", got).equals(right))


def test_what_misses_in_both_is_passed_over():
    right = pd.Series([1, None, 3], dtype="Int64")
    got = JudgedNotebook().hand_out(right.copy())
    assert (got == right).all() and got.equals(right) and not (got != right).any()
    assert (got == right).isna().tolist() == [False, True, False]
    other = pd.Series([1, 5, 3], dtype="Int64")
    for compare, told in ((operator.eq, False), (operator.ne, True), (operator.lt, False)):
        assert compare(got, other)[1] is np.bool_(told) and compare(other, got)[1] == told


def test_what_is_empty_in_both_is_equal():
    got = JudgedNotebook().hand_out(np.empty((0, 3)))
    assert (got == np.empty((0, 3))).all() and np.allclose(got, np.empty((0, 3)))
    assert np.array_equal(got, np.empty((0, 3))) and (got * np.ones(3)).shape == (0, 3)
    np.testing.assert_allclose(got, got)
    assert (got == 1).sum() == 0


def test_an_image_with_holes_is_not_the_image():
    import matplotlib.pyplot as plt

    right = np.arange(12.0).reshape(3, 4)
    figure, axes = plt.subplots(1, 2)
    axes[0].imshow(np.where(right > 3, np.nan, right))
    axes[1].pcolormesh(np.ma.masked_array(right, right > 3))
    drawn = JudgedNotebook().hand_out(figure).axes
    plt.close(figure)
    for got in (drawn[0].images[0].get_array(), drawn[1].collections[0].get_array()):
        assert not np.allclose(got, right) and not (got == right).all()
        assert np.array_equal(np.isnan(got), right > 3)
