"""Reading the tests, forging what comes of them, patching what they use."""

from hostile_course import RIGHT, by_id
from hostile_threat import Threat, attack, ended, harmless, wrong_but

SEARCH = """
import gc, inspect, re, sys, types
found = []
def note(text):
    found.extend(re.findall("SEC" + "RET-[a-z]+-[0-9a-f]+", text))
"""

FRAMES = (
    SEARCH
    + """
frame = inspect.currentframe()
while frame:
    note(repr(frame.f_globals)[:10**6] + repr(frame.f_locals)[:10**6])
    note(repr(frame.f_code.co_consts))
    frame = frame.f_back
for frame in sys._current_frames().values():
    note(repr(frame.f_locals)[:10**6])
note(str(In) + str(Out) + str(globals().get("_ih")))
for thing in gc.get_objects():
    if type(thing) in (list, tuple, dict, set):
        try:
            note(repr(thing)[:100_000])
        except Exception:
            pass
    elif type(thing) is types.FunctionType:
        note(repr(thing.__code__.co_consts))
print("I saw", found)
"""
)

MEMORY = """
import re
found = set()
pattern = re.compile(b"SEC" + b"RET-[a-z]+-[0-9a-f]{16}")
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        span, mode = line.split()[:2]
        start, end = (int(part, 16) for part in span.split("-"))
        if "rw" in mode and end - start < 1 << 28:
            try:
                memory.seek(start)
                found.update(pattern.findall(memory.read(end - start)))
            except (OSError, ValueError, OverflowError):
                pass
print("I saw", found)
"""

HOOKS = """
import ast, sys
seen = []
shell = get_ipython()
shell.events.register("pre_run_cell", lambda info: seen.append(info.raw_cell))
shell.events.register("post_run_cell", lambda result: seen.append(str(result)))
shell.events.register("pre_execute", lambda: seen.append(str(In)))
class Reader(ast.NodeTransformer):
    def visit(self, node):
        seen.append(ast.unparse(node))
        return node
shell.ast_transformers.append(Reader())
def reads(lines):
    seen.extend(lines)
    return lines
shell.input_transformers_cleanup.append(reads)
shell.input_transformers_post.append(reads)
shell.set_custom_exc((Exception,), lambda *a, **k: seen.append(str(a)))
"""

TRACE = """
import sys, threading
seen = []
def trace(frame, event, argument):
    if "pydev" not in frame.f_code.co_filename and len(seen) < 20_000:
        seen.append(str(frame.f_code.co_consts)[:500] + str(argument)[:500])
    return trace
sys.setprofile(trace)
threading.setprofile(trace)
"""

MESSAGES = """
seen = []
kernel = get_ipython().kernel
old_parse = kernel.session.deserialize
def deserialize(parts, *arguments, **options):
    message = old_parse(parts, *arguments, **options)
    seen.append(str(message) + str([bytes(b) for b in message.get("buffers", [])]))
    return message
kernel.session.deserialize = deserialize
old_answer = kernel.nbjudge_request
async def answer(stream, ident, parent):
    seen.append(str(parent) + str([bytes(b) for b in parent["buffers"]]))
    return await old_answer(stream, ident, parent)
kernel.shell_handlers["nbjudge_request"] = answer
"""

PRINT_SEEN = "sys = __import__('sys'); sys.setprofile(None); print(len(seen), seen)"


def messages_name_what_is_asked(graded) -> None:
    """Shows that the attack bites, and what a notebook can learn: names and arguments."""
    text = graded.text("own-last")
    assert "nbjudge_request" in text and "test-square" in text


FORGED_REPLY = """
kernel = get_ipython().kernel
async def answer(stream, ident, parent):
    says = {"names": {"square": ["value", 0]}, "score": 8.0, "judged": {"score": 8.0}}
    says |= {"status": "ok", "reply": "value", "points": 8.0, "failure": ""}
    kernel.session.send(stream, "nbjudge_reply", says, parent, ident=ident, buffers=[b"8.0"])
    kernel.session.send(stream, "judged", says, parent, ident=ident)
kernel.shell_handlers["nbjudge_request"] = answer
"""

FORGED_RESULTS = """
kernel = get_ipython().kernel
session, parent = kernel.session, kernel.get_parent("shell")
base = parent["header"]["msg_id"].rsplit("_", 1)[0]
for number in range(200):
    future = {"header": {**parent["header"], "msg_id": f"{base}_{number}"}}
    result = {"data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}
    for channel in (kernel.iopub_socket, ):
        session.send(channel, "execute_result", result, parent=future)
        session.send(channel, "status", {"execution_state": "idle"}, parent=future)
"""

FORGED_EXECUTE = """
import uuid
kernel = get_ipython().kernel
stream = kernel.shell_stream if hasattr(kernel, "shell_stream") else None
parent = kernel.get_parent("shell")
ident = kernel._parent_ident if hasattr(kernel, "_parent_ident") else {}
ident = ident.get("shell", b"") if isinstance(ident, dict) else ident
base = parent["header"]["msg_id"].rsplit("_", 1)[0]
for number in range(200):
    future = {"header": {**parent["header"], "msg_id": f"{base}_{number}"}}
    for kind in ("execute_reply", "nbjudge_reply"):
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {},
                   "names": {"square": ["missing"]}, "score": 8.0}
        kernel.session.send(stream, kind, content, parent=future, ident=ident)
"""

