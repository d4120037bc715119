"""Who gets a certificate, and what they are told."""

import csv
import dataclasses
import json
import math
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbcertify.attendance import Attended
from nbcertify.decisions import (
    Verdict,
    decide,
    decision_digest,
    make_evidence,
    to_bytes,
    to_rows,
)
from nbcertify.errors import CertificateError
from nbcertify.policy import Override, Policy
from nbcertify.results import Result
from nbcertify.rules import (
    AttendanceRule,
    HandGradedRule,
    Late,
    MinimumRule,
    PointsRule,
    State,
)
from nbcertify.sessions import Session
from nbcertify.spreadsheet import write_csv
from nbcertify.tiers import Needs, Tier

ZONE = ZoneInfo("Europe/Amsterdam")
HOUR = 3600.0
NAMES = ("image-data", "convnet")


def policy_of(*rules, late=None, needs=None, overrides=(), sessions=()) -> Policy:
    """One tier, called "it", which takes all the rules unless `needs` says otherwise."""
    needs = needs or Needs("all", tuple(rule.name for rule in rules))
    tier = Tier("it", "It", ("did it.",), needs, 14, None)
    by_name = {rule.name: rule for rule in rules}
    return Policy(sessions, by_name, late or Late(), (tier,), overrides, "0" * 64, "policy.toml")


POINTS = PointsRule("points", NAMES, 0.6)
EACH = MinimumRule("each", {"image-data": 0.5})
BOTH = policy_of(POINTS, EACH)


def one(image_data: tuple, convnet: tuple, policy: Policy = BOTH, **also):
    """The decision on Ada, who has (low, high, why) of 40 and of 60 points."""
    results = [
        Result("ada", "image-data", image_data[0], image_data[1], 40, *image_data[2:], **also),
        Result("ada", "convnet", convnet[0], convnet[1], 60, *convnet[2:]),
    ]
    (decision,) = decide(policy, results, [])
    return decision


def said(decision) -> list[str]:
    return [str(remark) for remark in decision.reasons]


