"""Forged values, and functions that do not do what functions do."""

from hostile_threat import Threat, attack, ended, harmless, right_but

FORGE = """
import json, struct, os
import nbjudge.kernel.agent as agent
def message(node, *buffers, lengths=None):
    lengths = [len(b) for b in buffers] if lengths is None else lengths
    text = json.dumps([node, lengths]).encode()
    return b"nbj1" + struct.pack(">I", len(text)) + text + b"".join(buffers)
def forge(data):
    agent.encode = lambda value, **options: data
"""
LAUGHS = """
node = ["list", [1]]
for number in range(60):
    node = ["list", [node, ["ref", number]]]
forge(message(node))
"""
SENDS_MUCH = """
kernel = get_ipython().kernel
block = b"x" * 10_000_000
async def answer(stream, ident, parent):
    asked = parent["content"].get("names", [])
    names = {name: ["value", number] for number, name in enumerate(asked)}
    kernel.session.send(stream, "nbjudge_reply", {"names": names}, parent, ident=ident,
                        buffers=[block] * @COUNT@)
kernel.shell_handlers["nbjudge_request"] = answer
"""
SEEN = """
import inspect, sys, gc, traceback
seen = []
def look(*arguments):
    frame = inspect.currentframe()
    while frame:
        seen.append(repr(frame.f_locals)[:2000] + repr(frame.f_globals)[:2000])
        frame = frame.f_back
    seen.append(repr(arguments))
def square(n):
    look(n)
    print("HEARD", n, flush=True)
    return n * n
"""


def arguments_are_seen_and_nothing_else(graded) -> None:
    """A function may know that it is called, and with what; not what is expected of it."""
    text = graded.text("own-last")
    assert "1234.5" in text
    assert "1523990" not in text
    assert "22474487" not in text


def junk_in_messages(*sends: str) -> str:
    return (
        "kernel = get_ipython().kernel\nparent = kernel.get_parent('shell')\n"
        "def send(kind, content, **k):\n"
        "    kernel.session.send(kernel.iopub_socket, kind, content, parent=parent, **k)\n"
        + "\n".join(sends)
    )


