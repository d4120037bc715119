"""What the vet report counts, and what a person sees of it in the terminal."""

import random
from io import StringIO

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbjudge.assignment.blueprint import Blueprint
from nbjudge.assignment.by_hand import ByHand, Equivalent
from nbjudge.vet.cases import Case, Kind
from nbjudge.vet.change import Change
from nbjudge.vet.report import (
    Count,
    by_operator,
    by_task,
    difference,
    duration,
    make_report,
    only_changed,
    percent,
    visible,
)
from nbjudge.vet.terminal import vet_tables
from nbjudge.vet.trying import Tried, Verdict
from nbjudge.vet.variants import Subject
from rich.console import Console

ANSWERS = {"units": "units = 50", "rate": "rate = 0.3\nseed = 1"}


def subject(name="net"):
    grading = {"grade": True, "solution": False, "points": 2, "schema_version": 3}
    cells = [
        new_code_cell(
            f"assert {task}", metadata={"nbgrader": {"grade_id": f"test_{task}"} | grading}
        )
        for task in ANSWERS
    ]
    notebook = new_notebook(cells=cells)
    return Subject(Blueprint(name, (), (), None), notebook, ANSWERS, {}, {}, {})


def tried(
    kind,
    task,
    said="",
    score=0.0,
    *,
    source="x = 1",
    operator="constant",
    message="No.",
    passing=(),
    says="",
    reason="",
    notebook="net",
    seen=None,
):
    test = f"test_{task or 'units'}"
    case = Case(
        kind,
        notebook,
        task,
        Change(operator, said, source),
        {task: source} if task else {},
        (test,),
        frozenset(passing),
        says,
    )
    verdicts = () if reason else (Verdict(test, score, 2.0, "" if score == 2 else message),)
    shown = () if seen is None else (Verdict(test, seen, 2.0, "" if seen == 2 else message),)
    return Tried(case, verdicts, reason, seen=shown)


def report_of(*cases, equivalents=()):
    subjects = {"net": subject()}
    return make_report("net", subjects, cases, ByHand(equivalents=tuple(equivalents)), 75.0)


def said(findings):
    return [one.tried.case.change.said for one in findings]


def shown(report, width=100):
    console = Console(width=width, no_color=True, record=True, file=StringIO())
    console.print(vet_tables(report))
    return console.export_text()


def test_an_equivalent_is_neither_caught_nor_missed():
    report = report_of(
        tried(Kind.MISTAKE, "units", "50 → 51"),
        tried(Kind.MISTAKE, "units", "50 → 25", 2.0),
        tried(Kind.MISTAKE, "units", "50 → 50.0", 2.0),
        tried(Kind.MISTAKE, "units", "50 → 49", 1.5),
        equivalents=[Equivalent("units", "50 → 50.0", "Keras reads both alike.")],
    )
    row = report.planted
    assert (row.planted, row.caught, row.equivalent, row.missed) == (4, 2, 1, 1)
    assert row.share == pytest.approx(2 / 3)
    assert said(report.missed) == ["50 → 25"]
    assert [one.equivalent for one in report.equivalent] == ["Keras reads both alike."]
    assert not report.stale
    assert not report.is_clean


def test_an_equivalent_of_another_task_excuses_nothing():
    report = report_of(
        tried(Kind.MISTAKE, "rate", "one", 2.0), equivalents=[Equivalent("units", "one", "So.")]
    )
    assert said(report.missed) == ["one"]
    assert report.stale == (Equivalent("units", "one", "So."),)


@pytest.mark.parametrize(
    ("name", "why"),
    [("caught", "The tests catch it"), ("gone", "No planted mistake in this task")],
)
def test_an_equivalent_that_no_miss_needs_is_stale(name, why):
    report = report_of(
        tried(Kind.MISTAKE, "units", "caught"), equivalents=[Equivalent("units", name, "So.")]
    )
    assert [one.said for one in report.stale] == [name]
    assert not report.is_clean
    assert f"units: {name}" in shown(report)
    assert why in shown(report)


def test_a_report_of_nothing_has_no_shares_and_nothing_to_look_at():
    report = report_of()
    assert report.is_clean
    assert report.planted.share is None
    assert [report.count(kind) for kind in Kind] == [Count(0, 0)] * len(Kind)
    assert by_task(report) == by_operator(report) == ()
    assert "nothing to look at" in shown(report)


def test_a_task_with_equivalents_only_has_no_share():
    report = report_of(
        tried(Kind.MISTAKE, "units", "one", 2.0), equivalents=[Equivalent("units", "one", "So.")]
    )
    assert by_task(report)[0].share is None
    assert report.is_clean


