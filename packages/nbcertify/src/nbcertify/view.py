"""What a person sees of attendance, decisions and certificates in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nbcertify.attendance import Attended
from nbcertify.attendance.review import ReviewRow
from nbcertify.decisions import Decision, Verdict
from nbcertify.planning import Action, Step
from nbcertify.roster import Person
from nbcertify.sending import Letter
from nbcertify.verification import Verification

_COLOURS = {
    Verdict.ELIGIBLE: "green",
    Verdict.NOT_ELIGIBLE: "red",
    Verdict.UNDECIDED: "yellow",
    Verdict.ALLOWED: "cyan",
    Verdict.DENIED: "magenta",
}
_ACTION_COLOURS = {
    Action.ISSUE: "green",
    Action.REMAKE: "green",
    Action.KEEP: "dim",
    Action.BLOCKED: "red",
    Action.REVIEW: "yellow",
}


def verdict_text(verdict: Verdict) -> Text:
    """A verdict in its colour."""
    return Text(str(verdict), style=_COLOURS[verdict])


def short_text(verdict: Verdict) -> Text:
    """A verdict in a word."""
    word = {Verdict.ELIGIBLE: "yes", Verdict.NOT_ELIGIBLE: "no"}.get(verdict, str(verdict))
    return Text(word, style=_COLOURS[verdict])


def attendance_table(attended: Sequence[Attended], sessions: Sequence[str]) -> Table:
    """A row for each student, a column for each session: minutes, a range where it is unclear."""
    table = Table("student", *sessions, box=SIMPLE_HEAD)
    rows: dict[str, dict[str, Attended]] = {}
    for one in attended:
        rows.setdefault(one.student, {})[one.session] = one
    for student, by_session in rows.items():
        table.add_row(student, *(_presence(by_session[name]) for name in sessions))
    return table


def _presence(there: Attended) -> Text:
    low, high = (int(seconds // 60) for seconds in (there.low, there.high))
    possible = int(there.possible // 60)
    if there.low < there.high:
        return Text(f"{low} to {high} of {possible} min", style="yellow")
    share = there.low / there.possible
    style = "green" if share > 0.9 else "red" if share < 0.5 else ""
    return Text(f"{low} of {possible} min", style=style)


def review_table(rows: Iterable[ReviewRow]) -> Table:
    """The participants whom only a person can tell."""
    table = Table("participant", "session", "minutes", "may be", "why", box=SIMPLE_HEAD)
    for row in rows:
        suggestions = ", ".join(f"{s.student} ({s.score:.0f} %)" for s in row.suggestions)
        table.add_row(row.participant, row.session, f"{row.minutes:.0f}", suggestions, row.why)
    return table


def decision_lines(
    decisions: Iterable[Decision], roster: Mapping[str, Person], *, everybody: bool = False
) -> Iterator[RenderableType]:
    """Who is undecided and who is not eligible, with each reason once; a count of the others.

    Students of whom all the same is said are told together. With `everybody` the others are shown
    like these.
    """
    decisions = list(decisions)
    shown = [Verdict.UNDECIDED, Verdict.NOT_ELIGIBLE]
    if everybody:
        shown += [verdict for verdict in Verdict if verdict not in shown]
    for verdict in shown:
        of_verdict = [d for d in decisions if d.verdict is verdict]
        if not of_verdict:
            continue
        count = len({d.student for d in of_verdict})
        heading = f"{str(verdict).capitalize()}: {count} student{'s' * (count > 1)}"
        yield Text(heading, style=f"bold {_COLOURS[verdict]}")
        for said, students in _alike(of_verdict).items():
            yield Padding(
                Text(_named(students, roster, everybody=everybody)), (0, 0, 0, 2), expand=False
            )
            for tiers, reasons in said:
                yield Padding(Text(", ".join(tiers), style="dim"), (0, 0, 0, 4), expand=False)
                yield from (Padding(Text(reason), (0, 0, 0, 6), expand=False) for reason in reasons)
    for verdict in Verdict:
        numbers = Counter(d.tier for d in decisions if d.verdict is verdict)
        if verdict not in shown and numbers:
            counts = ", ".join(f"{tier} {count}" for tier, count in numbers.items())
            yield Text(f"{str(verdict).capitalize()}: {counts}", style=_COLOURS[verdict])


# The tiers, and what is said of all of them.
Said = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def _alike(decisions: Iterable[Decision]) -> dict[Said, list[str]]:
    """The students of whom the same is said, by what is said of them, each reason once."""
    tiers_of: dict[str, dict[str, list[str]]] = {}
    for decision in decisions:
        reasons = tiers_of.setdefault(decision.student, {})
        for reason in decision.reasons:
            reasons.setdefault(str(reason), []).append(decision.tier)
    alike: dict[Said, list[str]] = {}
    for student, reasons in tiers_of.items():
        said: dict[tuple[str, ...], list[str]] = {}
        for words, tiers in reasons.items():
            said.setdefault(tuple(tiers), []).append(words)
        key = tuple((tiers, tuple(texts)) for tiers, texts in said.items())
        alike.setdefault(key, []).append(student)
    return alike


# Of a group of students, the list in decisions.csv has all.
_SHOWN = 8


def _named(students: Sequence[str], roster: Mapping[str, Person], *, everybody: bool) -> str:
    shown = students if everybody else students[:_SHOWN]
    names = [f"{one} {roster[one].name}" if one in roster else one for one in shown]
    left = len(students) - len(shown)
    return ", ".join(names) + (f" and {left} more" if left else "")


def plan_table(steps: Iterable[Step], roster: Mapping[str, Person]) -> Table:
    """A row for each step, with the person's name as it will be printed."""
    table = Table("student", "name", "tier", "action", "why", box=SIMPLE_HEAD)
    for step in steps:
        name = roster[step.student].name if step.student in roster else ""
        action = Text(str(step.action), style=_ACTION_COLOURS[step.action])
        table.add_row(step.student, name, step.tier, action, step.why)
    return table


def verification_panel(source: str, found: Verification, not_of: str = "") -> Group:
    """What came out for one certificate, with what the issuer signed; it is not of `not_of`."""
    style = "green" if found.is_valid else "red"
    lines: list[RenderableType] = [Text(f"{source}: {found.outcome}", style=style, overflow="fold")]
    if (facts := found.facts) is not None:
        name = facts.name or "(the name is in it only as a hash: ask with --name)"
        first, last = f"{facts.first_day:%Y-%m-%d}", f"{facts.last_day:%Y-%m-%d}"
        signed = Text()
        signed.append(f"{name}\n", style="bold")
        signed.append(f"{facts.title}\n{facts.course}, {first} to {last}\n")
        signed.append(f"{facts.hours:g} hours, {facts.ec:g} EC\n")
        signed.append("".join(f"{one}\n" for one in facts.results))
        signed.append(f"issued {facts.issued:%Y-%m-%d}, {facts.id}")
        lines.append(
            Panel(signed, title="What the issuer signed", border_style=style, expand=False)
        )
    lines.append(Text(f"  {found.words}"))
    if not_of:
        lines.append(Text(f"  It is not {not_of}'s.", style="red"))
    return Group(*lines)


def letter_table(letters: Iterable[Letter]) -> Table:
    """A row for each mail: to whom it goes, and what is done with it."""
    table = Table("student", "to", "certificate", "mail", box=SIMPLE_HEAD)
    for one in letters:
        number = one.issued.id.removeprefix("urn:uuid:")[:8]
        table.add_row(one.issued.student, one.to, f"{one.issued.title}, {number}", str(one.action))
    return table
