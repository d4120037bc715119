"""What trying an assignment's tests has shown, counted and put in order."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from nbjudge.assignment.by_hand import ByHand, Equivalent
from nbjudge.cells.metadata import is_test
from nbjudge.vet.cases import Kind
from nbjudge.vet.trying import Tried, Verdict
from nbjudge.vet.variants import Subject

# Of the misconceptions, what students should be told of before they hand in.
SEEN_GOAL = 0.9
# The place of a cell: its notebook and its grade id.
Place = tuple[str, str]


@dataclass(frozen=True)
class Count:
    """How many cases were tried, and to how many the tests said what they have to say."""

    tried: int
    right: int

    @property
    def share(self) -> float | None:
        """The right ones of those tried, 0 to 1; ``None`` where none was tried."""
        return self.right / self.tried if self.tried else None


@dataclass(frozen=True)
class Row:
    """The planted mistakes of one task or one operator; ``equivalent`` and ``missed`` differ."""

    name: str
    planted: int
    caught: int
    equivalent: int

    @property
    def missed(self) -> int:
        """Those that slipped past and are not equivalent."""
        return self.planted - self.caught - self.equivalent

    @property
    def share(self) -> float | None:
        """Caught, of those that are not equivalent; ``None`` where there are none."""
        return Count(self.planted - self.equivalent, self.caught).share


@dataclass(frozen=True)
class Finding:
    """A case that was tried; ``equivalent`` is the reason why missing it is right, or "".

    ``is_remembered`` says that it was tried by an earlier vetting, and nothing of it has changed.
    """

    tried: Tried
    equivalent: str = ""
    is_remembered: bool = False

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to look at."""
        return self.tried.is_right or bool(self.equivalent)

    @property
    def is_overlooked(self) -> bool:
        """Whether it is a misconception from which the named test took no points."""
        verdicts = self.tried.verdicts
        mine = self.tried.case.kind is Kind.MISCONCEPTION
        return mine and (not verdicts or any(verdict.is_full for verdict in verdicts))

    @property
    def unjust(self) -> tuple[Verdict, ...]:
        """Verdicts of a right, blank or partial answer other than what is due."""
        passing = self.tried.case.passing
        return tuple(
            verdict
            for verdict in self.tried.verdicts
            if not (verdict.is_full if verdict.test in passing else verdict.score == 0)
        )


@dataclass(frozen=True)
class VetReport:
    """The findings of one assignment, in the notebooks' order.

    ``originals`` are the reference solution's cells, ``tests`` the test cells with what is hidden
    in them, by notebook and grade id; ``stale`` are the equivalents that no missed mistake is.
    ``seconds`` is how long it took by the clock. ``left_out`` counts the cases that a partial
    report does not tell of, and those of them with nothing to look at.
    """

    assignment: str
    findings: tuple[Finding, ...]
    originals: Mapping[Place, str]
    seconds: float
    tests: Mapping[Place, str] = field(default_factory=dict)
    stale: tuple[Equivalent, ...] = ()
    left_out: Count = Count(0, 0)

    def of(self, *kinds: Kind) -> tuple[Finding, ...]:
        """The findings of these kinds."""
        return tuple(one for one in self.findings if one.tried.case.kind in kinds)

    def count(self, *kinds: Kind) -> Count:
        """The cases of these kinds; the equivalents are tried, and not right."""
        found = self.of(*kinds)
        return Count(len(found), sum(one.tried.is_right for one in found))

    @property
    def seen(self) -> Count:
        """The misconceptions, and those of which students are told while they work."""
        found = self.of(Kind.MISCONCEPTION)
        return Count(len(found), sum(one.tried.is_seen for one in found))

    @property
    def unseen(self) -> tuple[Finding, ...]:
        """Misconceptions of which only hidden tests know. That is not always wrong."""
        return tuple(one for one in self.of(Kind.MISCONCEPTION) if not one.tried.is_seen)

    @property
    def remembered(self) -> int:
        """How many of the findings are those of an earlier vetting."""
        return sum(one.is_remembered for one in self.findings)

    @property
    def planted(self) -> Row:
        """All planted mistakes."""
        return _row(self.assignment, self.of(Kind.MISTAKE))

    @property
    def missed(self) -> tuple[Finding, ...]:
        """Planted mistakes that slipped past and are not equivalent."""
        return self._wrong(Kind.MISTAKE)

    @property
    def equivalent(self) -> tuple[Finding, ...]:
        """Planted mistakes that slipped past with a reason."""
        return tuple(one for one in self.findings if one.equivalent)

    @property
    def unjudged(self) -> tuple[Finding, ...]:
        """Planted mistakes that count as caught because there was no verdict at all."""
        return tuple(one for one in self.of(Kind.MISTAKE) if one.tried.reason)

    @property
    def wrongly_rejected(self) -> tuple[Finding, ...]:
        """Right answers without full marks."""
        return self._wrong(Kind.RIGHT)

    @property
    def unjust(self) -> tuple[Finding, ...]:
        """Blank and partial work with points where none are due, or without those that are."""
        return self._wrong(Kind.BLANK, Kind.ALONE)

    @property
    def overlooked(self) -> tuple[Finding, ...]:
        """Misconceptions from which the test that has to catch them took no points."""
        return tuple(one for one in self.findings if one.is_overlooked)

    @property
    def unspoken(self) -> tuple[Finding, ...]:
        """Misconceptions that were caught without the words that a student has to be told."""
        return tuple(one for one in self._wrong(Kind.MISCONCEPTION) if not one.is_overlooked)

    @property
    def problems(self) -> int:
        """How many things a person has to look at."""
        return sum(not one.is_fine for one in self.findings) + len(self.stale)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.problems

    def differences(self, finding: Finding) -> tuple[tuple[str, str], ...]:
        """The cells that differ from the reference solution: each with its diff."""
        case = finding.tried.case
        return tuple(
            (task, difference(original, case.answers[task]))
            for (notebook, task), original in self.originals.items()
            if notebook == case.notebook and task in case.answers
        )

    def _wrong(self, *kinds: Kind) -> tuple[Finding, ...]:
        return tuple(one for one in self.of(*kinds) if not one.is_fine)


