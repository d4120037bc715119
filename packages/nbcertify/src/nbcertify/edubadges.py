"""The list that edubadges (SURF, the Netherlands) takes for awarding a badge to many at once.

The format is what the platform's own page reads: `handleFilesSelect` in
https://github.com/edubadges/edubadges-ui, src/components/teachers/award/BulkAwardBadge.svelte
(commit 0098d36), and, of the samples that it offers, `sample_direct_award.csv` in
https://github.com/edubadges/edubadges-server, apps/mainsite/static. A line for each person, cells
between semicolons, **no quoting**: the page cuts a line at every comma, semicolon and tab. A line
whose first cell has "Recipient" in it is taken for a heading. Cells, by position:

- awarding by eduPersonPrincipalName: e-mail, eppn, then the rest;
- awarding by e-mail, which the person who uploads ticks: e-mail, first name, surname, the rest;
- the rest: narrative, and the evidence's URL, name and description, and the grade.

Not found out: how an institution's eppn looks (its platform may check it against a pattern of its
own), whether a badge class asks for narrative, evidence or grade (set in the class; the page then
refuses lines without), and whether names must agree with those in eduID. The sample for awarding by
e-mail has no columns for names although the page reads them: the page is followed here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from nbjudge.files import write_atomically

from nbcertify.errors import CertificateError
from nbcertify.spreadsheet import harmless

_REST = ("Narrative", "Evidence URL", "Evidence name", "Evidence description", "Grade")
_BY_EPPN = ("Recipient e-mail", "eppn", *_REST)
_BY_EMAIL = ("Recipient e-mail", "First name", "Surname", *_REST)
_ADDRESS = re.compile(r"[^\s,;\"]+@[^\s,;\"]+\.[^\s,;\"]+")
_EPPN = re.compile(r"[^\s,;\"]+@[^\s,;\"]+")
_URL = re.compile(r"https?://[^\s,;\"]+")


@dataclass(frozen=True)
class DirectAward:
    """One person's award. `eppn` is the institution's name for them, "" if it is not known.

    Names are for awarding by e-mail; a name that nobody has taken apart stays out.
    """

    email: str
    eppn: str = ""
    first_name: str = ""
    surname: str = ""
    narrative: str = ""
    evidence_url: str = ""
    evidence_name: str = ""
    evidence_description: str = ""
    grade: str = ""


def write_direct_awards(awards: Sequence[DirectAward], path: Path) -> None:
    """Write the file to upload, readable for its owner alone.

    By eppn if every award has one, by e-mail if none has. In texts, a comma or semicolon becomes a
    dash, and what starts like a formula gets an apostrophe in front; addresses are in small
    letters, as the platform keeps them. `CertificateError`, which names the award by its place,
    for an address or URL that the format cannot hold, for two awards to one person, for some awards
    with an eppn and some without, and for none at all.
    """
    if not awards:
        raise CertificateError("edubadges: there is nobody to award the badge to")
    without = [place for place, award in enumerate(awards, start=1) if not award.eppn]
    if without and len(without) < len(awards):
        raise CertificateError(
            f"edubadges: award {without[0]} ({awards[without[0] - 1].email}) has no eppn, and "
            "others have one. An upload is either by eppn or by e-mail: make two files."
        )
    seen: dict[str, int] = {}
    lines = [";".join(_BY_EMAIL if without else _BY_EPPN)]
    for place, award in enumerate(awards, start=1):
        cells = _cells(award, place)
        for key in filter(None, cells[:2]):
            if seen.setdefault(key, place) != place:
                raise CertificateError(
                    f"edubadges: awards {seen[key]} and {place} go to the same person, {key}. "
                    "Take one of them out."
                )
        email, eppn, first_name, surname, *rest = cells
        who = [first_name, surname] if without else [eppn]
        lines.append(";".join([email, *who, *rest]))
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode("utf-8"), 0o600)


def _cells(award: DirectAward, place: int) -> list[str]:
    email, eppn, first_name, surname, narrative, url, *rest = astuple(award)
    return [
        _exact(email, _ADDRESS, "e-mail address", place).lower(),
        _exact(eppn, _EPPN, "eppn", place).lower() if eppn else "",
        *map(_text, (first_name, surname, narrative)),
        _exact(url, _URL, "URL", place) if url else "",
        *map(_text, rest),
    ]


def _exact(value: str, pattern: re.Pattern[str], what: str, place: int) -> str:
    """A value that must arrive as it is."""
    if pattern.fullmatch(value) and value.isprintable() and harmless(value) == value:
        return value
    raise CertificateError(
        f"edubadges: award {place}: {value!r} is no {what} that the upload can hold: it has no "
        "quoting for commas, semicolons and spaces, and a spreadsheet takes = + - @ at the "
        "beginning for a formula."
    )


def _text(value: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in value)
    return str(harmless(" ".join(re.sub(r"\s*[,;]+", " –", printable).split()).lstrip("– ")))
