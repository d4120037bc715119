"""Who a participant is taken for, and who is only suggested."""

from pathlib import Path

import pytest
from nbcertify.attendance.aliases import NOBODY, Alias, read_aliases
from nbcertify.attendance.people import LIKELY, identify, make_directory, suggest
from nbcertify.errors import CertificateError
from nbcertify.roster import Person


def directory(*names: str):
    """A roster of s1, s2, ... with e-mails s1@x.org, ..."""
    people = {f"s{n}": Person(f"s{n}", name, f"S{n}@x.org") for n, name in enumerate(names, 1)}
    return make_directory(people)


CLASS = directory("Ada Lovelace", "Jan Jansen", "Zoë de Vries", "Jan Pietersen")


class TestIdentify:
    @pytest.mark.parametrize(
        ("name", "student"),
        [
            ("Ada Lovelace", "s1"),
            ("  ada   LOVELACE ", "s1"),
            ("Lovelace, Ada", "s1"),
            ("Vries, Zoë de", "s3"),
            ("Zoe\u0308 de Vries", "s3"),
            ("Ａｄａ Lovelace", "s1"),
            ("\u202aAda Lovelace\u202c", "s1"),
            ("Ada\u00a0Lovelace", "s1"),
            (" ZOË  de   Vries", "s3"),
            ("iPad (Ada Lovelace)", "s1"),
            ("Ada Lovelace (she/her)", "s1"),
            ("Ada Lovelace (she/her) (AL)", "s1"),
            ("Ada (she/her) (Ada Lovelace)", "s1"),
            ("Ada (Ada Lovelace (TU))", "s1"),
        ],
    )
    def test_by_full_name(self, name, student):
        assert identify([name], "", CLASS).student == student

    @pytest.mark.parametrize(
        "name",
        ["Ada", "Jan J.", "Zoe de Vries", "Ada  Lovelacee", "ecalevoL adA", "31612345678", ""],
    )
    def test_a_name_that_is_only_like_one_is_not_taken(self, name):
        assert identify([name], "", CLASS).student is None

    def test_by_email_whatever_the_name_and_case(self):
        assert identify(["iPhone"], "s2@X.ORG", CLASS).student == "s2"

    def test_by_the_name_given_on_registration(self):
        assert identify(["Lady A.", "Ada Lovelace"], "", CLASS).student == "s1"

    def test_a_private_email_does_not_speak_against_a_full_name(self):
        assert identify(["Ada Lovelace"], "ada@home.example", CLASS).student == "s1"

    def test_an_email_of_one_and_a_name_of_another_settle_nothing(self):
        found = identify(["Ada Lovelace"], "s2@x.org", CLASS)
        assert (found.student, found.candidates) == (None, ("s1", "s2"))
        assert "the e-mail is one student's, the name another's" in found.why

    def test_namesakes_are_told_apart_by_email_only(self):
        namesakes = directory("Jan Jansen", "JAN JANSEN")
        found = identify(["Jan Jansen"], "", namesakes)
        assert (found.student, found.candidates) == (None, ("s1", "s2"))
        assert found.why == "2 students may go by this name"
        assert identify(["Jan Jansen"], "s2@x.org", namesakes).student == "s2"

    def test_a_rename_from_one_student_to_another_settles_nothing(self):
        assert identify(["Ada Lovelace (Jan Jansen)"], "", CLASS).candidates == ("s1", "s2")

    def test_a_name_that_reads_both_ways_round_is_not_taken(self):
        both = directory("Kim Lee", "Lee Kim")
        assert identify(["Lee, Kim"], "", both).student == "s1"
        assert identify(["Kim Lee (Lee Kim)"], "", both).student is None


