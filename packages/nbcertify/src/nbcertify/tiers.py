"""The kinds of certificate that a policy has: what each takes, and what it says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from nbcertify.errors import CertificateError
from nbcertify.texts import DEFAULT, is_language
from nbcertify.toml_table import Table

HOURS_PER_EC = 28
# Files are named by it.
_TIER_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_WORDS = ("title", "statement", "mail", "criteria")
_TIER = ("language", "requires", "hours", "valid_years", "results", "alignment")


@dataclass(frozen=True)
class Needs:
    """All or any of several rules, or of further such needs."""

    kind: str
    of: tuple[str | Needs, ...]

    def rules(self) -> Iterator[str]:
        """The names of the rules in it, in order."""
        for one in self.of:
            if isinstance(one, Needs):
                yield from one.rules()
            else:
                yield one


@dataclass(frozen=True)
class Words:
    """What a certificate says in one language.

    `statement` are the lines printed below the name, `mail` is the sentence that the mail has,
    `criteria` the one of the credential; both "" where the statement is to stand there, too.
    """

    title: str
    statement: tuple[str, ...]
    mail: str = ""
    criteria: str = ""


@dataclass(frozen=True)
class AlignedTo:
    """What a certificate corresponds to in a framework of others, such as ESCO."""

    name: str
    url: str
    framework: str = ""
    code: str = ""
    description: str = ""


@dataclass(frozen=True)
class Tier:
    """One kind of certificate; `valid_years` is None for one that does not expire.

    `title` and `statement` are in its `language`, in which it is issued to who asks for no other;
    `in_language` has all that there is. With `results`, the points of each assignment are in the
    credential.
    """

    name: str
    title: str
    statement: tuple[str, ...]
    needs: Needs
    hours: float
    valid_years: int | None
    mail: str = ""
    criteria: str = ""
    language: str = DEFAULT
    others: Mapping[str, Words] = field(default_factory=dict)
    results: bool = False
    alignment: tuple[AlignedTo, ...] = ()

    @property
    def ec(self) -> float:
        """Credits of the European Credit Transfer System: 28 hours are one."""
        return self.hours / HOURS_PER_EC

    def in_language(self, language: str) -> Words:
        """Its words in a language. `CertificateError` if the policy has none."""
        if language == self.language:
            return Words(self.title, self.statement, self.mail, self.criteria)
        try:
            return self.others[language]
        except KeyError:
            raise CertificateError(
                f"the policy has no words for {self.name!r} in the language {language!r}: add "
                f"[tiers.{self.name}.{language}] with title and statement"
            ) from None


def read_tier(table: Table, name: str, rules: Collection[str]) -> Tier:
    """The tier that a table of the policy describes; `rules` are the names of its rules."""
    languages = [key for key in table if is_language(key) and key not in (*_WORDS, *_TIER)]
    table.only(*_WORDS, *_TIER, *languages)
    needs = _needs(table, table.get("requires", object), rules)
    if not _TIER_NAME.fullmatch(name):
        raise table.error("title", f"{name!r} cannot name files: letters, digits, - and _ can")
    years = (
        table.whole("valid_years", 100, "years until it expires") if "valid_years" in table else 0
    )
    language = table.text("language", DEFAULT)
    if not is_language(language):
        raise table.error("language", f"must be a language such as en or nl, not {language!r}")
    own = _words(table)
    return Tier(
        name,
        own.title,
        own.statement,
        needs,
        table.number("hours", 0, 10_000, "hours of work"),
        years or None,
        own.mail,
        own.criteria,
        language,
        {key: _words(_only_words(table.table(key))) for key in languages},
        table.get("results", bool, default=False),
        tuple(_aligned(table)),
    )


def _only_words(table: Table) -> Table:
    table.only(*_WORDS)
    return table


def _words(table: Table) -> Words:
    return Words(
        table.text("title"),
        table.names("statement", None, "sentence"),
        _sentence(table, "mail"),
        _sentence(table, "criteria"),
    )


def _sentence(table: Table, key: str) -> str:
    if key not in table:
        return ""
    text = table.text(key)
    if not text.endswith((".", "!", "?")):
        raise table.error(key, f"must be a whole sentence with its full stop, not {text!r}")
    return text


def _aligned(table: Table) -> Iterator[AlignedTo]:
    for one in table.tables("alignment"):
        one.only(*AlignedTo.__dataclass_fields__)
        url = one.text("url")
        if not url.startswith(("https://", "http://")):
            raise one.error("url", f"must be an address on the web, not {url!r}")
        more = {key: one.text(key) for key in ("framework", "code", "description") if key in one}
        yield AlignedTo(one.text("name"), url, **more)


def _needs(table: Table, value: object, rules: Collection[str]) -> Needs:
    if isinstance(value, str):
        if value not in rules:
            raise table.error(
                "requires", f"unknown rule {value!r}; there are {', '.join(rules) or 'none'}"
            )
        return Needs("all", (value,))
    if not isinstance(value, dict) or len(value) != 1 or not {"all", "any"} & set(value):
        raise table.error("requires", "must be a rule's name, { all = [...] } or { any = [...] }")
    ((kind, items),) = value.items()
    if not isinstance(items, list) or not items:
        raise table.error("requires", f"{kind} must be a list of rules")
    parts = [_needs(table, item, rules) for item in items]
    plain = [
        part.of[0] if isinstance(item, str) else part
        for item, part in zip(items, parts, strict=True)
    ]
    return Needs(kind, tuple(plain))
