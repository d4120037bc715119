"""Generators of the notebook: each goes on in the student's process, as the test asks for items.

The node is that of an object that stays, with the tag ``generator``. In the judge it is a
generator, too, so ``send`` and ``throw`` work, and one without an end may be looked at. After some
items, more than one is fetched at a time.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from nbjudge.capture import kept
from nbjudge.capture.errors import Damaged, NotHandedOut

if TYPE_CHECKING:
    from nbjudge.capture.tree import Decoder, Encoder

# So many items are fetched one by one.
_ONE_BY_ONE = 8
_AT_ONCE = 256
_WENT_ON = (
    "the test sends something to a generator that went on by itself already; an instructor can run "
    "the test in the student's kernel, by the line `### RUN IN STUDENT KERNEL`"
)
_DRIVEN: weakref.WeakKeyDictionary[Any, kept.RemoteObject] = weakref.WeakKeyDictionary()


def encode(encoder: Encoder, value: Any, kind: type) -> list[Any] | None:
    """The node of a generator, where somebody keeps it."""
    if kind is not GeneratorType:
        return None
    if value in _DRIVEN:
        return encoder.functions.node(encoder.path(), _DRIVEN[value])  # type: ignore[no-any-return]
    if not hasattr(encoder.functions, "keep"):
        return None
    words = f"a generator cannot be handed out{encoder.place()}"
    return ["generator", *kept.node(encoder, value, kind, words)[1:]]


def _decode(decoder: Decoder, *node: Any) -> Any:
    of_kept: Callable[..., Any] = decoder.hooks.get("kept", kept.DECODERS["kept"])
    remote = of_kept(decoder, *node)
    if not isinstance(remote, kept.RemoteObject):
        return remote  # nobody can be asked
    made = _drive(remote)
    _DRIVEN[made] = remote
    return made


def _drive(remote: kept.RemoteObject) -> Generator[Any, Any, Any]:
    ahead: deque[Any] = deque()
    taken = 0
    ended: list[Any] = []
    sent: Any = None
    while True:
        if sent is not None:
            if ahead:
                raise NotHandedOut(_WENT_ON)
            items, ended = _told(remote._operate("send", remote, sent))
            ahead.extend(items)
        elif not ahead and not ended:
            count = 1 if taken < _ONE_BY_ONE else min(taken, _AT_ONCE)
            items, ended = _told(remote._operate("take", remote, count))
            ahead.extend(items)
        if not ahead:
            return ended[0] if ended else None
        taken += 1
        try:
            sent = yield ahead.popleft()
        except GeneratorExit:
            raise
        except Exception as error:
            if ahead:
                raise NotHandedOut(_WENT_ON) from error
            thrown = remote._operate("throw", remote, type(error).__name__, str(error))
            items, ended = _told(thrown)
            ahead.extend(items)
            sent = None


def _told(told: Any) -> tuple[list[Any], list[Any]]:
    """The items, and what a generator at its end returned, in a list. Raises ``Damaged``."""
    if type(told) is not list or len(told) != 2 or not all(type(part) is list for part in told):
        raise Damaged("no items of a generator")
    return told[0], told[1]


DECODERS = {"generator": _decode}
