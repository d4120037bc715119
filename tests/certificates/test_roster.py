"""The roster: who is in it, and what is refused."""

from pathlib import Path

import pytest
from nbcertify.errors import CertificateError
from nbcertify.roster import Person, read_roster

HEAD = "student,name,email\n"
ADA = "s1,Ada Lovelace,ada@example.org\n"


@pytest.fixture
def read(tmp_path: Path):
    def read(content: str | bytes, encoding: str = "utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return read_roster(path)

    return read


@pytest.fixture
def refusal(read):
    def refusal(content: str | bytes) -> str:
        with pytest.raises(CertificateError) as error:
            read(content)
        return str(error.value)

    return refusal


def test_people_by_student_in_the_files_order(read):
    people = read(HEAD + "s9,Grace Hopper,grace@example.org\n" + ADA)
    assert list(people) == ["s9", "s1"]
    assert people["s1"] == Person("s1", "Ada Lovelace", "ada@example.org")


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_as_spreadsheets_save_it(read, separator, encoding):
    text = (HEAD + "s1,Zoë Åström,zoe@example.org\n").replace(",", separator)
    assert read(text.replace("\n", "\r\n"), encoding)["s1"].name == "Zoë Åström"


def test_headings_in_any_order_and_case_blank_lines_and_cells(read):
    people = read("Name, STUDENT ,Email,EPPN,,\n\n Ada Lovelace ,s1, ada@example.org,e1,,\n,,,\n")
    assert people == {"s1": Person("s1", "Ada Lovelace", "ada@example.org", "e1")}


def test_a_name_keeps_its_quotes_and_commas_and_may_look_like_a_formula(read):
    people = read(HEAD + '"s1","Jan ""JJ"" Jansen, Jr.",a@x.nl\ns2,=1+2,b@x.nl\n')
    assert people["s1"].name == 'Jan "JJ" Jansen, Jr.'
    assert people["s2"].name == "=1+2"


def test_names_are_in_form_c(read):
    assert read(HEAD + "s1,Zoe\u0308,z@x.nl\n")["s1"].name == "Zo\u00eb"


def test_joiners_that_a_script_needs_are_kept(read):
    assert (
        read(HEAD + "s1,\u0645\u06cc\u200c\u062e,z@x.nl\n")["s1"].name == "\u0645\u06cc\u200c\u062e"
    )


def test_200_characters_are_a_name_and_201_are_not(read, refusal):
    assert read(HEAD + f"s1,{'x' * 200},a@x.nl\n")["s1"].name == "x" * 200
    assert "line 2, column name: has 201 characters" in refusal(HEAD + f"s1,{'x' * 201},a@x.nl\n")


def test_no_roster_says_what_to_make(tmp_path):
    with pytest.raises(CertificateError, match=r"no roster. Make it: .* student,name,email"):
        read_roster(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("student,name,email,phone\n" + ADA, "line 1: unknown column 'phone'"),
        ("student,name\ns1,Ada\n", "line 1: the column email is missing"),
        ("student,name,email,name\n", "line 1: the column name is there twice"),
        ("", "is empty; its first line must name the columns student, name, email"),
        (HEAD, "names no students"),
        (HEAD + ADA + 's2,"Grace,g@x.nl\n', "line 3: is no valid CSV: a quotation mark is opened"),
        (HEAD + 's1,"Ada" Lovelace,a@x.nl\n', "line 2: is no valid CSV: there is text after"),
        (HEAD + "s1,Lovelace, Ada,a@x.nl\n", "line 2: has more cells than there are columns"),
        (HEAD + ADA + "s2,,g@x.nl\n", "line 3, column name: is empty"),
        (HEAD + ADA + "s2,Grace\n", "line 3, column email: is empty"),
        (HEAD + ",Ada,a@x.nl\n", "line 2, column student: is empty"),
        (HEAD + ADA + "s2,Grace,grace at x.nl\n", "line 3, column email: 'grace at x.nl' is no"),
        (HEAD + ADA + "s2,Grace,g@x.nl;h@x.nl\n", "line 3, column email"),
        (HEAD + ADA + "s2,Grace, ADA@Example.org \n", "line 3: the e-mail 'ADA@Example.org' is on"),
        (HEAD + ADA + "s1,Ada L.,a@x.nl\n", "line 3: the student 's1' is on line 2 too"),
        (HEAD + "s1,Ada \u202eecalevoL,a@x.nl\n", "U+202E (right-to-left override)"),
        (HEAD + "s1,Ada\u200f Lovelace,a@x.nl\n", "U+200F (right-to-left mark)"),
        (HEAD + "s1,Ada\x07,a@x.nl\n", "line 2, column name: has the invisible character U+0007"),
        (HEAD + '"s1","Ada\nLovelace",a@x.nl\n', "U+000A"),
        (HEAD + "s1,Ada,a\u200b@x.nl\n", "line 2, column email: has the invisible character"),
        ((HEAD + "s1,Zo\xeb,z@x.nl\n").encode("latin-1"), "line 2: is neither UTF-8 nor UTF-16"),
        (b"PK\x03\x04\x14\x00", "is a workbook or a zip file"),
        (HEAD + "s1,A\0da,a@x.nl\n", "line 2: has a NUL character"),
    ],
)
def test_refused_with_file_and_line(refusal, content, message):
    said = refusal(content)
    assert "roster.csv" in said
    assert message in said


def test_the_line_is_the_files_after_a_name_over_two_lines(refusal):
    said = refusal(HEAD + '"s1\n","Ada",a@x.nl\n' + "s2,,b@x.nl\n")
    assert "line 4" in said


def test_an_id_that_is_anothers_email_is_no_clash(read):
    assert len(read(HEAD + "b@x.nl,Ada,a@x.nl\ns2,Bob,b@x.nl\n")) == 2
