"""Calling the student's functions from the judge's process."""

from __future__ import annotations

import collections
import contextlib
import functools
import inspect
import io
import operator
import re
import struct
import sys
import zlib

import numpy as np
import pandas as pd
import pytest
from nbjudge.capture import Damaged, NotHandedOut, RemoteFunction
from nbjudge.capture.tree import Encoder
from two_ends import LIMIT, Notebook


def test_a_function_looks_like_itself(notebook):
    def scale(values, /, factor=2, *more, label="x", place=(1, 2), how=len, **rest):
        """Scales."""
        return [factor * v for v in values]

    remote = notebook.hand_out(scale)
    assert remote([1, 2], 3) == [3, 6] and remote([1], factor=5) == [5]
    assert (remote.__name__, remote.__doc__) == ("scale", "Scales.")
    assert repr(remote) == "<function scale of the notebook>"
    signature = inspect.signature(remote)
    assert list(signature.parameters) == list(inspect.signature(scale).parameters)
    assert signature.parameters["factor"].default == 2
    assert signature.parameters["place"].default == (1, 2)
    assert signature.parameters["how"].default is ...
    assert signature.parameters["label"].kind is inspect.Parameter.KEYWORD_ONLY
    assert not hasattr(remote, "__wrapped__")


def test_other_callables(notebook):
    class Adder:
        def __init__(self, n):
            self.n = n

        def __call__(self, x):
            return x + self.n

        def method(self, x):
            return x * self.n

    adder = Adder(2)
    handed = notebook.hand_out(
        {
            "object": adder,
            "method": adder.method,
            "partial": functools.partial(operator.add, 5),
            "builtin": sorted,
            "ufunc": np.square,
            "lambda": lambda: 1,
            "class": Adder,
        }
    )
    assert handed["object"](1) == 3 and handed["method"](4) == 8 and handed["partial"](1) == 6
    assert handed["builtin"]([2, 1]) == [1, 2] and handed["ufunc"](3) == 9
    assert handed["lambda"]() == 1
    assert handed["class"].facts.is_class and handed["class"](3)(4) == 7


def test_references_are_the_same_every_time():
    def outer(x):
        return [lambda: x, {"deep": lambda: -x}]

    seen = []
    for _ in range(2):
        notebook = Notebook()
        for n in (1, 2):
            inner = notebook.hand_out(outer)(n)
            assert inner[0]() == n and inner[1]["deep"]() == -n
        seen.append(notebook.refs)
    assert seen[0] == seen[1]
    assert seen[0][:3] == ["test_a/f", "test_a/f()#0/0", "test_a/f()#0/1/deep"]


def test_arguments_that_are_changed_in_place(notebook):
    def change(a, b, c, d, e, f, g, h):
        a += 1
        b.append(c)
        c["new"] = b[0]
        d.add(9)
        e.extend(b"!")
        f["n"] = f["m"] * 2
        f.loc[7] = 0
        g.iloc[0] = -1
        h[0][0][:] = 5

    a, b, c, d, e = np.zeros(2), [[1]], {"old": 1}, {1}, bytearray(b"x")
    inner = b[0]
    f, g = pd.DataFrame({"m": [1, 2]}), pd.Series([1, 2])
    h = ([np.zeros(2)],)
    deep = h[0][0]
    view = a[:1]
    notebook.hand_out(change)(a, b, c, d, e, f=f, g=g, h=h)
    assert a.tolist() == [1, 1] and view[0] == 1
    assert b[0] is inner and b[1] is c and c["new"] is inner
    assert d == {1, 9} and e == b"x!"
    assert list(f.columns) == ["m", "n"] and list(f.index) == [0, 1, 7]
    assert g.tolist() == [-1, 2] and deep.tolist() == [5, 5]


def test_arguments_that_are_left_alone_keep_their_insides(notebook):
    given = {"a": [np.zeros(2), (1, [2])], "b": collections.deque([1])}
    insides = [id(given["a"]), id(given["a"][0]), id(given["a"][1][1]), id(given["b"])]
    notebook.hand_out(lambda x: None)(given)
    assert insides == [
        id(given["a"]),
        id(given["a"][0]),
        id(given["a"][1][1]),
        id(given["b"]),
    ]


def test_what_returns_its_argument_returns_that_very_object(notebook):
    a, b, c = np.zeros(2), [1], pd.DataFrame({"a": [1]})
    result = notebook.hand_out(lambda *args: (args[0], [args[1], {"c": args[2]}]))(a, b, c)
    assert result[0] is a and result[1][0] is b and result[1][1]["c"] is c
    assert notebook.hand_out(lambda x: x)(b) is b
    copied = notebook.hand_out(lambda x: x.copy())(a)
    assert copied is not a


def test_functions_among_the_arguments(notebook):
    double = notebook.hand_out(lambda x: 2 * x, "test_a/double")
    apply = notebook.hand_out(lambda f, x: f(x), "test_a/apply")
    assert apply(double, 4) == 8 and apply(np.negative, 4) == -4 and apply(len, [1]) == 1
    assert apply(f=collections.Counter, x="aa") == {"a": 2}
    # A function of the test's own is called back, and so is a method.
    seen = []
    assert apply(lambda x: seen.append(x) or x + 1, 1) == 2 and seen == [1]
    assert apply(type("X", (), {"method": lambda self, x: 3 * x})().method, 2) == 6
    with pytest.raises(NotHandedOut, match="RUN IN STUDENT KERNEL"):
        apply(type("X", (), {}), 1)


