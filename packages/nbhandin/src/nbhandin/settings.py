"""What an instructor may set for the hand-in page: ``c.HandIn.xxx`` in nbgrader_config.py."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nbjudge.course import Course
from traitlets import Enum, Integer, Unicode
from traitlets.config import Config, Configurable

from nbhandin.attempts import COUNTS, Counts
from nbhandin.errors import HandInError


class HandIn(Configurable):
    """How students hand in, and what they are shown."""

    address = Unicode(
        "",
        help="Where the page is found from outside: 'https://handin.example.org'. Links begin with "
        "it, and no other host name is answered. Empty: this machine alone, without TLS.",
    ).tag(config=True)

    formgrader = Unicode(
        "",
        help="Where you have nbgrader's formgrader: 'http://localhost:8888/formgrader'. The class "
        "page links to it, for the answers that a person reads.",
    ).tag(config=True)

    counts: Enum[Counts] = Enum(
        COUNTS,
        "last",
        help="Which attempt counts: the 'last', or the 'best' (the earliest of those with the most "
        "points).",
    ).tag(config=True)

    attempts_a_day = Integer(
        10,
        min=0,
        help="How often a student may hand in one exercise within 24 hours; 0: as often as they "
        "like. Without a limit, the points of hidden tests can be probed.",
    ).tag(config=True)

    hidden_messages = Enum(
        ("at once", "after due", "never"),
        "at once",
        help="When students see what tests with hidden parts say: 'at once', 'after due' (the due "
        "time of the exercise) or 'never'.",
    ).tag(config=True)

    megabytes = Integer(20, min=1, help="The largest upload, all its files together.").tag(
        config=True
    )

    uploads_a_minute = Integer(10, min=1, help="Uploads of one student in a minute.").tag(
        config=True
    )

    open_uploads = Integer(100, min=1, help="Uploads of all students at the same time.").tag(
        config=True
    )

    upload_seconds = Integer(180, min=5, help="How long one upload may take.").tag(config=True)

    link_days = Integer(180, min=1, help="How long a personal link can be used.").tag(config=True)

    timezone = Unicode("UTC", help="In which times are shown: 'Europe/Amsterdam'.").tag(config=True)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone. Raises ``HandInError`` if there is none of that name."""
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise HandInError(
                f"c.HandIn.timezone = {self.timezone!r} is no time zone. Write it like "
                "'Europe/Amsterdam'."
            ) from error


def settings_of(course: Course) -> HandIn:
    """The settings of a course. Raises ``HandInError`` for an address that is none."""
    found = HandIn(config=Config({"HandIn": course.config.HandIn}))
    found.address = found.address.rstrip("/")
    for name, example in (("address", ""), ("formgrader", "/formgrader")):
        value = getattr(found, name)
        if value and not value.startswith(("https://", "http://")):
            raise HandInError(
                f"c.HandIn.{name} = {value!r} is no address. Write it like "
                f"'https://handin.example.org{example}'."
            )
    assert found.zone
    return found
