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

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from nbjudge.capture import limits
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.tree import LENGTH, MAGIC, Decoder, Encoder

T = TypeVar("T")


def guarded_encode(
    work: Callable[[], bytes], name: str, let: type[Exception] = NotHandedOut
) -> bytes:
    """``work()``, any exception but ``NotHandedOut`` and ``let`` turned into one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except (NotHandedOut, let):
        raise
    except RecursionError:
        raise NotHandedOut(f"{name} is nested too deeply to be handed out") from None
    except (Exception, SystemExit, GeneratorExit) as error:
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
    if data[:4] != MAGIC or len(data) < 8:
        raise Damaged("not a value")
    (length,) = LENGTH.unpack_from(data, 4)
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
    if len(sizes) > limits.BUFFERS:
        raise Damaged("too many buffers")
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise Damaged("the lengths of the buffers are no numbers")
    if sum(sizes) != len(data) - 8 - length:
        raise Damaged("the buffers have other lengths")
    view, start, buffers = memoryview(data).toreadonly(), 8 + length, []
    for size in sizes:
        buffers.append(view[start : start + size])
        start += size
    return node, buffers


def guarded_decode(work: Callable[[], T]) -> T:
    """``work()``, any exception but ``Damaged`` turned into one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except Damaged:
        raise
    except Exception as error:
        raise Damaged(f"no value: {type(error).__name__}: {str(error)[:200]}") from None


def decode(
    data: bytes,
    *,
    limit: int,
    make_function: Callable[[Any], Any] | None = None,
    hooks: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """The value that ``data`` holds. Nothing in ``data`` can run.

    Args:
        limit: bytes that are accepted.
        make_function: makes what stands for a function from its ``FunctionFacts``; without one,
            bytes with a function in them are refused.
        hooks: decode tags that only this caller knows; see ``Link.hooks``.

    Raises ``Damaged``, and nothing else, whatever ``data`` is.
    """

    def work() -> Any:
        from nbjudge.capture.functions import facts_hook

        node, buffers = opened(data, limit)
        own = {} if make_function is None else {"function": facts_hook(make_function)}
        return Decoder(buffers, {**own, **(hooks or {})}).value(node)

    return guarded_decode(work)
