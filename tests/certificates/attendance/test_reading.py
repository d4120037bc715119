"""From a folder of reports to what each student is told about each session."""

import csv
import hashlib
import stat
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbcertify.attendance import Attended
from nbcertify.attendance.reading import Attendance, read_attendance
from nbcertify.attendance.recognition import Recognition, Worth
from nbcertify.attendance.review import write_review
from nbcertify.errors import CertificateError
from nbcertify.roster import Person
from nbcertify.sessions import Session

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HEAD = "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes)\n"
ROSTER = {
    "s1": Person("s1", "Ada Lovelace", "ada@x.org"),
    "s2": Person("s2", "Jan Jansen", "jan@x.org"),
    "s3": Person("s3", "Grace Hopper", "grace@x.org"),
}


def session(number: int = 1, day: str = "2026-11-02", hours: int = 3) -> Session:
    """From 9 o'clock, or from 1 o'clock on the days of a clock change; a break at half past 10."""
    start = datetime.fromisoformat(f"{day} {'09' if '-11-' in day else '01'}:00")
    moments = [start + timedelta(minutes=m) for m in (0, 60 * hours, 90, 105)]
    begin, end, stop, again = (m.replace(tzinfo=AMSTERDAM) for m in moments)
    breaks = ((stop, again),) if "-11-" in day else ()
    return Session(f"day {number}", begin, end, breaks, f"day{number}.csv", AMSTERDAM)


def row(name: str, join: str, leave: str, email: str = "", day: str = "2026-11-02") -> str:
    return f"{name},{email},{day} {join},{day} {leave},0\n"


@pytest.fixture
def read(tmp_path: Path):
    def read(*rows: str, aliases: str = "", when: Session | None = None) -> Attendance:
        (tmp_path / "day1.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
        if aliases:
            (tmp_path / "aliases.csv").write_text(aliases, encoding="utf-8")
        return read_attendance([when or session()], tmp_path, ROSTER)

    return read


def minutes(attendance: Attendance, student: str = "s1") -> tuple[float, float]:
    (one,) = (a for a in attendance.attended if a.student == student)
    return one.low / 60, one.high / 60


class TestTimes:
    def test_the_session_without_its_break(self, read):
        assert minutes(read(row("Ada Lovelace", "08:00", "13:00"))) == (165, 165)

    def test_several_devices_count_once(self, read):
        found = read(
            row("Ada Lovelace", "09:00", "10:00", "ada@x.org"),
            row("iPad (Ada Lovelace)", "09:30", "10:20"),
            row("Lovelace", "09:30", "10:00", "ADA@X.ORG"),
        )
        assert minutes(found) == (80, 80)

    def test_absence_is_certain(self, read):
        found = read(row("Ada Lovelace", "09:00", "12:00"))
        assert found.attended[1] == Attended("s2", "day 1", 0, 0, 165 * 60, "")

    def test_every_student_in_every_session_in_order(self, tmp_path):
        sessions = [session(1), session(2, "2026-11-03")]
        for number, day in ((1, "2026-11-02"), (2, "2026-11-03")):
            text = HEAD + row("Ada Lovelace", "09:00", "10:00", day=day)
            (tmp_path / f"day{number}.csv").write_text(text)
        found = read_attendance(sessions, tmp_path, ROSTER).attended
        assert [(a.session, a.student) for a in found] == [
            (s, p) for s in ("day 1", "day 2") for p in ("s1", "s2", "s3")
        ]

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.permutations(range(5)))
    def test_the_order_of_rows_does_not_matter(self, read, order):
        rows = [
            row("Ada Lovelace", "09:00", "09:50"),
            row("Ada L.", "09:40", "10:10"),
            row("Jan", "09:00", "12:00"),
            row("Somebody", "09:00", "12:00"),
            row("Jan Jansen", "10:00", "12:00", "ada@x.org"),
        ]
        shuffled = read(*(rows[n] for n in order))
        straight = read(*rows)

        def without_lines(found):
            return [replace(one, rows="") for one in found.attended]

        assert without_lines(shuffled) == without_lines(straight)
        assert shuffled.review == straight.review


class TestMissingReport:
    def test_leaves_the_session_open(self, tmp_path):
        found = read_attendance([session()], tmp_path, ROSTER)
        why = "the report of this session, day1.csv, is missing"
        assert found.attended[0] == Attended("s1", "day 1", 0, 165 * 60, 165 * 60, why)
        assert found.digests == {}

    def test_a_folder_in_its_place_is_refused(self, tmp_path):
        (tmp_path / "day1.csv").mkdir()
        with pytest.raises(CertificateError, match=r"day1.csv: cannot be read"):
            read_attendance([session()], tmp_path, ROSTER)

    def test_a_report_of_another_day_is_refused(self, read):
        with pytest.raises(CertificateError, match=r"day1.csv: is a report of 3 November 2026"):
            read(row("Ada Lovelace", "09:00", "10:00", day="2026-11-03"))


