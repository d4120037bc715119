"""Dates and times as reports write them, and the moments that a wall clock may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from nbcertify.attendance.layouts import layouts
from nbcertify.tables import fold

# The orders in which the parts of a date may stand, where all are numbers.
_ORDERS = ("month first", "day first", "year first")

_WORD = r"[^\W\d_]{3,12}"
_DATES = (
    r"(?P<year>\d{4}) ?[-/.年] ?(?P<month>\d{1,2}) ?[-/.月] ?(?P<day>\d{1,2})[.日]?",
    r"(?P<one>\d{1,2}) ?[-/.] ?(?P<two>\d{1,2}) ?[-/.] ?(?P<three>\d{4}|\d{1,2})\.?",
    rf"(?P<name>{_WORD})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
    rf"(?P<day>\d{{1,2}})\.? (?:de )?(?P<name>{_WORD})\.?,? (?:de )?(?P<year>\d{{4}})",
    rf"(?P<day>\d{{1,2}})-(?P<name>{_WORD})\.?-(?P<year>\d{{4}})",
)
_BETWEEN = r"(?:t|(?:,|、)? ?(?:(?:at|à|a las|às|um|om|kl\.?|den)(?: |$))?)"
_TIME = (
    r"(?:(?P<before>am|pm) ?)?(?P<hour>\d{1,2}) ?[:.h時点] ?(?P<minute>\d{2})分?"
    r"(?:[:.]?(?P<second>\d{2})秒?(?:[.,]\d+)?)? ?(?P<half>am|pm)?"
    r"(?: ?(?:uur|uhr))?"
    r"(?: ?\(?(?P<zone>z|(?:utc|gmt)? ?[+-]\d{1,2}(?::?\d{2})?|utc|gmt)\)?)?"
)
_FORMS = [re.compile(f"{day}{_BETWEEN}{_TIME}") for day in _DATES]
_TIME_ALONE = re.compile(_TIME)
# Days since the end of 1899, as a spreadsheet keeps a moment.
_SERIAL = re.compile(r"(?P<days>\d{5})[.,](?P<part>\d+)")
_WEEKDAY = re.compile(r"[^\W\d_]+\.?,? ")
_NOON = {"午前": "am", "午後": "pm", "上午": "am", "下午": "pm", "오전": "am", "오후": "pm"}


@dataclass(frozen=True)
class Reading:
    """A cell with a time: what it is in each order of a date's parts, None where it is no date.

    Times are naive, as the clock showed them, or aware where the cell tells the zone. `dated` says
    whether the cell has a date; a time alone is put on the day that was given.
    """

    orders: tuple[datetime | None, datetime | None, datetime | None]
    dated: bool = True

    @property
    def any(self) -> datetime:
        """One of the readings."""
        return next(moment for moment in self.orders if moment is not None)


@cache
def read_time(text: str, day: date) -> Reading:
    """The readings of a date and time, or of a time alone, which is then on `day`.

    ValueError if it is no time at all. Without AM or PM the hours are those of 24.
    """
    plain = _plain(text)
    if match := _SERIAL.fullmatch(plain):
        days = float(f"{match['days']}.{match['part']}")
        moment = datetime(1899, 12, 30) + timedelta(seconds=round(86_400 * days))
        return Reading((moment,) * 3)
    for form in _FORMS:
        for candidate in _candidates(plain):
            if found := form.fullmatch(candidate):
                return Reading(_dated(found.groupdict(), text))
    if found := _TIME_ALONE.fullmatch(plain):
        part = found.groupdict()
        moment = datetime.combine(day, _clock(part, text), _zone(part))
        return Reading((moment,) * 3, dated=False)
    raise ValueError(f"{text!r} is no date and time that is known here")


def is_time(text: str) -> bool:
    """Whether it can be read as a time."""
    try:
        read_time(text, date.min)
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    plain = fold(text).strip("'\"")
    for shown, half in _NOON.items():
        plain = plain.replace(shown, f" {half} ")
    plain = " ".join(plain.split())
    return re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", plain)


def _candidates(plain: str) -> Iterator[str]:
    yield plain
    if weekday := _WEEKDAY.match(plain):
        yield plain[weekday.end() :]


def _dated(
    part: dict[str, str | None], text: str
) -> tuple[datetime | None, datetime | None, datetime | None]:
    clock, zone = _clock(part, text), _zone(part)

    def moment(year: int, month: int, day: int) -> datetime | None:
        # Two figures at least: the 2 of 2/11/26 is no year.
        if year < 10:
            return None
        try:
            return datetime.combine(date(year + 2000 * (year < 100), month, day), clock, zone)
        except ValueError:
            return None

    if part.get("one"):
        one, two, three = (int(part[name] or 0) for name in ("one", "two", "three"))
        last = moment(one, two, three) if three < 100 else None
        orders = moment(three, one, two), moment(three, two, one), last
    else:
        months = _months(part["name"]) if part.get("name") else [int(part["month"] or 0)]
        year, day = int(part["year"] or 0), int(part["day"] or 0)
        only = moment(year, months[0], day) if len(months) == 1 else None
        orders = only, only, only
    if orders == (None, None, None):
        raise ValueError(f"{text!r} is no time of any calendar")
    return orders


def _months(name: str | None) -> list[int]:
    return [
        number
        for number, names in enumerate(layouts().months, 1)
        if any(one.startswith(name or "?") for one in names)
    ]


def _clock(part: dict[str, str | None], text: str) -> time:
    hour, half = int(part["hour"] or 0), part["half"] or part["before"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{text!r} has an hour that AM and PM do not have")
        hour = hour % 12 + 12 * (half == "pm")
    try:
        return time(hour, int(part["minute"] or 0), int(part["second"] or 0))
    except ValueError:
        raise ValueError(f"{text!r} is no time of any calendar") from None


def _zone(part: dict[str, str | None]) -> timezone | None:
    said = part["zone"]
    if said is None:
        return None
    offset = re.search(r"([+-])(\d{1,2}):?(\d{2})?", said)
    if offset is None:
        return UTC
    away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    if away >= timedelta(hours=24):
        raise ValueError(f"there is no zone {said}")
    return timezone(-away if offset[1] == "-" else away)


class WrongDay(ValueError):
    """The times are of other days; `days` are those that they may be of."""

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__(" or ".join(say_day(day) for day in days))


class StrayTime(ValueError):
    """One time, number `index`, is of another day than the session, or of none in this order."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def settle(
    times: Sequence[Reading], first: date, last: date, zone: ZoneInfo
) -> tuple[datetime, ...]:
    """The times of one report of a session from `first` to `last`, days in `zone`.

    Whether the month, the day or the year is written first is the same in all of them, and is
    settled by what falls on the session; a report may run on into a neighbouring day. Naive times
    are as the wall clock said. WrongDay if none is of the session, StrayTime if some are not.
    """
    earliest, latest = first - timedelta(days=1), last + timedelta(days=1)

    def day_of(moment: datetime) -> date:
        return (moment.astimezone(zone) if moment.tzinfo else moment).date()

    def strays(order: Sequence[datetime | None]) -> list[int]:
        return [n for n, t in enumerate(order) if t is None or not earliest <= day_of(t) <= latest]

    orders = list(zip(*(reading.orders for reading in times), strict=True))
    on_day = [order for order in orders if any(t and first <= day_of(t) <= last for t in order)]
    if not on_day:
        whole = [order for order in orders if None not in order] or orders
        raise WrongDay(sorted({min(map(day_of, filter(None, o))) for o in whole if any(o)}))
    best = min(on_day, key=lambda order: len(strays(order)))
    if lost := strays(best):
        raise StrayTime(lost[0])
    return tuple(moment for moment in best if moment is not None)


