"""Objects and classes of the notebook, and functions of the test, asked at the other end."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from nbjudge.capture import NotHandedOut
from two_ends import Notebook

SOURCE = """
import enum

class Low(Exception):
    def __init__(self, need):
        super().__init__(f"need {need}")
        self.need = need

class TooLow(Low): pass

class Colour(enum.Enum):
    RED = 1

class Account:
    kind = "plain"
    def __init__(self, n): self.n = n
    def pay(self, m):
        if m > 1000: raise TooLow(m)
        if m > self.n: raise Low(m - self.n)
        self.n -= m
        return self
    def __len__(self): return self.n
    def __iter__(self): return iter(range(self.n))
    def __contains__(self, x): return x == self.n
    def __getitem__(self, i): return 10 * i
    def __eq__(self, other): return isinstance(other, Account) and self.n == other.n
    def __lt__(self, other): return self.n < other.n
    def __add__(self, other): return Account(self.n + getattr(other, "n", other))
    def __enter__(self): return self
    def __exit__(self, *a): self.n = 99
    def __repr__(self): return f"Account({self.n})"
    def __call__(self, x): return x + self.n
    @classmethod
    def empty(cls): return cls(0)
    @property
    def double(self): return 2 * self.n

class Sub(Account): pass

class Plain: pass

class Count:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if not self.n: raise StopIteration
        self.n -= 1
        return self.n

class Liar:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__

def lie(*a): return Liar()
class Pointer:
    __array_interface__ = {"shape": (4,), "typestr": "|u1", "version": 3, "data": (ADDRESS, True)}
class Picture:
    size = (2, 1)
    def __array__(self, dtype=None, copy=None):
        import numpy as np
        return np.array([[1, 2]])
def bisect(f, low, high):
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if f(low) * f(middle) <= 0 else (middle, high)
    return low
