"""What instructors do: see the class, grade again, renew links."""

from __future__ import annotations

from nbjudge.record.records import record_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from nbhandin.attempts import now_utc
from nbhandin.texts import say
from nbhandin.web import views
from nbhandin.web.pages import desk_of, pages_of, require_instructor, require_own_form
from nbhandin.web.sessions import Visitor
from nbhandin.web.students import attempt_of


async def class_page(
    request: Request, visitor: Visitor, said: str = "", link: str = ""
) -> Response:
    """Students and exercises; ``said`` is what was just done, ``link`` a new link."""
    desk = desk_of(request)
    wanted = request.query_params.get("show", "all")
    wanted = wanted if wanted in views.FILTERS else "all"
    standing = await desk.gradebook.standing()
    return pages_of(request).render(
        "class.html",
        visitor,
        names=views.assignments(desk, standing),
        rows=views.class_rows(desk, standing, wanted),
        wanted=wanted,
        filters=views.FILTERS,
        summary=views.summary(desk),
        doing=desk.grader.doing,
        warnings=views.warnings(desk, standing),
        formgrader=desk.settings.formgrader,
        said=said,
        link=link,
    )


async def again(request: Request) -> Response:
    """Grade one attempt once more."""
    visitor = require_instructor(request)
    await require_own_form(request, visitor)
    attempt = attempt_of(request, visitor)
    desk = desk_of(request)
    desk.attempts.ask_again(attempt.number)
    desk.grader.wake()
    desk.tell(attempt.receipt.student)
    return RedirectResponse(f"/attempt/{attempt.number}?asked", 303)


async def again_all(request: Request) -> Response:
    """Grade all attempts once more."""
    visitor = require_instructor(request)
    await require_own_form(request, visitor)
    desk = desk_of(request)
    graded = [one.number for one in desk.attempts.all() if not one.is_pending]
    for number in graded:
        desk.attempts.ask_again(number)
    desk.grader.wake()
    desk.tell("")
    return await class_page(request, visitor, say("class.again_asked", count=len(graded)))


async def links(request: Request) -> Response:
    """Renew a student's link, or take it back."""
    visitor = require_instructor(request)
    form = await require_own_form(request, visitor)
    desk = desk_of(request)
    student = form.get("student", "")
    known = {row.student for row in views.class_rows(desk, await desk.gradebook.standing(), "all")}
    if student not in known:
        raise HTTPException(404)
    if form.get("do") == "take back":
        desk.links.take_back("student", student)
        return await class_page(request, visitor, say("class.taken_back", student=student))
    token = desk.links.renew("student", student, now_utc(), desk.settings.link_days)
    address = desk.settings.address or f"http://{request.headers.get('host', '127.0.0.1')}"
    said = say("class.new_link", student=student)
    return await class_page(request, visitor, said, f"{address}/in/{token}")


async def record(request: Request) -> Response:
    """The record of the grade that counts: digests, versions, limits, verdicts."""
    visitor = require_instructor(request)
    student, assignment = attempt_of(request, visitor).pair
    path = record_path(desk_of(request).course.gradebook_folder, assignment, student)
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type="application/json")


ROUTES = [
    Route("/attempt/{number:int}/again", again, methods=["POST"]),
    Route("/attempt/{number:int}/record", record),
    Route("/again", again_all, methods=["POST"]),
    Route("/links", links, methods=["POST"]),
]