def moments(wall: datetime, zone: ZoneInfo) -> tuple[float, ...]:
    """When a clock in `zone` showed the naive time `wall`: seconds since the epoch, in order.

    One; two in the hour that is repeated when the clock goes back; none in the one skipped. An
    aware time is one moment.
    """
    if wall.tzinfo is not None:
        return (wall.timestamp(),)
    early, late = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if early == late:
        return (early,)
    return (early, late) if early < late else ()


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def say_day(day: date) -> str:
    """Such as "2 November 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def read_duration(text: str) -> float | None:
    """Seconds of a duration such as "1h 13m 42s", "59 Min. 0 Sek.", "1 hr 2 min", "1:02:03", "75".

    A number alone is minutes. None if it cannot be read.
    """
    plain = fold(text)
    if match := re.fullmatch(r"(?:(\d+):)?(\d{1,2}):(\d{2})", plain):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return 3600.0 * hours + 60 * minutes + seconds
    if re.fullmatch(r"\d+(?:[.,]\d+)?", plain):
        return 60 * float(plain.replace(",", "."))
    if match := re.fullmatch(r"pt(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?", plain):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return 3600.0 * hours + 60 * minutes + seconds
    parts = re.findall(r"(\d+) ?([^\W\d_]+)\.?", plain)
    if not parts or re.sub(r"(\d+) ?([^\W\d_]+)\.?|[ ,]|\band\b|\ben\b|\bund\b|\bet\b", "", plain):
        return None
    total = 0.0
    for number, unit in parts:
        worth = next((w for start, w in _UNITS if unit.startswith(start)), None)
        if worth is None:
            return None
        total += int(number) * worth
    return total


# The longer beginning first: "min" and "m" are minutes, "sek" and "s" seconds.
_UNITS = (
    *(("d", 86_400), ("t", 86_400), ("j", 86_400), ("日", 86_400)),
    *(("h", 3600), ("u", 3600), ("std", 3600), ("st", 3600), ("godz", 3600), ("時", 3600)),
    *(("m", 60), ("分", 60), ("s", 1), ("秒", 1)),
)
