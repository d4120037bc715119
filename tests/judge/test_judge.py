"""The judge's process, asked over its connection."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pandas as pd
import pytest
from judge_process import MISSING, Notebook, process
from nbjudge.capture import FunctionTable, encode, perform_call
from nbjudge.errors import MachineTooBusy
from nbjudge.judge import session
from nbjudge.judge.client import Judge, JudgeFailed
from nbjudge.judge.messages import Captured, Judged, Reply, TestCell
from nbjudge.judge.shell import TEXT_LIMIT


def kinds(judged: Judged) -> list[str]:
    return [output["output_type"] for output in judged.outputs]


def shown(judged: Judged) -> str:
    """The text of the only stream."""
    (stream,) = [out for out in judged.outputs if out["output_type"] == "stream"]
    assert stream["name"] == "stdout"
    return stream["text"]


FULL = [
    "",
    "assert x == 3",
    "y = 2.5",
    "None",
    "2.5;",
    "2.5; # silent\n\n",
    "if True:\n    1",
    "print('1')",
    "class Silent:\n    def _ipython_display_(self): ...\nSilent()",
    "import sys\nprint('E0000 a log line', file=sys.stderr)",
    "import warnings\nwarnings.warn('old')",
    "import logging\nlogging.error('bad')",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "%matplotlib inline",
    "exit()\nquit()",
    "get_ipython().ask_exit();",
    "import unittest\nclass T(unittest.TestCase):\n    def test(self): ...\n"
    "unittest.main(argv=['x'], exit=False);",
]


@pytest.mark.parametrize("source", FULL)
def test_full_points(notebook, source):
    judged = notebook.run(source, x=3)
    assert (judged.score, judged.failure, judged.instructor_error) == (3.0, "", "")
    assert "error" not in kinds(judged) and "execute_result" not in kinds(judged)
    assert notebook.run("").score == 3.0


PARTIAL = [
    ("2.5", 2.5),
    ("x", 3.0),
    ("import numpy as np\nnp.float64(0.5)", 0.5),
    ("%%time\n1 + 1", 2.0),
    ("print('told')\n0", 0.0),
    ("import asyncio\nasync def f():\n    return 2\nawait f()", 2.0),
    ("\n\n  \n# comment\n1\n# and another", 1.0),
]


@pytest.mark.parametrize(("source", "score"), PARTIAL)
def test_partial_credit(notebook, source, score):
    judged = notebook.run(source, x=3)
    assert judged.score == score
    assert judged.outputs[-1]["output_type"] == "execute_result"
    assert judged.outputs[-1]["data"] == {"text/plain": repr(score)}


SHOWN_ONLY = [
    "import numpy as np\nnp.arange(3)",
    "[x]",
    "x == 3",
    "import numpy as np\nnp.bool_(True)",
    "{'a': x}",
    "'well done'",
    "shown = [x]\nshown",
]


@pytest.mark.parametrize("source", SHOWN_ONLY)
def test_a_last_value_that_is_only_shown_costs_nothing(notebook, source):
    assert notebook.run(source, x=3).score == 3.0


@pytest.mark.parametrize("source", ["assert x == 3", "x", "None"])
def test_a_test_of_no_points(notebook, source):
    judged = notebook.run(source, points=0, x=3 if "==" in source else 0)
    assert (judged.score, judged.instructor_error) == (0.0, "")


FOR_INSTRUCTORS = [
    ("points = [1] * 3\npoints", "is [1, 1, 1]. It must be a number"),
    ("3.5", "is 3.5. It must be a number of points from 0 to 3"),
    ("x == 4", "is False. It must be"),
    ("float('nan')", "is nan. It must be"),
    ("def f(:", "is not valid Python"),
    ("return 3", "is not valid Python"),
    ("x = '\0'", "is not valid Python"),
    ("import no_such_module", "cannot import what it needs"),
    ("def f():\n    from os import no_such_name\nf()", "cannot import what it needs"),
    ("%no_such_magic", "uses a magic wrongly"),
]


@pytest.mark.parametrize(("source", "words"), FOR_INSTRUCTORS)
def test_what_the_instructor_must_mend_is_no_zero(notebook, source, words):
    judged = notebook.run(source, x=3)
    assert judged.score is None
    assert judged.failure == ""
    assert words in judged.instructor_error and "'test_1'" in judged.instructor_error
    # Whoever reads the outputs alone sees no passed cell.
    assert kinds(judged) == ["error"]


FAILURES = [
    ("assert x == 4", "AssertionError: got 3, expected 4"),
    ("assert x == 4, 'look again'", "AssertionError: look again\n(got 3, expected 4)"),
    ("raise AssertionError", "AssertionError: the test failed and gives no reason"),
    ("raise ValueError('no')", "ValueError: no"),
    ("raise ValueError", "ValueError"),
    ("raise SystemExit(0)", "SystemExit: 0"),
    ("import sys\nsys.exit('done')", "SystemExit: done"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise GeneratorExit", "GeneratorExit"),
    ("nowhere", "NameError: name 'nowhere' is not defined"),
    ("def f():\n    f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    ("%%time\nassert x == 4", "AssertionError: got 3, expected 4"),
    ("get_ipython().run_cell('1 / 0');", "ZeroDivisionError: division by zero"),
    ("import unittest\nunittest.TestCase().assertEqual(x, 4)", "AssertionError: 3 != 4"),
    ("raise ValueError('\\x1b[31mred\\x1b[0m\\x07')", "ValueError: red"),
    ("eval('secret(')", "SyntaxError: '(' was never closed (<string>, line 1)"),
    ("input()", "EOFError: EOF when reading a line"),
    ("raise ExceptionGroup('many', [ValueError('no')])", "ExceptionGroup: many (1 sub-exception)"),
    (
        "class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd",
        "Odd",
    ),
]


@pytest.mark.parametrize(("source", "failure"), FAILURES)
def test_failures(notebook, source, failure):
    secret = "\nhidden_text = 'hidden text'"
    judged = notebook.run(source + secret, x=3)
    assert (judged.score, judged.failure, judged.instructor_error) == (0.0, failure, "")
    error = judged.outputs[-1]
    assert error["output_type"] == "error"
    assert f"{error['ename']}: {error['evalue']}".removesuffix(": ") == failure
    # And the session goes on.
    assert notebook.run("assert x == 3", x=3).score == 3.0


def test_a_failure_is_short(notebook):
    judged = notebook.run("raise ValueError('long ' * 10_000)")
    assert len(judged.failure) == 2000
    assert len(json.dumps(judged.outputs)) < 50_000


def test_the_traceback_shows_the_cells_real_lines_and_none_of_the_judges(notebook):
    (error,) = notebook.run("\n\ndef check(v):\n    assert v == 4\n\n\ncheck(x)", x=3).outputs
    assert error["traceback"] == [
        "Traceback (most recent call last):",
        '  File "test cell test_1", line 7, in <module>',
        "    check(x)",
        '  File "test cell test_1", line 4, in check',
        "    assert v == 4",
        "AssertionError: got 3, expected 4",
    ]


def test_a_chained_traceback_has_no_frames_of_the_judge(notebook):
    source = (
        "try:\n    f(3)\nexcept ValueError as error:\n    raise AssertionError('no') from error"
    )
    table = FunctionTable()

    def f(n):
        raise ValueError(n)

    data = encode(f, limit=10**6, functions=table)
    judged = notebook.run(source, call=caller(table), f=Captured("value", data))
    text = "\n".join(judged.outputs[0]["traceback"])
    assert "ValueError: 3" in text and "test cell test_1" in text
    assert "nbjudge" not in text


def test_errors_that_render_themselves(notebook):
    source = (
        "class CheckFailed(AssertionError):\n"
        "    def _render_traceback_(self): return ['\\x1b[1m✗ no', '  look there']\n"
        "class NotAttempted(CheckFailed): ...\n"
        "class Later(NotAttempted): ...\n"
    )
    judged = notebook.run(source + "raise CheckFailed('no\\nlook there')")
    assert judged.outputs[0]["traceback"] == ["✗ no", "  look there"]
    assert not judged.not_attempted
    assert notebook.run("raise NotAttempted('yet')").not_attempted
    assert notebook.run("raise Later('yet')").not_attempted


def test_a_narrow_miss(notebook):
    luck = "from nbjudge.judge.luck import NarrowMiss\n"
    judged = notebook.run(luck + "raise NarrowMiss('0.41 of 0.42', {'accuracy': 0.41})")
    assert (judged.score, judged.narrow, judged.measured) == (0.0, True, {"accuracy": 0.41})
    judged = notebook.run("raise NarrowMiss('0.41', {'accuracy': 'much'})")
    assert (judged.narrow, judged.measured) == (True, {})
    judged = notebook.run("error = ValueError('x')\nerror.is_narrow_miss = True\nraise error")
    assert judged.narrow
    assert not notebook.run("raise ValueError('x')").narrow


def test_outputs(notebook):
    source = (
        "import sys\nprint('one')\ndisplay(3)\nprint('two')\nsys.stdout.buffer.write(b'three')\n"
        "display({'image/png': b'png', 'text/html': '<b>', 'text/plain': 'p'}, raw=True)\n2"
    )
    judged = notebook.run(source)
    assert kinds(judged) == ["stream", "display_data", "display_data", "execute_result"]
    assert shown(judged) == "one\ntwo\nthree"
    assert judged.outputs[1]["data"] == {"text/plain": "3"}
    assert judged.outputs[2]["data"] == {"text/plain": "p", "image/png": "cG5n"}


def test_a_flood_is_cut(notebook):
    judged = notebook.run(
        "for i in range(100):\n    print('x' * 100_000)\n    display('y' * 10**6)"
    )
    assert judged.score == 3.0
    assert TEXT_LIMIT <= len(shown(judged)) < TEXT_LIMIT + 100
    assert shown(judged).endswith("cut)\n")
    assert len(json.dumps(judged.outputs)) < 2_500_000
    assert shown(notebook.run("print('quiet')\n1")) == "quiet\n"


def test_streams_that_a_test_replaced_are_put_back(notebook):
    notebook.run("import sys, io\nsys.stdout = io.StringIO()")
    assert shown(notebook.run("print('here')")) == "here\n"


def test_the_namespace_lasts_and_captured_values_do_not(notebook):
    assert notebook.run("mine = x + 1", x=3).score == 3.0
    assert notebook.run("assert mine == 4").score == 3.0
    assert notebook.run("x").failure == "NameError: name 'x' is not defined"
    assert notebook.run("x", x=2).score == 2.0


def test_a_captured_value_shadows_only_for_its_cell(notebook):
    notebook.run("x = 1")
    assert notebook.run("x", x=2).score == 2.0
    assert notebook.run("x").score == 1.0
    assert notebook.run("x", x=MISSING).failure == "NameError: name 'x' is not defined"
    assert notebook.run("x").score == 1.0
    assert notebook.run("del x", x=2).score == 3.0
    assert notebook.run("x").score == 1.0
    # What a test binds itself is its own.
    assert notebook.run("x = x + 1", x=2).score == 3.0
    assert notebook.run("x").score == 3.0
    assert notebook.run("keep = x\ndel x\nx = keep", x=0).score == 3.0
    assert notebook.run("x").score == 0.0


def test_a_captured_value_does_not_outlive_a_failure(notebook):
    assert notebook.run("1 / 0\nx = 3", x=2).score == 0.0
    assert notebook.run("x").failure == "NameError: name 'x' is not defined"


def test_missing_and_refused_names(notebook):
    assert notebook.run("f()", f=MISSING).failure == "NameError: name 'f' is not defined"
    assert notebook.run("sum([1])", sum=MISSING).score == 1.0
    judged = notebook.run("ran = True", f=Captured("refused", reason="f is an open file"))
    assert (judged.score, judged.failure) == (0.0, "NotHandedOut: f is an open file")
    assert notebook.run("ran").failure == "NameError: name 'ran' is not defined"


def test_damaged_bytes_are_a_failure(notebook):
    judged = notebook.run("x", x=Captured("value", b"damaged"))
    assert judged.score == 0.0
    assert judged.failure.startswith("NotHandedOut: the test cannot read the value of x: ")


def test_imports(notebook):
    assert notebook.run("math.floor(2.5)", imports=("import math",)).score == 2.0
    assert notebook.run("math.floor(2.5)").score == 2.0
    judged = notebook.run("1", imports=("import no_such_module",))
    assert judged.score is None
    assert "needs `import no_such_module`" in judged.instructor_error


def test_future_imports_hold_from_then_on(notebook):
    source = "def f(x: not_there): ...\n"
    assert notebook.run(source).score == 0.0
    assert notebook.run(source, imports=("from __future__ import annotations",)).score == 3.0
    assert notebook.run(source).score == 3.0


def test_a_star_import_gives_only_what_no_cell_binds(notebook):
    star = ("from math import *",)
    # `floor` may come from the star, so the student's is not taken; `ceil` is bound by a cell.
    judged = notebook.run(
        "floor(1.9) + ceil + other", imports=star, unbound=("floor", "other"),
        floor=MISSING, ceil=1, other=0,
    )  # fmt: skip
    assert judged.score == 2.0
    judged = notebook.run("floor(1.9)", imports=star, unbound=("floor",), floor=7)
    assert judged.score == 1.0


def caller(table: FunctionTable):
    def call(ref: str, request: bytes) -> Reply:
        return Reply("value", perform_call(table, ref, request, limit=10**7))

    return call


def captured(function, table: FunctionTable) -> Captured:
    return Captured("value", encode(function, limit=10**6, functions=table))


def squares(n):
    return [i * i for i in range(1, n + 1)]


def test_a_students_function_is_called(notebook):
    table = FunctionTable()
    value = captured(squares, table)
    source = "import numpy as np\nassert squares(2) == [1, 4]\nnp.sum(squares(1))"
    assert notebook.run(source, call=caller(table), squares=value).score == 1.0
    judged = notebook.run("assert squares(2) == [1]", call=caller(table), squares=value)
    assert judged.failure == "AssertionError: got [1, 4] for 2, expected [1]"
    assert notebook.run("keep = squares", call=caller(table), squares=value).score == 3.0
    assert notebook.run("len(keep(2))", call=caller(table)).score == 2.0


def test_what_a_student_raises_is_a_failure_and_nothing_else(notebook):
    class NarrowMiss(AssertionError):
        is_narrow_miss = True
        measured = {"accuracy": 1.0}

    class UsageError(Exception):
        pass

    for error in (NarrowMiss("x"), UsageError("x"), ImportError("x"), SystemExit(), SyntaxError()):

        def f(error=error):
            raise error

        table = FunctionTable()
        judged = notebook.run("import os; f()", call=caller(table), f=captured(f, table))
        assert (judged.score, judged.narrow, judged.measured) == (0.0, False, {})
        assert judged.failure.startswith(type(error).__name__)


def test_calls_that_give_nothing(notebook):
    table = FunctionTable()
    f = captured(squares, table)

    def answer(state, reason):
        return lambda ref, request: Reply(state, reason=reason)

    judged = notebook.run("f(1)", call=answer("timeout", "f ran longer than 3 s"), f=f)
    assert (judged.score, judged.failure) == (0.0, "TimeoutError: f ran longer than 3 s")
    judged = notebook.run("f(1)", call=answer("refused", "it gave a file"), f=f)
    assert (judged.score, judged.failure) == (0.0, "NotHandedOut: it gave a file")
    for source in ("f(1)", "try:\n    f(1)\nexcept BaseException:\n    pass\n3"):
        judged = notebook.run(source, call=answer("dead", "the kernel died"), f=f)
        assert (judged.score, judged.failure) == (None, "the kernel died")
        assert kinds(judged) == ["error"]
    assert notebook.run("1").score == 1.0


def test_arrays_cross(notebook):
    judged = notebook.run("assert x.shape == (3,)\nfloat(x.sum())", x=np.array([0.5, 1.0, 1.0]))
    assert judged.score == 2.5


def test_an_error_of_call_propagates():
    class NotStored(Exception):
        pass

    def call(ref, request):
        raise NotStored(ref)

    with process(session.serve) as connection, Judge(connection, seconds=20, limit=10**7) as judge:
        book = Notebook(judge, lambda value: encode(value, limit=10**7))
        with pytest.raises(NotStored):
            book.run("f(1)", call=call, f=captured(squares, FunctionTable()))
        with pytest.raises(JudgeFailed, match="given up"):
            book.run("1")


def test_time_spent_in_calls_does_not_count(monkeypatch):
    # A judge that asks for a call at once; the call takes, by the clock, far more than a second.
    from nbjudge.judge import client

    clock = [0.0]
    monkeypatch.setattr(client.time, "monotonic", lambda: clock[0])

    def call(ref, request):
        clock[0] += 100
        return Reply("value", perform_call(table, ref, request, limit=10**7))

    table = FunctionTable()
    with process(session.serve) as connection, Judge(connection, seconds=1, limit=10**7) as judge:
        book = Notebook(judge, lambda value: encode(value, limit=10**7))
        assert book.run("f(1)[0]", call=call, f=captured(squares, table)).score == 1.0


@pytest.mark.parametrize(
    "source",
    ["while True: pass", "import time\nwhile True:\n    try: time.sleep(9)\n    except: pass"],
)
def test_a_judge_without_an_end(source):
    with (
        process(session.serve) as connection,
        Judge(connection, seconds=0.3, limit=10**7) as judge,
        pytest.raises(JudgeFailed, match=r"did not come to an end in 0\.3 s"),
    ):
        Notebook(judge, repr).run(source)


def test_what_a_judge_waited_for_a_processor_is_not_its_own_time(monkeypatch):
    asked = []

    def watch(pid):
        asked.append(pid)
        return lambda: 60.0

    with (
        process(session.serve) as connection,
        Judge(connection, seconds=0.3, limit=10**7, watch=watch) as judge,
    ):
        monkeypatch.setattr("nbjudge.judge.client._PATIENCE", 1e6)
        source = "import time\ntime.sleep(0.5)\n2"
        assert Notebook(judge, repr).run(source).score == 2
        monkeypatch.setattr("nbjudge.judge.client._PATIENCE", 1.5)
        with pytest.raises(MachineTooBusy, match="neither the notebook's fault nor the test's"):
            Notebook(judge, repr).run("while True: pass")
    assert asked[0] > 0 and set(asked) == {asked[0]} and asked[0] != os.getpid()


def test_whose_bytes_a_judge_was_busy_with_is_told():
    def slow_to_read(connection):
        session.decode = lambda *args, **kwargs: time.sleep(600)
        session.serve(connection)

    with (
        process(slow_to_read) as connection,
        Judge(connection, seconds=0.3, limit=10**7) as judge,
        pytest.raises(JudgeFailed, match="that is not the test's fault"),
    ):
        Notebook(judge, lambda value: b"bytes").run("1", x=3)
    with (
        process(session.serve) as connection,
        Judge(connection, seconds=0.3, limit=10**7) as judge,
        pytest.raises(JudgeFailed, match=r"can be the test, or what the notebook hands out"),
    ):
        Notebook(judge, lambda value: encode(value, limit=10**7)).run("while x: pass", x=3)


def test_a_judge_that_trickles_is_out_of_time(monkeypatch):
    from nbjudge.judge import client

    clock = iter(range(1000))
    monkeypatch.setattr(client.time, "monotonic", lambda: next(clock))

    def trickle(connection):
        connection.recv(100_000)
        # The length of a header, but never all of it.
        connection.sendall(b"\0\0\xff\0")
        for _ in range(50):
            connection.sendall(b" ")

    with (
        process(trickle) as connection,
        Judge(connection, seconds=3, limit=10**7) as judge,
        pytest.raises(JudgeFailed, match="did not come to an end in 3 s"),
    ):
        Notebook(judge, repr).run("1")


def test_a_process_that_ends(notebook):
    with pytest.raises(JudgeFailed, match="ended without a verdict|broke"):
        notebook.run("import os\nos._exit(0)")
    with pytest.raises(JudgeFailed, match="given up"):
        notebook.run("1")


VERDICT = {
    "outputs": [],
    "score": 3.0,
    "failure": "",
    "not_attempted": False,
    "narrow": False,
    "measured": {},
    "instructor_error": "",
    "seconds": 0.1,
}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"judged": {**VERDICT, "score": 3.5}}, "a score of 3.5"),
        ({"judged": {**VERDICT, "score": True}}, "a score of True"),
        ({"judged": {**VERDICT, "score": float("nan")}}, "a score of nan"),
        ({"judged": {}}, "not complete"),
        ({"judged": None}, "not complete"),
        ({"call": 3}, "no message that a judge sends"),
        ({"call": "f"}, "no message that a judge sends"),
        ([], "no message that a judge sends"),
        ({"trouble": "it broke"}, "mistake of its own: it broke"),
    ],
)
def test_messages_that_make_no_sense(header, words):
    from nbjudge import wire

    def nonsense(connection):
        wire.receive(connection, 10**6)
        wire.send(connection, header)

    with (
        process(nonsense) as connection,
        Judge(connection, seconds=5, limit=10**7) as judge,
        pytest.raises(JudgeFailed, match=words),
    ):
        judge.run(TestCell("test", "1", 3), {}, lambda ref, request: Reply("dead"))


def test_a_request_that_makes_no_sense_is_told():
    from nbjudge import wire

    with process(session.serve) as connection:
        wire.send(connection, {"walk": {}})
        told, _ = wire.receive(connection, 10**6)
        assert "KeyError" in told["trouble"]


def test_the_package_is_light():
    import subprocess
    import sys

    code = (
        "import sys, nbjudge.judge, nbjudge.judge.luck, nbjudge.cells.names, nbjudge.judge.client\n"
        "assert not {'IPython', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "answer",
    [
        pd.Series([1, None], dtype="Int64"),
        pd.Series(["1", None], dtype="string"),
        np.empty((0, 2)),
        np.array([1, np.nan], dtype=object),
    ],
)
def test_no_comparison_passes_over_what_is_missing(notebook, answer):
    right = [1, 2] if not isinstance(answer, pd.Series) or answer.dtype == "Int64" else ["1", "2"]
    source = f"import numpy as np\nassert (x == {right}).all() or np.allclose(x, {right})"
    assert notebook.run(source, x=answer).score == 0
    assert notebook.run(source, x=np.array(right)).score == 3
    state = FunctionTable("f")
    number = state.node("", lambda: answer)

    def call(ref, request):
        return Reply("value", perform_call(state, ref, request, limit=10**6), "")

    captured = encode(state.get("f"), limit=10**6, functions=state)
    assert number[0] == "function"
    source = source.replace("x", "f()").replace("f()alloc", "alloc")
    assert notebook.run(source, call=call, f=Captured("value", captured)).score == 0
