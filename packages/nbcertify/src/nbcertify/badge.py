"""The badge of a kind of certificate: a picture, and the same with a credential in it.

Backpacks take a PNG in which the signed credential is "baked"
(https://www.imsglobal.org/spec/ob/v3p0#baked-badge).
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import typst
from openbadgeslib.baking import ITXT_KEYWORD_OB3, bake_png

from nbcertify.errors import CertificateError
from nbcertify.fonts import TEXT_FACE, check_printable, shipped
from nbcertify.pdf import run

TEMPLATE = Path(__file__).with_name("template") / "badge.typ"
_PPI = 127  # 600 pixels for the picture's 120 mm
_COLUMNS, _ROWS = 11, 5


@lru_cache(maxsize=32)
def make_badge(title: str, course: str, issuer: str, accent: str, language: str) -> bytes:
    """The picture as a square PNG with a transparent edge; the same arguments give the same bytes.

    `accent` is its colour, as #rrggbb. `CertificateError` if a text has characters that no shipped
    font has.
    """
    texts = {"title": title, "course": course, "issuer": issuer}
    for whose, text in texts.items():
        check_printable(text, f"The badge's {whose}")
    data = {name: run(text, language) for name, text in texts.items()}
    look = {"font": TEXT_FACE, "lang": language, "accent": accent, "dots": _dots(title, course)}
    try:
        picture = _compiler().compile(
            format="png", ppi=_PPI, sys_inputs={"badge": json.dumps(data | look)}
        )
    except typst.TypstError as error:
        raise CertificateError(f"The badge {title!r} cannot be drawn: {error.message}") from error
    assert isinstance(picture, bytes)
    return picture


def with_credential(badge: bytes, credential: str) -> bytes:
    """The picture with the signed credential in it, as backpacks take it."""
    baked: bytes = bake_png(badge, credential, keyword=ITXT_KEYWORD_OB3)
    return baked


def _dots(*seed: str) -> list[list[float]]:
    """The sizes of dots, from 0 to 1, which differ from one badge to another."""
    data = iter(sha256("\0".join(seed).encode()).digest() * 2)
    return [[next(data) // 64 / 3 for _ in range(_COLUMNS)] for _ in range(_ROWS)]


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=shipped())