def test_what_tests_do_to_right_blank_and_partial_work_is_kept_apart():
    report = report_of(
        tried(Kind.RIGHT, "units", "accepted", 2.0, passing=["test_units"]),
        tried(Kind.RIGHT, "units", "rejected", 1.0, passing=["test_units"]),
        tried(Kind.RIGHT, "units", "not run", reason="The kernel ended."),
        tried(Kind.BLANK, ""),
        tried(Kind.ALONE, "units", "unearned", 0.5),
        tried(Kind.ALONE, "rate", "unpaid", 0.0, passing=["test_rate"]),
        tried(Kind.ALONE, "rate", "paid", 2.0, passing=["test_rate"]),
    )
    assert sorted(said(report.wrongly_rejected)) == ["not run", "rejected"]
    assert sorted(said(report.unjust)) == ["unearned", "unpaid"]
    assert report.count(Kind.RIGHT) == Count(3, 1)
    assert report.count(Kind.BLANK, Kind.ALONE) == Count(4, 2)
    assert report.problems == 4


def test_a_misconception_is_answered_overlooked_or_left_without_words():
    report = report_of(
        tried(Kind.MISCONCEPTION, "units", "told", message="Normalised TWICE.", says="twice"),
        tried(Kind.MISCONCEPTION, "units", "not told", message="Wrong.", says="twice"),
        tried(Kind.MISCONCEPTION, "units", "full marks", 2.0, says="twice"),
        tried(Kind.MISCONCEPTION, "units", "not judged", says="twice", reason="Out of memory."),
    )
    assert said(report.unspoken) == ["not told"]
    assert sorted(said(report.overlooked)) == ["full marks", "not judged"]
    assert report.planted.planted == 0
    assert report.problems == 3


def test_a_mistake_that_cannot_be_judged_is_caught_and_told_apart():
    report = report_of(tried(Kind.MISTAKE, "units", "loops", reason="It took too long."))
    assert report.planted.caught == 1
    assert said(report.unjudged) == ["loops"]
    assert "1 of the caught could not be judged" in shown(report)


def test_rows_are_by_task_in_the_notebook_and_by_operator_with_the_worst_first():
    report = report_of(
        tried(Kind.MISTAKE, "rate", "a", operator="constant"),
        tried(Kind.MISTAKE, "rate", "b", 2.0, operator="loss"),
        tried(Kind.MISTAKE, "units", "c", operator="constant"),
        tried(Kind.ALONE, "units", "d"),
    )
    assert [(r.name, r.planted, r.caught, r.missed) for r in by_task(report)] == [
        ("units", 1, 1, 0),
        ("rate", 2, 1, 1),
    ]
    assert [(r.name, r.share) for r in by_operator(report)] == [("loss", 0), ("constant", 1)]


def test_tasks_of_several_notebooks_are_told_apart():
    subjects = {"one": subject("one"), "two": subject("two")}
    cases = [tried(Kind.MISTAKE, "units", "a", notebook=name) for name in ("two", "one")]
    report = make_report("net", subjects, cases, ByHand(), 1.0)
    assert [row.name for row in by_task(report)] == ["one, units", "two, units"]


def test_findings_come_in_one_order():
    cases = [
        tried(kind, task, name, source=source)
        for kind in Kind
        for task in ANSWERS
        for name in ("b", "a")
        for source in ("y = 2", "y = 1")
    ]
    expected = report_of(*cases)
    random.Random(4).shuffle(cases)
    assert report_of(*cases) == expected
    assert [one.tried.case.task for one in expected.findings] == ["units"] * 20 + ["rate"] * 20


def test_a_difference_is_a_unified_diff_without_file_names():
    diff = difference("a = 1\nb = 2\n\nc = 3", "a = 1\nb = 5\n\nc = 3")
    assert diff == "@@ -1,4 +1,4 @@\n a = 1\n-b = 2\n+b = 5\n \n c = 3"
    assert difference("a", "a") == ""
    # A line may hold what `splitlines` takes for its end.
    assert difference("a = '\x0c'", "a = ''") == "@@ -1 +1 @@\n-a = '\x0c'\n+a = ''"


def test_the_differences_of_an_answer_are_those_of_all_its_cells():
    case = Case(
        Kind.RIGHT, "net", "", Change("all at once", "all", ""), {"rate": "r", "units": "u"}, ()
    )
    report = report_of(Tried(case, ()))
    cells = report.differences(report.findings[0])
    assert [task for task, _ in cells] == ["units", "rate"]
    assert "-units = 50\n+u" in cells[0][1]


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (None, "–"),
        (0.0, "0%"),
        (1.0, "100%"),
        (0.9999, "99.9%"),
        (2 / 3, "66.6%"),
        (0.98, "98%"),
        (0.29, "29%"),
    ],
)
def test_a_share_is_never_rounded_up(share, told):
    assert percent(share) == told