class TestPoints:
    def test_enough_everywhere_is_eligible(self):
        decision = one((30, 30), (48, 48))
        assert decision.verdict is Verdict.ELIGIBLE
        assert said(decision) == [
            "all exercises together: 78 of 100 points (78 %); at least 60 % is needed",
            "the minimum of each exercise is reached",
        ]

    def test_too_little_overall_names_the_numbers(self):
        decision = one((20, 20), (30, 30))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert said(decision) == [
            "all exercises together: 50 of 100 points (50 %); at least 60 % is needed"
        ]

    def test_a_missed_minimum_decides_whatever_the_rest(self):
        decision = one((16, 16), (60, 60))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert said(decision) == ["image-data: 16 of 40 points (40 %); at least 50 % is needed"]

    def test_not_handing_in_is_no_points_and_is_said_once(self):
        decision = one((0, 0, "not submitted"), (60, 60))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert said(decision) == ["image-data: not submitted; at least 50 % is needed"]

    def test_what_holds_for_several_is_said_once_about_all(self):
        policy = policy_of(POINTS, MinimumRule("each", dict.fromkeys(NAMES, 0.5)))
        decision = one((0, 0, "not submitted"), (0, 0, "not submitted"), policy)
        assert said(decision) == [
            "all exercises together: 0 of 100 points (0 %); at least 60 % is needed",
            "image-data, convnet: not submitted; at least 50 % is needed",
        ]

    def test_what_is_not_graded_leaves_it_open_and_says_why(self):
        decision = one((40, 40), (0, 60, "not graded: the kernel died"))
        assert decision.verdict is Verdict.UNDECIDED
        assert said(decision) == [
            "all exercises together: 40 to 100 of 100 points (40 % to 100 %); "
            "at least 60 % is needed",
            "convnet: not graded: the kernel died",
        ]

    def test_not_even_full_marks_could_help(self):
        decision = one((10, 10), (0, 45, "not graded: the kernel died"))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert "out of reach even with full marks for the rest" in said(decision)[0]

    def test_no_need_to_wait_for_the_rest(self):
        decision = one((40, 40), (50, 60, "1 answer waits for hand-grading (10 points)"))
        assert decision.verdict is Verdict.ELIGIBLE
        assert "is reached even with no points for the rest" in said(decision)[0]
        assert "convnet: 1 answer waits for hand-grading (10 points)" in said(decision)

    def test_exactly_enough_is_enough_in_tenths_too(self):
        policy = policy_of(PointsRule("points", NAMES, 0.3))
        assert one((0.1, 0.1), (29.9, 29.9), policy).verdict is Verdict.ELIGIBLE

    def test_almost_enough_does_not_read_as_enough(self):
        decision = one((40, 40), (19.96, 19.96))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert "59.96 of 100 points (59.9 %)" in said(decision)[0]

    def test_only_the_policys_assignments_count(self):
        results = [Result("ada", "optional", 0, 0, 1000)]
        results += [Result("ada", name, 10, 10, 10) for name in NAMES]
        assert decide(BOTH, results, [])[0].verdict is Verdict.ELIGIBLE

    def test_the_worst_one_may_be_left_out(self):
        policy = policy_of(PointsRule("points", NAMES, 0.9, drop_lowest=1))
        decision = one((4, 4), (57, 57), policy)
        assert decision.verdict is Verdict.ELIGIBLE
        assert said(decision) == [
            "the best 1 of 2 exercises: 57 of 60 points (95 %); at least 90 % is needed"
        ]

    def test_which_one_is_left_out_may_still_be_open(self):
        policy = policy_of(PointsRule("points", NAMES, 0.7, drop_lowest=1))
        decision = one((30, 30), (0, 60), policy)
        assert decision.verdict is Verdict.ELIGIBLE
        assert said(decision) == [
            "the best 1 of 2 exercises: 75 % to 100 % of the points; at least 70 % is needed, "
            "and is reached even with no points for the rest"
        ]

    def test_a_gap_in_the_results_is_an_error_not_a_verdict(self):
        with pytest.raises(ValueError, match="no result for ada in convnet"):
            decide(BOTH, [Result("ada", "image-data", 10, 10, 10)], [])

    def test_two_results_for_one_assignment_are_an_error(self):
        with pytest.raises(ValueError, match="two results for ada in convnet"):
            decide(BOTH, [Result("ada", "convnet", 10, 10, 10)] * 2, [])


class TestHandGraded:
    def test_an_unread_answer_waits_even_where_points_are_enough(self):
        policy = policy_of(POINTS, HandGradedRule("read", NAMES))
        decision = one(
            (38, 40, "1 answer waits for hand-grading (2 points)"), (60, 60), policy, waiting=1
        )
        assert decision.verdict is Verdict.UNDECIDED
        assert said(decision) == ["image-data: 1 answer waits for hand-grading (2 points)"]

    def test_what_could_not_be_graded_has_not_been_read(self):
        policy = policy_of(HandGradedRule("read", NAMES))
        decision = one((0, 40, "not graded: the kernel died"), (60, 60), policy)
        assert decision.verdict is Verdict.UNDECIDED

    def test_all_read(self):
        policy = policy_of(HandGradedRule("read", NAMES))
        assert one((0, 0), (0, 0), policy).verdict is Verdict.ELIGIBLE


