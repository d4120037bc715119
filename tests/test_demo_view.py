"""The demo's last table: everything of a student in one line of 80 columns."""

from __future__ import annotations

from io import StringIO

import pytest
from nbcertify.decisions import Decision, Verdict
from nbcertify.rules import Finding, Remark, State
from rich.console import Console

from dlcourse.demo import Demo, Row
from dlcourse.demo_view import demo_report, reasons_of

SESSION = Remark("Half day 2", "100 of 195 minutes; 176 are needed")
POINTS = Remark("", "attended 3 of 4 sessions; all 4 are needed")


def decision(student, tier, verdict, *remarks):
    state = {Verdict.ELIGIBLE: State.MET, Verdict.NOT_ELIGIBLE: State.MISSED}.get(
        verdict, State.OPEN
    )
    return Decision(student, tier, verdict, state, (Finding("rule", state, remarks),))


def shown(demo):
    console = Console(file=StringIO(), width=80, markup=False)
    console.print(demo_report(demo), highlight=False)
    return console.file.getvalue()


def demo_of(assignments, points):
    tiers = ("attendance", "completion")
    ada = tuple(decision("ada", tier, Verdict.ELIGIBLE) for tier in tiers)
    cara = tuple(decision("cara", tier, Verdict.NOT_ELIGIBLE, POINTS, SESSION) for tier in tiers)
    dan = (
        decision("dan", "attendance", Verdict.ELIGIBLE),
        decision("dan", "completion", Verdict.UNDECIDED, Remark("convnet", "not graded")),
    )
    rows = (Row("ada", points, ada), Row("cara", points, cara), Row("dan", points, dan))
    return Demo(assignments, tiers, rows, ())


@pytest.mark.parametrize("count", [3, 9])
def test_each_student_has_one_line_of_80_columns(count):
    names = tuple(f"assignment-{number}" for number in range(count))
    points = ("6–8/10", "12/12*", "–", "none", *["12/12"] * count)[:count]
    lines = shown(demo_of(names, points)).splitlines()
    assert max(map(len, lines)) <= 80
    for student in ("ada", "cara", "dan"):
        (line,) = (line for line in lines if line.split()[:1] == [student])
        assert "6–8/10" in line and "12/12*" in line
    assert "* handed in late" in map(str.strip, lines)
    assert all(name in "\n".join(lines) for name in names)


def test_only_who_is_refused_or_waits_gets_reasons_in_sentences():
    assert list(reasons_of(demo_of(("convnet",), ("8/10",)))) == [
        "cara, attendance and completion: no. Attended 3 of 4 sessions; all 4 are needed. "
        "Half day 2: 100 of 195 minutes; 176 are needed.",
        "dan, completion: undecided. convnet: not graded.",
    ]
