"""Messages between nbjudge's processes: a JSON header and blobs of bytes, each with its length.

Format: 4 bytes, the header's length (big endian); the header, UTF-8 JSON, ``{"header": …,
"blobs": [lengths]}``; the blobs, one after another. Nothing in it can run.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Protocol

_LENGTH = struct.Struct(">I")
HEADER_LIMIT = 4_000_000


class WireError(Exception):
    """What came is no message, or is larger than the receiver accepts."""


class Closed(WireError):
    """The other side closed the connection between two messages."""


class Connection(Protocol):
    """What messages go over: a socket, or what acts like one."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of ``data``."""

    def recv(self, size: int, /) -> bytes:
        """At least one and at most ``size`` bytes; none at the end of the connection."""

    def recv_into(self, buffer: memoryview, /) -> int:
        """Like ``recv``, into ``buffer``; returns how many bytes came."""


def pack(header: Any, blobs: Sequence[bytes] = ()) -> bytes:
    """A message as bytes; ``header`` is anything that JSON holds."""
    frame = {"header": header, "blobs": [len(blob) for blob in blobs]}
    text = json.dumps(frame).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *blobs])


def unpack(data: bytes) -> tuple[Any, list[bytes]]:
    """The header and the blobs of a message; raises ``WireError`` for anything else."""
    with io.BytesIO(data) as file:
        message = _read(lambda size: _exactly_from(file, size), len(data), len(data))
        if file.read(1):
            raise WireError("there is more behind the message")
    return message


def send(connection: Connection, header: Any, *blobs: bytes) -> None:
    """Send a message; ``header`` is anything that JSON holds."""
    connection.sendall(pack(header, blobs))


def receive(connection: Connection, limit: int) -> tuple[Any, list[bytes]]:
    """Wait for a message whose blobs have at most ``limit`` bytes in all.

    Raises ``Closed`` at the end of the connection, ``WireError`` for anything else than a
    message, ``TimeoutError`` where the socket has a timeout.
    """
    first = connection.recv(1)
    if not first:
        raise Closed("the connection was closed")
    started = iter([first])
    return _read(
        lambda size: (start := next(started, b"")) + _exactly(connection, size - len(start)),
        HEADER_LIMIT,
        limit,
    )


def _read(take: Callable[[int], bytes], header_limit: int, limit: int) -> tuple[Any, list[bytes]]:
    (length,) = _LENGTH.unpack(take(_LENGTH.size))
    if length > header_limit:
        raise WireError(f"a header of {length:,} bytes is too long")
    try:
        frame = json.loads(take(length))
        header, sizes = frame["header"], frame["blobs"]
        sound = isinstance(sizes, list) and all(type(n) is int and n >= 0 for n in sizes)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise WireError(f"not a message: {error}") from error
    if not sound:
        raise WireError("the lengths of the blobs are no numbers")
    if sum(sizes) > limit:
        raise WireError(f"{sum(sizes):,} bytes are more than the {limit:,} that are accepted")
    return header, [take(size) for size in sizes]


def _exactly_from(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise WireError("the message is cut off")
    return data


def _exactly(connection: Connection, size: int) -> bytes:
    data = bytearray(size)
    view, got = memoryview(data), 0
    while got < size:
        count = connection.recv_into(view[got:])
        if not count:
            raise WireError("the connection was closed in the middle of a message")
        got += count
    return bytes(data)