class TestLate:
    @pytest.mark.parametrize(
        "hours, points, why",
        [
            (-2, 40, ""),
            (0.25, 40, ""),
            (0.26, 36, "handed in 1 day late: 10 % of its points are taken off"),
            (24, 36, "handed in 1 day late: 10 % of its points are taken off"),
            (24.1, 32, "handed in 2 days late: 20 % of its points are taken off"),
            (72.1, 0, "handed in 4 days late: nothing counts"),
        ],
    )
    def test_every_day_costs(self, hours, points, why):
        late = Late(grace_seconds=900, per_day=0.1, last_day=3)
        result = late.apply(Result("ada", "convnet", 40, 40, 40, late_seconds=hours * HOUR))
        assert (result.low, result.high, result.why) == (pytest.approx(points), result.low, why)

    def test_the_reason_is_said(self):
        policy = policy_of(POINTS, late=Late(per_day=0.5))
        decision = one((40, 40), (60, 60), policy, late_seconds=HOUR)
        assert said(decision) == [
            "all exercises together: 80 of 100 points (80 %); at least 60 % is needed",
            "image-data: handed in 1 day late: 50 % of its points are taken off",
        ]


def sessions(count: int) -> tuple[Session, ...]:
    made = []
    for day in range(1, count + 1):
        start, end = (pd.Timestamp(2026, 6, day, hour, tz=ZONE).to_pydatetime() for hour in (9, 12))
        made.append(Session(f"Day {day}", start, end, (), f"{day}.csv", ZONE))
    return tuple(made)


class TestAttendance:
    def decide(self, *hours: tuple, share=0.8, may_miss=0):
        days = sessions(len(hours))
        rule = AttendanceRule("there", tuple(s.name for s in days), share, may_miss)
        attended = [
            Attended("ada", day.name, low * HOUR, high * HOUR, 3 * HOUR, *why)
            for day, (low, high, *why) in zip(days, hours, strict=True)
        ]
        (decision,) = decide(policy_of(rule, sessions=days), [], attended)
        return decision

    def test_all_of_it(self):
        decision = self.decide((3, 3), (2.5, 2.5))
        assert decision.verdict is Verdict.ELIGIBLE
        assert said(decision) == ["attended 2 of 2 sessions; all are needed"]

    def test_one_too_short_names_times(self):
        decision = self.decide((3, 3), (1.75, 1.75))
        assert decision.verdict is Verdict.NOT_ELIGIBLE
        assert said(decision) == [
            "attended 1 of 2 sessions; all are needed",
            "Day 2: present for 1 h 45 min of 3 h (58.3 %); at least 80 % is needed",
        ]

    def test_one_may_be_missed(self):
        decision = self.decide((3, 3), (0, 0), may_miss=1)
        assert decision.verdict is Verdict.ELIGIBLE
        assert said(decision)[0] == "attended 1 of 2 sessions; at least 1 is needed"

    def test_a_session_without_a_report_leaves_it_open(self):
        decision = self.decide((3, 3), (0, 3, "there is no report"))
        assert decision.verdict is Verdict.UNDECIDED
        assert said(decision) == [
            "attended 1 to 2 of 2 sessions; all are needed",
            "Day 2: present for 0 min to 3 h of 3 h (0 % to 100 %); at least 80 % is needed; "
            "there is no report",
        ]

    def test_what_is_unclear_may_not_matter(self):
        assert self.decide((0, 0), (0, 3, "?")).verdict is Verdict.NOT_ELIGIBLE
        assert self.decide((3, 3), (0, 3, "?"), may_miss=1).verdict is Verdict.ELIGIBLE

    def test_who_is_not_in_the_roster_is_undecided(self):
        days = sessions(1)
        policy = policy_of(AttendanceRule("there", ("Day 1",), 0.8), POINTS, sessions=days)
        results = [Result("ada", name, 10, 10, 10) for name in NAMES]
        (decision,) = decide(policy, results, [])
        assert decision.verdict is Verdict.UNDECIDED
        assert "not in the roster" in said(decision)[1]


