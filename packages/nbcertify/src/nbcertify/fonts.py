"""The fonts that certificates are set in, shipped with the package, and what they can print."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import typst
from fontTools.ttLib import TTFont

from nbcertify.errors import CertificateError

FOLDER = Path(__file__).with_name("fonts")

# For Latin, Greek and Cyrillic: a fine family, and one that has all of their letters.
TEXT_FACE = "EB Garamond 12"
SUBSTITUTE = "Noto Serif"

# What has no shape of its own but guides the shapes beside it: joiners, direction marks, isolates.
_GUIDES = frozenset("\u200c\u200d\u200e\u200f\u061c\u2066\u2067\u2068\u2069")
_VARIATIONS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x180B, 0x180E))))
# Controls, unassigned, private, surrogates, line and paragraph separators: never to be printed,
# even where a font has a glyph for them. U+FFFD stands for a character that was lost.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_LOST = "\ufffd"


def check_printable(text: str, whose: str) -> None:
    """`CertificateError`, naming characters and ``whose`` text it is, unless all can be printed."""
    missing = missing_characters(text)
    if missing:
        raise CertificateError(
            f"{whose}, {text!r}, cannot be printed: the fonts have no "
            f"{', no '.join(map(described, missing))}. Write it without."
        )


def missing_characters(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that cannot be printed, each once, in order.

    A letter and its marks are one, since they must come from one font; whether that has them
    composed or apart makes no difference.
    """
    return tuple(c for c in _clusters(text) if _is_unprintable(c) or not _having(c))


def families(text: str) -> tuple[str, ...]:
    """The families to set ``text`` in, in the order of preference, and no others.

    No word is set in two faces: one letter of Latin, Greek or Cyrillic that the text face lacks,
    or has no place for its marks, and the substitute sets them all.
    """
    having = [found for found in map(_having, _clusters(text)) if found]
    fine = all(TEXT_FACE in found for found in having if SUBSTITUTE in found)
    first = TEXT_FACE if fine else SUBSTITUTE
    others = (found[0] for found in having if first not in found)
    return tuple(dict.fromkeys((first, *others)))


@lru_cache(maxsize=1)
def shipped() -> typst.Fonts:
    """The shipped fonts, and none of the machine's."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[FOLDER]
    )


def described(characters: str) -> str:
    """A character, or a letter with its marks, for a message: '😀' (U+1F600 GRINNING FACE)."""
    names = " + ".join(
        f"U+{ord(c):04X} {unicodedata.name(c, 'a character without a name')}" for c in characters
    )
    return f"{characters!r} ({names})"


def _clusters(text: str) -> Iterator[str]:
    """Each letter with its marks, composed, once."""
    clusters: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        is_mark = character in _VARIATIONS or unicodedata.category(character).startswith("M")
        if clusters and is_mark:
            clusters[-1] += character
        else:
            clusters.append(character)
    return iter(dict.fromkeys(clusters))


def _is_unprintable(cluster: str) -> bool:
    return any(
        c == _LOST or unicodedata.category(c) in _UNPRINTABLE for c in set(cluster) - _GUIDES
    )


@lru_cache(maxsize=4096)
def _having(cluster: str) -> tuple[str, ...]:
    """The families that have the letter and its marks, in the order of preference.

    The text face sets no marks on letters: it has a glyph for both, or does not have them.
    """
    composed, apart = (
        frozenset(unicodedata.normalize(form, cluster)) - _GUIDES - _VARIATIONS
        for form in ("NFC", "NFD")
    )
    return tuple(
        family
        for family, characters in _coverage().items()
        if composed <= characters
        and (len(composed) < 2 or family != TEXT_FACE)
        or apart <= characters
        and family != TEXT_FACE
    )


@lru_cache(maxsize=1)
def _coverage() -> dict[str, frozenset[str]]:
    """The characters that all styles of a family have, by family, in the order of preference."""
    coverage: dict[str, frozenset[str]] = {TEXT_FACE: frozenset(), SUBSTITUTE: frozenset()}
    for font in sorted(shipped().fonts(), key=lambda font: str(font.path)):
        characters = frozenset(map(chr, TTFont(font.path, lazy=True).getBestCmap()))
        coverage[font.family] = characters & (coverage.get(font.family) or characters)
    return coverage
