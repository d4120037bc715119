"""The file for edubadges, read as its page reads it."""

import re
import stat
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbcertify.edubadges import DirectAward, write_direct_awards
from nbcertify.errors import CertificateError

ADA = DirectAward("Ada@Example.org", "S123@example.org", narrative="Attended 6 of 6 sessions")
BOB = DirectAward("bob@example.org", "s124@example.org")
BY_EMAIL = DirectAward("ada@example.org", first_name="Ada", surname="Lovelace", grade="pass")


def upload(awards, tmp_path):
    """The lines that the page takes for awards: it cuts, and knows no quotes."""
    path = tmp_path / "awards.csv"
    write_direct_awards(awards, path)
    rows = [re.split(r"[,;\t]", line) for line in path.read_bytes().decode("utf-8").split("\n")]
    return [row for row in rows if "Recipient" not in row[0] and row != [""]]


def test_by_eppn(tmp_path):
    assert upload([ADA, BOB], tmp_path) == [
        ["ada@example.org", "s123@example.org", "Attended 6 of 6 sessions", "", "", "", ""],
        ["bob@example.org", "s124@example.org", "", "", "", "", ""],
    ]


def test_by_email(tmp_path):
    row = ["ada@example.org", "Ada", "Lovelace", "", "", "", "", "pass"]
    assert upload([BY_EMAIL], tmp_path) == [row]


def test_the_heading_has_a_cell_for_each_column(tmp_path):
    for award in (ADA, BY_EMAIL):
        write_direct_awards([award], tmp_path / "awards.csv")
        heading, line, end = (tmp_path / "awards.csv").read_text(encoding="utf-8").split("\n")
        assert heading.startswith("Recipient")
        assert heading.count(";") == line.count(";")
        assert end == ""


def test_only_its_owner_may_read_it(tmp_path):
    write_direct_awards([ADA], tmp_path / "awards.csv")
    assert stat.S_IMODE((tmp_path / "awards.csv").stat().st_mode) == 0o600


def test_punctuation_does_not_make_cells(tmp_path):
    award = DirectAward("a@b.nl", narrative="21 hours, 0.75 EC; done\r\nwell", surname="King, Jr.")
    (row,) = upload([award], tmp_path)
    assert row[2:4] == ["King – Jr.", "21 hours – 0.75 EC – done well"]


def test_a_spreadsheet_takes_no_text_for_a_formula(tmp_path):
    award = DirectAward("a@b.nl", first_name='=HYPERLINK("http://x")', surname=",;=1+1", grade="-3")
    (row,) = upload([award], tmp_path)
    assert row[1:3] == ['\'=HYPERLINK("http://x")', "'=1+1"]
    assert row[-1] == "'-3"


@given(texts=st.lists(st.text(max_size=30), min_size=6, max_size=6))
def test_whatever_the_texts_every_cell_is_in_its_place(tmp_path_factory, texts):
    first, last, narrative, name, description, grade = texts
    award = DirectAward("a@b.nl", "", first, last, narrative, "", name, description, grade)
    (row,) = upload([award], tmp_path_factory.mktemp("edubadges"))
    assert len(row) == 8
    assert row[0] == "a@b.nl"
    for cell, text in zip([*row[1:4], *row[5:]], texts, strict=True):
        assert cell.isprintable()
        kept = [c for c in cell if c.isalnum()]
        assert kept == [c for c in text if c.isalnum()]
        assert cell[:1] not in ("=", "+", "-", "@")


@pytest.mark.parametrize(
    ("awards", "words"),
    [
        ([], "nobody"),
        ([ADA, BY_EMAIL], r"award 2 \(ada@example.org\) has no eppn.*two files"),
        ([ADA, BOB, DirectAward("ADA@example.org", "x@y")], "awards 1 and 3 go to the same person"),
        ([BOB, DirectAward("x@y.nl", "S124@example.org")], "awards 1 and 2 go to the same person"),
        ([BOB, DirectAward("x,y@z.nl", "e@p.nl")], "award 2: 'x,y@z.nl' is no e-mail address"),
        ([DirectAward("=x@z.nl")], "award 1: '=x@z.nl' is no e-mail address"),
        ([DirectAward("")], "award 1: '' is no e-mail address"),
        ([DirectAward("a@b.nl", "s 1@b.nl")], "is no eppn"),
        ([DirectAward("a@b.nl", evidence_url="javascript:x")], "is no URL"),
        ([DirectAward("a@b.nl", evidence_url="https://x.nl/?a,b")], "is no URL"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, awards, words):
    with pytest.raises(CertificateError, match=words):
        write_direct_awards(awards, tmp_path / "awards.csv")
    assert list(tmp_path.iterdir()) == []


def test_no_field_is_forgotten():
    assert len(astuple(ADA)) == 9