class TestNeeds:
    MET, MISSED, OPEN = (
        PointsRule("met", ("convnet",), 0.0),
        PointsRule("missed", ("image-data",), 1.0),
        PointsRule("open", ("convnet",), 0.5),
    )

    @pytest.mark.parametrize(
        "kind, names, verdict",
        [
            ("all", ("met", "open"), Verdict.UNDECIDED),
            ("all", ("open", "missed"), Verdict.NOT_ELIGIBLE),
            ("any", ("met", "missed"), Verdict.ELIGIBLE),
            ("any", ("open", "missed"), Verdict.UNDECIDED),
            ("any", ("open", "met"), Verdict.ELIGIBLE),
            ("all", ("met", Needs("any", ("missed", "open"))), Verdict.UNDECIDED),
            ("any", ("missed", Needs("all", ("met", "missed"))), Verdict.NOT_ELIGIBLE),
        ],
    )
    def test_all_and_any(self, kind, names, verdict):
        policy = policy_of(self.MET, self.MISSED, self.OPEN, needs=Needs(kind, names))
        assert one((0, 0), (0, 60), policy).verdict is verdict


class TestOverrides:
    def override(self, allow: bool, student="ada"):
        return Override(student, "it", allow, "Was ill.", "M. de Vries", date(2026, 6, 15))

    def test_a_person_may_allow(self):
        policy = policy_of(POINTS, overrides=(self.override(True),))
        decision = one((0, 0), (0, 0), policy)
        assert decision.granted
        assert (decision.verdict, decision.by_rules) == (Verdict.ALLOWED, State.MISSED)
        assert said(decision) == [
            "allowed by M. de Vries on 2026-06-15: Was ill.",
            "all exercises together: 0 of 100 points (0 %); at least 60 % is needed",
        ]

    def test_a_person_may_deny(self):
        policy = policy_of(POINTS, overrides=(self.override(False),))
        decision = one((40, 40), (60, 60), policy)
        assert (decision.verdict, decision.granted) == (Verdict.DENIED, False)

    def test_an_override_for_nobody_is_a_mistake(self):
        policy = policy_of(POINTS, overrides=(self.override(True, "adda"),))
        with pytest.raises(CertificateError, match="overrides: there is no student 'adda'"):
            one((0, 0), (0, 0), policy)


@st.composite
def results(draw) -> list[Result]:
    """Ada's results in two assignments: any points, graded or not, late or not."""
    made = []
    for name in NAMES:
        possible = draw(st.integers(1, 100))
        low, high = sorted(draw(st.tuples(*[st.floats(0, possible)] * 2)))
        late = draw(st.floats(0, 10 * 24 * HOUR))
        made.append(Result("ada", name, low, high, possible, late_seconds=late))
    return made


@st.composite
def policies(draw) -> Policy:
    shares = st.floats(0, 1)
    minimum = draw(st.dictionaries(st.sampled_from(NAMES), shares, min_size=1))
    return policy_of(
        PointsRule("points", NAMES, draw(shares), draw(st.integers(0, 1))),
        MinimumRule("each", minimum),
        late=Late(draw(st.floats(0, 1e5)), draw(shares), draw(st.floats(0, 10))),
        needs=Needs(draw(st.sampled_from(["all", "any"])), ("points", "each")),
    )


class TestLaws:
    @given(policies(), results(), st.data())
    def test_more_points_never_cost_a_certificate(self, policy, results, data):
        order = [Verdict.NOT_ELIGIBLE, Verdict.UNDECIDED, Verdict.ELIGIBLE]
        better = []
        for r in results:
            high = data.draw(st.floats(r.high, r.possible))
            better.append(dataclasses.replace(r, low=data.draw(st.floats(r.low, high)), high=high))
        before, after = (decide(policy, rs, [])[0].verdict for rs in (results, better))
        assert order.index(after) >= order.index(before)

    @given(policies(), results(), st.data())
    def test_a_verdict_given_early_stands_when_all_is_graded(self, policy, results, data):
        early = decide(policy, results, [])[0].verdict
        points = [data.draw(st.floats(r.low, r.high)) for r in results]
        final = [
            dataclasses.replace(r, low=p, high=p, waiting=0, is_open=False)
            for r, p in zip(results, points, strict=True)
        ]
        late = decide(policy, final, [])[0].verdict
        assert late is not Verdict.UNDECIDED
        assert early in (late, Verdict.UNDECIDED)

    @given(policies(), results())
    def test_every_rule_says_something(self, policy, results):
        (decision,) = decide(policy, results, [])
        assert all(finding.remarks for finding in decision.findings)
        assert decision.reasons

    @given(policies(), results(), st.permutations(range(4)))
    def test_the_same_inputs_give_the_same_file(self, policy, results, order):
        everyone = [dataclasses.replace(r, student=s) for r in results for s in ("bob", "ada")]
        shuffled = [everyone[place] for place in order]
        files = {
            to_bytes(decide(policy, rows, []), make_evidence(policy, everyone, [], {}))
            for rows in (everyone, shuffled)
        }
        assert len(files) == 1


