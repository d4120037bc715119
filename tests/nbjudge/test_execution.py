"""An execution is kept as bytes; what is not exactly those bytes is never read as one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbjudge import wire
from nbjudge.execute.execution import Damaged, Execution, Replay, call_key
from nbjudge.judge.messages import Captured, Reply

words = st.text(max_size=20)
sizes = st.floats(0, 1e6)
outputs = st.dictionaries(
    st.integers(0, 50),
    st.lists(st.fixed_dictionaries({"output_type": words, "text": words}), max_size=3),
    max_size=3,
)
captured = st.builds(
    Captured, st.sampled_from(["value", "missing", "refused"]), st.binary(max_size=40), words
)
replies = st.builds(
    Reply, st.sampled_from(["value", "timeout", "refused"]), st.binary(max_size=40), words
)
executions = st.builds(
    Execution,
    outputs=outputs,
    values=st.dictionaries(words, st.dictionaries(words, captured, max_size=3), max_size=3),
    calls=st.dictionaries(words, st.lists(replies, max_size=3), max_size=3),
    usage=st.dictionaries(words, sizes, max_size=3),
    tier=words,
)


@given(executions)
def test_what_was_written_is_read(execution):
    assert Execution.from_bytes(execution.to_bytes()) == execution


@given(executions, st.data())
def test_a_change_of_a_single_bit_is_noticed(execution, data):
    raw = bytearray(execution.to_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Damaged):
        Execution.from_bytes(bytes(raw))


@given(executions, st.data())
def test_what_is_cut_off_or_longer_is_noticed(execution, data):
    raw = execution.to_bytes()
    for changed in (raw[: data.draw(st.integers(0, len(raw) - 1))], raw + b"\0"):
        with pytest.raises(Damaged):
            Execution.from_bytes(changed)


@given(st.binary(max_size=200))
def test_other_bytes_are_none(raw):
    with pytest.raises(Damaged):
        Execution.from_bytes(raw)
    with pytest.raises(Damaged):
        Execution.from_bytes(hashlib.sha256(raw).digest() + raw)


WRONG = [
    None,
    [],
    {},
    {"outputs": {}, "values": {}, "calls": {}, "usage": {}},
    {"outputs": {"first": []}, "values": {}, "calls": {}, "usage": {}, "tier": ""},
    {"outputs": [], "values": {}, "calls": {}, "usage": {}, "tier": ""},
    {"outputs": {}, "values": {"t": {"x": ["value", ""]}}, "calls": {}, "usage": {}, "tier": ""},
    {"outputs": {}, "values": {"t": {"x": "value"}}, "calls": {}, "usage": {}, "tier": ""},
    {"outputs": {}, "values": {}, "calls": {"k": [["value"]]}, "usage": {}, "tier": ""},
]


@pytest.mark.parametrize("header", WRONG)
def test_a_whole_message_that_says_something_else_is_damaged(header):
    body = wire.pack(header)
    with pytest.raises(Damaged):
        Execution.from_bytes(hashlib.sha256(body).digest() + body)


def never_asked(number: int, request: bytes) -> bytes:
    raise AssertionError("no function of the test's is called")


def test_replies_come_in_their_order_for_each_call():
    keys = [call_key("t", "t/f", request) for request in (b"1", b"2")]
    first, second, other = (Reply("value", data) for data in (b"a", b"b", b"c"))
    replay = Replay(Execution(calls={keys[0]: [first, second], keys[1]: [other]}))
    asked = [replay.call("t", "t/f", request, never_asked) for request in (b"1", b"2", b"1")]
    assert asked == [first, other, second]


@given(st.tuples(words, words, st.binary()), st.tuples(words, words, st.binary()))
def test_a_calls_key_is_that_of_no_other_call(one, other):
    # Neither a grade id nor a function's reference has a line end.
    if any("\n" in text for text in (*one[:2], *other[:2])):
        return
    assert (call_key(*one) == call_key(*other)) == (one == other)
