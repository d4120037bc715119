"""Which names a cell takes from outside, read from its text."""

from __future__ import annotations

import contextlib
import sys
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbjudge.cells.flow import called_loads, free_names, surely_bound
from nbjudge.cells.parsing import bindings, parse

FREE = [
    ("x = x + 1", "x"),
    ("x += 1", "x"),
    ("x = 1\nx += 1", ""),
    ("def f(a, b=c, *, d: e = 1) -> g:\n    return a + b + h", "c e g h"),
    ("@decorate\ndef f():\n    return later\nlater = 1", "decorate later"),
    ("def f():\n    return later\nlater = 1\nf()", ""),
    ("def f():\n    return later\nf()\nlater = 1", "later"),
    ("def f():\n    return g()\ndef g():\n    return late\nf()\nlate = 1", "late"),
    ("def f(n):\n    return n and f(n - 1)", ""),
    ("def f():\n    local = given\n    return lambda: local", "given"),
    ("def f():\n    global shared\n    shared = 1\nf()\nshared", "shared"),
    ("class A(B):\n  n = 3\n  m = n + outer\n  def f(self):\n    return n", "B n outer"),
    ("class A:\n    def f(self):\n        return super().f() + __class__.x", "super"),
    ("class A:\n    def f(self):\n        return late\nlate = 1\nA().f()", ""),
    ("[a + b for a in c if d]", "b c d"),
    ("{k: v for k, v in f(x).items()}", "f x"),
    ("sum(y := i for i in range(3))\ny", "range sum y"),
    ("(lambda a, b=c: a + b + d)(1)", "c d"),
    ('f"{x!r:>{width}}"', "width x"),
    ("del squares", "squares"),
    ("y = 1\ndel y\ny", "y"),
    ("x.y = z", "x z"),
    ("x[i] = 1", "i x"),
    ("x: t", "t"),
    ("x: int = 1\nx", "int"),
    ("if c:\n    a = 1\na", "a c"),
    ("if c:\n    a = 1\nelse:\n    a = 2\na", "c"),
    ("if c:\n    a = 1\nelse:\n    raise E\na", "E c"),
    ("for i in r:\n    i\ni", "i r"),
    ("for i in r:\n    if i:\n        a = 1\n        break\nelse:\n    raise E\na", "E a r"),
    ("while c:\n    a = 1\na", "a c"),
    ("try:\n    a = f()\nexcept E as e:\n    e\na", "E a f"),
    ("try:\n    a = f()\nexcept E:\n    raise\na", "E f"),
    ("try:\n    f()\nexcept E:\n    a = 1\nelse:\n    a = 2\nfinally:\n    b = 3\na, b", "E f"),
    ("with f() as (a, b):\n    c = a\nb, c", "f"),
    ("match s:\n    case [a, *b] if a:\n        b\n    case {'k': v, **r}:\n        v, r", "s"),
    ("if (m := f(x)) and m.y:\n    m", "f x"),
    ("a and (b := 1)\nb", "a b"),
    ("a if c else (b := 1)\nb", "a b c"),
    ("assert a, (m := b)\nm", "a b m"),
    ("import a.b, c as d\nfrom e import f as g, h\na, d, g, h", ""),
    ("from __future__ import annotations", ""),
    ("assert squares(1) == [1]\nprint(x)", "print squares x"),
    ("orig = f\ndel f\ntry:\n  g()\nexcept E:\n  pass\nfinally:\n  f = orig\nf", "E f g"),
    ("%matplotlib inline\n!ls $x\nfiles = !ls\nfiles", "get_ipython"),
    ("%%time\nassert f(3) == 9", "f"),
    ("%%capture out\nf()\nout", "f"),
    ("%time y = f(3)\ny", "f"),
    ("%%bash\nls $x", "get_ipython"),
    ("await f(x)", "f x"),
    # Scopes
    ("class A:\n  c = 0\n  (lambda a: a + c)(a)", "a c"),
    ("class A:\n  c = 0\n  x = [c for i in r]", "c r"),
    ("class A:\n  c = [0]\n  x = [i for i in c]", ""),
    ("class A:\n  c = 0\n  def f(self, x=c): return c", "c"),
    ("class A:\n  c = 0\n  class B:\n    d = c", "c"),
    ("class A:\n  if t: c = 0\n  c", "c t"),
    ("class A:\n  c = c", "c"),
    ("class A:\n  def f(): return late\n  f()\nlate = 1", "late"),
    ("class A:\n  global c\n  c = 1\nc", ""),
    ("class A:\n  global c\n  c\n", "c"),
    ("class A:\n  c = 1\n  del c\n  c", "c"),
    ("class A:\n  @property\n  def f(self): return late\nlate = 1\nA().f", "property"),
    ("class A:\n  x: t\n  y: int = c", "c int t"),
    ("class A:\n  __qualname__, __module__", ""),
    ("def f():\n  class A:\n    x = x\n  return A", "x"),
    ("def f(x):\n  class A:\n    y = x\n    z = y\n    def g(self): return x, y\n", "y"),
    ("def f():\n  x = 1\n  def g():\n    global x\n    return x\n  return g", "x"),
    ("def f():\n  x = 1\n  def g():\n    nonlocal x\n    x = 2\n  return x", ""),
    ("def f():\n  global x\n  del x\nx = 1\nf()\nx", "x"),
    ("def f():\n  for a in b: pass\n  with c as d: import e\n  return a, d, e", "b c"),
    ("def f():\n  x: t = 1\n  y: t\n  return x, y", ""),
    ("def f():\n  try: pass\n  except E as e: pass\n  e", "E"),
    ("def f(s):\n  match s:\n    case [a, *b] | {'k': a, **b}: return a, b", ""),
    ("def f():\n  if (n := g()): return n\n  return [m for i in n if (m := i)] and m", "g"),
    ("def f():\n  del x", ""),
    ("def f():\n  return [lambda: (i, j) for i in r]", "j r"),
    ("f = lambda *a, b=1, **c: (a, b, c, d)", "d"),
    ("@decorate\ndef f(): return late\nlate = 1", "decorate late"),
    ("@functools.cache\ndef f(): return late\nlate = 1\nf()", "functools"),
    ("from __future__ import annotations\ndef f(a: b) -> c: pass\nx: d = 1", ""),
    ("async def f():\n  async with a as b:\n    return [i async for i in b if await c]", "a c"),
    ("[y for x in r if (y := x)]", "r"),
    ("[(y, y := x) for x in r]", "r y"),
    ("[y for x in r for y in x]", "r"),
    ("[x for x in x]", "x"),
    # What may not have been run
    ("def f(): return late\nif t:\n  late = 1\n  f()\nelse:\n  f()", "late t"),
    ("def f(): return late\nlate = 1\nf()\ndel late\nf()", "late"),
    ("def f(): return late\nf = 3\nlate = 1", ""),
    ("x = 1\nfor i in r:\n  x\n  del x", "r x"),
    ("x = 1\nwhile x:\n  del x", "x"),
    ("x = 1\ntry:\n  del x\n  g()\nexcept E:\n  x", "E g x"),
    ("e = 1\ntry: g()\nexcept E as e: pass\ne", "E e g"),
    ("a < (b := 1) < (c := 2)\nb, c", "a c"),
    ("with suppress(E):\n  g()\n  x = 1\nx", "E g suppress x"),
    ("with f():\n  raise E\nx", "E f x"),
    ("match s:\n  case 1: a = 1\n  case _: a = 2\na", "s"),
    ("match s:\n  case P(x=C.y): a = 1\na", "C P a s"),
    ("match s:\n  case [a, 1] | [1, a]: a", "s"),
    ("while True:\n  x = 1\n  break\nx", "x"),
    ("def f(): return late\nraise E", "E late"),
    ("def broken(:", ""),
    ("\0", ""),
    ("+".join(["x"] * 600), "x"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "names"), FREE)
