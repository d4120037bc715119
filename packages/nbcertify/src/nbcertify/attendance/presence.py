"""How long somebody was there: stays on several devices count once, and only in the session."""

from collections.abc import Iterable

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


def bounds_within(
    stays: Iterable[tuple[Interval, ...]], spans: Iterable[Interval]
) -> tuple[float, float]:
    """The fewest and the most seconds of the `spans` that somebody's `stays` may be.

    Each stay is given by all that it may have been: one interval, unless the clock went back. What
    is in every reading of a stay is certain, and so is the shortest reading of any single stay; the
    most is from the earliest begin to the latest end of each. The true time is never outside.
    """
    stays, spans = list(stays), list(spans)
    certain = [(max(b for b, _ in stay), min(e for _, e in stay)) for stay in stays]
    hulls = [(min(b for b, _ in stay), max(e for _, e in stay)) for stay in stays]
    doubtful = [stay for stay in stays if len(stay) > 1]
    shortest = [min(seconds_within([one], spans) for one in stay) for stay in doubtful]
    low = max([seconds_within(certain, spans), *shortest])
    return low, max(low, seconds_within(hulls, spans))
