"""A certificate: what is printed on it and signed in it."""

from dataclasses import dataclass
from datetime import date, datetime

from nbcertify.texts import DEFAULT
from nbcertify.tiers import AlignedTo


@dataclass(frozen=True)
class Reached:
    """The points of one assignment, out of how many."""

    assignment: str
    points: float
    possible: float


@dataclass(frozen=True)
class Certificate:
    """One person's certificate in one tier.

    `id` is a `urn:uuid:`; `statement` says in lines what was done, `mail` and `criteria` in a
    sentence each, "" for what the statement says; all in `language`. Times are aware, in UTC, in
    whole seconds. `status_index` is its place in the status list. `results` are there only if the
    policy says so.
    """

    id: str
    tier: str
    title: str
    name: str
    email: str
    statement: tuple[str, ...]
    hours: float
    ec: float
    first_day: date
    last_day: date
    issued: datetime
    expires: datetime | None
    status_index: int
    language: str = DEFAULT
    mail: str = ""
    criteria: str = ""
    results: tuple[Reached, ...] = ()
    alignment: tuple[AlignedTo, ...] = ()
