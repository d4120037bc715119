"""Which cases there are."""

from __future__ import annotations

from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.by_hand import ByHand, RightAnswer
from nbjudge.vet.cases import Kind, make_cases
from nbjudge.vet.variants import Subject

ANSWERS = {"one": "one = 1", "two": "two = 2"}


def test_right_answers_to_all_tasks_are_put_together_in_different_ways():
    by_hand = [RightAnswer(f"way {n}", "one", f"one = {n} - {n - 1}") for n in range(2, 8)]
    by_hand.append(RightAnswer("a way", "two", "two = 1 + 1"))
    tests = {"test": frozenset[int]()}
    subject = Subject(Blueprint("n", (), (), None), None, ANSWERS, {}, tests, {"test": frozenset()})
    subject = _Answered(**vars(subject))
    cases = list(make_cases(subject, ByHand(right_answers=tuple(by_hand))))
    together = [case for case in cases if case.kind is Kind.RIGHT and not case.task]
    assert len(together) == 3
    assert len({case.answers["one"] for case in together}) == 3
    assert all(set(case.answers) == set(ANSWERS) for case in together)
    assert all(case.passing == {"test"} for case in together)


def test_a_notebook_without_tests_has_no_cases():
    subject = Subject(Blueprint("n", (), (), None), None, ANSWERS, {}, {}, {})
    assert list(make_cases(subject, ByHand())) == []


class _Answered(Subject):
    """Every test rests on every answer."""

    def tests_of(self, answer):
        return tuple(self.needs)

    def answers_of(self, test):
        return frozenset(self.answers)