class TestSuggest:
    @pytest.mark.parametrize(
        ("name", "students"),
        [
            ("Jan", {"s2", "s4"}),
            ("Jan J.", {"s2"}),
            ("J. Jansen", {"s2"}),
            ("Jan's iPhone 14", {"s2", "s4"}),
            ("Jan Janssen", {"s2"}),
            ("JanJansen", {"s2"}),
            ("Zoe de Vries", {"s3"}),
            ("Zoe Vries", {"s3"}),
            ("Augusta Ada King Noel Lovelace", {"s1"}),
            ("Galaxy S9 (Jan J.)", {"s2"}),
        ],
    )
    def test_likely(self, name, students):
        found = suggest([name], "", CLASS)
        assert {s.student for s in found} == students
        assert all(s.score >= LIKELY for s in found)

    @pytest.mark.parametrize("name", ["31612345678", "iPhone", "X", "(no name)", "Sven", "J J J"])
    def test_like_nobody(self, name):
        assert not [s for s in suggest([name], "", CLASS) if s.score >= LIKELY]

    def test_who_shares_the_only_word_of_a_name_is_not_likely(self):
        found = suggest(["Suharto Wibowo Kusuma"], "", directory("Suharto"))
        assert not [s for s in found if s.score >= LIKELY]

    def test_two_initials_are_not_one_word_twice(self):
        assert not suggest(["J J"], "", directory("Jan Klaassen"))

    def test_by_the_first_part_of_an_email(self):
        assert suggest(["me"], "jan.jansen@home.example", CLASS)[0].student == "s2"

    def test_a_name_that_is_somewhat_like_one_is_listed_only(self):
        (first, *_) = suggest(["jansenj"], "", CLASS)
        assert first.student == "s2"
        assert first.score < LIKELY

    def test_the_likeliest_first(self):
        found = suggest(["Jan Jansen"], "", directory("Jan Janssens", "Jan Jansen"))
        assert [s.student for s in found] == ["s2", "s1"]
        assert found[0].score == 100


def student(alias: Alias | None) -> str:
    assert alias is not None
    return alias.student


class TestAliases:
    def read(self, text: str):
        path = Path("attendance/aliases.csv")
        return read_aliases(text.encode(), path, ["s1", "s2"], ["day 1", "day 2"])

    def test_an_empty_cell_was_forgotten(self):
        assert "line 2: does not say who it is" in self.refusal("participant,student\nJan,\n")

    def refusal(self, text: str) -> str:
        with pytest.raises(CertificateError) as error:
            self.read(text)
        return str(error.value)

    def test_by_name_as_shown_by_email_and_nobody(self):
        aliases = self.read("participant,student\nJan J.,s1\nada@home.example,s2\nThe Teacher,-\n")
        assert student(aliases.find("jan  j.", "", "day 1")) == "s1"
        assert student(aliases.find("whoever", "Ada@Home.example", "day 2")) == "s2"
        assert student(aliases.find("The Teacher", "", "day 1")) == NOBODY
        assert aliases.find("Jan J. (Jan)", "", "day 1") is None

    def test_of_one_session_or_with_one_email_only(self):
        aliases = self.read(
            "participant,student,session,email\n"
            "iPhone,s1,day 1,\niPhone,s2,day 2,\nJan,s1,,a@x.nl\n"
        )
        assert student(aliases.find("iPhone", "", "day 1")) == "s1"
        assert student(aliases.find("iPhone", "", "day 2")) == "s2"
        assert student(aliases.find("Jan", "a@x.nl", "day 1")) == "s1"
        assert aliases.find("Jan", "", "day 1") is None

    def test_lines_that_disagree(self):
        aliases = self.read("participant,student\nJan,s1\na@x.nl,s2\n")
        assert student(aliases.find("Jan", "", "day 1")) == "s1"
        with pytest.raises(CertificateError, match=r"aliases.csv, lines 2 and 3: disagree on who"):
            aliases.find("Jan", "a@x.nl", "day 1")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("participant,student\nJan,s9\n", "line 2: there is no student 's9' in the roster"),
            ("participant,student\n,s1\n", "line 2: names no participant"),
            ("participant,person\n", "line 1: unknown column 'person'"),
            ("student\ns1\n", "line 1: the column participant is missing"),
            ("participant,student,session\nJan,s1,day 9\n", "line 2: there is no session 'day 9'"),
            ('participant,student\n"Jan,s1\n', "line 2: is no valid CSV"),
            ("", "is empty"),
        ],
    )
    def test_refused_with_file_and_line(self, text, message):
        assert "aliases.csv" in self.refusal(text)
        assert message in self.refusal(text)
