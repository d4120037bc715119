"""What running a notebook yields, as plain data: outputs, captured values, answered calls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbjudge import wire
from nbjudge.capture.folders import FILES
from nbjudge.judge.messages import Ask, Captured, Reply

# What JSON of another shape makes a reader stumble on.
_SHAPE_ERRORS = (LookupError, TypeError, AttributeError, StopIteration)


class NotStored(Exception):
    """A stored execution has no answer to this: the notebook has to be run."""


class Damaged(Exception):
    """These bytes are not an execution, or not the one that was stored."""


@dataclass
class Execution:
    """One run of a notebook.

    ``outputs`` are nbformat's output dicts by the cell's place, ``values`` what was captured, by
    the test cell's grade id and name, ``calls`` the replies to a test cell's calls in their order,
    by ``call_key``. ``usage`` holds seconds and megabytes, ``tier`` the isolation it ran in.
    """

    outputs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    values: dict[str, dict[str, Captured]] = field(default_factory=dict)
    calls: dict[str, list[Reply]] = field(default_factory=dict)
    usage: dict[str, float] = field(default_factory=dict)
    tier: str = ""

    def to_bytes(self) -> bytes:
        """The execution with its own sha256 in front."""
        blobs: list[bytes] = []

        def put(item: Captured | Reply) -> list[Any]:
            blobs.append(item.data)
            return [item.state, item.reason]

        def put_reply(reply: Reply) -> list[Any]:
            told = put(reply)
            for _, request, answer in reply.asked:
                blobs.extend((request, answer))
            return [*told, [number for number, _, _ in reply.asked]]

        header = {
            "outputs": {str(place): outputs for place, outputs in self.outputs.items()},
            "values": {
                cell: {name: put(value) for name, value in values.items()}
                for cell, values in self.values.items()
            },
            "calls": {
                key: [put_reply(reply) for reply in replies] for key, replies in self.calls.items()
            },
            "usage": self.usage,
            "tier": self.tier,
        }
        body = wire.pack(header, blobs)
        return hashlib.sha256(body).digest() + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Execution:
        """Read what ``to_bytes`` made; raises ``Damaged`` where a single bit is different."""
        digest, body = data[:32], data[32:]
        if hashlib.sha256(body).digest() != digest:
            raise Damaged("the digest does not fit")
        try:
            header, blobs = wire.unpack(body)
            rest = iter(blobs)
            return cls(
                outputs={int(place): outputs for place, outputs in header["outputs"].items()},
                values={
                    cell: {
                        name: Captured(state, next(rest), reason)
                        for name, (state, reason) in values.items()
                    }
                    for cell, values in header["values"].items()
                },
                calls={
                    key: [
                        Reply(
                            state,
                            next(rest),
                            reason,
                            tuple((number, next(rest), next(rest)) for number in numbers),
                        )
                        for state, reason, numbers in replies
                    ]
                    for key, replies in header["calls"].items()
                },
                usage=header["usage"],
                tier=header["tier"],
            )
        except (wire.WireError, ValueError, *_SHAPE_ERRORS) as error:
            raise Damaged(f"it cannot be read: {error}") from error


def read_whole(data: bytes) -> Execution | None:
    """The execution of these bytes; ``None`` where they are not whole."""
    try:
        return Execution.from_bytes(data)
    except Damaged:
        return None


class Run(Protocol):
    """A notebook that is run now, or was run before."""

    def run(self, place: int, source: str) -> list[dict[str, Any]]:
        """Run the cell at ``place``; returns its outputs."""

    def run_test(self, place: int, source: str) -> list[dict[str, Any]]:
        """Run the test cell at ``place`` as if it were the student's; returns its outputs."""

    def run_unseen(self, source: str) -> None:
        """Run a text whose outputs nobody sees."""

    def values(self, cell: str, names: Sequence[str]) -> Mapping[str, Captured]:
        """What the names hold now, for the test cell ``cell``."""

    def files(self, cell: str, known: Mapping[str, str]) -> Captured:
        """The files beside the notebook that are others than ``known`` says, for ``cell``.

        ``known`` has the sha256 (hex) of each file that the judge has, by its name.
        """

    def call(self, cell: str, ref: str, request: bytes, ask: Ask) -> Reply:
        """Call a function that was captured, for the test cell ``cell``.

        ``ask`` has a function of the test's called, where the student's function calls one.
        """


def call_key(cell: str, ref: str, request: bytes) -> str:
    """What identifies a call: the test cell, the function, and the digest of its arguments."""
    return f"{cell}\n{ref}\n{hashlib.sha256(request).hexdigest()}"


class Replay:
    """A run that was stored: nothing of the student's is run. Raises ``NotStored``."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self._asked: dict[str, int] = {}

    def run(self, place: int, source: str) -> list[dict[str, Any]]:
        """The outputs that the cell had."""
        if place not in self.execution.outputs:
            raise NotStored(f"cell {place + 1} was not run")
        return self.execution.outputs[place]

    run_test = run

    def run_unseen(self, source: str) -> None:
        """Nothing is run."""

    def values(self, cell: str, names: Sequence[str]) -> Mapping[str, Captured]:
        """What was captured."""
        found = self.execution.values.get(cell, {})
        if not set(names) <= set(found):
            raise NotStored(f"{cell} asks for values that were not captured")
        return {name: found[name] for name in names}

    def files(self, cell: str, known: Mapping[str, str]) -> Captured:
        """What there was; what the judge has is part of what the execution is stored under."""
        return self.values(cell, [FILES])[FILES]

    def call(self, cell: str, ref: str, request: bytes, ask: Ask) -> Reply:
        """What the call gave, the next time it was made.

        What it asked the test's own functions is asked again; they may have changed.
        """
        key = call_key(cell, ref, request)
        number = self._asked.get(key, 0)
        self._asked[key] = number + 1
        replies = self.execution.calls.get(key, [])
        if number >= len(replies):
            raise NotStored(f"{cell} makes a call that was not made")
        reply = replies[number]
        for function, arguments, answer in reply.asked:
            if ask(function, arguments) != answer:
                raise NotStored(f"{cell} answers a call of the student's in another way")
        return reply
