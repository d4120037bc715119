"""Values as inert bytes: a JSON tree of tagged nodes and buffers of raw bytes.

Format: ``b"nbj1"``; 4 bytes, the tree's length (big endian); the tree, ASCII JSON,
``[node, [lengths of the buffers]]``; the buffers, one after another.

A node is a JSON scalar, which stands for itself, or ``[tag, …]``. Each family module (``plain``,
``arrays``, ``tables``, ``keras_values``, ``figures``, ``functions``) has ``encode(encoder, value,
kind)``, which gives a node, or None where the value is none of its own, and ``DECODERS``, a dict
from tag to ``f(decoder, *rest of the node)``. A family is imported when a node or a value needs it.

Every node whose tag is in ``SHARED`` has a number, counted as they are completed, on both ends;
``["ref", number]`` is the very same object again. A reference only goes back, so a decoded value
has no cycles, and it counts as many values as what it refers to.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
import warnings
from collections.abc import Callable
from typing import Any

from nbjudge.capture import limits
from nbjudge.capture.errors import Damaged, NotHandedOut, megabytes

_MAGIC = b"nbj1"
_LENGTH = struct.Struct(">I")
_SCALARS = (type(None), bool, int, float, str)

SHARED = frozenset(
    [
        "list",
        "tuple",
        "named",
        "set",
        "frozenset",
        "dict",
        "ordered",
        "counter",
        "default",
        "deque",
        "bytearray",
        "iter",
        "bytes",
        "text",
        "array",
        "oarray",
        "masked",
        "series",
        "frame",
        "frame2d",
        "index",
        "range_index",
        "multi_index",
        "model",
        "layer",
        "keras",
        "history",
        "figure",
        "axes",
        "tensor",
    ]
)

# The order matters: a numpy.float64 is a float, and a Keras model is callable.
_FAMILIES = (
    ("plain", None),
    ("arrays", ("numpy",)),
    ("tables", ("pandas",)),
    ("keras_values", ("keras", "tensorflow")),
    ("figures", ("matplotlib",)),
    ("leftovers", None),
    ("functions", None),
)
_FAMILY_OF_TAG = {
    **dict.fromkeys(
        [
            "int",
            "complex",
            "text",
            "bytes",
            "bytearray",
            "ellipsis",
            "range",
            "slice",
            "list",
            "tuple",
            "named",
            "set",
            "frozenset",
            "dict",
            "ordered",
            "counter",
            "default",
            "deque",
            "iter",
            "date",
            "time",
            "datetime",
            "timedelta",
            "zone",
            "decimal",
            "fraction",
            "uuid",
            "path",
        ],
        "plain",
    ),
    **dict.fromkeys(["np", "array", "oarray", "masked", "dtype"], "arrays"),
    **dict.fromkeys(
        [
            "series",
            "frame",
            "frame2d",
            "index",
            "range_index",
            "multi_index",
            "timestamp",
            "pdelta",
            "nat",
            "na",
            "interval",
        ],
        "tables",
    ),
    **dict.fromkeys(["model", "layer", "keras", "history", "tensor", "tf_dtype"], "keras_values"),
    **dict.fromkeys(["figure", "axes"], "figures"),
    **dict.fromkeys(["function", "class"], "functions"),
}


def _family(name: str) -> Any:
    return importlib.import_module(f"nbjudge.capture.{name}")


class Encoder:
    """Turns values into nodes and buffers; one encoder makes one message.

    ``functions`` has ``node(path, function)``, which gives a function's node or raises.
    ``known`` holds objects that the other end has already, by ``id``, as nodes.
    """

    def __init__(self, limit: int, functions: Any = None, name: str = "the value"):
        self.limit, self.functions, self.name = limit, functions, name
        self.buffers: list[bytes] = []
        self.shared: list[Any] = []
        self.known: dict[int, list] = {}
        self._size = 0
        self._nodes = 0
        self._weights: dict[int, int] = {}
        self._memo: dict[int, int] = {}
        self._open: set[int] = set()
        self._path: list[str] = []
        self._alive: list[Any] = []

    def node(self, value: Any, step: str = "") -> Any:
        """The node of ``value``, which is at ``step`` of what is encoded just now."""
        kind = type(value)
        self.count(1)
        if kind is float or kind is bool or value is None:
            return value
        if kind is int and -(2**63) <= value < 2**63:
            return value
        if kind is str and len(value) < 1000 and _is_clean(value):
            return value
        key = id(value)
        if key in self.known:
            return self.known[key]
        if key in self._memo:
            number = self._memo[key]
            self.count(self._weights[number])
            return ["ref", number]
        if key in self._open:
            raise NotHandedOut(f"{self.name} contains itself{self.place()}")
        if len(self._open) >= limits.DEPTH:
            raise NotHandedOut(
                f"{self.name} is nested too deeply: at most {limits.DEPTH} containers deep"
            )
        self._open.add(key)
        self._path.append(step)
        before = self._nodes
        try:
            node = self.bare(value, kind)
        finally:
            self._open.discard(key)
            self._path.pop()
        self._alive.append(value)
        if type(node) is list and node[0] in SHARED:
            self._memo[key] = len(self.shared)
            self._weights[len(self.shared)] = self._nodes - before
            self.shared.append(value)
        return node

    def bare(self, value: Any, kind: type) -> list:
        """The node of ``value`` itself, whether it came before or not."""
        for name, packages in _FAMILIES:
            if packages is None or any(package in sys.modules for package in packages):
                node = _family(name).encode(self, value, kind)
                if node is not None:
                    return node
        raise NotHandedOut(f"{_describe(kind)} cannot be handed out{self.place()}")

    def buffer(self, data: bytes | memoryview) -> int:
        """The number of a new buffer with ``data``."""
        self._size += len(data)
        self.check_size(self._size)
        self.buffers.append(bytes(data))
        return len(self.buffers) - 1

    def check_size(self, size: int) -> None:
        """Raise ``NotHandedOut`` if ``size`` bytes are more than the limit."""
        if size > self.limit:
            raise NotHandedOut(
                f"{self.name} has {megabytes(size)}; a value that a test looks at may have "
                f"{megabytes(self.limit)}"
            )

    def count(self, values: int) -> None:
        """Count ``values`` more, against the limit."""
        self._nodes += values
        if self._nodes > limits.NODES:
            raise NotHandedOut(
                f"{self.name} holds more than {limits.NODES:,} single values, which is too many"
            )

    def path(self) -> str:
        """Where the value that is encoded just now is within the whole, such as "0/loss"."""
        return "/".join(step for step in self._path if step)

    def place(self) -> str:
        """The same for a message: "" for the whole value itself."""
        path = self.path()
        return f" (it is in {self.name}, at {path})" if path else ""

    def message(self, node: Any) -> bytes:
        """The bytes of ``node``, with the buffers."""
        text = json.dumps(
            [node, [len(buffer) for buffer in self.buffers]], separators=(",", ":")
        ).encode("ascii")
        if len(text) > limits.TREE_BYTES:
            raise NotHandedOut(
                f"{self.name} has {megabytes(len(text))} besides arrays; that part may have "
                f"{megabytes(limits.TREE_BYTES)}"
            )
        self.check_size(self._size + len(text))
        return b"".join([_MAGIC, _LENGTH.pack(len(text)), text, *self.buffers])


class Decoder:
    """Turns a message's nodes into values. ``hooks`` decode tags that only this caller knows."""

    def __init__(self, buffers: list[memoryview], hooks: dict[str, Callable] | None = None):
        self.hooks = hooks or {}
        self.shared: list[Any] = []
        self._buffers = buffers
        self._weights: list[int] = []
        self._nodes = 0
        self._depth = 0

    def value(self, node: Any) -> Any:
        """The value of ``node``; raises ``Damaged``, or whatever a constructor raises."""
        self.count(1)
        if type(node) in _SCALARS:
            return node
        if type(node) is not list or not node or type(node[0]) is not str:
            raise Damaged("a node without a tag")
        tag, *rest = node
        if tag == "ref":
            return self._ref(*rest)
        if tag in self.hooks:
            handler = self.hooks[tag]
        elif tag in _FAMILY_OF_TAG:
            handler = _family(_FAMILY_OF_TAG[tag]).DECODERS[tag]
        else:
            raise Damaged(f"an unknown tag {tag[:20]!r}")
        self._depth += 1
        if self._depth > limits.DEPTH + 5:
            raise Damaged("nested too deeply")
        before = self._nodes
        value = handler(self, *rest)
        self._depth -= 1
        if tag in SHARED:
            self.shared.append(value)
            self._weights.append(self._nodes - before)
        return value

    def values(self, nodes: Any) -> list:
        """The values of a JSON array of nodes."""
        if type(nodes) is not list:
            raise Damaged("a list of nodes is missing")
        return [self.value(node) for node in nodes]

    def buffer(self, number: Any) -> memoryview:
        """The bytes of a buffer."""
        if type(number) is not int or not 0 <= number < len(self._buffers):
            raise Damaged("a buffer is missing")
        return self._buffers[number]

    def count(self, values: int) -> None:
        """Count ``values`` more, against the limit."""
        self._nodes += values
        if self._nodes > limits.NODES:
            raise Damaged("too many values")

    def _ref(self, number: Any) -> Any:
        if type(number) is not int or not 0 <= number < len(self.shared):
            raise Damaged("a reference to nothing")
        self.count(self._weights[number])
        return self.shared[number]


