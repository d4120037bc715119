"""How stays become seconds, against counting second by second."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st
from nbcertify.attendance.presence import Stay, bounds_within, seconds_within, union

MOMENTS = st.integers(0, 120)
INTERVALS = st.lists(st.tuples(MOMENTS, MOMENTS), max_size=8)


@st.composite
def spans(draw):
    """Stretches that do not overlap, in order."""
    edges = sorted(draw(st.lists(MOMENTS, max_size=8, unique=True)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def stays(draw, most=4):
    """Each given by one to three readings, none reversed."""
    reading = st.tuples(MOMENTS, MOMENTS).map(lambda pair: (min(pair), max(pair)))
    return draw(
        st.lists(st.lists(reading, min_size=1, max_size=3).map(tuple), max_size=most).map(
            lambda found: [Stay(readings) for readings in found]
        )
    )


def count(intervals, spans) -> int:
    """The seconds, one by one."""
    return sum(
        any(begin <= second < end for begin, end in intervals)
        and any(begin <= second < end for begin, end in spans)
        for second in range(121)
    )


@given(INTERVALS, spans())
def test_every_second_counts_once(intervals, spans):
    assert seconds_within(intervals, spans) == count(intervals, spans)


@given(INTERVALS, spans())
def test_never_more_than_the_session(intervals, spans):
    assert 0 <= seconds_within(intervals, spans) <= sum(end - begin for begin, end in spans)


@given(INTERVALS, spans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(intervals, spans, luck: random.Random):
    shuffled = luck.sample(intervals, len(intervals))
    assert seconds_within(shuffled, spans) == seconds_within(intervals, spans)


@given(INTERVALS, spans(), MOMENTS)
def test_dropping_out_and_back_at_once_changes_nothing(intervals, spans, at):
    split = [
        part
        for begin, end in intervals
        for part in ([(begin, at), (at, end)] if begin < at < end else [(begin, end)])
    ]
    assert seconds_within(split, spans) == seconds_within(intervals, spans)


@given(INTERVALS)
def test_a_union_is_in_order_with_gaps(intervals):
    joined = union(intervals)
    assert all(begin < end for begin, end in joined)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(joined))


@given(stays(), spans())
def test_whatever_was_meant_lies_between_the_bounds(stays, spans):
    low, high = bounds_within(stays, spans)
    for meant in itertools.product(*(stay.readings for stay in stays)):
        assert low <= seconds_within(meant, spans) <= high


@given(INTERVALS, spans())
def test_the_bounds_of_clear_stays_are_one(intervals, spans):
    low, high = bounds_within([Stay((one,)) for one in intervals], spans)
    assert low == high == seconds_within(intervals, spans)


def test_two_devices_and_a_break():
    morning = [(0, 60), (75, 135)]
    assert seconds_within([(-10, 70), (30, 90), (130, 500)], morning) == 60 + 15 + 5


def test_a_stay_that_may_be_in_either_hour_is_as_long_at_least():
    low, high = bounds_within([Stay(((0, 40), (60, 100), (0, 100)))], [(0, 200)])
    assert (low, high) == (40, 100)


@st.composite
def summed(draw):
    """Stays of which only the first arrival, the last departure and the total are told."""
    found = []
    for pieces in draw(st.lists(INTERVALS.map(union).filter(bool), max_size=3)):
        length = pieces[-1][1] - pieces[0][0]
        away = length - sum(end - begin for begin, end in pieces)
        found.append((pieces, Stay(((pieces[0][0], pieces[-1][1]),), away)))
    return found


@given(summed(), stays(most=2), spans())
def test_what_was_in_between_lies_between_the_bounds(summed, stays, spans):
    low, high = bounds_within([*(stay for _, stay in summed), *stays], spans)
    pieces = [piece for pieces, _ in summed for piece in pieces]
    for meant in itertools.product(*(stay.readings for stay in stays)):
        assert low <= seconds_within([*pieces, *meant], spans) <= high