class TestFile:
    def decided(self, why="not submitted"):
        return one((30, 30), (0, 0, why))

    def test_it_tells_every_rule_and_the_digests(self):
        results = [Result("ada", name, 10, 10, 10) for name in NAMES]
        evidence = make_evidence(BOTH, results, [], {"b.csv": "2", "a.csv": "1"})
        content = json.loads(to_bytes([self.decided()], evidence))
        assert list(content["evidence"]["reports"]) == ["a.csv", "b.csv"]
        assert content["evidence"]["policy"] == BOTH.digest
        (row,) = content["decisions"]
        assert [rule["state"] for rule in row["rules"]] == ["missed", "met"]
        assert row["verdict"] == "not eligible"

    def test_other_results_or_presence_have_other_digests(self):
        result = Result("ada", "convnet", 1, 1, 10)
        there = Attended("ada", "Day 1", 1, 1, 10)
        made = [
            make_evidence(BOTH, [r], [a], {})
            for r in (result, dataclasses.replace(result, high=2))
            for a in (there, dataclasses.replace(there, low=0))
        ]
        assert len({(e.results, e.attendance) for e in made}) == 4

    def test_a_decision_has_a_digest_of_its_reasons(self):
        assert decision_digest(self.decided()) == decision_digest(self.decided())
        assert decision_digest(self.decided()) != decision_digest(self.decided("something else"))

    def test_infinite_times_do_not_break_it(self):
        late = policy_of(POINTS, late=Late(per_day=1, last_day=math.inf))
        decision = one((40, 40), (60, 60), late, late_seconds=1e12)
        assert json.loads(to_bytes([decision], make_evidence(late, [], [], {})))


class TestTable:
    def write(self, tmp_path, student: str, why: str = "not submitted") -> list[list[str]]:
        results = [Result(student, name, 5, 5, 10, why) for name in NAMES]
        write_csv(to_rows(decide(BOTH, results, [])), tmp_path / "decisions.csv")
        with (tmp_path / "decisions.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def test_has_a_row_for_each_decision(self, tmp_path):
        head, row = self.write(tmp_path, "zoe")
        assert head == ["student", "tier", "verdict", "why"]
        assert row[:3] == ["zoe", "it", "not eligible"]

    def test_keeps_commas_quotes_and_line_breaks(self, tmp_path):
        name, why = 'Lovelace, "Ada"', "one line\nand another, too"
        _, row = self.write(tmp_path, name, why)
        assert row[0] == name
        assert why in row[-1]

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_is_a_formula(self, tmp_path, start):
        name = start + 'HYPERLINK("http://example.org")'
        _, row = self.write(tmp_path, name)
        assert row[0] == "'" + name

    def test_a_failed_write_leaves_the_old_table(self, tmp_path, monkeypatch):
        self.write(tmp_path, "ada")
        monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            self.write(tmp_path, "bob")
        assert [path.name for path in Path(tmp_path).iterdir()] == ["decisions.csv"]
        assert "ada" in (tmp_path / "decisions.csv").read_text()