def test_free_names(source, names):
    assert sorted(free_names(parse(source))) == names.split()


GENERIC = [
    ("def f[T: B](x: T) -> T:\n    return T, x", "B"),
    ("class A[T](G[T]):\n    x: T\n    def f(self) -> T: return T", "G"),
    ("type L[T] = list[T | late]\nlate = 1\nL", "list"),
    ("type L = late", "late"),
]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 brought the syntax")
@pytest.mark.parametrize(("source", "names"), GENERIC)
def test_type_parameters(source, names):
    assert sorted(free_names(parse(source))) == names.split()


NAMES = st.sampled_from("abcd")
FUNCTIONS = st.sampled_from("fg")


def written(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The template with a drawn text for each ``{}``, indented as it is."""
    return st.builds(template.format, *parts)


def _compound(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    n = NAMES
    return st.one_of(
        n,
        written("({} + {})", part, n),
        written("[{0} for {0} in (1, {1})][0]", n, n),
        written("[i + {} for i in (1, 2) if {}][0]", part, part),
        written("[{} for {} in (1, 2) for {} in [{}]][0]", n, n, n, n),
        written("(lambda {}={}: {})()", n, part, part),
        written("({} := {})", n, part),
        written("[({} := {}) for i in (1, 2)][1]", n, part),
        written("({} and {})", part, part),
        written("({} < {} < {})", part, part, part),
        written("({} if {} else {})", part, part, part),
        written("{}()", FUNCTIONS),
    )


EXPRESSIONS = st.recursive(NAMES, _compound, max_leaves=4)
SIMPLE = st.one_of(
    EXPRESSIONS,
    written("{} = {}", NAMES, EXPRESSIONS),
    written("{} = {} = 1", NAMES, NAMES),
    written("({}, *{}) = (1, {})", NAMES, NAMES, NAMES),
    written("{} += {}", NAMES, EXPRESSIONS),
    written("{}: {} = {}", NAMES, EXPRESSIONS, EXPRESSIONS),
    written("{}: {}", NAMES, EXPRESSIONS),
    written("import os as {}\n{} = 0", NAMES, NAMES),
    written("del {}", NAMES),
    written("assert {}, {}", EXPRESSIONS, EXPRESSIONS),
    st.just("1 // 0"),
)


def _blocks(statement: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lines = st.lists(statement, min_size=1, max_size=3)
    block = lines.map(lambda parts: textwrap.indent("\n".join(parts), "    "))
    n, e = NAMES, EXPRESSIONS
    return st.one_of(
        SIMPLE,
        written("if {}:\n{}\nelse:\n{}", e, block, block),
        written("for {} in (1, {}):\n{}\nelse:\n{}", n, n, block, block),
        written("for {} in (1, 2):\n{}\n    if {}: break", n, block, n),
        written("while {}:\n{}\n    break", e, block),
        written("try:\n{}\n    1 // {}\nexcept Exception:\n{}", block, n, block),
        written("try:\n{}\nexcept ZeroDivisionError as {}:\n{}", block, n, block),
        written("try:\n{}\nfinally:\n{}", block, block),
        written("with suppress(Exception) as {}:\n{}", n, block),
        written("match {}:\n  case 1:\n{}\n  case [{}]:\n{}", e, block, n, block),
        written("match {}:\n  case {} if {}:\n{}\n  case _:\n{}", e, n, n, block, block),
        written("def {}({}={}):\n{}\n    return {}", FUNCTIONS, n, e, block, e),
        written("def {}():\n    global {}\n{}\n    return {}", FUNCTIONS, n, block, e),
        written("@staticmethod\ndef {}(*{}):\n{}", FUNCTIONS, n, block),
        written("{} = lambda {}=0: {}", FUNCTIONS, n, e),
        written("class A:\n{}", block),
        written("class A:\n    global {}\n{}", n, block),
        written("class A:\n{}\nA.f()", block),
        written("def {}():\n    {} = 1\n    def f():\n        nonlocal {}\n{}\n    f()\nf()",
            FUNCTIONS, n, n, block.map(lambda text: textwrap.indent(text, "    "))),
    )  # fmt: skip


STATEMENTS = st.recursive(SIMPLE, _blocks, max_leaves=6)
CELLS = st.lists(STATEMENTS, max_size=8).map("\n".join)


@given(CELLS, st.booleans())
@example("class A:\n    c = 0\n    (lambda a: a + c)(a)", True)
def test_a_name_that_a_cell_misses_is_one_of_its_free_names(source, truth):
    names = free_names(parse(source))
    given_names = {"__name__": "cell", "suppress": suppressing}
    try:
        exec(source, given_names | dict.fromkeys(names & set("abcd"), truth))
    except UnboundLocalError:
        pass  # a function's own business
    except NameError as error:
        if "free variable" not in str(error):
            assert error.name in names, f"{error} in\n{source}"
    except Exception:
        pass  # the text has no meaning, or stops


def suppressing(kind: type[Exception]) -> contextlib.suppress:
    return contextlib.suppress(kind)


@given(CELLS)
def test_what_a_cell_has_surely_bound_is_there_when_it_has_run(source):
    namespace = {"__name__": "cell", "suppress": suppressing, **dict.fromkeys("abcd", 1)}
    bound = surely_bound(parse(source))
    for name in bound:
        namespace.pop(name, None)
    try:
        exec(source, namespace)
    except Exception:
        return
    assert bound <= namespace.keys(), source


@given(CELLS)
def test_a_name_that_is_there_when_a_cell_has_run_is_one_that_it_binds(source):
    namespace = {"__name__": "cell", "suppress": suppressing}
    with contextlib.suppress(Exception):
        exec(source, namespace)
    found = namespace.keys() - {"__name__", "suppress", "__builtins__", "__annotations__"}
    assert found <= {binding.name for binding in bindings(source)}, source


def test_what_functions_load_when_they_are_called():
    source = "def f(a, b=c):\n    d = a\n    return lambda: d + e"
    assert called_loads(parse(source).body[0]) == {"e"}
    source = "class A(B):\n    x = c\n    def f(self, y=d):\n        return x + y + self.z"
    assert called_loads(parse(source).body[0]) == {"x"}