def test_every_whole_permille_is_told_as_it_is():
    for count in range(1001):
        assert percent(count / 1000) == f"{count / 10:g}%"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (59.97, "1 min 0 s"), (725, "12 min 5 s")],
)
def test_a_time_is_told_as_people_say_it(seconds, told):
    assert duration(seconds) == told


def test_control_and_direction_characters_are_spelled_out():
    assert visible("a\x1b[31m\u202eb\ud800\n\tc é 图") == "a\\x1b[31m\\u202eb\\ud800\n\tc é 图"


def partly_changed(*changed):
    same = [
        tried(Kind.MISTAKE, "units", "same, missed", 2.0),
        tried(Kind.MISTAKE, "units", "same, equivalent", 2.0),
        tried(Kind.MISTAKE, "units", "same, caught"),
        tried(Kind.RIGHT, "units", "same, refused", 0.0, passing=["test_units"]),
    ]
    equivalents = ("same, equivalent", "new, equivalent", "of none")
    by_hand = ByHand(equivalents=tuple(Equivalent("units", name, "So.") for name in equivalents))
    report = make_report("net", {"net": subject()}, changed, by_hand, 1.0, same)
    return report, only_changed(report)


def test_of_what_changed_alone_only_that_is_told_and_counted():
    full, changed = partly_changed(
        tried(Kind.MISTAKE, "units", "new, missed", 2.0),
        tried(Kind.MISTAKE, "units", "new, equivalent", 2.0),
    )
    assert (len(full.findings), full.problems) == (6, 4)
    assert said(changed.findings) == ["new, equivalent", "new, missed"]
    assert said(changed.missed) == ["new, missed"]
    assert changed.left_out == Count(4, 2)
    text = shown(changed)
    assert "1 to look at" in text
    assert "only what changed; left out: 4 cases as before, 2 to look at" in text
    assert "same" not in text
    assert "only what changed" not in shown(full)


def test_some_of_the_cases_do_not_tell_whether_an_equivalent_is_stale():
    full, changed = partly_changed(tried(Kind.MISTAKE, "units", "new, caught"))
    assert [one.said for one in full.stale] == ["new, equivalent", "of none"]
    assert not changed.stale and changed.is_clean
    assert "nothing to look at in what changed" in shown(changed)


def test_how_many_were_tried_before_is_told():
    full, _ = partly_changed(tried(Kind.MISTAKE, "units", "new, caught"))
    assert full.remembered == 4
    assert "; 4 cases tried before)" in shown(full)


def test_where_nothing_changed_one_line_says_so():
    _, changed = partly_changed()
    assert changed.is_clean
    assert shown(changed) == "net  nothing changed: 4 cases as before, 2 to look at\n"


def test_where_all_changed_the_report_is_a_full_one():
    report = report_of(
        tried(Kind.MISTAKE, "units", "a"), equivalents=[Equivalent("units", "a", "So.")]
    )
    assert only_changed(report) == report
    assert not report.is_clean


def test_the_terminal_tells_each_problem_with_what_one_needs_to_mend_it():
    report = report_of(
        tried(Kind.MISTAKE, "units", "50 → 25", 2.0, source="units = 25"),
        tried(
            Kind.RIGHT, "rate", "with a loop", 1.0, passing=["test_rate"], message="[red]Not 0.3"
        ),
        tried(Kind.ALONE, "units", "", 1.5, message="Odd."),
        tried(Kind.MISCONCEPTION, "units", "twice", message="\x1b[2JWrong.", says="only once"),
    )
    text = shown(report)
    for words in (
        "4 to look at",
        "(1 min 15 s)",
        "missed  units: 50 → 25",
        "-units = 50",
        "+units = 25",
        "slipped past test_units",
        "test_rate gave 1 of 2: [red]Not 0.3",
        "units: one task answered alone",
        "test_units gave 1.5 of 2: Odd.",
        "has to be told: only once",
        "\\x1b[2JWrong.",
    ):
        assert words in text
    assert max(map(len, text.split("\n"))) <= 100


def test_a_long_difference_is_cut_in_the_terminal():
    source = "\n".join(f"line{n}" for n in range(40))
    text = shown(report_of(tried(Kind.MISTAKE, "units", "all", 2.0, source=source)))
    assert "more lines" in text
    assert "line30" not in text


def test_what_only_hidden_tests_tell_of_is_listed_and_is_no_problem():
    told = tried(Kind.MISCONCEPTION, "units", "Too many.", says="no", seen=0.0)
    hidden = tried(Kind.MISCONCEPTION, "units", "Too few.", says="no", seen=2.0)
    report = report_of(told, hidden)
    assert report.seen == Count(2, 1)
    assert said(report.unseen) == ["Too few."]
    assert report.is_clean
    printed = shown(report)
    assert "1 of 2 misconceptions are told by what students see" in printed
    assert "units: Too few." in printed
    assert "units: Too many." not in printed
