"""The sessions of a course, as the policy sets them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Session:
    """One session. All times are aware.

    `report` is the report's file name in the attendance folder. `meeting` is the ID or the topic
    of its meeting, "" where the report has just one. The report's times are in `report_zone`.
    """

    name: str
    start: datetime
    end: datetime
    breaks: tuple[tuple[datetime, datetime], ...]
    report: str
    zone: ZoneInfo
    meeting: str = ""
    own_zone: ZoneInfo | None = None

    @property
    def report_zone(self) -> ZoneInfo:
        """The time zone that the report was exported in: the session's, unless it has its own."""
        return self.own_zone or self.zone

    def spans(self) -> Iterator[tuple[float, float]]:
        """The parts that count, between the breaks: seconds since the epoch, in order."""
        begin = self.start.timestamp()
        for stop, again in self.breaks:
            yield begin, stop.timestamp()
            begin = again.timestamp()
        yield begin, self.end.timestamp()

    @property
    def seconds(self) -> float:
        """How long it is, less its breaks."""
        return sum(end - begin for begin, end in self.spans())
