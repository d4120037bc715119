"""The same answer and the same test, in one process as in stock nbgrader, and in two as here."""

from __future__ import annotations

import contextlib
import io
import linecache
import re
import socket

import numpy  # noqa: F401  # processes fork with them, as from the warm server
import pandas  # noqa: F401
import pytest
from judge_process import process
from nbjudge import wire
from nbjudge.capture import FunctionTable, NotHandedOut, encode, perform_call
from nbjudge.cells.names import SourceCell, needs_of
from nbjudge.judge import session
from nbjudge.judge.client import Judge
from nbjudge.judge.messages import Captured, Reply, TestCell

LIMIT = 50_000_000


def outcome(source: str, namespace: dict) -> str:
    """The class of what the source raises, empty for none. Its text is known, as in a notebook."""
    file = f"<cell {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, file, "exec"), namespace)
    except BaseException as error:
        return type(error).__name__
    return ""


def stock(connection: socket.socket) -> None:
    """Run the answer and the test in one namespace."""
    told, _ = wire.receive(connection, LIMIT)
    namespace = {"__name__": "__main__"}
    error = outcome(told["answer"], namespace) or outcome(told["test"], namespace)
    wire.send(connection, {"error": error})


def kernel(connection: socket.socket) -> None:
    """Run the answer, hand values out, and call functions, until the connection is closed."""
    namespace = {"__name__": "__main__"}
    table = FunctionTable()
    with contextlib.suppress(wire.Closed):
        while True:
            told, blobs = wire.receive(connection, LIMIT)
            if "answer" in told:
                wire.send(connection, {"error": outcome(told["answer"], namespace)})
            elif "name" in told:
                name = told["name"]
                try:
                    value = namespace[name]
                    data = encode(value, limit=LIMIT, functions=table.under(name), name=name)
                    wire.send(connection, {}, data)
                except NotHandedOut as error:
                    wire.send(connection, {"refused": str(error)})
            else:
                wire.send(connection, {}, perform_call(table, told["call"], blobs[0], limit=LIMIT))


def judged(answer: str, test: str) -> str:
    """What the judge says of the test, empty for full points."""
    cells = [SourceCell("a", answer, False, True), SourceCell("t", test, True, False)]
    needs = needs_of(cells, "t")
    with (
        process(kernel) as student,
        process(session.serve) as connection,
        Judge(connection, seconds=20, limit=LIMIT) as judge,
    ):

        def ask(message: dict, *blobs: bytes) -> tuple:
            wire.send(student, message, *blobs)
            return wire.receive(student, LIMIT)

        assert ask({"answer": answer})[0]["error"] == ""
        values = {}
        for name in needs.values:
            told, blobs = ask({"name": name})
            refused = told.get("refused")
            kind = ("refused", b"", refused) if refused else ("value", bytes(blobs[0]))
            values[name] = Captured(*kind)
        verdict = judge.run(
            TestCell("t", test, 1, needs.imports, needs.unbound),
            values,
            lambda ref, request: Reply("value", bytes(ask({"call": ref}, request)[1][0]), ""),
        )
    assert verdict.instructor_error == ""
    return "" if verdict.score == 1 else verdict.failure