def test_what_a_function_prints_reaches_a_test_that_listens(notebook):
    def greet(name):
        print("hello", name)
        return len(name)

    def slam():
        print("once")
        sys.stdout.close()

    remote = notebook.hand_out(greet)
    with contextlib.redirect_stdout(io.StringIO()) as heard:
        assert remote("anna") == 4
        notebook.hand_out(slam)()
    assert heard.getvalue() == "hello anna\n"


class Own(ValueError):
    pass


class OwnKey(KeyError):
    def __init__(self, a, b):
        super().__init__(a)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        KeyError("x"),
        NotImplementedError(),
        NotImplementedError("later"),
        SystemExit(3),
        ZeroDivisionError("division by zero"),
        FileNotFoundError(2, "No such file", "x.txt"),
        IndexError("list index out of range"),
        np.linalg.LinAlgError("singular"),
        AssertionError(),
        RecursionError("deep"),
        MemoryError(),
        ImportError("no module"),
        SyntaxError("bad", ("f.py", 1, 2, "x y")),
        struct.error("too short"),
        zlib.error("damaged"),
    ],
)
def test_exceptions_come_back(notebook, error):
    def fails():
        raise error

    with pytest.raises(type(error)) as raised:
        notebook.hand_out(fails)()
    assert str(raised.value) == str(error) and type(raised.value).__name__ == type(error).__name__
    if not isinstance(error, (OSError, SyntaxError)):
        assert type(raised.value) is type(error) and raised.value.args == error.args


def test_of_classes_with_one_name_each_comes_back_as_itself(notebook):
    def fails():
        re.compile("(")

    with pytest.raises(re.error) as raised:
        notebook.hand_out(fails)()
    assert isinstance(raised.value, re.error) and not isinstance(raised.value, struct.error)


@pytest.mark.parametrize(
    "error, base",
    [
        (Own("mine"), ValueError),
        (OwnKey("k", object()), KeyError),
        (pd.errors.ParserError("odd"), ValueError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), Exception),
        (ExceptionGroup("several", [ValueError()]), Exception),
        # As itself it would end a loop of the test's, and `all(map(function, …))` would be true.
        (StopIteration(4), Exception),
        (KeyError(np.int64(3)), KeyError),
    ],
)
def test_other_exceptions_keep_name_base_and_message(notebook, error, base):
    def fails():
        raise error

    with pytest.raises(base) as raised:
        notebook.hand_out(fails)()
    assert type(raised.value).__name__ == type(error).__name__
    assert str(raised.value) == str(error)


def test_other_ends_of_a_call(notebook):
    def endless(n=0):
        return endless(n + 1)

    with pytest.raises(RecursionError):
        notebook.hand_out(endless)()

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(TimeoutError, match="interrupted ran longer than its time limit"):
        notebook.hand_out(interrupted)()
    with pytest.raises(TypeError, match="argument"):
        notebook.hand_out(lambda x: x)()

    def generator(n):
        yield from range(n)
        raise LookupError("at the end")

    with pytest.raises(LookupError, match="at the end"):
        list(notebook.hand_out(generator)(3))
    assert list(notebook.hand_out(lambda: (i for i in range(3)))()) == [0, 1, 2]
    (own,) = notebook.hand_out(lambda: [type("Own", (), {"__module__": "__main__"})()])()
    with pytest.raises(AttributeError, match="'Own' object has no attribute 'name'"):
        _ = own.name
    with pytest.raises(NotHandedOut, match="no function"):
        notebook.make(notebook.hand_out(len).facts.__class__("x", "x", "x", None, None, False))()


def test_code_that_runs_when_the_result_is_looked_at(notebook):
    def exits():
        yield 1
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        list(notebook.hand_out(exits)())

    def interrupted():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(TimeoutError):
        list(notebook.hand_out(interrupted)())

    class Nameless:
        @property
        def __name__(self):
            raise RuntimeError

        def __call__(self):
            return 5

    assert notebook.hand_out(Nameless())() == 5

    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def fails():
        raise Mute

    with pytest.raises(Exception) as raised:
        notebook.hand_out(fails)()
    assert type(raised.value).__name__ == "Mute"


def test_an_argument_that_then_contains_itself(notebook):
    given = [1]
    with pytest.raises((NotHandedOut, Damaged), match="contains itself"):
        notebook.hand_out(lambda x: x.append(x))(given)
    assert given == [1]


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        [[], ["result", ["arg", 5]], ""],
        [[[0, ["arg", 0]]], ["result", 1], ""],
        [[[0, ["list", [["arg", 1]]]], [1, ["list", [["arg", 0]]]]], ["result", 1], ""],
        [[[7, 1]], ["result", 1], ""],
        [[], ["raised", [["KeyboardInterrupt"], 3, None]], ""],
        [[], ["raised", [[], "x", None]], ""],
        [[], ["ran", 1], ""],
        [[], ["result", 1]],
        [[], ["result", 1], 3],
        [[], ["result", ["own", "x"]], ""],
        [[], ["result", ["import", "os", "system"]], ""],
    ],
)
def test_replies_that_are_none(notebook, reply):
    data = reply if isinstance(reply, bytes) else Encoder(LIMIT).message(reply)
    facts = notebook.hand_out(len).facts
    a, b = [1], [2]
    with pytest.raises(Damaged):
        RemoteFunction(facts, lambda ref, request: data)(a, b)
    assert (a, b) == ([1], [2])


def test_an_exception_cannot_be_one_that_stops_the_judge(notebook):
    facts = notebook.hand_out(len).facts
    for names in (["KeyboardInterrupt"], ["GeneratorExit"], ["Own", "BaseException"]):
        data = Encoder(LIMIT).message([[], ["raised", [names, "x", []]]])
        with pytest.raises(Exception, match="x") as raised:
            RemoteFunction(facts, lambda ref, request, data=data: data)()
        assert isinstance(raised.value, Exception)
