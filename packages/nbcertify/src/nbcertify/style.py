"""The house style of certificates: logo and colours, from `issuer.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nbcertify.toml_table import Table

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PICTURES = (".svg", ".png", ".jpg", ".jpeg")
LARGEST_PICTURE = 2_000_000  # bytes
# What WCAG 2.2 asks of text on its background.
LEAST_CONTRAST = 4.5


@dataclass(frozen=True)
class Style:
    """Colours as #rrggbb: of titles and lines, of text, and of lesser text; and the logo's file."""

    accent: str = "#86202f"
    ink: str = "#1d1b1a"
    soft: str = "#5d5753"
    logo: Path | None = None


def read_style(table: Table, folder: Path) -> Style:
    """The style that a table describes; files are named from `folder`.

    `CertificateError` for a colour that cannot be read on white paper, and a picture that is not
    there.
    """
    table.only(*Style.__dataclass_fields__)
    usual = Style()
    return Style(
        _colour(table, "accent", usual.accent),
        _colour(table, "ink", usual.ink),
        _colour(table, "soft", usual.soft),
        picture_at(table, "logo", folder),
    )


def picture_at(table: Table, key: str, folder: Path) -> Path | None:
    """The file of a picture, if the table names one."""
    if key not in table:
        return None
    path = folder / table.text(key)
    if path.suffix.lower() not in _PICTURES:
        raise table.error(key, f"must be a picture: {', '.join(_PICTURES)}, not {path.name!r}")
    if not path.is_file():
        raise table.error(key, f"there is no file {path}")
    if path.stat().st_size > LARGEST_PICTURE:
        raise table.error(key, f"{path} is larger than {LARGEST_PICTURE // 10**6} MB")
    return path


def _colour(table: Table, key: str, usual: str) -> str:
    colour = table.text(key) if key in table else usual
    if not _COLOUR.fullmatch(colour):
        raise table.error(key, f'must be a colour such as "#86202f", not {colour!r}')
    if (contrast := _contrast_to_white(colour)) < LEAST_CONTRAST:
        raise table.error(
            key,
            f"{colour} is too light to be read on white: its contrast is {contrast:.1f}, and "
            f"WCAG asks for {LEAST_CONTRAST}. Take a darker one",
        )
    return colour


def _contrast_to_white(colour: str) -> float:
    """By the formula of WCAG 2.2: from 1 to 21."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
