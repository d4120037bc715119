"""The chained log: what was decided, issued, revoked and overridden, and when.

One entry a line, as JSON: keys sorted, no spaces, UTF-8. `sha256` is the digest of the line without
that key; `previous` is the `sha256` of the line before, and `GENESIS` in the first. So a line that
is changed, removed, put in or moved no longer fits the others. Two things the file alone cannot
show: that lines are missing at its end, and that somebody wrote all of it anew. Both show when the
digest of an entry was noted elsewhere: `check_log(path, head=...)`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from nbcertify.errors import CertificateError

GENESIS = "0" * 64

_KEYS = frozenset({"at", "event", "facts", "number", "previous", "sha256"})
_DIGEST_KEY = b',"sha256":"'
_SUFFIX = len(_DIGEST_KEY) + 64 + len(b'"}')
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
# JSON leaves these as they are, and many programs end a line at them.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x7f\x85\u2028\u2029"}
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Entry:
    """One line of the log. `digest` is its sha256 in hex; the last one's is the log's head."""

    number: int
    when: datetime
    event: str
    facts: Mapping[str, Any]
    previous: str
    digest: str


class _DamagedError(ValueError):
    """A line that is no entry; the message says why, to follow "line 7"."""


def append(path: Path, event: str, when: datetime, /, **facts: Any) -> Entry:
    """Add one entry; see `append_all`."""
    return append_all(path, when, [(event, facts)])[0]


def append_all(
    path: Path, when: datetime, events: Iterable[tuple[str, Mapping[str, Any]]]
) -> list[Entry]:
    """Add entries, each an event and its facts, and return them once they are on the disk.

    Facts are JSON values, and name people by pseudonyms only. `when` is aware. Several processes
    may do this at once. A last line that an interruption tore is kept in a file beside the log,
    named in an entry of its own ("torn"): its event had not been reported as logged.
    `CertificateError` if the facts are no JSON, or the log cannot be written or gone on with;
    nothing is added then.
    """
    if when.tzinfo is None:
        raise ValueError(f"a time without a zone: {when}")
    events = list(events)
    with _locked(path) as file:
        end, torn = _end_of_lines(file)
        entries: list[Entry] = []
        lines: list[bytes] = []
        last: Entry | None
        if whole := _try_parse(torn):
            end, last, torn = end + len(torn), whole, b""
            lines.append(b"\n")
        else:
            last = _last_entry(path, file, end)
        if torn:
            events.insert(0, ("torn", _set_aside(path, torn)))
        for event, facts in events:
            line, entry = _make(last, when.astimezone(UTC), event, facts)
            lines.append(line)
            entries.append(entry)
            last = entry
        _write(path, file, end, b"".join(lines))
        return entries[1:] if torn else entries


def read_log(path: Path) -> list[Entry]:
    """All entries, in order; none if there is no log yet. A torn last line is passed over.

    `CertificateError` if a line cannot be read or was changed; whether the lines fit together is
    for `check_log`.
    """
    lines, _ = _read_lines(path)
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(_parse(line))
        except _DamagedError as error:
            raise CertificateError(
                f"{path}, line {number}: {error}. Put the log back from a backup."
            ) from error
    return entries


def check_log(path: Path, head: str | None = None) -> list[str]:
    """What is wrong with the log, in words with line numbers; empty if nothing is.

    `head` is the digest of an entry noted earlier: all up to that entry must still be there.
    """
    if not path.exists():
        return [f"{path}: there is no log"]
    lines, torn = _read_lines(path)
    problems = []
    last: Entry | None = None
    damaged = 0
    seen_head = head is None
    for place, line in enumerate(lines, start=1):
        try:
            entry = _parse(line)
        except _DamagedError as error:
            problems.append(f"line {place}: {error}")
            damaged += 1
            continue
        if misfit := _misfit(last, damaged, entry):
            problems.append(f"line {place}: {misfit}")
        # What was moved down is out of place itself; what comes after it is not.
        if last is None or entry.number > last.number:
            last, damaged = entry, 0
        seen_head = seen_head or entry.digest == head
    if torn:
        problems.append(
            f"line {len(lines) + 1}: is torn: writing it was interrupted. What comes next sets it "
            "aside."
        )
    if not seen_head:
        problems.append(
            f"end: the entry with the digest {head} is missing: lines were removed from the end, "
            "or this is another log"
        )
    return problems


def _misfit(last: Entry | None, damaged: int, entry: Entry) -> str:
    """Why an entry cannot follow `last` with `damaged` lines between; empty if it can."""
    expected = last.number + 1 if last else 1
    follows = entry.previous == (last.digest if last else GENESIS)
    # A damaged line may stand in an entry's place, or be one too many.
    if expected < entry.number <= expected + damaged or (entry.number == expected and follows):
        return ""
    if entry.number < expected:
        return f"is entry {entry.number}, which belongs further up: put in, repeated or moved"
    if entry.number == expected:
        before = f"entry {last.number}" if last else "the beginning"
        return f"does not follow {before} as it stands here: one of the two was replaced"
    first, final = expected, entry.number - 1
    missing = f"entry {first} is" if first == final else f"entries {first} to {final} are"
    return f"is entry {entry.number}, and {missing} missing before it"


def _parse(line: bytes) -> Entry:
    if not line:
        raise _DamagedError("is empty")
    if line.endswith(b"\r"):
        raise _DamagedError("ends with a carriage return: some program changed the line ends")
    if line.startswith(b"\xef\xbb\xbf"):
        raise _DamagedError("begins with a byte order mark: some program saved the file anew")
    try:
        raw = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _DamagedError(
            f"is not UTF-8 from byte {error.start + 1} on: it was saved in another encoding"
        ) from error
    except (ValueError, RecursionError) as error:
        raise _DamagedError("cannot be read: it is not JSON") from error
    if not isinstance(raw, dict) or raw.keys() != _KEYS:
        raise _DamagedError("is no entry: it has not the keys of one")
    body = line[:-_SUFFIX] + b"}"
    sound = line[-_SUFFIX:].startswith(_DIGEST_KEY) and sha256(body).hexdigest() == raw["sha256"]
    if not sound:
        raise _DamagedError("was changed: it does not fit its own digest")
    try:
        when = datetime.fromisoformat(raw["at"])
        entry = Entry(
            raw["number"], when, raw["event"], raw["facts"], raw["previous"], raw["sha256"]
        )
        if type(entry.number) is int and isinstance(entry.facts, dict) and when.tzinfo:
            return entry
    except (ValueError, TypeError):
        pass
    raise _DamagedError("is no entry: a value is not what it should be")


def _try_parse(line: bytes) -> Entry | None:
    try:
        return _parse(line)
    except _DamagedError:
        return None


def _make(
    last: Entry | None, when: datetime, event: str, facts: Mapping[str, Any]
) -> tuple[bytes, Entry]:
    """The line that follows `last`, with its end, and the entry in it."""
    content = {
        "at": when.isoformat(),
        "event": event,
        "facts": dict(facts),
        "number": last.number + 1 if last else 1,
        "previous": last.digest if last else GENESIS,
    }
    try:
        body = _ENCODER.encode(content).translate(_LINE_ENDS).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise CertificateError(f"{event!r} cannot be logged: {error}") from error
    line = body[:-1] + _DIGEST_KEY + sha256(body).hexdigest().encode("ascii") + b'"}'
    return line + b"\n", _parse(line)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The log's file, made if it is not there, for this process alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CertificateError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _read_lines(path: Path) -> tuple[list[bytes], bytes]:
    """The lines without their ends, and a torn last one; one that lacks only its end is whole."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            *lines, torn = file.read().split(b"\n")
    except FileNotFoundError:
        return [], b""
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    return ([*lines, torn], b"") if _try_parse(torn) else (lines, torn)