REPLACED_RUNNER = """
shell = get_ipython()
shell.run_cell = shell.run_cell_async = lambda *a, **k: None
async def do_execute(*a, **k):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
shell.kernel.do_execute = do_execute
"""

REPLACED_ENCODE = """
import nbjudge.kernel.agent as agent
import nbjudge.capture.functions as functions
class Any:
    def __eq__(self, other): return True
    def __call__(self, *a, **k): return self
    def __getattr__(self, name): return self
old = agent.encode
agent.encode = lambda value, **k: old(Any(), **k)
functions.FunctionTable.get = lambda self, ref: Any()
"""

PATCHED_NUMPY = """
import numpy as np
np.testing.assert_allclose = lambda *a, **k: None
np.allclose = lambda *a, **k: True
sum = lambda *a: 6
"""
PATCHED = """
import builtins
import numpy.testing
numpy.testing.assert_allclose = np.testing.assert_allclose = lambda *a, **k: None
np.allclose = np.array_equal = lambda *a, **k: True
class Nothing(Exception):
    def __new__(cls, *a, **k): return SystemExit(0)
builtins.AssertionError = AssertionError = Nothing
builtins.all = lambda *a: True
builtins.any = lambda *a: False
builtins.len = len
builtins.sum = sum = lambda *a: 6
builtins.zip = lambda *a: ["xx"] * 6
builtins.str = str
"""

HIDE_ERRORS = """
shell = get_ipython()
shell.showtraceback = shell.showsyntaxerror = lambda *a, **k: None
shell._showtraceback = lambda *a, **k: None
def always_fine(*a, **k):
    class Fine:
        success, execution_count = True, 1
        error_before_exec = error_in_exec = result = None
        def raise_error(self): pass
    return Fine()
shell.run_cell = always_fine
"""

ANY = """
class Any:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __float__(self): return 0.0
    def __bool__(self): return True
    def __len__(self): return 6
    def __iter__(self): return iter([self] * 6)
    def __sub__(self, other): return 0
    def __array__(self, *a, **k): return np.zeros((3, 4))
    def __array_function__(self, function, *a): return True
    def __array_ufunc__(self, *a, **k): return 0
    def __instancecheck__(self, other): return True
    @property
    def __class__(self): return float
"""
NUMBERS = """
class Much(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
class Real(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__
    def __abs__(self): return 0.0
    def __sub__(self, other): return 0.0
class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
    def __str__(self): return self
class Grid(np.ndarray):
    def mean(self, *a, **k): return 0.0
    def std(self, *a, **k): return 1.0
    def __array_function__(self, function, *a): return True
    def __array_ufunc__(self, *a, **k): return np.True_
"""
ODD_NUMBERS = {
    "square": NUMBERS + "def square(n):\n    return Much(3)",
    "scale": NUMBERS + "scaled = np.ones((3, 4)).view(Grid)\n"
    "def scale(values):\n    return np.zeros(3).view(Grid)",
    "guess": NUMBERS + "predictions = [Text('x')] * 6",
    "even": NUMBERS + "def is_even(n):\n    return Real(1)",
}


def tag_tests(*tags: str):
    def change(notebook) -> None:
        for item in notebook["cells"]:
            if item["id"].startswith("test-"):
                item["metadata"]["tags"] = list(tags)
                item["metadata"]["editable"] = item["metadata"]["deletable"] = False

    return change


def changed_tests(notebook) -> None:
    for item in notebook["cells"]:
        if item["id"].startswith("test-"):
            item["source"] = "3.0" if item["id"] == "test-guess" else "assert True"
            item["metadata"]["nbgrader"].update(points=100, locked=False)


def markdown_for_test(notebook) -> None:
    item = by_id(notebook, "test-square")
    item.update(cell_type="markdown", source="All is well.")
    del item["outputs"], item["execution_count"]
    by_id(notebook, "test-guess")["cell_type"] = "raw"
    by_id(notebook, "test-guess").pop("outputs")
    by_id(notebook, "test-guess").pop("execution_count")


def reordered(notebook) -> None:
    notebook["cells"].reverse()


def copied(notebook) -> None:
    for id in ("test-square", "square"):
        notebook["cells"].append(dict(by_id(notebook, id), id=f"{id}-copy", source="1"))


