"""What the grader and the judge tell each other: plain data, as JSON headers and blobs.

The grader sends ``{"run": {…}}`` and gets ``{"judged": {…}}``. In between the judge may send any
number of ``{"call": ref}`` with the request as one blob, each answered by ``{"reply": state,
"reason": words}``, with one blob if the state is ``value``. Before that answer, ``{"ask": number}``
with a request has the judge call a function of the test's; it answers ``{"answer": true}`` with a
blob, and may send calls of its own before. ``{"pid": id}`` and ``{"reading": true or false}`` tell
whose time it is, and whether a value is being decoded. ``{"trouble": words}`` tells of a mistake in
the judge itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from nbjudge.wire import WireError


@dataclass(frozen=True)
class TestCell:
    """A test cell to run: its whole text, hidden tests included, and its ``points``.

    ``imports``, ``unbound`` and ``answer_imports`` are those of its ``names.Needs``; ``replaces``
    are the places, as in ``capture.patches``, at which it may put something of its own;
    ``withheld`` are the lines, from 1, that tell students no expected values (see ``withheld``).
    """

    __test__ = False  # not a class of pytest's

    grade_id: str
    source: str
    points: float
    imports: tuple[str, ...] = ()
    unbound: tuple[str, ...] = ()
    answer_imports: tuple[tuple[str, str], ...] = ()
    replaces: tuple[str, ...] = ()
    withheld: tuple[int, ...] = ()


@dataclass(frozen=True)
class Captured:
    """What a name stood for in the student's kernel: encoded bytes, or why there are none.

    ``same`` is the very object of an earlier name, which is in ``reason``.
    """

    state: Literal["value", "same", "missing", "refused"]
    data: bytes = b""
    reason: str = ""


@dataclass(frozen=True)
class Reply:
    """What came of calling a student's function: encoded bytes, or why there are none.

    ``asked`` are the calls of the test's own functions that it made: the function's number, the
    arguments and what the judge answered, both encoded.
    """

    state: Literal["value", "timeout", "dead", "refused"]
    data: bytes = b""
    reason: str = ""
    asked: tuple[tuple[int, bytes, bytes], ...] = ()


@dataclass(frozen=True)
class Judged:
    """The verdict on one test cell.

    ``outputs`` are nbformat's output dicts, for the instructor's notebook; ``score`` is in points,
    ``None`` where there is no verdict; ``failure`` is what a student may read of it, without any
    text of the test; ``narrow`` and ``measured`` are explained in ``luck``; ``instructor_error``
    is what an instructor must fix in the test; ``seconds`` is what it took, calls included.
    """

    outputs: tuple[dict[str, Any], ...]
    score: float | None
    failure: str = ""
    not_attempted: bool = False
    narrow: bool = False
    measured: dict[str, float] = field(default_factory=dict)
    instructor_error: str = ""
    seconds: float = 0.0


Ask = Callable[[int, bytes], bytes]
"""Has a function of the test's called: its number and the arguments, and what came of it."""


def no_verdict(words: str, name: str = "TestError") -> Judged:
    """The verdict that there is none, by a fault of the test's; a person has to decide."""
    # With an error among the outputs nbgrader takes no such cell for passed.
    error = {"output_type": "error", "ename": name, "evalue": words}
    outputs = ({**error, "traceback": [f"{name}: {words}"]},)
    return Judged(outputs, None, instructor_error=words)


def run_message(
    cell: TestCell, values: Mapping[str, Captured], limit: int
) -> tuple[dict[str, Any], list[bytes]]:
    """The request to run ``cell``: header and blobs; ``limit`` is for decoded values, in bytes."""
    blobs: list[bytes] = []
    facts: dict[str, Any] = {}
    for name, value in values.items():
        facts[name] = {"state": value.state}
        if value.state == "value":
            facts[name]["blob"] = len(blobs)
            blobs.append(value.data)
        elif value.state in ("refused", "same"):
            facts[name]["reason"] = value.reason
    return {"run": {**asdict(cell), "values": facts, "limit": limit}}, blobs


def read_run(
    facts: Mapping[str, Any], blobs: Sequence[bytes]
) -> tuple[TestCell, dict[str, Captured], int]:
    """What ``run_message`` told: the cell, the values and the limit."""
    cell = TestCell(
        grade_id=facts["grade_id"],
        source=facts["source"],
        points=float(facts["points"]),
        imports=tuple(facts.get("imports", ())),
        unbound=tuple(facts.get("unbound", ())),
        answer_imports=tuple((name, text) for name, text in facts.get("answer_imports", ())),
        replaces=tuple(facts.get("replaces", ())),
        withheld=tuple(facts.get("withheld", ())),
    )
    values = {
        name: Captured(
            told["state"],
            blobs[told["blob"]] if told["state"] == "value" else b"",
            told.get("reason", ""),
        )
        for name, told in facts.get("values", {}).items()
    }
    return cell, values, int(facts.get("limit", 1 << 32))


def judged_message(judged: Judged) -> dict[str, Any]:
    """The header that tells a verdict."""
    return {"judged": asdict(judged)}


def read_judged(told: Any, points: float) -> Judged:
    """The verdict in a message; ``WireError`` if it is not one for a cell of ``points``."""
    names = {item.name for item in fields(Judged)}
    if not isinstance(told, dict) or set(told) != names or not isinstance(told["outputs"], list):
        raise WireError("the verdict is not complete")
    score = told["score"]
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool)
    if score is not None and not (is_number and math.isfinite(score) and 0 <= score <= points):
        raise WireError(f"the verdict has a score of {score}")
    return Judged(**{**told, "outputs": tuple(told["outputs"])})