class TestReview:
    def test_a_likely_match_may_add_time_and_is_never_taken(self, read):
        found = read(
            row("Jan Jansen", "09:00", "09:30"),
            row("Jan J.", "09:20", "10:10"),
        )
        assert minutes(found, "s2") == (30, 70)
        assert found.attended[1].why == (
            "somebody on the review list (row 2 of review.csv) may be this student"
        )
        (listed,) = found.review
        assert (listed.session, listed.participant, listed.minutes) == ("day 1", "Jan J.", 50)
        assert [(s.student, s.score) for s in listed.suggestions] == [("s2", 90)]

    def test_what_adds_nothing_leaves_nothing_open(self, read):
        found = read(row("Jan Jansen", "09:00", "12:00"), row("Jan J.", "09:20", "10:10"))
        assert minutes(found, "s2") == (165, 165)
        assert found.attended[1].why == ""
        assert len(found.review) == 1

    def test_a_participant_like_nobody_may_be_anybody(self, read):
        found = read(row("31612345678", "09:00", "10:00"), row("iPhone", "09:00", "12:00"))
        why = "somebody on the review list (rows 2 and 3 of review.csv) may be this student"
        assert [(a.low, a.high, a.why) for a in found.attended] == [(0, 165 * 60, why)] * 3
        assert [r.participant for r in found.review] == ["31612345678", "iPhone"]

    def test_whom_it_cannot_give_more_is_not_held_up(self, read):
        found = read(row("iPhone", "09:00", "10:00"), row("Jan Jansen", "09:00", "12:00"))
        assert minutes(found, "s2") == (165, 165)
        assert found.attended[1].why == ""

    def test_put_aside_with_a_reason_it_holds_up_nobody(self, read):
        rows = (row("iPhone", "09:00", "12:00"), row("Jan Jansen", "09:00", "12:00"))
        found = read(*rows, aliases="participant,student,reason\niPhone,?,Nobody knows it\n")
        assert found.review == ()
        assert minutes(found, "s1") == (0, 0)
        assert found.attended[0].why == (
            "nobody could tell who one participant was, who was put aside (line 2 of aliases.csv)"
        )
        assert found.attended[1].why == ""
        assert found.remarks == (
            "day 1: a participant of 165 min whom nobody could tell was put aside "
            "(line 2 of aliases.csv): Nobody knows it",
        )

    def test_putting_aside_takes_a_reason(self, read):
        with pytest.raises(CertificateError, match=r"line 2: puts a participant aside without a"):
            read(row("iPhone", "09:00", "10:00"), aliases="participant,student\niPhone,?\n")

    def test_a_participant_somewhat_like_a_student_is_suggested(self, read):
        found = read(row("jansenj", "09:00", "12:00"))
        assert [s.student for s in found.review[0].suggestions] == ["s2"]

    def test_a_name_of_two_students_is_nobody_elses(self, read, tmp_path):
        twins = {**ROSTER, "s4": Person("s4", "Jan Jansen", "jan4@x.org")}
        read(row("Jan Jansen", "09:00", "10:00"))
        found = read_attendance([session()], tmp_path, twins)
        assert [a.high / 60 for a in found.attended] == [0, 60, 0, 60]

    def test_an_email_of_one_and_a_name_of_another_may_be_both(self, read):
        found = read(row("Ada Lovelace", "09:00", "10:00", "jan@x.org"))
        assert minutes(found, "s1") == minutes(found, "s2") == (0, 60)
        assert [s.student for s in found.review[0].suggestions] == ["s1", "s2"]

    def test_who_was_there_only_before_it_is_not_listed(self, read):
        found = read(row("Jan J.", "08:00", "09:00"), row("Ada Lovelace", "09:00", "10:00"))
        assert found.review == ()
        assert minutes(found, "s2") == (0, 0)

    def test_reasons_name_no_participant(self, read):
        found = read(*(row("Jan", f"09:0{n}", "10:00", f"secret{n}@x.nl") for n in range(7)))
        (why,) = {a.why for a in found.attended if a.why}
        assert "secret" not in why
        assert "Jan" not in why
        assert "(rows 2, 3, 4 and 4 more of review.csv)" in why

    def test_an_alias_settles_it(self, read):
        rows = (row("Jan J.", "09:20", "10:10"), row("Teacher Jan", "09:00", "12:00", "t@x.org"))
        assert len(read(*rows).review) == 2
        found = read(*rows, aliases="participant,student\nJan J.,s2\nt@x.org,-\n")
        assert found.review == ()
        assert minutes(found, "s2") == (50, 50)

    def test_an_alias_outranks_email_and_name(self, read):
        found = read(
            row("Ada Lovelace", "09:00", "10:00", "ada@x.org"),
            aliases="participant,student\nAda Lovelace,s3\n",
        )
        assert minutes(found, "s1") == (0, 0)
        assert minutes(found, "s3") == (60, 60)

    def test_a_broken_alias_is_refused(self, read):
        with pytest.raises(
            CertificateError, match=r"aliases.csv, line 2: there is no student 's9'"
        ):
            read(row("Ada", "09:00", "10:00"), aliases="participant,student\nAda,s9\n")


