"""What certificates, mails and the page say, in several languages: a file of texts for each.

The package has English and Dutch. A course may have files of its own in `gradebook/texts/`, named
after the language (`de.toml`, BCP 47): each has the keys of the English one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from string import Formatter

from nbcertify.errors import CertificateError
from nbcertify.toml_table import Table, read_toml

FOLDER = Path(__file__).with_name("texts")
DEFAULT = "en"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_REASONS = "reasons"
_OWN = ("language", "decimal", "months", _REASONS)


@dataclass(frozen=True)
class Texts:
    """The texts of one language.

    `language` is its BCP 47 tag, `name` what it calls itself. `said` has the texts by table and
    key, such as "mail.dear", with names in braces for what is put in. `reasons` translates what
    rules say, by the English.
    """

    language: str
    name: str
    decimal: str
    months: tuple[str, ...]
    said: Mapping[str, str]
    reasons: Mapping[str, str]

    def say(self, key: str, **what: str) -> str:
        """The text of this key, with `what` put in. KeyError if there is none."""
        return self.said[key].format_map(what)

    def section(self, name: str) -> dict[str, str]:
        """The texts of one table of the file, by key, with the braces still in them."""
        start = f"{name}."
        return {k.removeprefix(start): v for k, v in self.said.items() if k.startswith(start)}

    def day(self, of: date | datetime) -> str:
        """2 March 2026."""
        return self.say(
            "dates.day", day=str(of.day), month=self.months[of.month - 1], year=str(of.year)
        )

    def days(self, first: date, last: date) -> str:
        """2 March 2026; 2–6 March 2026; 28 February – 6 March 2026."""
        if first == last:
            return self.day(first)
        ends = {"first": str(first.day), "last": str(last.day), "year": str(last.year)}
        months = {
            "first_month": self.months[first.month - 1],
            "last_month": self.months[last.month - 1],
        }
        if (first.year, first.month) == (last.year, last.month):
            return self.say("dates.one_month", month=months["last_month"], **ends)
        if first.year == last.year:
            return self.say("dates.one_year", **ends, **months)
        return self.say("dates.two_years", first=self.day(first), last=self.day(last))

    def work(self, hours: float, ec: float) -> str:
        """16 hours (0.57 EC); without the brackets when there is no EC."""
        text = self.say("work.hour" if hours == 1 else "work.hours", hours=self.number(hours))
        return self.say("work.credits", hours=text, ec=self.number(ec)) if ec else text

    def number(self, value: float) -> str:
        """With two decimals at most, and none that is not needed."""
        return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", self.decimal)

    def reason(self, text: str) -> str:
        """What a rule says, in this language; in English where there is no translation."""
        return "; ".join(map(self._phrase, text.split("; ")))

    def _phrase(self, text: str) -> str:
        for english, own in self.reasons.items():
            if found := _pattern(english).fullmatch(text):
                to = f" {self.reasons.get('to', 'to')} "
                values = {
                    name: value.replace(" to ", to) for name, value in found.groupdict().items()
                }
                return own.format_map(values)
        return text

    def sentence(self, name: str, statement: tuple[str, ...]) -> str:
        """The lines printed below a name as one text: with the name, if they go on from it."""
        text = one_line(" ".join(statement))
        whole = f"{name} {text}" if text[:1].islower() else text
        return whole if whole.endswith((".", "!", "?")) else f"{whole}."


@lru_cache(maxsize=512)
def _pattern(template: str) -> re.Pattern[str]:
    """What is said by a template, whatever stands in its braces."""
    parts = (
        re.escape(text) + (f"(?P<{name}>.+?)" if name is not None else "")
        for text, name, _, _ in Formatter().parse(template)
    )
    return re.compile("".join(parts), re.DOTALL)


def one_line(text: str) -> str:
    """The text without line ends and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def is_language(text: str) -> bool:
    """Whether a text is the tag of a language as files of texts are named by."""
    return _LANGUAGE.fullmatch(text) is not None


def read_languages(own: Path) -> dict[str, Texts]:
    """All languages that there are, by tag: the package's, and those in the folder `own`.

    A file of the course takes the place of the package's. `CertificateError` if one lacks a text,
    or has other names in braces than the English one.
    """
    found = dict(shipped())
    for path in sorted(own.glob("*.toml")) if own.is_dir() else ():
        if not is_language(path.stem):
            raise CertificateError(
                f"{path}: must be named after its language, such as de.toml or pt-BR.toml"
            )
        found[path.stem] = _read(path, found[DEFAULT])
    return found


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Texts]:
    """The languages that come with the package, English first."""
    english = _read(FOLDER / f"{DEFAULT}.toml", None)
    others = sorted(path for path in FOLDER.glob("*.toml") if path.stem != DEFAULT)
    return {DEFAULT: english} | {path.stem: _read(path, english) for path in others}


def _read(path: Path, like: Texts | None) -> Texts:
    top = read_toml(path)
    months = top.names("months", None, "month")
    if len(months) != 12:
        raise top.error("months", f"must be the twelve months, not {len(months)}")
    said = dict(_said(top))
    for key in like.said if like else ():
        if key not in said:
            raise top.error(key, "is missing")
        if _names(said[key]) != _names(like.said[key] if like else ""):
            wanted = ", ".join(sorted(_names(like.said[key] if like else ""))) or "none"
            raise top.error(key, f"has other names in braces than the English text: {wanted}")
    reasons = {key: top.table(_REASONS).text(key) for key in top.table(_REASONS)}
    for english, text in reasons.items():
        if not _names(text) <= _names(english):
            raise top.error(_REASONS, f"{text!r} has other names in braces than {english!r}")
    return Texts(path.stem, top.text("language"), top.text("decimal"), months, said, reasons)


def _said(top: Table) -> Iterator[tuple[str, str]]:
    for section in top:
        if section not in _OWN:
            table = top.table(section)
            yield from ((f"{section}.{key}", table.text(key)) for key in table)


def _names(text: str) -> frozenset[str]:
    """The names in braces; one that no text has if the braces do not fit."""
    try:
        return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)
    except ValueError:
        return frozenset({"{"})


ENGLISH = shipped()[DEFAULT]