A = "import numpy as np\nimport pandas as pd\n"
ALIKE = {
    "views of a dict": ("def f(d): return d.keys(), d.values(), d.items()",
        "k, v, i = f({'a': 1})\nassert k == {'a'} and list(v) == [1] and i == {('a', 1)}"),
    "defaultdict": ("from collections import defaultdict\nd = defaultdict(int, a=1)",
        "assert d['a'] == 1 and d['b'] == 0"),
    "defaultdict of its own": ("from collections import defaultdict\n"
        "d = defaultdict(lambda: 'no')", "assert d['b'] == 'no'"),
    "a match where a bool is asked": ("import re\ndef f(s): return re.match('a+', s)",
        "assert f('aa')\nassert not f('b')"),
    "a result that nobody looks at": ("def f(l):\n    l.sort()\n    return object()",
        "l = [2, 1]\nf(l)\nassert l == [1, 2]"),
    "part of a result that nobody looks at": ("def f(): return {'n': 1, 'more': object()}",
        "assert f()['n'] == 1"),
    "an object that goes back": ("class S(list): pass\nclass T:\n    def __init__(self):\n"
        "        self.items = []\ndef new(): return T()\n"
        "def push(s, x): s.items.append(x)\ndef pop(s): return s.items.pop()",
        "s = new()\npush(s, 1)\npush(s, 2)\nassert pop(s) == 2 and pop(s) == 1"),
    "a seed": (A + "def f(n): return np.random.normal(size=n)",
        A + "np.random.seed(1)\na = f(3)\nnp.random.seed(1)\n"
        "assert (a == np.random.normal(size=3)).all()"),
    "draws before and calls after": ("import random\ndef f(): return random.random()",
        "import random\nrandom.seed(3)\nrandom.random()\na = [f(), f()]\nrandom.seed(3)\n"
        "assert a == [random.random() for _ in range(3)][1:]"),
    "a seed for a generator": ("import random\ndef f():\n    yield random.random()",
        "import random\nrandom.seed(3)\na = list(f())\nrandom.seed(3)\nassert a == list(f())"),
    "what a generator prints": ("def f():\n    print(1)\n    yield 2",
        "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out):\n"
        "    list(f())\nassert out.getvalue() == '1\\n'"),
    "a view where a copy is asked": (A + "def f(a): return a[:2]",
        A + "a = np.arange(4)\nf(a)[0] = 9\nassert a[0] == 0"),
    "shared memory": (A + "def f(a): return a.T",
        A + "a = np.ones((2, 3))\nassert np.shares_memory(a, f(a))"),
    "a copy": (A + "def f(a): return a[:2].copy()",
        A + "a = np.arange(4)\nf(a)[0] = 9\nassert a[0] == 0"),
    "a view backwards": (A + "def f(a):\n    a += 1\n    return a[::-1]",
        A + "a = np.arange(3)\nb = f(a)\nassert list(b) == [3, 2, 1]\na[0] = 7\nassert b[2] == 7"),
    "a view of what is no block": (A + "def f(a): return a[1:]",
        A + "assert list(f(np.arange(8)[::2])) == [2, 4, 6]"),
    "periods": (A + "s = pd.Series(1, pd.period_range('2020', periods=2, freq='Q'))\n"
        "p = pd.Period('2020-03')",
        A + "e = pd.Series(1, pd.period_range('2020', periods=2, freq='Q'))\n"
        "pd.testing.assert_series_equal(s, e)\nassert p == pd.Period('2020-03')"),
    "arrays of pandas": (A + "x = pd.Categorical(['a', 'b'])\ny = pd.array([1, None])",
        A + "assert list(x.codes) == [0, 1] and y.dtype == 'Int64'"),
    "a matrix": (A + "m = np.matrix([[1, 2], [3, 4]])", A + "assert (m * m)[0, 0] == 7"),
    "exceptions of libraries": (A + "import json\ndef f(): json.loads('{')\n"
        "def g(): np.zeros(2).sum(axis=3)",
        A + "import json\nkinds = {f: json.JSONDecodeError, g: np.exceptions.AxisError}\n"
        "for call, kind in kinds.items():\n    try:\n        call()\n    except kind:\n"
        "        pass\n    else:\n        assert False"),
    "an enumeration of numbers": ("from enum import IntEnum\nclass E(IntEnum):\n    A = 1\nx = E.A",
        "assert x == 1"),
    "methods of types": ("def f(g, x): return g(x)", "assert f(str.upper, 'a') == 'A'"),
    "floats bit by bit": ("x = [0.1 + 0.2, -0.0, 5e-324] * 20",
        "import math\nassert x == [0.1 + 0.2, 0.0, 5e-324] * 20\n"
        "assert math.copysign(1, x[1]) == -1"),
    "types of numbers": (A + "def f(x): return np.float32(x), np.all(x), x > 0, np.int64(x)",
        A + "kinds = [np.float32, np.bool_, bool, np.int64]\n"
        "assert [type(x) for x in f(1)] == kinds and f(1)[2] is True"),
    "rows that are one row": ("def f(n): return [[0] * n] * n",
        "m = f(2)\nm[0][0] = 1\nassert m[1][0] == 0"),
    "state that stays": ("def f(x, seen=[]):\n    seen.append(x)\n    return seen",
        "assert f(1) == [1]\nassert f(2) == [1, 2]"),
    "an object": ("class P: x = 3\np = P()", "assert p.x == 3\np.x = 4\nassert p.x == 4"),
    "another object": ("class P: x = 3\np = P()", "assert p == 3"),
    "attributes of a function": ("def f(): f.calls += 1", "f.calls = 0\nf()\nassert f.calls == 1"),
    "the text of a function": ("def f(n):\n    # sums\n    return sum(range(n))",
        "import inspect\nsource = inspect.getsource(f)\n"
        "assert 'sum(' in source and '# sums' in source and 'for' not in source"),
    "the text of a method": ("class A:\n    def f(self): return 1", "assert A.f(A()) == 1"),
    "the tree of a text": ("def f(n): return 1 if n < 2 else n * f(n - 1)",
        "import ast, inspect\ncalls = [n for n in ast.walk(ast.parse(inspect.getsource(f)))\n"
        "         if isinstance(n, ast.Call)]\nassert calls[0].func.id == 'f' and f(4) == 24"),
    "what Python knows of a function": ("def f(a: int, b: float = 2.0, *, c=None) -> str: pass",
        "import inspect, typing\ns = inspect.signature(f)\n"
        "assert s.return_annotation is str and s.parameters['a'].annotation is int\n"
        "assert f.__defaults__ == (2.0,) and f.__kwdefaults__ == {'c': None}\n"
        "assert f.__annotations__ == {'a': int, 'b': float, 'return': str}\n"
        "assert typing.get_type_hints(f)['return'] is str\n"
        "assert inspect.getfullargspec(f).args == ['a', 'b'] and inspect.isfunction(f)"),
    "the code of a function": ("def f(x):\n    y = x\n    return len(y)",
        "import dis\nassert f.__code__.co_argcount == 1 and 'y' in f.__code__.co_varnames\n"
        "assert 'len' in f.__code__.co_names\n"
        "assert any(i.opname == 'RETURN_VALUE' for i in dis.get_instructions(f))"),
    "kinds of functions": ("def f(): yield 1\nasync def g(): pass\nh = lambda: 1",
        "import inspect\nassert inspect.isgeneratorfunction(f) and not "
        "inspect.isgeneratorfunction(h)\nassert inspect.iscoroutinefunction(g)"),
    "functions that are awaited": ("import asyncio\nasync def f(x):\n"
        "    await asyncio.sleep(0)\n    return x + 1\nasync def g(): raise KeyError(1)",
        "import asyncio\nassert asyncio.run(f(1)) == 2\ntry:\n    asyncio.run(g())\n"
        "except KeyError:\n    pass\nelse:\n    assert False"),
    "names by their text": ("x = 1\ndef f(): return 2",
        "assert 'x' in globals() and globals()['x'] == 1 and 'y' not in globals()\n"
        "assert eval('f() + x') == 3 and 'x' in dir()"),
    "a name that is not there": ("x = 1", "assert 'answer' in globals()"),
    "an enumeration": ("from enum import Enum\nclass E(Enum):\n    A = 1\n    B = 2",
        "assert E['A'] is E.A and len(E) == 2 and [m.name for m in E] == ['A', 'B']\n"
        "assert E.A in E and bool(E)"),
    "bases of a class": ("class A: pass\nclass B(A): pass",
        "assert B.__bases__ == (A,) and B.__mro__[1] is A and B.__mro__[-1] is object"),
    "a context manager": ("from contextlib import contextmanager\n@contextmanager\n"
        "def f(n):\n    yield n + 1", "with f(1) as n:\n    assert n == 2"),
    "an array with fields": (A + "x = np.array([(1, 2.5)], [('a', int), ('b', float)])\n"
        "y = x[0]\nz = x.view(np.recarray)",
        A + "assert x['b'][0] == 2.5 and x.dtype.names == ('a', 'b') and y['a'] == 1\n"
        "assert (x == np.array([(1, 2.5)], x.dtype)).all() and z.a[0] == 1"),
    "a variable of the environment": ("import os\ndef f(): return os.environ.get('WORD')",
        "import os\nfrom unittest.mock import patch\nwith patch.dict(os.environ, WORD='a'):\n"
        "    assert f() == 'a'\nassert f() is None"),
    "an argument that is changed": (A + "def f(d): d['c'] = 1",
        A + "d = pd.DataFrame({'a': [1]})\nf(d)\nassert list(d) == ['a']"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_the_same_verdict_as_in_one_process(name):
    answer, test = ALIKE[name]
    with process(stock) as connection:
        wire.send(connection, {"answer": answer, "test": test})
        told, _ = wire.receive(connection, LIMIT)
    assert judged(answer, test).partition(":")[0] == told["error"]


TOLD = [
    ("def f(): return 1", "f.__closure__", "but not its __closure__.*RUN IN STUDENT KERNEL"),
    *(("def E(): pass\ndef f(): raise ValueError", test,
        "catches an exception by a name that stands for none.*in the student's kernel")
        for test in ("try:\n    f()\nexcept E:\n    pass",
            "try:\n    f()\nexcept (E, KeyError):\n    pass",
            "import pytest\nwith pytest.raises(E):\n    f()",
            "import unittest\nunittest.TestCase().assertRaises(E, f)")),
    ("class P:\n    def __eq__(self, other): return True\np = P()", "assert p == 3",
        "NotHandedOut: a P of the notebook can't be compared.*RUN IN STUDENT KERNEL"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test", "words"), TOLD)
def test_what_does_not_cross_is_told(answer, test, words):
    assert re.search(words, judged(answer, test))