class TestShift:
    """A whole class at an odd distance from the session, which is from 9 to 12."""

    def doubts(self, read, join: str, leave: str) -> str:
        names = ("Ada Lovelace", "Jan Jansen", "Grace Hopper", "Teacher")
        return " ".join(read(*(row(name, join, leave) for name in names)).doubts)

    @pytest.mark.parametrize(
        ("join", "leave"), [("08:02", "11:00"), ("09:58", "13:00"), ("09:01", "11:10")]
    )
    def test_is_said(self, read, join, leave):
        said = self.doubts(read, join, leave)
        assert "4 of 4 participants" in said
        assert "report_timezone" in said

    @pytest.mark.parametrize(
        ("join", "leave"), [("08:50", "12:10"), ("08:00", "12:05"), ("08:55", "17:00")]
    )
    def test_opened_early_or_gone_on_is_not(self, read, join, leave):
        assert self.doubts(read, join, leave) == ""

    def test_a_few_people_are_no_class(self, read):
        rows = (row("Ada Lovelace", "08:00", "11:00"), row("Jan Jansen", "08:00", "11:00"))
        assert read(*rows).doubts == ()


class TestNamesAlone:
    """What it is worth that somebody goes by a student's name."""

    ROWS = (
        row("Ada Lovelace", "09:00", "10:00"),
        row("Jan Jansen", "09:00", "11:00", "somebody@home.nl"),
        row("Tigger (Grace Hopper)", "09:00", "12:00"),
        row("Grace", "09:00", "09:30", "grace@x.org"),
    )

    def read(self, read, tmp_path, recognition: Recognition | None = None) -> Attendance:
        read(*self.ROWS)
        return read_attendance([session()], tmp_path, ROSTER, recognition)

    def test_it_counts_and_is_listed(self, read, tmp_path):
        found = self.read(read, tmp_path)
        assert [(a.low / 60, a.named / 60, a.rows) for a in found.attended] == [
            (60, 60, "line 2 of day1.csv"),
            (105, 105, "line 3 of day1.csv"),
            (165, 135, "line 4 of day1.csv"),
        ]
        assert found.notes == (
            "day1.csv: told by a name alone, without an e-mail: s1 (line 2), s3 (line 4)",
            "day1.csv: told by a name alone, with an e-mail that is not in the roster: s2 (line 3)",
        )
        assert found.review == ()

    def test_it_counts_as_much_as_an_email(self, read, tmp_path):
        found = self.read(read, tmp_path, Recognition(Worth.COUNTS, Worth.COUNTS))
        assert [(a.low / 60, a.named) for a in found.attended] == [(60, 0), (105, 0), (165, 0)]

    def test_it_is_undecided_until_confirmed(self, read, tmp_path):
        found = self.read(read, tmp_path, Recognition(Worth.UNDECIDED, Worth.UNDECIDED))
        assert [(a.low / 60, a.high / 60) for a in found.attended] == [(0, 60), (0, 105), (30, 165)]
        assert [r.why for r in found.review] == ["told by the name alone: confirm it"] * 3
        (tmp_path / "aliases.csv").write_text("participant,student\nAda Lovelace,s1\n")
        again = self.read(read, tmp_path, Recognition(Worth.UNDECIDED, Worth.UNDECIDED))
        assert minutes(again, "s1") == (60, 60)

    def test_a_strangers_email_may_be_worth_less(self, read, tmp_path):
        found = self.read(read, tmp_path, Recognition(Worth.LISTED, Worth.UNDECIDED))
        assert minutes(found, "s1") == (60, 60)
        assert minutes(found, "s2") == (0, 105)


