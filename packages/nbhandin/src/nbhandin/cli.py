"""The commands: ``nbhandin serve`` and ``nbhandin links``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from nbjudge.cli.terminal import HERE, CourseOption, console, errors, errors_told, stop

if TYPE_CHECKING:
    from nbjudge.course import Course

    from nbhandin.settings import HandIn

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="A page where students hand in notebooks, and learn at once how they did.",
)
PortOption = Annotated[int, typer.Option(help="The port to listen at.", min=1, max=65535)]
DEFAULT_PORT = 8600


@app.command()
def serve(
    course: CourseOption = HERE,
    host: Annotated[
        str, typer.Option(help="The address of this machine to listen at.")
    ] = "127.0.0.1",
    port: PortOption = DEFAULT_PORT,
    proxy: Annotated[
        str,
        typer.Option(help="The address of the proxy in front, whose X-Forwarded-For is believed."),
    ] = "127.0.0.1",
    exchange: Annotated[
        bool,
        typer.Option("--exchange", help="Also watch nbgrader's exchange, and release feedback."),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Grade on a Dask cluster, as `grade --cluster` does.",
            show_default="c.Grading.cluster",
        ),
    ] = None,
) -> None:
    """Serve the page where students hand in, and grade what arrives.

    Every upload is stored before it is acknowledged, and graded as `grade` does, into submitted/,
    the gradebook, autograded/ and feedback/. The gradebook is held only while something is graded,
    so the other commands go on working. It can be ended at any time, and goes on when it is
    started again. With --exchange, what students submit in JupyterHub is graded, too, and
    Assignment List shows the feedback. Put nginx or Caddy with TLS in front; see c.HandIn in
    nbgrader_config.py.
    """
    with errors_told():
        import uvicorn
        from nbjudge.course import load_course

        from nbhandin.desk import Desk, only_service
        from nbhandin.places import Places
        from nbhandin.settings import settings_of
        from nbhandin.web.app import make_app

        here = load_course(course)
        settings = settings_of(here)
        if not settings.address and host not in ("127.0.0.1", "localhost", "::1"):
            stop(
                "Say in nbgrader_config.py where the page is found from outside, such as "
                "c.HandIn.address = 'https://handin.example.org'."
            )
        options = ["--cluster", cluster] if cluster is not None else []
        if exchange:
            from nbhandin.exchange import Exchange

            Exchange(here, settings)  # told here rather than by the grader, again and again
            options.append("--exchange")
        with only_service(Places(here.gradebook_folder)):
            _say_where(here, settings, port)
            uvicorn.run(
                make_app(Desk(here, settings, grader_options=options)),
                host=host,
                port=port,
                log_level="warning",
                # A personal link is in an address: no address is logged.
                access_log=False,
                proxy_headers=True,
                forwarded_allow_ips=proxy,
                server_header=False,
                timeout_graceful_shutdown=2,
                timeout_keep_alive=10,
                h11_max_incomplete_event_size=32_768,
            )


def _command() -> str:
    """The name that this was called by."""
    name = Path(sys.argv[0]).name
    return name if name in ("dlcourse", "nbhandin") else "nbhandin"


def _say_where(here: Course, settings: HandIn, port: int) -> None:
    """Where the page is; the instructor's link only to a terminal, never into a log."""
    address = settings.address or f"http://127.0.0.1:{port}"
    console.print(f"Hand in at {address}", highlight=False)
    if sys.stdout.isatty() and not _has_instructor(here):
        console.print(f"Your own link: {_instructor_link(here, settings, port)}", highlight=False)
    else:
        console.print(f"Your own link: {_command()} links --instructor", highlight=False)
    console.print(f"Links of the students: {_command()} links", highlight=False)


def _has_instructor(here: Course) -> bool:
    from nbhandin.attempts import now_utc
    from nbhandin.links import LinkBook
    from nbhandin.places import Places

    links = LinkBook(Places(here.gradebook_folder)).links()
    return any(one.role == "instructor" and one.holds(now_utc()) for one in links)


def _instructor_link(here: Course, settings: HandIn, port: int) -> str:
    from nbhandin.attempts import now_utc
    from nbhandin.links import LinkBook
    from nbhandin.places import Places

    book = LinkBook(Places(here.gradebook_folder))
    token = book.renew("instructor", "", now_utc(), settings.link_days)
    return f"{settings.address or f'http://127.0.0.1:{port}'}/in/{token}"


@app.command()
def links(
    course: CourseOption = HERE,
    student: Annotated[
        list[str] | None,
        typer.Option(help="Only this student; may be given several times.", show_default=False),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Also for those who have a link; theirs ends.")
    ] = False,
    instructor: Annotated[
        bool, typer.Option("--instructor", help="Print a new link for the instructor.")
    ] = False,
    port: PortOption = DEFAULT_PORT,
) -> None:
    """Write a mail with a personal link for each student in the roster. Nothing is sent.

    The drafts and links.csv are in gradebook/handin/mails/. Only a digest of each link is kept, so
    a link cannot be shown again: make a new one with --renew. Delete the drafts when they are sent.
    """
    with errors_told():
        from nbcertify.places import Places as CertificatePlaces
        from nbcertify.roster import read_roster
        from nbjudge.course import load_course

        from nbhandin.attempts import now_utc
        from nbhandin.links import LinkBook
        from nbhandin.mails import write_mails
        from nbhandin.places import Places
        from nbhandin.settings import settings_of

        here = load_course(course)
        settings = settings_of(here)
        if instructor:
            console.print(_instructor_link(here, settings, port), highlight=False, soft_wrap=True)
            return
        places = Places(here.gradebook_folder)
        roster = read_roster(CertificatePlaces(here.gradebook_folder).roster)
        if unknown := sorted(set(student or ()) - set(roster)):
            stop(f"The roster has no {', '.join(unknown)}.")
        book, now = LinkBook(places), now_utc()
        have = {one.student for one in book.links() if one.role == "student" and one.holds(now)}
        wanted = {
            name: person
            for name, person in roster.items()
            if name in (student or roster) and (renew or name not in have)
        }
        if not wanted:
            console.print("Everybody has a link. --renew makes new ones.")
            return
        address = settings.address or f"http://127.0.0.1:{port}"
        name = str(here.config.CourseDirectory.get("course_id", "")) or here.root.name

        def link_of(who: str) -> str:
            return f"{address}/in/{book.renew('student', who, now, settings.link_days)}"

        written = write_mails(places, wanted, name, link_of, now)
        console.print(f"{len(written)} drafts in {places.mails}; nothing was sent.")
        if not settings.address:
            errors.print("These links work on this machine only: c.HandIn.address is not set.")


@app.command()
def forget(
    student: Annotated[str, typer.Argument(help="The student's id.")],
    course: CourseOption = HERE,
) -> None:
    """Remove a student's attempts, links and drafts from the hand-in page's own files."""
    with errors_told():
        from nbjudge.course import load_course

        from nbhandin.places import Places
        from nbhandin.removal import remove_student

        places = Places(load_course(course).gradebook_folder)
        number = remove_student(places, student)
        console.print(f"{number} attempts of {student} removed, with links and drafts.")
