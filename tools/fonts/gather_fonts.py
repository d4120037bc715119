"""Gather the certificates' fonts from Debian's packages.

`python tools/fonts/gather_fonts.py` fetches the packages with apt-get (Debian 12) and writes
packages/nbcertify/src/nbcertify/fonts/: EB Garamond as it is, Noto's fonts without hints (a PDF
needs none) and without the Latin letters that are repeated in each of them, and of Noto Serif
CJK what fits into 10 MB: the characters of the national standards, all Hangul, no alternates.
About two minutes.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

TARGET = Path(__file__).parents[2] / "packages/nbcertify/src/nbcertify/fonts"
PACKAGES = ("fonts-ebgaramond", "fonts-noto-core", "fonts-noto-cjk")
GARAMOND = "usr/share/fonts/opentype/ebgaramond/EBGaramond12-{}.otf"
NOTO = "usr/share/fonts/truetype/noto/Noto{}-Regular.ttf"
CJK = "usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"
LICENCE = "usr/share/doc/fonts-ebgaramond/copyright"

# The scripts that people write their names in today; a serif where there is one.
# fmt: off
SCRIPTS = (
    "NaskhArabic", "SansAdlam", "SansCanadianAboriginal", "SansChakma", "SansCham",
    "SansCherokee", "SansHanifiRohingya", "SansJavanese", "SansLepcha", "SansLimbu",
    "SansLisu", "SansMeeteiMayek", "SansMiao", "SansMongolian", "SansNKo", "SansNewTaiLue",
    "SansOlChiki", "SansOriya", "SansOsage", "SansPahawhHmong", "SansSaurashtra",
    "SansSundanese", "SansSylotiNagri", "SansSyriac", "SansTaiLe", "SansTaiTham",
    "SansTaiViet", "SansThaana", "SansTifinagh", "SansVai", "SansWancho", "SansWarangCiti",
    "SansYi", "SerifArmenian", "SerifBalinese", "SerifBengali", "SerifDevanagari",
    "SerifEthiopic", "SerifGeorgian", "SerifGujarati", "SerifGurmukhi", "SerifHebrew",
    "SerifKannada", "SerifKhmer", "SerifLao", "SerifMalayalam", "SerifMyanmar",
    "SerifNyiakengPuachueHmong", "SerifSinhala", "SerifTamil", "SerifTelugu", "SerifThai",
    "SerifTibetan",
)
# fmt: on
LATIN = range(0x21, 0x250)

HAN_STANDARDS = ("gbk", "big5", "shift_jis", "euc_kr")
CJK_BLOCKS = (
    range(0x3000, 0x3190),  # punctuation, kana, Bopomofo, Hangul letters
    range(0x31A0, 0x3200),  # more Bopomofo and kana
    range(0xAC00, 0xD7A4),  # Hangul syllables
    range(0xFF00, 0xFFF0),  # full and half width
)


def main() -> None:
    """Fetch the packages, and write the fonts with their licence."""
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder)
        subprocess.run(["apt-get", "download", *PACKAGES], cwd=packages, check=True)
        for package in packages.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, packages], check=True)
        TARGET.mkdir(exist_ok=True)
        for old in (*TARGET.glob("*.otf"), *TARGET.glob("*.ttf")):
            old.unlink()
        for style in ("Regular", "Italic"):
            path = packages / GARAMOND.format(style)
            (TARGET / path.name).write_bytes(path.read_bytes())
        for script in ("Serif", *SCRIPTS):
            path = packages / NOTO.format(script)
            font = TTFont(path)
            characters = set(font.getBestCmap())
            reduce(font, characters if script == "Serif" else characters - set(LATIN), ["*"])
            font.save(TARGET / path.name)
        font = simplified_chinese(packages / CJK)
        reduce(font, cjk(), [])
        font.save(TARGET / "NotoSerifCJKsc-Regular.otf")
        (TARGET / "OFL.txt").write_text(licence(packages / LICENCE), encoding="utf-8")


def reduce(font: TTFont, characters: Iterable[int], features: list[str]) -> None:
    """Take from ``font`` all that ``characters`` with ``features`` do not need, and its hints."""
    options = subset.Options(
        hinting=False,
        layout_features=features,
        notdef_outline=True,
        drop_tables=["BASE", "DSIG", "VORG", "vhea", "vmtx"],
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    # Else saving writes the time.
    font.recalcTimestamp = False


def simplified_chinese(path: Path) -> TTFont:
    """The collection's font for simplified Chinese; it has all Han characters, kana and Hangul."""
    fonts = TTCollection(path).fonts
    return next(font for font in fonts if font["name"].getDebugName(1) == "Noto Serif CJK SC")


def cjk() -> set[int]:
    """The characters of CJK_BLOCKS, and the Han characters of HAN_STANDARDS."""
    return set().union(
        *CJK_BLOCKS,
        *({c for c in range(0x3400, 0xFB00) if is_in(c, codec)} for codec in HAN_STANDARDS),
    )


def is_in(character: int, codec: str) -> bool:
    """Whether the standard of ``codec`` has the character."""
    try:
        chr(character).encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def licence(path: Path) -> str:
    """Every font's copyright notice, then the SIL Open Font License from a Debian file."""
    notices = "\n".join(f"{font.name}: {notice(font)}" for font in sorted(TARGET.glob("*.[ot]tf")))
    text = path.read_text(encoding="utf-8").partition("License: OFL-1.1\n")[2]
    lines = (line.strip() for line in text.partition("\nFiles:")[0].splitlines())
    return (
        f"{notices}\n\n" + "\n".join("" if line == "." else line for line in lines).strip() + "\n"
    )


def notice(path: Path) -> str:
    """A font's own copyright notice, on one line, from its names for copyright and licence."""
    names = (TTFont(path)["name"].getDebugName(number) or "" for number in (0, 13))
    own = next(name for name in names if "Copyright" in name or "©" in name)
    return " ".join(own.partition("This Font Software")[0].split())


if __name__ == "__main__":
    main()
