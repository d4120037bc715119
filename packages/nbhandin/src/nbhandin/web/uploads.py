"""An upload: read with limits of size, time and number, looked at, stored, and only then said."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from nbjudge.admit.submissions import shown_name
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from nbhandin.attempts import Attempt, Receipt, UploadedFile, next_allowed, now_utc
from nbhandin.desk import Desk
from nbhandin.errors import NotStored, NotTaken
from nbhandin.links import Link
from nbhandin.storing import Incoming, errors_told
from nbhandin.texts import say
from nbhandin.web.sessions import Visitor, is_own_form

MOST_FILES = 20
_MOST_FIELDS = 5
_MOST_OPEN_OF_ONE = 2
_CHUNK = 1 << 20


class Refused(Exception):
    """An upload that is refused: with this HTTP status, in words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


async def take_upload(desk: Desk, visitor: Visitor, request: Request) -> tuple[Receipt, bool]:
    """Store what was uploaded; the receipt, and whether it is one of before for the same files.

    Raises ``Refused``.
    """
    began = now_utc()
    with _open_upload(desk, visitor.link):
        form = await _read_form(desk, request)
        try:
            if not is_own_form(visitor, form.get("csrf")):
                raise Refused(403, say("refused.forged"))
            files = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
            return await _store(desk, visitor.link.student, files, began)
        except NotTaken as error:
            raise Refused(422, str(error)) from error
        except NotStored as error:
            raise Refused(503, str(error)) from error
        finally:
            await form.close()


@contextmanager
def _open_upload(desk: Desk, link: Link) -> Iterator[None]:
    """Count an upload for a ``with`` block; refuse one too many."""
    if not desk.may_upload(link, time.monotonic()):
        raise Refused(429, say("refused.too_often"))
    own = desk.open_uploads.get(link.id, 0)
    if own >= _MOST_OPEN_OF_ONE:
        raise Refused(429, say("refused.too_often"))
    if sum(desk.open_uploads.values()) >= desk.settings.open_uploads:
        raise Refused(503, say("refused.busy"))
    desk.open_uploads[link.id] = own + 1
    try:
        yield
    finally:
        desk.open_uploads[link.id] -= 1
        if not desk.open_uploads[link.id]:
            del desk.open_uploads[link.id]


async def _read_form(desk: Desk, request: Request) -> FormData:
    limit = 1_000_000 * desk.settings.megabytes
    too_large = Refused(413, say("refused.too_large", megabytes=desk.settings.megabytes))
    length = request.headers.get("content-length", "")
    # What surrounds the files in a form is little.
    if length.isdecimal() and int(length) > limit + 100_000:
        raise too_large
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refused(400, say("refused.too_many_parts", files=MOST_FILES))
    seen = 0
    original = request.receive

    async def receive() -> Message:
        nonlocal seen
        message = await original()
        seen += len(message.get("body", b""))
        if seen > limit + 100_000:
            raise too_large
        return message

    limited = Request(request.scope, receive)
    try:
        async with asyncio.timeout(desk.settings.upload_seconds):
            parser = MultiPartParser(
                limited.headers,
                limited.stream(),
                max_files=MOST_FILES,
                max_fields=_MOST_FIELDS,
            )
            return await parser.parse()
    except TimeoutError as error:
        seconds = desk.settings.upload_seconds
        raise Refused(408, say("refused.too_slow", seconds=seconds)) from error
    except ClientDisconnect as error:
        raise Refused(400, say("refused.cut")) from error
    except MultiPartException as error:
        raise Refused(400, say("refused.too_many_parts", files=MOST_FILES)) from error
    except OSError as error:
        with errors_told():
            raise error
    raise AssertionError("an error of the disk is told")


async def _store(
    desk: Desk, student: str, files: list[UploadFile], began: datetime
) -> tuple[Receipt, bool]:
    with Incoming(desk.places) as incoming:
        uploaded = []
        for number, file in enumerate(one for one in files if one.filename):
            path = incoming.uploaded / str(number)
            uploaded.append(await _write(file, path))
        names = [file.name for file in uploaded]
        if len(set(names)) < len(names):
            raise NotTaken("Two of the files have the same name. Hand in one of them.")
        read = await desk.reader.read(incoming.uploaded, names, incoming.files)
        # One at a time: a number is given once, and two uploads of one student see each other.
        async with desk.keeping:
            own = desk.attempts.of(student, read.assignment)
            receipt = Receipt(0, student, read.assignment, began, tuple(uploaded), read.notes)
            if own and own[-1].receipt.content == receipt.content:
                return own[-1].receipt, True
            _require_allowed(desk, own, read.assignment)
            last = desk.attempts.last_number()
            kept = await _to_the_end(asyncio.to_thread(incoming.keep, receipt, last))
            desk.attempts.add(Attempt(kept))
    desk.grader.wake()
    desk.tell(student)
    return kept, False


async def _to_the_end(work: Coroutine[None, None, Receipt]) -> Receipt:
    """Await what must not be left half done, also when this request is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _require_allowed(desk: Desk, own: list[Attempt], assignment: str) -> None:
    now = now_utc()
    limit = desk.settings.attempts_a_day
    at = next_allowed(own, limit, now)
    if at > now:
        time_ = f"{at.astimezone(desk.settings.zone):%d %B, %H:%M}"
        words = say("refused.limit", assignment=assignment, limit=limit, time=time_)
        raise Refused(429, words)


async def _write(file: UploadFile, path: Path) -> UploadedFile:
    digest, size = hashlib.sha256(), 0
    with errors_told(), path.open("wb") as target:
        while chunk := await file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    return UploadedFile(safe_name(file.filename or ""), size, digest.hexdigest())


def safe_name(name: str) -> str:
    """The last part of a file's name, on one line, such as any file system takes."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = shown_name(last.replace("\0", "")).lstrip(".").strip()
    stem, dot, ending = shown.rpartition(".")
    return f"{stem[:80]}{dot}{ending[:20]}" or "file"