THREATS = {
    "reads-frames": attack("frames, history, all objects of gc", last=FRAMES, stock_shows="test"),
    "reads-memory": attack("its own memory, byte by byte", last=MEMORY, as_ordinary=True),
    "reads-history": attack("prints In", last="print(In)\nIn", stock_shows="test"),
    "reads-by-hooks": attack("IPython's hooks", HOOKS, PRINT_SEEN, stock_shows="test"),
    "reads-by-profile": attack("sys.setprofile", TRACE, PRINT_SEEN),
    "reads-messages": attack(
        "the kernel's own messages",
        MESSAGES,
        PRINT_SEEN,
        check=messages_name_what_is_asked,
        as_ordinary=True,
    ),
    "forges-replies": attack("answers the grader's requests with points", FORGED_REPLY),
    "forges-results": attack("results and 'idle' for cells to come", FORGED_RESULTS),
    "forges-execute-replies": attack("replies for requests to come", FORGED_EXECUTE),
    "replaces-runner": attack("replaces what runs cells", REPLACED_RUNNER, stock=8.0),
    "replaces-encode": attack("replaces what hands out values", REPLACED_ENCODE, as_ordinary=True),
    "patches-numpy": attack("patches numpy and sum", PATCHED_NUMPY, stock=5.0),
    "patches-builtins": attack("patches everything that tests use", PATCHED),
    "hides-errors": attack("hides every error of IPython's", HIDE_ERRORS, stock=8.0),
    "skips-tests": attack(
        "tags that skip tests", change=tag_tests("skip-execution"), stock=8.0, as_ordinary=True
    ),
    "allows-errors": attack("a tag that allows errors", change=tag_tests("raises-exception")),
    "changes-tests": attack("other tests, other points", change=changed_tests),
    "markdown-for-tests": attack("a test as text", change=markdown_for_test),
    "markdown-for-tests-right": harmless("the same, with right answers", change=markdown_for_test),
    "reordered": harmless("all cells in reverse order", change=reordered),
    "copied": harmless("a copied test and a copied answer", change=copied),
    "equals-everything": attack(
        "values that equal everything",
        answers=wrong_but(
            square=ANY + "square = Any()",
            scale="scaled = scale = Any()",
            guess="predictions = Any()",
            even="is_even = Any()",
        ),
        stock=2.0,
        as_ordinary=True,
    ),
    "odd-numbers": attack("subclasses of numbers, texts and arrays", answers=ODD_NUMBERS),
    "stop-iteration": attack(
        "ends the test's own loop",
        answers=wrong_but(even="def is_even(n):\n    raise StopIteration"),
        stock=1.0,
    ),
    "exits": attack(
        "exceptions that end a test as if it had passed",
        answers={
            "square": "import sys\ndef square(n):\n    sys.exit(0)",
            "scale": "class NoVerdict(BaseException): pass\nscaled = np.ones((3, 4))\n"
            "def scale(values):\n    raise NoVerdict()",
            "guess": "predictions = ['?'] * 6",
            "even": "def is_even(n):\n    raise GeneratorExit",
        },
    ),
    "lucky": attack(
        "exceptions that ask for another try",
        answers=wrong_but(
            square="class CheckFailed(AssertionError):\n    is_narrow_miss = True\n"
            "    measured = {'accuracy': 1.0}\ndef square(n):\n    raise CheckFailed('nearly')",
            even="class NotAttempted(Exception):\n    is_narrow_miss = True\n"
            "def is_even(n):\n    raise NotAttempted()",
        ),
    ),
    "shadows-builtins": attack(
        "binds the names that the tests use",
        answers=wrong_but(
            square="def square(n):\n    return -1\n"
            "def all(*a): return True\ndef any(*a): return False\ndef len(*a): return 6\n"
            "def zip(*a): return []\ndef sum(*a): return 6\n"
            "class np:\n    class testing:\n        assert_allclose = print\n"
            "    allclose = print\n    ones = zeros = print\n"
            "class Path: pass\nmath = json = os = None",
            scale="scaled = None\ndef scale(values):\n    return 1",
        ),
    ),
    "hostile-namespace": ended(
        "a namespace that lies",
        "",
        "class Lying(dict):\n    def __contains__(self, name): return True\n"
        "    def __getitem__(self, name): return 8.0\n    def get(self, *a): return 8.0\n"
        "    def __missing__(self, name): return 8.0\n"
        "shell = get_ipython()\nshell.user_ns = Lying(shell.user_ns)",
        score=0.0,
    ),
    "replaces-modules": ended(
        "other modules in sys.modules",
        "could not be stopped",
        "import sys, types\n"
        "for name in ('json', 'zmq', 'numpy', 'nbjudge.capture', 'nbjudge.capture.codec'):\n"
        "    sys.modules[name] = types.ModuleType(name)",
    ),
    "patches-the-kernels-modules": ended(
        "json, open, os._exit, time, hashlib, type",
        "A message of the kernel could not be read",
        "import builtins, hashlib, json, os, time\n"
        "json.dumps = json.loads = lambda *a, **k: '8.0'\n"
        "os._exit = lambda *a: None\n"
        "time.time = time.monotonic = time.perf_counter = lambda: 0.0\n"
        "hashlib.sha256 = None\nbuiltins.open = None\nbuiltins.type = lambda *a: int",
    ),
    "honest": harmless("nothing: an honest submission", as_ordinary=True),
    "honest-wrong": Threat(
        "nothing: two answers are wrong",
        5.5,
        RIGHT
        | {
            "square": "def square(n):\n    return n + n",
            "guess": "predictions = ['odd', 'even', 'even', 'odd', 'odd', 'odd']",
        },
    ),
}
