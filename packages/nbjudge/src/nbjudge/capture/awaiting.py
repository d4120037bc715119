"""Coroutines of the notebook: run to their end where they are, and awaited by the test."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder


class Awaited:
    """What a coroutine gave."""

    def __init__(self, result: Any) -> None:
        self.result = result


def awaited(value: Any) -> Any:
    """What a coroutine of the student's gives, as ``Awaited``; any other value as it is.

    It runs in a loop of its own, also within a running one, as that of the kernel.
    """
    if not inspect.iscoroutine(value):
        return value
    running, loop = asyncio._get_running_loop(), asyncio.new_event_loop()
    asyncio._set_running_loop(None)
    try:
        return Awaited(loop.run_until_complete(value))
    finally:
        asyncio._set_running_loop(running)
        loop.close()


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of what a coroutine gave."""
    return ["awaited", encoder.node(value.result)] if kind is Awaited else None


def _decode(decoder: Decoder, node: Any) -> Coroutine[Any, Any, Any]:
    return _given(decoder.value(node))


async def _given(result: Any) -> Any:
    return result


DECODERS = {"awaited": _decode}