def _end_of_lines(file: int) -> tuple[int, bytes]:
    """Where the last whole line ends, and what stands after it."""
    size = os.fstat(file).st_size
    tail = b""
    while b"\n" not in tail and len(tail) < size:
        length = min(len(tail) + _BLOCK, size)
        tail = os.pread(file, length, size - length)
    torn = tail[tail.rfind(b"\n") + 1 :]
    return size - len(torn), torn


def _last_entry(path: Path, file: int, end: int) -> Entry | None:
    """The entry on the line that ends at byte `end`."""
    tail = b""
    while b"\n" not in tail[:-1] and len(tail) < end:
        length = min(len(tail) + _BLOCK, end)
        tail = os.pread(file, length, end - length)
    if not tail:
        return None
    try:
        return _parse(tail[tail.rfind(b"\n", 0, -1) + 1 : -1])
    except _DamagedError as error:
        raise CertificateError(
            f"{path}: nothing can be added: its last line {error}. Put the log back from a backup."
        ) from error


def _set_aside(path: Path, torn: bytes) -> dict[str, Any]:
    """Keep a torn line in a file of its own; returns what to log of it."""
    digest = sha256(torn).hexdigest()
    name = f"{path.name}.torn-{digest[:16]}"
    try:
        file = os.open(path.with_name(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(file, "wb") as copy:
            copy.write(torn)
            copy.flush()
            os.fsync(file)
        _sync_folder(path)
    except OSError as error:
        raise CertificateError(
            f"{path}: its torn last line cannot be kept in {name}: {error.strerror}"
        ) from error
    return {"bytes": len(torn), "file": name, "line": digest}


def _write(path: Path, file: int, end: int, lines: bytes) -> None:
    """Put `lines` at byte `end`, where the file then ends, and wait for the disk."""
    try:
        os.ftruncate(file, end)
        done = 0
        while done < len(lines):
            done += os.pwrite(file, lines[done:], end + done)
        os.fsync(file)
        if end == 0:
            _sync_folder(path)
    except OSError as error:
        os.ftruncate(file, end)
        raise CertificateError(f"{path}: cannot be written: {error.strerror}") from error


def _sync_folder(path: Path) -> None:
    """Wait until the name of a new file is on the disk, too."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
