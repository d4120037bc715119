"""The rules that a policy is made of, and what one student's work comes to under each.

What is not known yet counts neither as nothing nor as everything: points and presence are ranges,
and a rule is met or missed only if it is so at both ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from nbcertify.attendance import Attended
from nbcertify.results import NOT_SUBMITTED, Result

_DAY = 86_400


class State(StrEnum):
    """What a rule comes to; open: that cannot be told yet."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True)
class Remark:
    """Something to be said about an assignment or a session; of all together if `about` is ""."""

    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.about}: {self.text}" if self.about else self.text


@dataclass(frozen=True)
class Finding:
    """What a rule comes to for one student, in words with its numbers."""

    rule: str
    state: State
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class Standing:
    """All that is known of a student: results by assignment, presence by session."""

    student: str
    results: Mapping[str, Result]
    attended: Mapping[str, Attended]


@dataclass(frozen=True)
class AttendanceRule:
    """At least `share` of each session's time without breaks, in all but `may_miss` of them."""

    name: str
    sessions: tuple[str, ...]
    share: float
    may_miss: int = 0

    def judge(self, standing: Standing) -> Finding:
        """What it comes to for one student."""
        there = [standing.attended[name] for name in self.sessions]
        states = [_state(a.low, a.high, a.possible, self.share) for a in there]
        state = self._come_to(states)
        open_ = states.count(State.OPEN)
        count = len(self.sessions)
        met = states.count(State.MET)
        reached = f"{met} to {met + open_}" if open_ else f"{met}"
        least = count - self.may_miss
        needed = f"at least {least}" if self.may_miss else ("all" if count > 1 else "it")
        needed += " is needed" if least == 1 else " are needed"
        remarks = [Remark("", f"attended {reached} of {count} sessions; {needed}")]
        for one, how in zip(there, states, strict=True):
            if how is not State.MET:
                remarks.append(Remark(one.session, _presence(one, self.share)))
        by_more = [_state(a.low - a.named, a.high, a.possible, self.share) for a in there]
        if state is State.MET and self._come_to(by_more) is not State.MET:
            remarks += [
                Remark(one.session, f"rests on a name alone, without an own e-mail: {one.rows}")
                for one, how, surely in zip(there, states, by_more, strict=True)
                if how is State.MET and surely is not State.MET
            ]
        return Finding(self.name, state, tuple(remarks))

    def _come_to(self, states: Sequence[State]) -> State:
        missed, open_ = states.count(State.MISSED), states.count(State.OPEN)
        if missed > self.may_miss:
            return State.MISSED
        return State.MET if missed + open_ <= self.may_miss else State.OPEN


@dataclass(frozen=True)
class PointsRule:
    """At least `share` of all points of `assignments`, less those `drop_lowest` that harm most.

    Which to leave out is what gives the highest share of what remains: so more points never cost
    anybody anything, which leaving out the lowest share does when assignments weigh differently.
    """

    name: str
    assignments: tuple[str, ...]
    share: float
    drop_lowest: int = 0

    def judge(self, standing: Standing) -> Finding:
        """What it comes to for one student."""
        results = [standing.results[name] for name in self.assignments]
        low, possible = self._best([(r.low, r.possible) for r in results])
        high, possible_high = self._best([(r.high, r.possible) for r in results])
        state = _both(
            _reaches(low, possible, self.share), _reaches(high, possible_high, self.share)
        )
        count = len(results)
        about = (
            f"the best {count - self.drop_lowest} of {count} exercises"
            if self.drop_lowest
            else ("all exercises together" if count > 1 else self.assignments[0])
        )
        if possible == possible_high:
            text = _points(low, high, possible, self.share)
        else:
            text = (
                f"{_percent(low / possible)} to {_percent(high / possible_high)} of the points; "
                f"at least {_percent(self.share)} is needed"
            )
        if low < high and state is State.MISSED:
            text += ", and is out of reach even with full marks for the rest"
        if low < high and state is State.MET:
            text += ", and is reached even with no points for the rest"
        whys = [Remark(r.assignment, r.why) for r in results if r.why]
        return Finding(self.name, state, (Remark(about, text), *whys))

    def _best(self, points: list[tuple[float, float]]) -> tuple[float, float]:
        sums = (
            (math.fsum(p for p, _ in kept), math.fsum(m for _, m in kept))
            for kept in combinations(points, len(points) - self.drop_lowest)
        )
        return max(sums, key=lambda pair: (pair[0] / pair[1], pair[1]))


