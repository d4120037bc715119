"""Who is eligible for a certificate, who is not, and who cannot be told yet.

`decide` is a pure function of a policy (`read_policy`) and of what each student has reached
(`dlcourse.results.read_results`); `to_frame` and `write_csv` make tables of what it decides.

What is not graded yet counts neither as nothing nor as everything: a student's points are a range,
and a verdict is given only when it is the same at both ends.
"""

import math
import os
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd


class PolicyError(ValueError):
    """A policy that cannot be used. The message names the file, the key and what is wrong."""


class Verdict(StrEnum):
    """What is said of a student."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not eligible"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Policy:
    """What a certificate takes: shares from 0 to 1 of all points, and of single assignments'."""

    assignments: tuple[str, ...]
    overall: float
    minimum: Mapping[str, float] = field(default_factory=dict)
    source: str = "the policy"


@dataclass(frozen=True)
class Result:
    """A student's points in one assignment: `low` for certain, `high` if all that is open is won.

    `why` says what is open, or that nothing was handed in. Extra credit may take points above
    `possible`. ValueError unless 0 <= low <= high and possible > 0.
    """

    student: str
    assignment: str
    low: float
    high: float
    possible: float
    why: str = ""

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high < math.inf and 0 < self.possible < math.inf):
            raise ValueError(f"impossible points: {self}")


@dataclass(frozen=True)
class Decision:
    """The verdict on one student, its reasons in words, and the results it was made from."""

    student: str
    verdict: Verdict
    reasons: tuple[str, ...]
    results: tuple[Result, ...]
    total: Result


def decide(policy: Policy, results: Iterable[Result]) -> list[Decision]:
    """One decision for each student, in the order of their names.

    `results` holds one result for each student and each of the policy's assignments; those of
    other assignments are passed over. ValueError if one is missing or there twice.
    """
    students: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in results:
        if result.assignment in students[result.student]:
            raise ValueError(f"two results for {result.student} in {result.assignment}")
        students[result.student][result.assignment] = result
    decisions = []
    for student, by_name in sorted(students.items()):
        if missing := [name for name in policy.assignments if name not in by_name]:
            raise ValueError(f"no result for {student} in {', '.join(missing)}")
        decisions.append(_decide(policy, student, tuple(by_name[n] for n in policy.assignments)))
    return decisions


def _decide(policy: Policy, student: str, results: tuple[Result, ...]) -> Decision:
    low, high, possible = (
        math.fsum(getattr(r, end) for r in results) for end in ("low", "high", "possible")
    )
    total = Result(student, "all together", low, high, possible)
    needs = [(total, policy.overall)]
    needs += [(r, policy.minimum[r.assignment]) for r in results if r.assignment in policy.minimum]
    hopeless = [(r, need) for r, need in needs if not _reaches(r.high, r.possible, need)]
    unsure = [(r, need) for r, need in needs if not _reaches(r.low, r.possible, need)]
    if hopeless:
        verdict, shown, hedge = Verdict.NOT_ELIGIBLE, hopeless, "even with full marks for the rest"
    elif unsure:
        verdict, shown, hedge = Verdict.UNDECIDED, unsure, ""
    else:
        verdict, shown, hedge = Verdict.ELIGIBLE, needs[:1], "even with no points for the rest"
    reasons = [_sentence(result, need) for result, need in shown]
    if hedge and low < high:
        reasons.append(hedge)
    reasons += [f"{r.assignment}: {r.why}" for r in results if r.why]
    return Decision(student, verdict, tuple(reasons), results, total)


def _reaches(points: float, possible: float, need: float) -> bool:
    # Sums of tenths of points must not miss a limit by a rounding error.
    return points >= (need - 1e-9) * possible


def _sentence(result: Result, need: float) -> str:
    ends = (result.low, result.high) if result.low < result.high else (result.low,)
    points = " to ".join(f"{end:.6g}" for end in ends)
    shares = " to ".join(_percent(end / result.possible) for end in ends)
    return (
        f"{result.assignment}: {points} of {result.possible:.6g} points ({shares}), "
        f"{_percent(need)} needed"
    )


def _percent(share: float) -> str:
    # Rounded down: 59.96 % must not read as the 60 % that were needed.
    return f"{math.floor(1000 * share + 1e-6) / 10:g} %"


def to_frame(decisions: Iterable[Decision]) -> pd.DataFrame:
    """A row for each decision. `points` are certain, `open` are those not graded yet."""
    columns = ["student", "verdict", "points", "open", "possible", "share", "why"]
    rows = [
        (d.student, str(d.verdict), t.low, t.high - t.low, t.possible, t.low / t.possible,
         "; ".join(d.reasons))
        for d in decisions
        for t in [d.total]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def write_csv(decisions: Iterable[Decision], path: Path) -> None:
    """Write the table to `path`, all or nothing, so that a spreadsheet takes no cell for a formula.

    A text that starts like one (= + - @ tab, carriage return) gets an apostrophe in front.
    """
    frame = to_frame(decisions).map(
        lambda cell: "'" + cell if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") else cell
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        frame.round(6).to_csv(draft, index=False, encoding="utf-8", lineterminator="\r\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_policy(path: Path) -> Policy:
    """Read and check a policy file (TOML); PolicyError says which key to mend."""

    def fail(key: str, wrong: str) -> PolicyError:
        return PolicyError(f"{path}: {key}: {wrong}")

    def share(key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise fail(key, f"must be a number from 0 to 1, not {value!r}")
        if not 0 <= value <= 1:
            raise fail(key, f"must be from 0 to 1 (0.6 is 60 %), not {value}")
        return float(value)

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PolicyError(f"{path}: is not valid TOML: {error}") from error
    keys = ("assignments", "overall", "minimum")
    for key in content:
        if key not in keys:
            raise fail(key, f"unknown key; there are {', '.join(keys)}")
    for key in keys[:2]:
        if key not in content:
            raise fail(key, "is missing")
    names, minimum = content["assignments"], content.get("minimum", {})
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise fail("assignments", f"must be a list of names, not {names!r}")
    if len(set(names)) < len(names):
        raise fail("assignments", f"names one twice: {', '.join(names)}")
    if not isinstance(minimum, dict):
        raise fail("minimum", f"must be a table, [minimum], not {minimum!r}")
    for name in minimum:
        if name not in names:
            raise fail(f"minimum.{name}", f"unknown assignment; there are {', '.join(names)}")
    shares = {name: share(f"minimum.{name}", value) for name, value in minimum.items()}
    return Policy(tuple(names), share("overall", content["overall"]), shares, str(path))
