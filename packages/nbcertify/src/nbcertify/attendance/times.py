"""Dates and times as reports write them, and the moments that a wall clock may have meant."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)

_DATES = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    r"(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})[-/.](?P<year>\d{4})",
    r"(?P<name>[a-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
    r"(?P<day>\d{1,2}) (?P<name>[a-z]{3,9})\.?,? (?P<year>\d{4})",
)
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))? ?(?:(?P<half>[ap])\.?m\.?)?"
_FORMS = [re.compile(f"{day}(?:,? |t){_TIME}", re.ASCII) for day in _DATES]


# A time read with the month before the day, and with the day before the month: the same unless both
# are numbers; None where it is no date. Naive.
Readings = tuple[datetime | None, datetime | None]


def read_time(text: str) -> Readings:
    """The two readings of a date and time; one of them at least is not None.

    ValueError if it is no time at all. Without AM or PM the hours are those of 24.
    """
    # Some exports have a narrow no-break space before AM.
    plain = " ".join(text.lower().split())
    match = next((m for form in _FORMS if (m := form.fullmatch(plain))), None)
    if match is None:
        raise ValueError(f"{text!r} is no date and time that is known here")
    part = match.groupdict()
    hour = int(part["hour"])
    if part["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{text!r} has an hour that AM and PM do not have")
        hour = hour % 12 + 12 * (part["half"] == "p")

    def moment(month: int, day: int) -> datetime | None:
        try:
            return datetime(
                int(part["year"]), month, day, hour, int(part["minute"]), int(part["second"] or 0)
            )
        except ValueError:
            return None

    if part.get("one"):
        one, two = int(part["one"]), int(part["two"])
        readings = moment(one, two), moment(two, one)
    else:
        months = (
            [n for n, name in enumerate(_MONTHS, 1) if name.lower().startswith(part["name"])]
            if part.get("name")
            else [int(part["month"])]
        )
        only = moment(months[0], int(part["day"])) if len(months) == 1 else None
        readings = only, only
    if readings == (None, None):
        raise ValueError(f"{text!r} is no time of any calendar")
    return readings


class WrongDay(ValueError):
    """The times are of other days; `days` are those that they may be of."""

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__(" or ".join(say_day(day) for day in days))


class StrayTime(ValueError):
    """One time, number `index`, is of another day than the session, or of none in this order."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def settle(times: Sequence[Readings], first: date, last: date) -> tuple[datetime, ...]:
    """The times of one report of a session from `first` to `last`: naive, as the wall clock said.

    Whether the month or the day is written first is the same in all of them, and is settled by
    what falls on the session; a report may run on into a neighbouring day. WrongDay if none is of
    the session, StrayTime if some are not.
    """
    earliest, latest = first - timedelta(days=1), last + timedelta(days=1)

    def strays(order: Sequence[datetime | None]) -> list[int]:
        return [n for n, t in enumerate(order) if t is None or not earliest <= t.date() <= latest]

    orders = list(zip(*times, strict=True))
    on_day = [order for order in orders if any(t and first <= t.date() <= last for t in order)]
    if not on_day:
        whole = [order for order in orders if None not in order] or orders
        raise WrongDay(sorted({min(t for t in order if t).date() for order in whole}))
    best = min(on_day, key=lambda order: len(strays(order)))
    if lost := strays(best):
        raise StrayTime(lost[0])
    return best


def moments(wall: datetime, zone: ZoneInfo) -> tuple[float, ...]:
    """When a clock in `zone` showed the naive time `wall`: seconds since the epoch, in order.

    One; two in the hour that is repeated when the clock goes back; none in the one skipped.
    """
    early, late = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if early == late:
        return (early,)
    return (early, late) if early < late else ()


def say_day(day: date) -> str:
    """Such as "2 November 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
