"""Nodes: what makes them of values (``Encoder``) and values of them (``Decoder``).

The format is told in ``codec``.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
from collections.abc import Callable
from typing import Any

from nbjudge.capture import limits
from nbjudge.capture.errors import Damaged, NotHandedOut, megabytes

MAGIC = b"nbj1"
LENGTH = struct.Struct(">I")
_SCALARS = (type(None), bool, int, float, str)


# What may be referred to again, by tag.
_SHARED = (
    "list tuple named set frozenset dict ordered counter default keys values items deque bytearray "
    "iter bytes text array oarray fields records matrix masked series frame frame2d index "
    "range_index multi_index pdarray model layer keras history figure axes tensor kept view "
    "adapted generator"
)
SHARED = frozenset(_SHARED.split())

# The order matters: a numpy.float64 is a float, and a Keras model is callable.
_FAMILIES = (
    ("plain", None),
    ("arrays", ("numpy",)),
    ("tables", ("pandas",)),
    ("keras_values", ("keras", "tensorflow")),
    ("figures", ("matplotlib",)),
    ("adapted", None),
    ("generators", None),
    ("awaiting", None),
    ("leftovers", None),
    ("functions", None),
)
_TAGS = {
    "plain": "int complex text bytes bytearray ellipsis range slice list tuple named set frozenset "
    "dict ordered counter default keys values items deque iter date time datetime timedelta zone "
    "decimal fraction uuid path",
    "arrays": "np array oarray fields record records matrix masked dtype",
    "tables": "pdarray series frame frame2d index range_index multi_index timestamp period pdelta "
    "nat na interval",
    "keras_values": "model layer keras history tensor tf_dtype",
    "figures": "figure axes",
    "functions": "function class",
    "exceptions": "exception_class",
    "kept": "kept",
    "adapted": "adapted",
    "generators": "generator",
    "awaiting": "awaited",
}
FAMILY_OF_TAG = {tag: family for family, tags in _TAGS.items() for tag in tags.split()}


def _family(name: str) -> Any:
    return importlib.import_module(f"nbjudge.capture.{name}")


class Encoder:
    """Turns values into nodes and buffers; one encoder makes one message.

    ``functions`` has ``node(path, function)``, which gives a function's node or raises.
    ``known`` holds objects that the other end has already, by ``id``, as nodes; ``arguments`` are
    the numpy arrays among them, with their numbers.
    """

    def __init__(self, limit: int, functions: Any = None, name: str = "the value"):
        self.limit, self.functions, self.name = limit, functions, name
        self.buffers: list[bytes] = []
        self.shared: list[Any] = []
        self.known: dict[int, list[Any]] = {}
        self.arguments: list[tuple[int, Any]] = []
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

    def bare(self, value: Any, kind: type) -> list[Any]:
        """The node of ``value`` itself, whether it came before or not."""
        for name, packages in _FAMILIES:
            if packages is None or any(package in sys.modules for package in packages):
                node: list[Any] | None = _family(name).encode(self, value, kind)
                if node is not None:
                    return node
        words = f"{_describe(kind)} cannot be handed out{self.place()}"
        kept: list[Any] = _family("kept").node(self, value, kind, words)
        return kept

    def buffer(self, data: bytes | memoryview) -> int:
        """The number of a new buffer with ``data``."""
        self._size += len(data)
        self.check_size(self._size)
        self.buffers.append(bytes(data))
        if len(self.buffers) > limits.BUFFERS:
            raise NotHandedOut(
                f"{self.name} holds more than {limits.BUFFERS:,} arrays and long texts"
            )
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

    def node_of_function(self, function: Any) -> list[Any]:
        """The node that ``functions`` makes of a function at the place of the current value."""
        node: list[Any] = self.functions.node(self.path(), function)
        return node

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
        return b"".join([MAGIC, LENGTH.pack(len(text)), text, *self.buffers])


class Decoder:
    """Turns a message's nodes into values. ``hooks`` decode tags that only this caller knows."""

    def __init__(
        self, buffers: list[memoryview], hooks: dict[str, Callable[..., Any]] | None = None
    ):
        self.hooks = hooks or {}
        self.shared: list[Any] = []
        self._buffers: list[memoryview | None] = list(buffers)
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
        elif tag in FAMILY_OF_TAG:
            handler = _family(FAMILY_OF_TAG[tag]).DECODERS[tag]
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

    def values(self, nodes: Any) -> list[Any]:
        """The values of a JSON array of nodes."""
        if type(nodes) is not list:
            raise Damaged("a list of nodes is missing")
        return [self.value(node) for node in nodes]

    def buffer(self, number: Any) -> memoryview:
        """The bytes of a buffer, which may be asked for once."""
        if type(number) is not int or not 0 <= number < len(self._buffers):
            raise Damaged("a buffer is missing")
        data, self._buffers[number] = self._buffers[number], None
        if data is None:
            raise Damaged("a buffer that is used twice")
        return data

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


def _is_clean(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _describe(kind: type) -> str:
    name, module = kind.__name__, kind.__module__
    if module == "__main__":
        return f"an object of the class {name}, which the notebook defines,"
    if module == "builtins":
        return f"an object of the type {name}"
    return f"an object of the class {name} of {str(module).partition('.')[0]}"
