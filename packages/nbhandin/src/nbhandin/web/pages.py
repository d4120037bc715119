"""Pages from templates, and what all requests begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from nbhandin.attempts import Graded, NotGraded
from nbhandin.desk import Desk
from nbhandin.texts import say
from nbhandin.web.sessions import Sessions, Visitor, is_from_here, is_own_form
from nbhandin.web.views import show_time

_TEMPLATES = Path(__file__).parents[1] / "templates"


class Pages:
    """The templates, with what all of them use. What is put in is escaped."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "say": say,
            "course": desk.name,
            "zone": desk.settings.timezone,
            "when": lambda time: show_time(desk, time),
            "is_graded": lambda attempt: isinstance(attempt.state, Graded),
            "is_not_graded": lambda attempt: isinstance(attempt.state, NotGraded),
        }

    def render(
        self, template: str, visitor: Visitor | None, *, status: int = 200, **what: Any
    ) -> HTMLResponse:
        """A page."""
        text = self._templates.get_template(template).render(visitor=visitor, **what)
        return HTMLResponse(text, status)


def desk_of(request: Request) -> Desk:
    """What the page works with."""
    return cast(Desk, request.app.state.desk)


def pages_of(request: Request) -> Pages:
    """The templates."""
    return cast(Pages, request.app.state.pages)


def sessions_of(request: Request) -> Sessions:
    """The cookies."""
    return cast(Sessions, request.app.state.sessions)


def visitor_of(request: Request) -> Visitor | None:
    """Who asks; ``None`` for somebody without a link."""
    return sessions_of(request).visitor(request)


def require_visitor(request: Request) -> Visitor:
    """Who asks. What is not theirs and what is not there look alike: 404."""
    visitor = visitor_of(request)
    if visitor is None:
        raise HTTPException(404)
    return visitor


def require_instructor(request: Request) -> Visitor:
    """An instructor who asks."""
    visitor = require_visitor(request)
    if not visitor.is_instructor:
        raise HTTPException(404)
    return visitor


async def require_own_form(request: Request, visitor: Visitor) -> dict[str, str]:
    """The fields of a small form that this page made for this visitor; 403 otherwise."""
    if not is_from_here(request):
        raise HTTPException(403)
    if int(request.headers.get("content-length") or 0) > 10_000:
        raise HTTPException(413)
    form = await request.form(max_files=0, max_fields=10)
    if not is_own_form(visitor, form.get("csrf")):
        raise HTTPException(403)
    return {key: value for key, value in form.items() if isinstance(value, str)}


def refused(request: Request, status: int, words: str) -> Response:
    """A page that says why something did not work."""
    keys = {403: "refused.forged", 404: "refused.nothing", 405: "refused.nothing"}
    words = words or say(keys.get(status, "refused.unknown"))
    visitor = visitor_of(request)
    return pages_of(request).render("refused.html", visitor, status=status, words=words)
