"""Who a participant is: settled by e-mail or by full name, or left to the instructor."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from nbcertify.roster import Person
from nbcertify.tables import fold

# Scores, of 100. From LIKELY on a participant may be this student, so that the
# student's time is not certain; from LISTED on the student is worth a look.
LIKELY = 80
LISTED = 60
_MOST_LISTED = 3
# Of a first name alone, a name with an initial, or without one of its parts.
_SHORTENED = 90

# What people's machines call themselves: "Jan's iPhone".
_DEVICES = frozenset(
    ["android", "galaxy", "huawei", "ipad", "iphone", "laptop", "macbook", "mobile", "phone"]
    + ["pixel", "redmi", "s", "samsung"]
)


@dataclass(frozen=True)
class Suggestion:
    """A student whom a participant may be. `score` is of 100."""

    student: str
    name: str
    score: int


@dataclass(frozen=True)
class Identity:
    """Whom the roster says a participant is: a student, or why not and between whom it lies.

    `by_email` says that the e-mail is the student's own; else it is the name alone.
    """

    student: str | None
    candidates: tuple[str, ...] = ()
    why: str = ""
    by_email: bool = False


@dataclass(frozen=True)
class Directory:
    """A roster to look people up in.

    Students by folded e-mail and by every folded form of their names; `plain` are the sorted words
    of their names, for comparing.
    """

    people: Mapping[str, Person]
    by_email: Mapping[str, str]
    by_name: Mapping[str, frozenset[str]]
    plain: Mapping[str, str]


def make_directory(roster: Mapping[str, Person]) -> Directory:
    """What `identify` and `suggest` look people up in."""
    by_name: dict[str, set[str]] = {}
    for student, person in roster.items():
        for form in name_forms(person.name):
            by_name.setdefault(form, set()).add(student)
    return Directory(
        roster,
        {fold(person.email): student for student, person in roster.items()},
        {form: frozenset(students) for form, students in by_name.items()},
        {student: _plain(person.name) for student, person in roster.items()},
    )


def name_forms(shown: str) -> list[str]:
    """Folded names that `shown` may stand for.

    All of it; both parts of "New (Original)", again if there are more of them; and of "Last, First"
    also "First Last".
    """
    forms: dict[str, None] = {}
    for part in _parts(shown):
        whole = fold(part)
        last, comma, first = whole.partition(",")
        forms[whole] = None
        if comma and first.strip() and "," not in first:
            forms[f"{first.strip()} {last.strip()}"] = None
    forms.pop("", None)
    return list(forms)


def identify(names: Iterable[str], email: str, directory: Directory) -> Identity:
    """Who has this e-mail, or one of these names (as shown, as registered) all alone.

    An e-mail of one student and a name of another settle nothing.
    """
    by_email = directory.by_email.get(fold(email)) if email else None
    named: set[str] = set()
    for name in names:
        for form in name_forms(name):
            named |= directory.by_name.get(form, frozenset())
    candidates = tuple(sorted(named | ({by_email} if by_email else set())))
    if by_email:
        if named and by_email not in named:
            return Identity(None, candidates, "the e-mail is one student's, the name another's")
        return Identity(by_email, by_email=True)
    if len(named) == 1:
        return Identity(candidates[0])
    if named:
        return Identity(None, candidates, f"{len(named)} students may go by this name")
    return Identity(None, (), "no student has this name or this e-mail")


def suggest(names: Iterable[str], email: str, directory: Directory) -> tuple[Suggestion, ...]:
    """Students whose names are like these, or like the e-mail's first part: the likeliest first.

    All that are LIKELY; if there are none, the few best that are LISTED.
    """
    queries = {_plain(form) for name in names for form in name_forms(name)}
    queries.add(_plain(email.partition("@")[0]))
    best: dict[str, float] = {}
    # One letter is like half of the roster.
    for query in sorted(q for q in queries if len(q) > 1):
        scores = process.extract(
            query, directory.plain, scorer=fuzz.ratio, score_cutoff=LISTED, limit=None
        )
        for _, score, student in scores:
            best[student] = max(score, best.get(student, 0))
        for student, plain in directory.plain.items():
            if _shortens(query, plain) or _is_part(plain, query):
                best[student] = max(_SHORTENED, best.get(student, 0))
    found = sorted(
        (Suggestion(s, directory.people[s].name, int(score)) for s, score in best.items()),
        key=lambda suggestion: (-suggestion.score, suggestion.student),
    )
    likely = [s for s in found if s.score >= LIKELY]
    return tuple(likely or found[:_MOST_LISTED])


def _parts(shown: str) -> Iterator[str]:
    yield shown
    shown = shown.strip()
    if not shown.endswith(")"):
        return
    depth = 0
    for at in range(len(shown) - 1, 0, -1):
        depth += (shown[at] == ")") - (shown[at] == "(")
        if depth == 0:
            yield from _parts(shown[:at])
            yield from _parts(shown[at + 1 : -1])
            return


def _plain(text: str) -> str:
    """The words, sorted, in letters alone: without accents, numbers and the names of devices."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", fold(text)) if not unicodedata.combining(c)
    )
    return " ".join(sorted(w for w in re.findall(r"[^\W\d_]+", bare) if w not in _DEVICES))


def _shortens(short: str, full: str) -> bool:
    """Whether each word of `short` begins another word of `full`."""
    words = sorted(short.split(), key=len, reverse=True)
    if not all(f" {word}" in f" {full}" for word in words):
        return False
    left = full.split()
    for word in words:
        begun = next((one for one in left if one.startswith(word)), None)
        if begun is None:
            return False
        left.remove(begun)
    return True


def _is_part(part: str, whole: str) -> bool:
    """Whether `part` has several words, all of them in `whole`."""
    return " " in part and set(part.split()) <= set(whole.split())
