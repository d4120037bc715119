"""What students do: open the link, hand in, read what came of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from nbhandin.attempts import Attempt, now_utc
from nbhandin.desk import Desk, Listener
from nbhandin.errors import HandInError
from nbhandin.links import find_link
from nbhandin.places import FULL, HELD_BACK
from nbhandin.web import views
from nbhandin.web.pages import (
    desk_of,
    pages_of,
    refused,
    require_own_form,
    require_visitor,
    sessions_of,
    visitor_of,
)
from nbhandin.web.sessions import Visitor, is_from_here
from nbhandin.web.uploads import Refused, take_upload

# What a student's notebook shows: no script runs, nothing is loaded, it has no origin.
_NOTEBOOK_POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
    "font-src data:; sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
_HEARTBEAT = 20.0
_NAME = re.compile(r"[^/\\\0]{1,200}")


async def home(request: Request) -> Response:
    """The student's exercises, or the instructor's class; without a link, what to do."""
    desk, visitor = desk_of(request), visitor_of(request)
    if visitor is None:
        address = desk.settings.address or "http://127.0.0.1"
        return pages_of(request).render(
            "welcome.html", None, address=address, is_wrong="wrong" in request.query_params
        )
    if visitor.is_instructor:
        from nbhandin.web.instructors import class_page

        return await class_page(request, visitor)
    return await _exercises(request, visitor)


async def _exercises(request: Request, visitor: Visitor) -> Response:
    desk = desk_of(request)
    standing = await desk.gradebook.standing()
    student = visitor.link.student
    names = views.assignments(desk, standing)
    return pages_of(request).render(
        "student.html",
        visitor,
        cells=[views.cell(desk, standing, student, name) for name in names],
        settings=desk.settings,
        certificates=views.certificates(desk, student),
    )


async def enter(request: Request) -> Response:
    """Exchange the link's secret for a cookie; it leaves the address."""
    desk = desk_of(request)
    link = find_link(desk.links.links(), request.path_params["token"], now_utc())
    if link is None:
        return RedirectResponse("/?wrong", 303)
    response = RedirectResponse("/", 303)
    sessions_of(request).begin(response, link)
    return response


async def leave(request: Request) -> Response:
    """Take the cookie back."""
    await require_own_form(request, require_visitor(request))
    response = RedirectResponse("/", 303)
    sessions_of(request).end(response)
    return response


async def hand_in(request: Request) -> Response:
    """Take an upload."""
    visitor = require_visitor(request)
    if visitor.is_instructor:
        raise HTTPException(404)
    if not is_from_here(request):
        raise HTTPException(403)
    try:
        receipt, is_old = await take_upload(desk_of(request), visitor, request)
    except Refused as no:
        response = refused(request, no.status, no.words)
        # What is not read of a refused upload is not waited for.
        response.headers["connection"] = "close"
        return response
    return RedirectResponse(f"/attempt/{receipt.number}{'?again' if is_old else ''}", 303)


def attempt_of(request: Request, visitor: Visitor) -> Attempt:
    """The attempt that the address names, if the visitor may see it; 404 otherwise."""
    attempt = desk_of(request).attempts.find(request.path_params["number"])
    if attempt is None or not visitor.may_see(attempt.receipt.student):
        raise HTTPException(404)
    return attempt


async def attempt(request: Request) -> Response:
    """A receipt, and what came of it."""
    desk, visitor = desk_of(request), require_visitor(request)
    found = attempt_of(request, visitor)
    standing = await desk.gradebook.standing()
    shown = visitor.is_instructor or views.shows_hidden(desk, standing, found.receipt.assignment)
    folder = desk.places.attempt(found.number)
    pages = sorted(path.name for path in (folder / _part(shown)).glob("*.html"))
    return pages_of(request).render(
        "attempt.html",
        visitor,
        attempt=found,
        is_running=found.number in desk.grader.running,
        ahead=desk.waiting_before(found.number),
        held=desk.grader.held,
        shows_hidden=shown,
        settings=desk.settings,
        pages=pages,
        files=sorted(p.name for p in (folder / "files").glob("*") if p.is_file()),
        is_old="again" in request.query_params,
        is_asked="asked" in request.query_params,
    )


def _part(shows_hidden: bool) -> str:
    return FULL if shows_hidden else HELD_BACK


async def feedback(request: Request) -> Response:
    """The graded notebook: sanitised when it was made, and shown where nothing of it can run."""
    desk, visitor = desk_of(request), require_visitor(request)
    found = attempt_of(request, visitor)
    standing = await desk.gradebook.standing()
    shown = visitor.is_instructor or views.shows_hidden(desk, standing, found.receipt.assignment)
    folder = desk.places.attempt(found.number) / _part(shown)
    path = folder / _name(request.path_params["name"])
    if path.suffix != ".html" or not path.is_file():
        raise HTTPException(404)
    headers = {"content-security-policy": _NOTEBOOK_POLICY, "x-frame-options": "SAMEORIGIN"}
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=headers)


async def own_file(request: Request) -> Response:
    """What was handed in, to save; never to open in the browser."""
    found = attempt_of(request, require_visitor(request))
    name = _name(request.path_params["name"])
    path = desk_of(request).places.attempt(found.number) / "files" / name
    if not path.is_file() or path.is_symlink():
        raise HTTPException(404)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or text.startswith("."):
        raise HTTPException(404)
    return text


async def certificate(request: Request) -> Response:
    """A certificate of one's own."""
    desk, visitor = desk_of(request), require_visitor(request)
    id_ = request.query_params.get("id", "")
    path = views.certificate_file(desk, visitor.link.student, id_)
    if path is None:
        raise HTTPException(404)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(path.name)}"}
    return FileResponse(path, media_type="application/pdf", headers=headers)


async def news(request: Request) -> Response:
    """Server-sent events: that something on the page has changed."""
    desk, visitor = desk_of(request), require_visitor(request)
    opened = ExitStack()
    try:
        listener = opened.enter_context(desk.listening(visitor.link.student))
    except HandInError:
        return Response(status_code=429)
    return StreamingResponse(
        _events(desk, listener, opened, visitor),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _events(
    desk: Desk, listener: Listener, opened: ExitStack, visitor: Visitor
) -> AsyncIterator[str]:
    with opened:
        yield "retry: 3000\n\n"
        while desk.link_of(visitor.link.id) is not None:
            try:
                await asyncio.wait_for(listener.news.wait(), _HEARTBEAT)
                listener.news.clear()
                yield "event: news\ndata: 1\n\n"
                # Many changes at once are one piece of news.
                await asyncio.sleep(0.3)
            except TimeoutError:
                yield ": still here\n\n"


ROUTES = [
    Route("/", home),
    Route("/in/{token}", enter),
    Route("/leave", leave, methods=["POST"]),
    Route("/hand-in", hand_in, methods=["POST"]),
    Route("/attempt/{number:int}", attempt),
    Route("/attempt/{number:int}/feedback/{name}", feedback),
    Route("/attempt/{number:int}/file/{name}", own_file),
    Route("/certificate", certificate),
    Route("/news", news),
]
