"""Which characters the shipped fonts can print, and what is said of those that they cannot."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbcertify.errors import CertificateError
from nbcertify.fonts import (
    FOLDER,
    SUBSTITUTE,
    TEXT_FACE,
    check_printable,
    families,
    missing_characters,
    shipped,
)


@pytest.mark.parametrize(
    "text",
    [
        "Zoë Łukasiewicz-Ñuñez",
        "Nguyễn Thị Ánh Tuyết",
        unicodedata.normalize("NFD", "Nguyễn Thị Ánh Tuyết 김철수"),
        "Ọláṣẹ́yẹ̀ J̌o",
        "欧阳修 歐陽修 渡邊 さくら 설믜",
        "می\u200cخواهم \u200fمحمد\u200e",
    ],
)
def test_printable(text):
    assert missing_characters(text) == ()
    check_printable(text, "The name")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Ada 😀 Lovelace 😀", ("😀",)),
        ("a\nb", ("\n",)),
        ("a\x00b", ("\x00",)),
        ("\u202eadA", ("\u202e",)),
        ("Zo\ufffd", ("\ufffd",)),
        ("private \ue000", ("\ue000",)),
        ("half \ud83d", ("\ud83d",)),
        # The fonts have either, but none has both.
        ("ab\u0b95\u030c", ("\u0b95\u030c",)),
        ("𓀀 and 𒀀", ("𓀀", "𒀀")),
    ],
)
def test_missing(text, missing):
    assert missing_characters(text) == missing


def test_the_message_says_whose_text_and_which_character():
    with pytest.raises(CertificateError) as error:
        check_printable("Ada 😀", "The name of the certificate's holder")
    assert str(error.value) == (
        "The name of the certificate's holder, 'Ada 😀', cannot be printed: the fonts have no "
        "'😀' (U+1F600 GRINNING FACE). Write it without."
    )


def test_a_character_without_a_name_is_shown_by_its_number():
    with pytest.raises(CertificateError, match=r"U\+000A a character without a name"):
        check_printable("a\nb", "The name")


@given(st.text(max_size=9), st.text(max_size=9))
def test_what_is_missing_in_a_text_is_what_is_missing_in_its_words(one, other):
    missing = (*missing_characters(one), *missing_characters(f"a{other}"))
    assert missing_characters(f"{one} a{other}") == tuple(dict.fromkeys(missing))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë Łukasiewicz", (TEXT_FACE,)),
        # One letter that the text face lacks, and no word has two faces.
        ("Әлия Қайратқызы", (SUBSTITUTE,)),
        ("Ọláṣẹ́yẹ̀", (SUBSTITUTE,)),
        ("Sarah שרה", (TEXT_FACE, "Noto Serif Hebrew")),
        ("欧阳修", (TEXT_FACE, "Noto Serif CJK SC")),
    ],
)
def test_families(text, expected):
    assert families(text) == expected


def test_fonts_are_the_shipped_ones_only_with_their_licence_and_not_too_many():
    files = list(FOLDER.glob("*.[ot]tf"))
    assert {font.path for font in shipped().fonts()} == {str(path) for path in files}
    assert sum(path.stat().st_size for path in files) < 14.5e6
    licence = (FOLDER / "OFL.txt").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert all(f"\n{path.name}: " in f"\n{licence}" for path in files)