def call(f, *args, **kwargs): return f(*args, **kwargs)
def same(x): return x
"""


SECRET = np.array([1, 2, 3, 4], dtype=np.uint8)


@pytest.fixture
def hand_out():
    notebook = Notebook()
    names = {"__name__": "__main__", "ADDRESS": SECRET.ctypes.data}
    exec(SOURCE, names)
    return lambda name: notebook.hand_out(names[name], f"t/{name}")


def test_an_object_is_used_like_the_original(hand_out):
    account = hand_out("Account")
    five = account(5)
    assert (five.n, five.double, len(five), list(five), five[3]) == (5, 10, 5, [0, 1, 2, 3, 4], 30)
    assert 5 in five and 4 not in five and five(2) == 7 and callable(five)
    assert repr(five) == str(five) == "Account(5)" and f"{five}" == "Account(5)"
    assert five == account(5) and five != account(6) and account(1) < five
    assert sorted([five, account(2)])[0].n == 2
    assert (five + account(1)).n == 6 and (five + 3).n == 8
    assert five.pay(2) is five and vars(five) == {"n": 3}
    five.n = 7
    assert five.double == 14 and not hasattr(five, "missing")
    assert copy.copy(five) is not five and copy.deepcopy(five) == five
    assert not hasattr(hand_out("Plain")(), "__len__") and not callable(hand_out("Plain")())
    with pytest.raises(TypeError):
        len(hand_out("Plain")())


def test_a_class_is_used_like_the_original(hand_out):
    account, sub = hand_out("Account"), hand_out("Sub")
    assert account.kind == "plain" and account.empty().n == 0 and account.pay(account(3), 1).n == 2
    assert isinstance(sub(1), account) and not isinstance(account(1), sub)
    assert not isinstance(3, account) and isinstance(sub(1), (int, account))
    assert issubclass(sub, account) and not issubclass(account, sub)
    kind = type(sub(1))
    assert kind == sub and kind != account and kind.__name__ == "Sub"
    colour = hand_out("Colour")
    assert colour.RED == colour.RED and colour.RED.name == "RED" and colour(1) is colour.RED


def test_iteration_and_context_managers(hand_out):
    assert list(hand_out("Count")(3)) == [2, 1, 0]
    count = hand_out("Count")(1)
    assert iter(count) is count and next(count) == 0
    with pytest.raises(StopIteration):
        next(count)
    five = hand_out("Account")(5)
    with five as same:
        assert same is five
    assert five.n == 99
    with pytest.raises(ZeroDivisionError), five:
        raise ZeroDivisionError


def test_exceptions_of_the_notebook_are_caught_by_their_class(hand_out):
    account, low, too_low = hand_out("Account"), hand_out("Low"), hand_out("TooLow")
    with pytest.raises(low, match="need 2") as caught:
        account(1).pay(3)
    assert caught.value.need == 2 and not isinstance(caught.value, too_low)
    try:
        account(1).pay(2000)
    except low as error:
        assert isinstance(error, too_low)
    assert issubclass(too_low, low) and issubclass(low, Exception)
    with pytest.raises(ValueError):
        hand_out("call")(int, "x")


def test_an_answer_that_says_to_be_equal_to_everything_is_believed_nothing(hand_out):
    answer = hand_out("lie")()
    for compare in (
        lambda: answer == 3,
        lambda: answer == 3,
        lambda: abs(answer - 3) < 1,
        lambda: abs(3 - answer) < 1,
        lambda: answer < 3,
        lambda: answer > 3,
        lambda: np.allclose(answer, 3),
        lambda: (np.array([1, 2]) == answer).all(),
        lambda: pytest.approx(3) == answer,
        lambda: [answer] == [3],
    ):
        with pytest.raises((NotHandedOut, TypeError)):
            assert not compare(), "it lied"
            raise TypeError


def test_functions_of_the_test_are_called_back(hand_out):
    asked = []

    def square(x):
        asked.append(x)
        return x * x - 2

    assert hand_out("bisect")(square, 0, 2) == pytest.approx(2**0.5)
    assert len(asked) > 20
    call, account = hand_out("call"), hand_out("Account")
    assert call(lambda *a, **k: (a, k), 1, b=2) == ((1,), {"b": 2})
    assert call(lambda: account(3)).n == 3
    assert call(lambda one: one.n, account(4)) == 4
    assert call(lambda: call(lambda: 5)) == 5
    assert hand_out("same")(square) is square
    assert np.array_equal(call(np.cumsum, np.arange(3)), [0, 1, 3])
    with pytest.raises(ZeroDivisionError):
        call(lambda: 1 / 0)


def test_what_numpy_can_read_crosses_as_an_array(hand_out):
    picture = hand_out("Picture")()
    assert picture.size == (2, 1) and np.array_equal(np.asarray(picture), [[1, 2]])
    assert np.asarray(picture, dtype=float).dtype == float


def test_an_address_is_never_read_in_the_judge(hand_out, monkeypatch):
    pointer = hand_out("Pointer")()
    asked = []
    operate = type(pointer)._operate.__get__(pointer)

    def watch(name, *arguments):
        asked.append(name)
        return operate(name, *arguments)

    object.__setattr__(pointer, "_operate", watch)
    np.asarray(pointer)
    # The array was made at the other end, and its elements crossed.
    assert asked == ["array"] and not hasattr(type(pointer), "__array_interface__")


@pytest.mark.parametrize("mask", [[True, True, True], [False, True, False], False])
def test_a_masked_array_does_not_pass_for_the_values_that_it_hides(mask):
    answer = np.ma.masked_array([1.0, 7.0, 3.0], mask=mask)
    out = Notebook().hand_out(answer)
    expected = np.array([1.0, 2.0, 3.0])
    assert not isinstance(out, np.ndarray)
    assert not np.allclose(out, expected) and not np.array_equal(out, expected)
    for compare in (lambda: (out == expected).all(), lambda: abs(out - expected).max() < 1e-9):
        with pytest.raises(NotHandedOut):
            compare()
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(out, expected)
    # It says what it is.
    assert (
        type(out).__name__ == "MaskedArray"
        and out.shape == (3,)
        and out.mask.sum() == np.sum(np.broadcast_to(mask, 3))
    )
