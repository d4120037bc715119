"""Generators of a notebook, which a test takes items from and sends something to."""

from __future__ import annotations

import inspect
import itertools

import pytest
from nbjudge.capture import FunctionTable, Link, NotHandedOut, decode, encode, perform_call

LIMIT = 1_000_000


def counter(start):
    """Counts, and goes on from what is sent; 13 is unlucky."""
    while True:
        try:
            told = yield start
        except KeyError:
            told = -1
        start = start + 1 if told is None else told
        if start == 13:
            raise ValueError("13")


def few():
    yield "a"
    yield "b"
    return "done"


def across(value):
    table = FunctionTable()
    calls = []

    def send(ref, request):
        calls.append(ref)
        return perform_call(table, ref, request, limit=LIMIT)

    data = encode(value, limit=LIMIT, functions=table)
    return decode(data, limit=LIMIT, hooks=Link(send).hooks()), calls


def test_one_without_an_end_is_taken_from_and_sent_to():
    found, calls = across(counter(1))
    assert inspect.isgenerator(found) and calls == []
    assert [next(found), next(found), found.send(7), next(found)] == [1, 2, 7, 8]
    assert found.throw(KeyError("x")) == -1 and next(found) == 0
    found, calls = across(counter(100))
    assert list(itertools.islice(found, 1000)) == list(range(100, 1100)) and len(calls) < 25
    with pytest.raises(NotHandedOut, match="RUN IN STUDENT KERNEL"):
        found.send(5)


def test_its_end_and_what_it_raises_are_the_tests():
    found, _ = across(few())
    assert list(found) == ["a", "b"] and list(found) == []
    assert list(across(few())[0]) == ["a", "b"]

    def whole():
        return (yield from across(few())[0])

    taken = whole()
    assert [next(taken), next(taken)] == ["a", "b"]
    with pytest.raises(StopIteration, match="done"):
        next(taken)
    found, _ = across(counter(1))
    seen = []
    with pytest.raises(ValueError, match="13"):
        for item in found:
            seen.append(item)
    assert seen == list(range(1, 13))


def test_one_in_a_list_is_the_same_twice_and_one_that_never_began_takes_nothing():
    generator = few()
    (first, second), _ = across([generator, generator])
    assert first is second and next(first) == "a" and next(second) == "b"
    with pytest.raises(TypeError, match="just-started"):
        across(few())[0].send(1)