def make_report(
    assignment: str,
    subjects: Mapping[str, Subject],
    tried: Iterable[Tried],
    by_hand: ByHand,
    seconds: float,
    remembered: Iterable[Tried] = (),
) -> VetReport:
    """The report of all cases, tried now or ``remembered``, which may come in any order."""
    originals = {
        (name, task): text
        for name, subject in subjects.items()
        for task, text in subject.answers.items()
    }
    tests = {
        (name, cell.metadata.nbgrader["grade_id"]): cell.source
        for name, subject in subjects.items()
        for cell in subject.notebook.cells
        if is_test(cell)
    }
    findings = [_finding(one, by_hand.equivalents) for one in tried]
    findings += [
        replace(_finding(one, by_hand.equivalents), is_remembered=True) for one in remembered
    ]
    findings.sort(key=_order(list(subjects), list(originals)))
    used = {(one.tried.case.task, one.tried.case.change.said) for one in findings if one.equivalent}
    stale = tuple(e for e in by_hand.equivalents if (e.task, e.said) not in used)
    return VetReport(assignment, tuple(findings), originals, seconds, tests, stale)


def only_changed(report: VetReport) -> VetReport:
    """The report of what was tried now, in which what is remembered is only counted.

    Some of the cases do not tell whether an equivalent is stale.
    """
    changed = tuple(one for one in report.findings if not one.is_remembered)
    others = [one for one in report.findings if one.is_remembered]
    if not others:
        return report
    left_out = Count(len(others), sum(one.is_fine for one in others))
    return replace(report, findings=changed, stale=(), left_out=left_out)


def by_task(report: VetReport) -> tuple[Row, ...]:
    """A row for each task that was tried, in the notebooks' order."""
    places = {(one.tried.case.notebook, one.tried.case.task): None for one in report.findings}
    several = len({notebook for notebook, _ in places}) > 1
    return tuple(
        _row(
            f"{notebook}, {task}" if several else task,
            [
                one
                for one in report.of(Kind.MISTAKE)
                if (one.tried.case.notebook, one.tried.case.task) == (notebook, task)
            ],
        )
        for notebook, task in places
        if task
    )


def by_operator(report: VetReport) -> tuple[Row, ...]:
    """A row for each operator, those that most slipped past first."""
    groups: dict[str, list[Finding]] = {}
    for one in report.of(Kind.MISTAKE):
        groups.setdefault(one.tried.case.change.operator, []).append(one)
    rows = (_row(name, found) for name, found in groups.items())
    return tuple(sorted(rows, key=lambda row: (-row.missed, row.name)))


def difference(original: str, changed: str) -> str:
    """A unified diff of a cell's text, without the two lines that would name files."""
    lines = difflib.unified_diff(original.split("\n"), changed.split("\n"), n=2, lineterm="")
    return "\n".join(list(lines)[2:])


def why_stale(report: VetReport, equivalent: Equivalent) -> str:
    """Why an equivalent is one no longer, in a sentence."""
    named = ((one.tried.case.task, one.tried.case.change.said) for one in report.of(Kind.MISTAKE))
    if (equivalent.task, equivalent.said) in named:
        return "The tests catch it, so it is not equivalent."
    return "No planted mistake in this task is called that."


def left_out(report: VetReport) -> str:
    """What a partial report does not tell of, in words."""
    tried, right = report.left_out.tried, report.left_out.right
    return f"{tried} case{'s' * (tried != 1)} as before, {tried - right or 'none'} to look at"


def percent(share: float | None) -> str:
    """A share in per cent, never rounded up to a whole; "–" where there is none."""
    if share is None:
        return "–"
    return f"{int(share * 1000) / 10:g}%"


def duration(seconds: float) -> str:
    """A time as people say it."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def visible(text: str) -> str:
    """The text with its control and direction characters spelled out, lines and tabs kept."""
    return "".join(
        ascii(c)[1:-1] if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t" else c
        for c in text
    )


def _finding(tried: Tried, equivalents: Iterable[Equivalent]) -> Finding:
    case = tried.case
    if case.kind is not Kind.MISTAKE or tried.is_right:
        return Finding(tried)
    reasons = (e.reason for e in equivalents if (e.task, e.said) == (case.task, case.change.said))
    return Finding(tried, next(reasons, ""))


def _order(notebooks: list[str], places: list[Place]) -> Callable[[Finding], tuple[object, ...]]:
    kinds = list(Kind)

    def key(finding: Finding) -> tuple[object, ...]:
        case = finding.tried.case
        place = (case.notebook, case.task)
        task = places.index(place) if place in places else -1
        change = case.change
        where = (notebooks.index(case.notebook), task, kinds.index(case.kind))
        return (*where, change.said, change.operator, change.source, case.tests)

    return key


def _row(name: str, found: Collection[Finding]) -> Row:
    caught = sum(one.tried.is_right for one in found)
    return Row(name, len(found), caught, sum(bool(one.equivalent) for one in found))
