"""The layouts of attendance reports, as `layouts.toml` has them."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from nbcertify.tables import fold

# What a row of a table tells of: one stay; one person's first arrival, last departure and total
# time; or one arrival or departure.
Kind = Literal["stays", "people", "events"]

ADVICE_FOR_ALL = (
    "Reports of Zoom, Microsoft Teams and Google Meet are read, in several languages; see the "
    "table of layouts in the documentation"
)


@dataclass(frozen=True)
class Layout:
    """One layout of one program; `roles` by heading, as `key` makes it."""

    program: str
    name: str
    language: str
    years: str
    source: str
    kind: Kind
    headings: tuple[tuple[str, str], ...]

    @property
    def keys(self) -> frozenset[str]:
        """Its headings, as `key` makes them."""
        return frozenset(key(heading) for heading, _ in self.headings)


@dataclass(frozen=True)
class Layouts:
    """All that is known of reports, by words as `key` makes them.

    `roles` tells what a heading is; `summing` are the headings of a first arrival or a last
    departure; `months` are the names of each month.
    """

    layouts: tuple[Layout, ...]
    roles: Mapping[str, str]
    summing: frozenset[str]
    sections: frozenset[str]
    yes: frozenset[str]
    no: frozenset[str]
    actions: Mapping[str, str]
    stems: Mapping[str, Sequence[str]]
    months: Sequence[Sequence[str]]
    advice: Mapping[str, str]

    def program(self, headings: Collection[str], least: int = 1) -> str:
        """The program whose layout has most of these headings (keys); "" if fewer than `least`."""
        counts = Counter[str]()
        for layout in self.layouts:
            shared = len(layout.keys.intersection(headings))
            counts[layout.program] = max(counts[layout.program], shared)
        best, count = counts.most_common(1)[0]
        return best if count >= least else ""

    def how_to(self, program: str) -> str:
        """What to do in a program to get a report that can be read."""
        return self.advice.get(program, ADVICE_FOR_ALL)


@lru_cache(maxsize=10_000)
def key(text: str) -> str:
    """A heading or word for comparing: case, width, spacing and the form of apostrophes aside."""
    return re.sub(r" ?([()/]) ?", r"\1", fold(text).replace("’", "'").replace("ʼ", "'"))


@cache
def layouts() -> Layouts:
    """What `layouts.toml` says."""
    data = tomllib.loads(Path(__file__).with_name("layouts.toml").read_text(encoding="utf-8"))
    found = tuple(
        Layout(
            one["program"],
            one["name"],
            one["language"],
            one["years"],
            one["source"],
            one["rows"],
            tuple((heading, role) for heading, role in one["headings"]),
        )
        for one in data["layouts"]
    )
    roles: dict[str, str] = {}
    pairs = [pair for layout in found for pair in layout.headings]
    as_one = {"first_join": "join", "last_leave": "leave"}
    for role, headings in data["also"].items():
        pairs += [(heading, as_one.get(role, role)) for heading in headings]
    for heading, role in pairs:
        # What is without weight in one layout may have it in another.
        if role != "idle" or key(heading) not in roles:
            roles[key(heading)] = role
    timed = {"stays": set[str](), "people": set[str]()}
    for layout in found:
        for heading, role in layout.headings:
            if role in ("join", "leave"):
                timed[layout.kind].add(key(heading))
    timed["people"] |= set(map(key, data["also"]["first_join"] + data["also"]["last_leave"]))
    timed["stays"] |= set(map(key, data["also"]["join"] + data["also"]["leave"]))
    return Layouts(
        found,
        roles,
        frozenset(timed["people"] - timed["stays"]),
        frozenset(map(key, data["sections"]["names"])),
        frozenset(map(key, data["answers"]["yes"])),
        frozenset(map(key, data["answers"]["no"])),
        {key(word): what for what, words in data["actions"].items() for word in words},
        {role: tuple(map(fold, words)) for role, words in data["stems"].items()},
        tuple(tuple(map(fold, names)) for names in data["months"]["names"]),
        data["advice"],
    )
