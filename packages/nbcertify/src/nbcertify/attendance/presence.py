"""How long somebody was there: stays on several devices count once, and only in the session."""

from collections.abc import Iterable
from dataclasses import dataclass

# A stretch of time: its begin and end, in seconds since the epoch.
Interval = tuple[float, float]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in order, without overlaps; intervals that are empty or reversed are none."""
    joined: list[Interval] = []
    for begin, end in sorted(intervals):
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return joined


def seconds_within(intervals: Iterable[Interval], spans: Iterable[Interval]) -> float:
    """How many seconds of the `spans`, which do not overlap, are in any of the `intervals`."""
    there = union(intervals)
    return float(
        sum(
            max(0.0, min(end, last) - max(begin, first))
            for first, last in spans
            for begin, end in there
        )
    )


@dataclass(frozen=True)
class Stay:
    """One stay of somebody, by all that its times may mean.

    `readings` are intervals: one, or more when the times have several meanings. `away` are the
    seconds within it that they were not there, nobody knows when. `why` says what is unclear.
    """

    readings: tuple[Interval, ...]
    away: float = 0.0
    why: str = ""


def bounds_within(stays: Iterable[Stay], spans: Iterable[Interval]) -> tuple[float, float]:
    """The fewest and the most seconds of the `spans` that somebody's `stays` may be.

    What is in every reading of a stay is certain, and so is the shortest reading of any single
    stay, less what they were away; the most is from the earliest begin to the latest end of each.
    The true time is never outside.
    """
    stays, spans = list(stays), list(spans)
    whole = [stay for stay in stays if not stay.away]
    certain = [
        (max(b for b, _ in stay.readings), min(e for _, e in stay.readings)) for stay in whole
    ]
    shortest = [
        min(seconds_within([one], spans) for one in stay.readings) - stay.away
        for stay in stays
        if stay.away or len(stay.readings) > 1
    ]
    low = max([seconds_within(certain, spans), *shortest])
    high = seconds_within(map(_hull, stays), spans)
    if len(whole) < len(stays):
        broken = sum(
            min(seconds_within([hull], spans), hull[1] - hull[0] - stay.away)
            for stay, hull in ((stay, _hull(stay)) for stay in stays if stay.away)
        )
        high = min(high, seconds_within(map(_hull, whole), spans) + broken)
    return low, max(low, high)


def _hull(stay: Stay) -> Interval:
    return min(b for b, _ in stay.readings), max(e for _, e in stay.readings)
