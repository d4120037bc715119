"""The page as an ASGI application: routes, headers, errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nbhandin.desk import Desk
from nbhandin.web import instructors, students
from nbhandin.web.pages import Pages, refused
from nbhandin.web.sessions import Sessions

_STATIC = Path(__file__).parents[1] / "static"
_HERE = ["127.0.0.1", "localhost", "[::1]"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": browsers then call the origin of this page's own forms "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def make_app(desk: Desk) -> Starlette:
    """The application for one course; the grader runs as long as it does."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        desk.reader.warm()
        grader = asyncio.create_task(desk.grader.run()) if desk.grades else None
        try:
            yield
        finally:
            if grader is not None:
                grader.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await grader
                await desk.grader.end()
            desk.reader.close()

    app = Starlette(
        routes=[
            *students.ROUTES,
            *instructors.ROUTES,
            Route("/healthy", _healthy),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        middleware=[
            Middleware(_SecureHeaders, tls=desk.settings.address.startswith("https://")),
            Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(desk), www_redirect=False),
        ],
        exception_handlers={HTTPException: _http_error, 500: _server_error},
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.state.pages = Pages(desk)
    app.state.sessions = Sessions(desk)
    return app


def _hosts(desk: Desk) -> list[str]:
    own = urlsplit(desk.settings.address).hostname
    return [own, *_HERE] if own else list(_HERE)


async def _healthy(request: Request) -> Response:
    return Response("ok\n", media_type="text/plain")


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refused(request, status, "")


async def _server_error(request: Request, error: Exception) -> Response:
    return refused(request, 500, "")


class _SecureHeaders:
    """Puts the headers on each answer that has none of its own."""

    def __init__(self, app: ASGIApp, tls: bool) -> None:
        self._app = app
        self._headers = _HEADERS | (
            {"strict-transport-security": "max-age=31536000"} if tls else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with if scope["type"] == "http" else send)