@dataclass(frozen=True)
class MinimumRule:
    """At least a share of each assignment's own points."""

    name: str
    shares: Mapping[str, float]

    def judge(self, standing: Standing) -> Finding:
        """What it comes to for one student."""
        states, remarks = [], []
        for assignment, share in self.shares.items():
            r = standing.results[assignment]
            states.append(_state(r.low, r.high, r.possible, share))
            if r.why == NOT_SUBMITTED:
                text = f"{r.why}; at least {_percent(share)} is needed"
            else:
                text = _points(r.low, r.high, r.possible, share) + (f"; {r.why}" if r.why else "")
            if states[-1] is not State.MET:
                remarks.append(Remark(assignment, text))
        if not remarks:
            remarks.append(Remark("", "the minimum of each exercise is reached"))
        return Finding(self.name, all_of(states), tuple(remarks))


@dataclass(frozen=True)
class HandGradedRule:
    """Every written answer has been read by a person; what was not submitted has none."""

    name: str
    assignments: tuple[str, ...]

    def judge(self, standing: Standing) -> Finding:
        """What it comes to for one student. It is never missed: reading is not theirs to do."""
        results = [standing.results[name] for name in self.assignments]
        # What could not be graded yet may hold answers that nobody has seen.
        waiting = [r for r in results if r.is_open]
        if not waiting:
            said = (Remark("", "every written answer has been read"),)
            return Finding(self.name, State.MET, said)
        return Finding(self.name, State.OPEN, tuple(Remark(r.assignment, r.why) for r in waiting))


Rule = AttendanceRule | PointsRule | MinimumRule | HandGradedRule


@dataclass(frozen=True)
class Late:
    """What lateness costs: `per_day` of the points for each day begun, unless within the grace.

    Days count from the deadline, not from the end of the grace. After `last_day` days nothing is
    left. What is open stays open: this changes points, never what is known.
    """

    grace_seconds: float = 0.0
    per_day: float = 0.0
    last_day: float = math.inf

    def apply(self, result: Result) -> Result:
        """The result with what lateness costs taken off, and said."""
        if result.late_seconds <= self.grace_seconds:
            return result
        days = math.ceil(result.late_seconds / _DAY)
        too_late = result.late_seconds > self.last_day * _DAY
        left = 0.0 if too_late else max(0.0, 1 - self.per_day * days)
        if left == 1:
            return result
        late = "1 day late" if days == 1 else f"{days} days late"
        cost = (
            "nothing counts" if left == 0 else f"{_percent(1 - left)} of its points are taken off"
        )
        why = f"handed in {late}: {cost}"
        return replace(
            result,
            low=result.low * left,
            high=result.high * left,
            why=f"{why}; {result.why}" if result.why else why,
        )


def all_of(states: Iterable[State]) -> State:
    """Met if all are, missed if one is."""
    states = list(states)
    if State.MISSED in states:
        return State.MISSED
    return State.OPEN if State.OPEN in states else State.MET


def any_of(states: Iterable[State]) -> State:
    """Met if one is, missed if all are."""
    states = list(states)
    if State.MET in states:
        return State.MET
    return State.OPEN if State.OPEN in states else State.MISSED


def _both(certain: bool, possible: bool) -> State:
    if certain:
        return State.MET
    return State.OPEN if possible else State.MISSED


def _state(low: float, high: float, possible: float, share: float) -> State:
    return _both(_reaches(low, possible, share), _reaches(high, possible, share))


def _reaches(points: float, possible: float, share: float) -> bool:
    # Sums of tenths of points must not miss a limit by a rounding error.
    return points >= (share - 1e-9) * possible


def _points(low: float, high: float, possible: float, share: float) -> str:
    ends = (low, high) if low < high else (low,)
    points = " to ".join(f"{end:.6g}" for end in ends)
    shares = " to ".join(_percent(end / possible) for end in ends)
    return f"{points} of {possible:.6g} points ({shares}); at least {_percent(share)} is needed"


def _presence(there: Attended, share: float) -> str:
    ends = (there.low, there.high) if there.low < there.high else (there.low,)
    times = " to ".join(_duration(end) for end in ends)
    shares = " to ".join(_percent(end / there.possible) for end in ends)
    text = (
        f"present for {times} of {_duration(there.possible)} ({shares}); "
        f"at least {_percent(share)} is needed"
    )
    return f"{text}; {there.why}" if there.why else text


def _duration(seconds: float) -> str:
    minutes = math.floor(seconds / 60 + 1e-6)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def _percent(share: float) -> str:
    # Rounded down: 59.96 % must not read as the 60 % that were needed.
    return f"{math.floor(1000 * share + 1e-6) / 10:g} %"
