"""Whether a whole class comes or goes at an odd distance from a session's times."""

from __future__ import annotations

from collections.abc import Sequence
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
    said = [
        _say(list(first.values()), session.start, "arrive", "begins", session),
        _say(list(last.values()), session.end, "leave", "ends", session),
    ]
    if not any(said):
        return ""
    return (
        f"{name}: {' and '.join(filter(None, said))}. If the session was held as planned, the "
        f"report is in another time zone than {session.report_zone.key}, and all minutes are "
        "wrong: name it in policy.toml (report_timezone), or export the report again in the "
        "session's. If it began or ended at another time, correct the session"
    )


def _say(
    moments: Sequence[float], planned: datetime, verb: str, edge: str, session: Session
) -> str:
    middle = median(moments)
    together = sum(abs(one - middle) <= _TOGETHER for one in moments)
    away = middle - planned.timestamp()
    if len(moments) < _FEWEST or together < _MOST * len(moments) or abs(away) < _ODD:
        return ""
    clock = datetime.fromtimestamp(middle, session.zone)
    side = "after" if away > 0 else "before"
    return (
        f"{together} of {len(moments)} participants {verb} around {clock:%H:%M}, "
        f"{abs(away) / 60:.0f} min {side} the session {edge} ({planned:%H:%M})"
    )