NO_MESSAGE = "A message of the kernel could not be read"
THREATS = {
    "random-bytes": attack("bytes without meaning", FORGE + "forge(os.urandom(10_000))"),
    "empty-bytes": attack("no bytes", FORGE + "forge(b'')"),
    "many-bytes": attack("more bytes than allowed", FORGE + "forge(b'nbj1' + bytes(19_000_000))"),
    "too-many-bytes": attack("still more", FORGE + "forge(bytes(22_000_000))"),
    "laughs": attack("a list that doubles sixty times", FORGE + LAUGHS),
    "huge-array": attack(
        "an array of 10^12 numbers",
        FORGE + "forge(message(['array', '<f8', [10**6, 10**6], 0], b'12345678'))",
    ),
    "negative-array": attack(
        "an array with negative lengths",
        FORGE + "forge(message(['array', '<f8', [-1, -1], 0], b'12345678'))",
    ),
    "object-array": attack(
        "an array of objects, as pickle has them",
        FORGE + "forge(message(['array', '|O', [1], 0], b'cos\\nsystem\\n(S\"id\"\\ntR.'))",
    ),
    "unknown-node": attack(
        "no such node", FORGE + "forge(message(['eval', '__import__(\"os\")']))"
    ),
    "deep-node": attack(
        "a tree of 100,000 levels",
        FORGE + "text = b'[' * 100_000 + b']' * 100_000\n"
        "forge(b'nbj1' + struct.pack('>I', len(text)) + text)",
    ),
    "import-node": attack(
        "a function of the judge's own",
        FORGE + "forge(message(['import', 'os', 'system']))\nimport nbjudge.capture.functions\n",
    ),
    "function-for-all": attack(
        "the same function for every name",
        FORGE + "forge(message(['function', {'ref': '../../x', 'name': 'allclose', "
        "'qualname': '__eq__', 'doc': None, 'parameters': None, 'is_class': True}]))",
    ),
    "much-at-once": attack("a reply with 150 MB", SENDS_MUCH.replace("@COUNT@", "15")),
    "no-names": attack(
        "a reply without names",
        "kernel = get_ipython().kernel\nasync def answer(stream, ident, parent):\n"
        "    for content in ({'names': {'square': ['value', -1]}}, {'names': [1]}):\n"
        "        kernel.session.send(stream, 'nbjudge_reply', content, parent, ident=ident)\n"
        "kernel.shell_handlers['nbjudge_request'] = answer",
    ),
    "no-reply": ended(
        "no reply at all",
        "could not be stopped",
        "async def answer(*a): pass\n"
        "get_ipython().kernel.shell_handlers['nbjudge_request'] = answer",
    ),
    "junk-data": ended(
        "an output without data", NO_MESSAGE, junk_in_messages("send('display_data', {'data': 5})")
    ),
    "junk-list": ended(
        "a message that is a list", NO_MESSAGE, junk_in_messages("send('display_data', b'[1]')")
    ),
    "junk-text": ended(
        "an output whose text is none",
        NO_MESSAGE,
        junk_in_messages("send('stream', {'name': 'stdout', 'text': 17})"),
    ),
    "junk-frames": ended(
        "frames that are no message",
        NO_MESSAGE,
        junk_in_messages("kernel.iopub_socket.send_multipart([b'x'] * 3)"),
    ),
    "junk-signature": ended(
        "a message with another signature",
        NO_MESSAGE,
        junk_in_messages("kernel.session.key = b'other'", "send('stream', {})"),
    ),
    "junk-depth": ended(
        "a message of 100,000 levels",
        NO_MESSAGE,
        junk_in_messages(
            "import copy",
            "other = copy.copy(kernel.session)",
            "kernel.session.pack = lambda value: b'[' * 100_000 + b']' * 100_000",
            "send('stream', {})",
        ),
    ),
    # No page shows a widget, so nobody reads what is said about one.
    "junk-comm": harmless(
        "a widget without a state",
        junk_in_messages("send('comm_open', {'target_name': 'jupyter.widget', 'data': 1})"),
    ),
    "junk-update": ended(
        "an update of nothing",
        NO_MESSAGE,
        junk_in_messages(
            "send('update_display_data', {'transient': {'display_id': ['x']}, 'data': {}})"
        ),
    ),
    "junk-error": ended(
        "an error without a text",
        NO_MESSAGE,
        junk_in_messages("send('error', {'ename': 1, 'evalue': [], 'traceback': 17})"),
    ),
    "nan-in-output": harmless(
        "NaN and deep lists in an output",
        last="x = []\nfor _ in range(300): x = [x]\n"
        "display({'application/json': {'x': float('nan'), 'y': x}}, raw=True)",
    ),
    # Functions.
    "other-each-time": Threat(
        "another answer each time",
        6.0,
        right_but(square="asked = []\ndef square(n):\n    asked.append(n)\n    return len(asked)"),
    ),
    "never-returns": Threat(
        "a function without an end",
        6.0,
        right_but(square="def square(n):\n    while True: pass"),
        as_ordinary=True,
    ),
    "never-stops": Threat(
        "a function that ignores the interrupt",
        6.0,
        answers=right_but(
            square="def square(n):\n    while True:\n        try:\n"
            "            while True: pass\n        except BaseException: pass"
        ),
    ),
    "function-leaves": ended(
        "a function that ends the kernel",
        "kernel died",
        answers=right_but(square="import os\ndef square(n):\n    os._exit(0)"),
    ),
    "endless-generator": Threat(
        "a generator without an end",
        6.0,
        right_but(square="import itertools\ndef square(n):\n    return itertools.count()"),
    ),
    "huge-number": Threat(
        "a number of a million digits",
        6.0,
        right_but(square="def square(n):\n    return 10 ** 10 ** 6"),
    ),
    "huge-text": Threat(
        "a text of 50 MB", 6.0, right_but(square="def square(n):\n    return 'x' * 50_000_000")
    ),
    "changes-arguments": Threat(
        "changes what it is given",
        6.0,
        right_but(
            scale="scaled = (np.arange(12.0).reshape(3, 4) - 5.5) / 3.452052529534663\n"
            "def scale(values):\n    values[:] = [-1.22474487, 0, 1.22474487]\n"
            "    return values[::-1]"
        ),
    ),
    "spies": Threat(
        "looks at who calls it",
        8.0,
        right_but(square=SEEN),
        last="print(seen)",
        check=arguments_are_seen_and_nothing_else,
    ),
    "looks-for-judge": Threat(
        "answers only when it is called by a test",
        8.0,
        right_but(
            square="import sys\ndef square(n):\n"
            "    called = sys._getframe(1).f_code.co_name\n    return n * n if called else -1"
        ),
    ),
    "forged-changes": attack(
        "says that it changed what it was not given",
        "import nbjudge.capture.calls as calls, nbjudge.kernel.agent as agent\n"
        + FORGE
        + "agent.perform_call = lambda *a, **k: message([[[0, ['list', [1, 2]]], [7, 1]], "
        "['result', True]])",
    ),
    "forged-reply": attack(
        "an answer that is none",
        FORGE + "agent.perform_call = lambda *a, **k: os.urandom(1000)",
    ),
    "forged-exception": attack(
        "an exception of the judge's",
        FORGE + "agent.perform_call = lambda *a, **k: message([[], ['raised', "
        "[['NoVerdict', 'BaseException'], 'x', None]]])",
    ),
}
