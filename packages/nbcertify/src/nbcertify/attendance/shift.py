"""Whether a whole class comes or goes at an odd distance from a session's times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from nbcertify.attendance.reports import Row
from nbcertify.sessions import Session
from nbcertify.tables import fold

# Seconds. People come some minutes early, and a session may end some minutes late.
_TOGETHER = 600.0
_ODD = 1500.0
_MOST = 0.6
_FEWEST = 3


def say_shift(rows: Sequence[Row], session: Session, name: str) -> str:
    """A sentence if most participants arrive or leave together, far from begin or end; else ""."""
    first: dict[tuple[str, str], float] = {}
    last: dict[tuple[str, str], float] = {}
    for row in rows:
        who = fold(row.shown), fold(row.email)
        begin = min(join for join, _ in row.stay.readings)
        end = max(leave for _, leave in row.stay.readings)
        first[who] = min(begin, first.get(who, begin))
        last[who] = max(end, last.get(who, end))
    arrivals = _Edge("arrive", "begins", session.start, list(first.values()))
    departures = _Edge("leave", "ends", session.end, list(last.values()))
    odd = [edge for edge in (arrivals, departures) if edge.is_odd]
    # A meeting that was opened early, or went on, while the other end is as planned.
    if arrivals.is_odd and arrivals.away < 0 and departures.is_as_planned:
        odd.remove(arrivals)
    if departures.is_odd and departures.away > 0 and arrivals.is_as_planned:
        odd.remove(departures)
    if not odd:
        return ""
    return (
        f"{name}: {' and '.join(edge.say(session) for edge in odd)}. If the session was held as "
        f"planned, the report is in another time zone than {session.report_zone.key}, and all "
        "minutes are wrong: name it in policy.toml (report_timezone), or export the report again "
        "in the session's. If it began or ended at another time, correct the session"
    )


@dataclass(frozen=True)
class _Edge:
    """The begin or the end of a session, and when each participant came or went."""

    verb: str
    edge: str
    planned: datetime
    moments: Sequence[float]

    @property
    def away(self) -> float:
        """How many seconds after the planned time most came or went; negative if before."""
        return median(self.moments) - self.planned.timestamp()

    @property
    def together(self) -> int:
        """How many came or went around the same time."""
        middle = median(self.moments)
        return sum(abs(one - middle) <= _TOGETHER for one in self.moments)

    @property
    def _is_of_most(self) -> bool:
        return len(self.moments) >= _FEWEST and self.together >= _MOST * len(self.moments)

    @property
    def is_odd(self) -> bool:
        """Whether most came or went together, far from the planned time."""
        return self._is_of_most and abs(self.away) >= _ODD

    @property
    def is_as_planned(self) -> bool:
        """Whether most came or went together, around the planned time."""
        return self._is_of_most and abs(self.away) < _ODD

    def say(self, session: Session) -> str:
        """In words."""
        clock = datetime.fromtimestamp(median(self.moments), session.zone)
        side = "after" if self.away > 0 else "before"
        return (
            f"{self.together} of {len(self.moments)} participants {self.verb} around "
            f"{clock:%H:%M}, {abs(self.away) / 60:.0f} min {side} the session {self.edge} "
            f"({self.planned:%H:%M})"
        )