def guarded_encode(
    work: Callable[[], bytes], name: str, let: tuple[type[Exception], ...] = ()
) -> bytes:
    """``work()``, any exception but ``NotHandedOut`` and those of ``let`` turned into one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except (NotHandedOut, *let):
        raise
    except RecursionError:
        raise NotHandedOut(f"{name} is nested too deeply to be handed out") from None
    except Exception as error:
        raise NotHandedOut(
            f"{name} cannot be handed out: looking at it raised {type(error).__name__}"
        ) from None


def encode(value: Any, *, limit: int, functions: Any = None, name: str = "the value") -> bytes:
    """``value`` as bytes that ``decode`` understands.

    Args:
        limit: bytes that the result may have.
        functions: the ``FunctionTable`` that keeps the functions in ``value``; without one,
            functions are not handed out.
        name: what the value is called in messages.

    Raises ``NotHandedOut``, in words for a student, and nothing else.
    """

    def work() -> bytes:
        encoder = Encoder(limit, functions, name)
        return encoder.message(encoder.node(value))

    return guarded_encode(work, name)


def opened(data: bytes, limit: int) -> tuple[Any, list[memoryview]]:
    """The tree of a message, not looked into, and its buffers. Raises ``Damaged``."""
    if len(data) > limit:
        raise Damaged(f"{len(data):,} bytes are more than the {limit:,} that are accepted")
    if data[:4] != _MAGIC or len(data) < 8:
        raise Damaged("not a value")
    (length,) = _LENGTH.unpack_from(data, 4)
    if length > min(limits.TREE_BYTES, len(data) - 8):
        raise Damaged("cut off, or its tree is too large")
    text = data[8 : 8 + length]
    if text.count(b"[") + text.count(b"{") > limits.NODES:
        raise Damaged("too many values")
    try:
        tree = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise Damaged(f"no tree: {type(error).__name__}") from None
    if type(tree) is not list or len(tree) != 2 or type(tree[1]) is not list:
        raise Damaged("a tree of another form")
    node, sizes = tree
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise Damaged("the lengths of the buffers are no numbers")
    if sum(sizes) != len(data) - 8 - length:
        raise Damaged("the buffers have other lengths")
    view, start, buffers = memoryview(data).toreadonly(), 8 + length, []
    for size in sizes:
        buffers.append(view[start : start + size])
        start += size
    return node, buffers


def guarded_decode(work: Callable[[], Any]) -> Any:
    """``work()``, any exception but ``Damaged`` turned into one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except Damaged:
        raise
    except Exception as error:
        raise Damaged(f"no value: {type(error).__name__}: {str(error)[:200]}") from None


def decode(data: bytes, *, limit: int, make_function: Callable[[Any], Any] | None = None) -> Any:
    """The value that ``data`` holds. Nothing in ``data`` can run.

    Args:
        limit: bytes that are accepted.
        make_function: makes what stands for a function from its ``FunctionFacts``; without one,
            bytes with a function in them are refused.

    Raises ``Damaged``, and nothing else, whatever ``data`` is.
    """

    def work() -> Any:
        from nbjudge.capture.functions import facts_hook

        node, buffers = opened(data, limit)
        hooks = {} if make_function is None else {"function": facts_hook(make_function)}
        return Decoder(buffers, hooks).value(node)

    return guarded_decode(work)


def _is_clean(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _describe(kind: type) -> str:
    name, module = kind.__name__, kind.__module__
    if module == "__main__":
        return f"an object of the class {name}, which the notebook defines,"
    if module == "builtins":
        return f"an object of the type {name}"
    return f"an object of the class {name} of {str(module).partition('.')[0]}"
