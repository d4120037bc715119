"""A certificate: what is printed on it and signed in it."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Certificate:
    """One person's certificate in one tier.

    `id` is a `urn:uuid:`; `statement` says in sentences what was done. Times are aware, in UTC, in
    whole seconds. `status_index` is its place in the status list.
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
