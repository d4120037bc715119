"""Attempts: which counts, what is to be graded next, and how often one may try."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from nbhandin.attempts import (
    DAY,
    Attempt,
    Graded,
    NotGraded,
    Receipt,
    Waiting,
    counting,
    jobs,
    next_allowed,
)

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def graded(score: float) -> Graded:
    return Graded(score, 10, False, 0.0, NOON)


BROKEN = NotGraded("The kernel died.", NOON)


def attempt(number: int, state=None, student="ada", assignment="ps1", again=False) -> Attempt:
    received = NOON + timedelta(minutes=number)
    receipt = Receipt(number, student, assignment, received, ())
    return Attempt(receipt, state or Waiting(), again)


def test_the_last_attempt_counts_whatever_came_of_it():
    tries = [attempt(1, graded(9)), attempt(2, graded(3)), attempt(3, BROKEN)]
    assert counting(tries[:2], "last").number == 2
    assert counting(tries, "last").number == 3


def test_the_best_attempt_counts_and_of_equals_the_earliest():
    tries = [attempt(1, graded(9)), attempt(2, graded(9)), attempt(3, graded(3)), attempt(4)]
    assert counting(tries, "best").number == 1
    assert counting([attempt(1, BROKEN), attempt(2)], "best").number == 2


def test_with_a_limit_the_next_attempt_is_allowed_a_day_after_the_oldest_that_counts():
    tries = [attempt(n, graded(0)) for n in (1, 2)] + [attempt(3, BROKEN)]
    now = NOON + timedelta(hours=1)
    assert next_allowed(tries, 3, now) <= now
    assert next_allowed(tries, 2, now) == NOON + timedelta(minutes=1) + DAY
    assert next_allowed(tries, 0, now) <= now
    assert next_allowed(tries, 2, NOON + DAY + timedelta(minutes=2)) <= NOON + 2 * DAY


def test_what_was_never_graded_comes_before_what_is_graded_again():
    tries = {
        ("ada", "ps1"): [attempt(1, graded(1), again=True)],
        ("bob", "ps1"): [attempt(2, student="bob")],
    }
    assert [job.attempt.number for job in jobs(tries, {}, "last")] == [2, 1]


STATES = st.one_of(
    st.just(Waiting()), st.just(BROKEN), st.integers(0, 3).map(lambda n: graded(float(n)))
)
TRIES = st.lists(
    st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["a", "b"]), STATES, st.booleans()),
    max_size=12,
)


@given(TRIES, st.sampled_from(["last", "best"]), st.integers(0, 1000))
def test_from_any_state_of_the_disk_all_is_graded_and_the_gradebook_has_what_counts(
    tries, counts, seed
):
    """A grader that dies after any step, and one that goes on, come to the same end."""
    chance = random.Random(seed)
    pairs: dict = {}
    for number, (student, assignment, state, again) in enumerate(tries, start=1):
        one = attempt(number, state, student, assignment, again)
        pairs.setdefault(one.pair, []).append(one)
    graded_now = {
        pair: chance.choice(own).number for pair, own in pairs.items() if chance.random() < 0.5
    }
    steps = 0
    while todo := jobs(pairs, graded_now, counts):
        steps += 1
        assert steps < 100
        assert len({job.attempt.pair for job in todo}) == len(todo)
        one = chance.choice(todo).attempt
        graded_now.pop(one.pair, None)
        if chance.random() < 0.2:
            continue  # killed: it lies in submitted/, and nobody knows
        state = one.state if isinstance(one.state, Graded) else graded(float(one.number % 4))
        own = pairs[one.pair]
        own[own.index(one)] = replace(one, state=state, again=False)
        if chance.random() < 0.2:
            continue  # killed before it was said which the gradebook has
        graded_now[one.pair] = one.number
    for pair, own in pairs.items():
        assert not any(one.is_pending for one in own)
        assert graded_now[pair] == counting(own, counts).number
