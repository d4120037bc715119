"""The wire format: what is packed comes out, and nothing else is taken for a message."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.wire import HEADER_LIMIT, Closed, WireError, pack, receive, send, unpack

headers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
blobs = st.lists(st.binary(max_size=100), max_size=5)


def framed(text: bytes, rest: bytes = b"") -> bytes:
    return struct.pack(">I", len(text)) + text + rest


HOSTILE = {
    "nothing": b"",
    "a length alone": b"\0\0\0\5",
    "a huge length": b"\xff\xff\xff\xff" + b"x" * 10,
    "no JSON": framed(b"\x80\x04."),
    "no text": framed(b"\xff\xfe"),
    "a list": framed(b"[]"),
    "a number": framed(b"7"),
    "no blobs": framed(b'{"header": 1}'),
    "no header": framed(b'{"blobs": []}'),
    "a blob's length is negative": framed(b'{"header": 1, "blobs": [-1]}', b"x"),
    "a blob's length is a float": framed(b'{"header": 1, "blobs": [1.0]}', b"x"),
    "a blob's length is true": framed(b'{"header": 1, "blobs": [true]}', b"x"),
    "a blob's length is NaN": framed(b'{"header": 1, "blobs": [NaN]}', b"x"),
    "a blob's length is text": framed(b'{"header": 1, "blobs": ["1"]}', b"x"),
    "blobs are an object": framed(b'{"header": 1, "blobs": {"1": 1}}', b"x"),
    "blobs are nothing": framed(b'{"header": 1, "blobs": null}'),
    "a blob is missing": framed(b'{"header": 1, "blobs": [3]}', b"xx"),
    "a blob of a terabyte": framed(b'{"header": 1, "blobs": [1000000000000]}'),
    "more digits than Python reads": framed(b'{"header": 1, "blobs": [%s]}' % (b"9" * 5000)),
    "brackets without an end": framed(b"[" * 100_000),
}


@given(headers, blobs)
def test_what_was_packed_is_unpacked(header, blobs):
    assert unpack(pack(header, blobs)) == (header, blobs)


@given(headers, blobs)
def test_what_was_sent_is_received(header, blobs):
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        send(ours, header, *blobs)
        send(ours, "next")
        assert receive(theirs, 1000) == (header, blobs)
        assert receive(theirs, 0) == ("next", [])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused(name):
    with pytest.raises(WireError):
        unpack(HOSTILE[name])
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.sendall(HOSTILE[name])
        ours.shutdown(socket.SHUT_WR)
        theirs.settimeout(10)
        with pytest.raises(WireError):
            receive(theirs, 1000)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data):
    try:
        header, blobs = unpack(data)
    except WireError:
        return
    json.dumps(header)
    assert all(type(blob) is bytes for blob in blobs)


@given(headers, blobs, st.data())
def test_a_message_is_refused_where_it_is_cut_off_or_longer(header, blobs, data):
    raw = pack(header, blobs)
    for changed in (raw[: data.draw(st.integers(0, len(raw) - 1))], raw + b"x"):
        with pytest.raises(WireError):
            unpack(changed)


@given(st.data())
def test_a_cut_off_while_receiving_is_no_end_between_messages(data):
    raw = pack({"a": 1}, [b"blob"])
    cut = data.draw(st.integers(0, len(raw) - 1))
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.sendall(raw[:cut])
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(WireError) as refused:
            receive(theirs, 1000)
    assert isinstance(refused.value, Closed) == (cut == 0)


def test_a_message_may_come_byte_by_byte():
    raw = pack({"a": "ä"}, [b"one", b"", b"two"])
    ours, theirs = socket.socketpair()

    def dribble():
        for number in range(len(raw)):
            ours.sendall(raw[number : number + 1])

    sender = threading.Thread(target=dribble)
    with closing(ours), closing(theirs):
        theirs.settimeout(10)
        sender.start()
        assert receive(theirs, 6) == ({"a": "ä"}, [b"one", b"", b"two"])
        sender.join()


def test_the_limit_is_for_all_blobs_together():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        send(ours, None, b"123", b"45")
        assert receive(theirs, 5) == (None, [b"123", b"45"])
        send(ours, None, b"123", b"456")
        with pytest.raises(WireError, match="6 bytes are more than the 5"):
            receive(theirs, 5)


def test_a_long_header_is_refused_before_it_is_read():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.sendall(struct.pack(">I", HEADER_LIMIT + 1))
        theirs.settimeout(10)
        with pytest.raises(WireError, match="too long"):
            receive(theirs, 1000)


def test_silence_is_a_timeout():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.sendall(pack(1)[:5])
        theirs.settimeout(0.01)
        with pytest.raises(TimeoutError):
            receive(theirs, 0)