class TestReviewFile:
    def write(self, found: Attendance, folder: Path) -> list[dict[str, str]]:
        write_review(found.review, folder / "review.csv")
        with open(folder / "review.csv", encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def test_for_its_owner_alone_and_nothing_left_beside_it(self, read, tmp_path):
        self.write(read(row("Jan J.", "09:00", "10:00")), tmp_path)
        self.write(read(row("Jan J.", "09:00", "10:00")), tmp_path)
        assert stat.S_IMODE((tmp_path / "review.csv").stat().st_mode) == 0o600
        assert {p.name for p in tmp_path.iterdir()} == {"day1.csv", "review.csv"}

    def test_what_it_says(self, read, tmp_path):
        (line,) = self.write(read(row("Jan J.", "09:00", "10:00", "jj@home.nl")), tmp_path)
        assert line == {
            "participant": "Jan J.",
            "student": "",
            "session": "day 1",
            "email": "jj@home.nl",
            "minutes": "60.0",
            "suggestions": "s2 Jan Jansen (90 %)",
            "why": "no student has this name or this e-mail",
            "reason": "",
        }

    def test_the_same_bytes_each_time(self, read, tmp_path):
        found = read(row("Jan", "09:00", "10:00"), row("=1+2", "09:00", "10:00"))
        self.write(found, tmp_path)
        before = (tmp_path / "review.csv").read_bytes()
        self.write(found, tmp_path)
        assert (tmp_path / "review.csv").read_bytes() == before

    NAMES = ("Jan J.", '=HYPERLINK("http://x")', "+31 6", "@jan", "-jan", "'t Jantje", "x" * 200)

    @pytest.mark.parametrize("name", [*NAMES, 'Jan "JJ" J.', "J, Jan", "\u202enaJ"])
    def test_filled_in_it_is_the_aliases_file(self, read, tmp_path, name):
        quoted = '"' + name.replace('"', '""') + '"'
        rows = (row(quoted, "09:00", "10:00"), row("Ada Lovelace", "09:00", "10:00"))
        (line,) = self.write(read(*rows), tmp_path)
        assert not line["participant"].startswith(tuple("=+-@\t\r"))
        with open(tmp_path / "aliases.csv", "w", encoding="utf-8", newline="") as file:
            filled = csv.DictWriter(file, list(line))
            filled.writeheader()
            filled.writerow(line | {"student": "s3"})
        found = read(*rows)
        assert found.review == ()
        assert minutes(found, "s3") == (60, 60)


class TestClockChange:
    AUTUMN = session(day="2026-10-25", hours=4)
    SPRING = session(day="2026-03-29", hours=4)

    def test_who_stayed_has_the_hour_more_or_less(self, read):
        assert self.AUTUMN.seconds == 5 * 3600
        assert self.SPRING.seconds == 3 * 3600
        for when in (self.AUTUMN, self.SPRING):
            day = f"{when.start:%Y-%m-%d}"
            found = read(row("Ada Lovelace", "00:50", "05:10", day=day), when=when)
            assert found.attended[0].low == found.attended[0].possible == when.seconds

    def test_a_time_of_two_meanings_is_a_range(self, read):
        found = read(
            row("Ada Lovelace", "01:00", "02:30", day="2026-10-25"),
            row("Ada Lovelace", "02:40", "05:00", day="2026-10-25"),
            when=self.AUTUMN,
        )
        # Back after 10 or 70 minutes, or on two devices at once.
        assert minutes(found) == (90 + 140, 300)
        assert found.attended[0].why == (
            "the clock was put back during this session, and some times in the report may be "
            "before or after that: 230 to 300 min"
        )

    def test_a_stay_within_the_repeated_hour_is_not_lost(self, read):
        found = read(row("Ada Lovelace", "02:10", "02:50", day="2026-10-25"), when=self.AUTUMN)
        assert minutes(found) == (40, 100)

    def test_what_falls_outside_the_session_has_no_second_meaning(self, read):
        late = session(day="2026-10-25", hours=1)
        found = read(row("Ada Lovelace", "01:10", "02:50", day="2026-10-25"), when=late)
        assert minutes(found) == (50, 50)
        assert found.attended[0].why == ""


class TestDigests:
    def test_of_every_file_read(self, read, tmp_path):
        found = read(row("Ada", "09:00", "10:00"), aliases="participant,student\nAda,s1\n")
        assert found.digests == {
            name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
            for name in ("aliases.csv", "day1.csv")
        }

    def test_how_a_report_was_read_is_said(self, read, tmp_path):
        (tmp_path / "day1.csv").write_text(
            HEAD + "Ada Lovelace,,11/02/2026 09:00 AM,11/02/2026 10:00 AM,0\n"
        )
        note, _ = read_attendance([session()], tmp_path, ROSTER).notes
        assert note.startswith("day1.csv: 11/02/2026 09:00 AM was read as 2 November 2026")
