"""Calls of the student's functions from the judge's process.

A request holds the arguments: ``[[node of each positional one], [[name, node] of each keyword]]``,
and ``[name, node]`` of what else the function is told: ``luck``, what ``randomness`` says when the
test has planted a seed; ``files``, what the test has written; ``patches``, what it has replaced.
A reply is ``[changes, outcome, printed]``, and the files that were written if it was told of some:
``changes`` are ``[number, node]`` of the arguments, or objects within arguments, that the call
changed; ``outcome`` is ``["result", node]``, ``["raised", exception]`` or ``["refused", message]``;
``printed`` is what the call wrote to ``sys.stdout``.
Numbers are those of the shared objects in the request (see ``codec``), and the node ``["arg",
number]`` in a reply is the caller's very object; ``["view", number, offset, strides, array]`` looks
into it.

Three more tags in a request: ``["own", ref]``, a function of the notebook, ``["import", module,
qualified name]``, which only the student's process looks up, and ``["callback", number, name]``, a
function of the test's, which the judge calls (see ``callbacks`` and ``link``).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import warnings
from collections import deque
from typing import Any

from nbjudge import adapters
from nbjudge.capture import exceptions, folders, plain, randomness
from nbjudge.capture.awaiting import awaited
from nbjudge.capture.callbacks import hooks_of
from nbjudge.capture.codec import guarded_decode, guarded_encode, opened
from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.functions import FunctionTable, name_of
from nbjudge.capture.link import Link
from nbjudge.capture.patches import patched
from nbjudge.capture.remote import encoded_call
from nbjudge.capture.tree import Decoder, Encoder

# Letters of what a call printed that are handed out.
_PRINTED = 100_000


def call_request(args: tuple[Any, ...], kwargs: dict[Any, Any], *, limit: int) -> bytes:
    """The arguments of a call as bytes, for ``perform_call``. Raises ``NotHandedOut``."""
    return encoded_call(args, kwargs, limit, Link(_nobody, limit=limit))[0]


def _nobody(ref: str, request: bytes) -> bytes:
    raise NotHandedOut(f"nobody can be asked for {ref}")


def perform_call(table: FunctionTable, ref: str, request: bytes, *, limit: int) -> bytes:
    """Call a function of the student's; runs in the student's process.

    Args:
        table: where the function is kept.
        request: from ``call_request``; its sender is trusted.
        limit: bytes that the request and the reply may have.

    Whatever the function does, also SystemExit, is in the reply. A KeyboardInterrupt counts as
    the time limit's.
    """
    results = table.under(table.next_call(ref))
    try:
        function = table.get(ref)
        args, kwargs, shared, told = _arguments(table, request, limit)
        if "files" in told:
            folders.put(table.root, told["files"])
        files = folders.stamps(table.root) if "files" in told else None
    except KeyError:
        return _only(["refused", f"there is no function {ref}"])
    except Damaged as error:
        return _only(["refused", f"the arguments did not arrive: {error}"])
    except (NotHandedOut, OSError) as error:
        return _only(["refused", f"the files of the test did not arrive: {error}"])
    known = {id(value): ["arg", i] for i, value in enumerate(shared)}
    before = [_fingerprint(value, known, limit) for value in shared]
    figures = _open_figures()
    name = name_of(function) or "the function"
    printed = io.StringIO()
    parts = (before, shared, known, results, limit, printed, files)
    # A generator of the student's runs, and prints, when its items are taken.
    with (
        randomness.stream(table.randomness, told.get("luck")),
        patched(table.namespace, told.get("patches", ())),
        contextlib.redirect_stdout(printed),
    ):
        result: Any = None
        failure: BaseException | None = None
        try:
            result = awaited(function(*args, **kwargs))
        except KeyboardInterrupt:
            failure = TimeoutError(f"{name} ran longer than its time limit")
        except BaseException as raised:
            failure = raised
        try:
            return _reply(result, failure, *parts)
        except plain.IterationFailed as failed:
            return _reply(None, failed.error, *parts)
        except KeyboardInterrupt:
            late = TimeoutError(f"{name} ran longer than its time limit")
            return _reply(None, late, *parts)
        except BaseException as raised:  # what the student's code has a way to raise even here
            return _reply(None, raised, *parts)
        finally:
            _close_figures(figures)


def _arguments(
    table: FunctionTable, request: bytes, limit: int
) -> tuple[list[Any], dict[Any, Any], list[Any], dict[Any, Any]]:
    hooks = hooks_of(table, limit)

    def work() -> tuple[list[Any], dict[Any, Any], list[Any], dict[Any, Any]]:
        (positional, keywords, *told), buffers = opened(request, limit)
        decoder = Decoder(buffers, hooks)
        args = decoder.values(positional)
        kwargs = {name: decoder.value(node) for name, node in keywords}
        shared = list(decoder.shared)
        pairs = told[0] if told else []
        return args, kwargs, shared, {name: decoder.value(node) for name, node in pairs}

    return guarded_decode(work)


def _reply(
    result: Any,
    error: BaseException | None,
    before: list[bytes | None],
    shared: list[Any],
    known: dict[int, list[Any]],
    results: FunctionTable,
    limit: int,
    printed: io.StringIO,
    files: dict[str, folders.Stamp] | None,
) -> bytes:
    encoder = Encoder(limit, results, "what the function gives")
    encoder.known = known

    def work() -> bytes:
        changes = []
        for i, value in enumerate(shared):
            if before[i] is not None and _fingerprint(value, known, limit) != before[i]:
                changes.append([i, _apart(encoder, value)])
        encoder.arguments = [(i, value) for i, value in enumerate(shared) if _is_array(value)]
        if error is None:
            outcome = ["result", encoder.node(result)]
        else:
            outcome = ["raised", exceptions.exception_node(encoder, error)]
        written = []
        if files is not None:
            written = [encoder.node(folders.changed(results.root, files, limit // 2))]
        return encoder.message([changes, outcome, _text(printed), *written])

    try:
        return guarded_encode(work, encoder.name, let=plain.IterationFailed)
    except NotHandedOut as refusal:
        return _only(["refused", str(refusal)])


def _text(printed: io.StringIO) -> str:
    try:
        return printed.getvalue()[:_PRINTED].encode("utf-8", "replace").decode()
    except Exception:  # a function can do what it likes with the stream, closing it for example
        return ""


def _apart(encoder: Encoder, value: Any) -> list[Any]:
    """The node of ``value`` itself, though the other end knows it."""
    known = encoder.known.pop(id(value))
    try:
        return encoder.bare(value, type(value))
    finally:
        encoder.known[id(value)] = known


def _only(outcome: list[Any]) -> bytes:
    return Encoder(10_000_000).message([[], outcome, ""])


def _fingerprint(value: Any, known: dict[int, list[Any]], limit: int) -> bytes | None:
    """What one object holds, as a digest; None for one that cannot change.

    The other objects of ``known`` in it count by their number, so a change within one of them is
    not a change of this.
    """
    if not _can_change(value):
        return None
    encoder = Encoder(2 * limit, FunctionTable(), "an argument")
    encoder.known = known
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = _apart(encoder, value)
    except Exception as error:
        return str(error).encode("utf-8", "replace")
    digest = hashlib.sha256(json.dumps(node).encode())
    for buffer in encoder.buffers:
        digest.update(buffer)
    return digest.digest()


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot is not None else set()


def _close_figures(before: set[int]) -> None:
    """Close what the call has opened, so that later cells do not draw on it."""
    for number in _open_figures() - before:
        sys.modules["matplotlib.pyplot"].close(number)


def _is_array(value: Any) -> bool:
    return "numpy" in sys.modules and type(value) is sys.modules["numpy"].ndarray


def _can_change(value: Any) -> bool:
    if isinstance(value, (list, dict, set, deque, bytearray)):
        return True
    kinds = [("numpy", "ndarray"), ("pandas", "DataFrame"), ("pandas", "Series")]
    kinds.append(("keras", "Model"))
    return adapters.is_mutable(value) or any(
        module in sys.modules and isinstance(value, getattr(sys.modules[module], name))
        for module, name in kinds
    )
