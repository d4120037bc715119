"""Reports in all the forms in which they come: Zoom's in English here, the others below."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from nbcertify.attendance.reports import Report, read_report
from nbcertify.errors import CertificateError
from nbcertify.sessions import Session

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HEAD = (
    "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest,"
    "Recording Consent,In Waiting Room\n"
)
ADA = "Ada Lovelace,ada@x.org,11/02/2026 09:00:12 AM,11/02/2026 01:00:00 PM,240,Yes,,No\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def session(day: str = "2026-11-02", start: str = "09:00", end: str = "17:00") -> Session:
    begin, finish = at(f"{day} {start}"), at(f"{day} {end}")
    return Session("day 1", begin, finish, (), "day1.csv", AMSTERDAM)


def read(text: str | bytes, when: Session | None = None) -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    return read_report(data, Path("attendance/day1.csv"), when or session())


def stays(report: Report) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name, e-mail and readings of each row, on the wall clock in Amsterdam."""

    def clock(moment: float) -> str:
        return f"{datetime.fromtimestamp(moment, AMSTERDAM):%d %H:%M:%S}"

    return [
        (row.shown, row.email, [(clock(join), clock(leave)) for join, leave in row.stay.readings])
        for row in report.rows
    ]


def refusal(text: str | bytes, when: Session | None = None) -> str:
    with pytest.raises(CertificateError) as error:
        read(text, when)
    assert "day1.csv" in str(error.value)
    return str(error.value)


ADA_STAYED = ("Ada Lovelace", "ada@x.org", [("02 09:00:12", "02 13:00:00")])


class TestMeeting:
    def test_the_table_alone(self):
        report = read(HEAD + ADA)
        assert stays(report) == [ADA_STAYED]
        assert report.rows[0].line == 2

    def test_with_the_meeting_above(self):
        above = (
            "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants,\n"
            "812 3456 7890,Deep learning,11/02/2026 08:50:00 AM,11/02/2026 01:00:00 PM,"
            "t@x.org,250,2,\n\n"
        )
        report = read(above + HEAD + ADA)
        assert stays(report) == [ADA_STAYED]
        assert report.rows[0].line == 5

    def test_the_headings_of_today(self):
        text = (
            "Topic,ID,Host,Duration (minutes),Start time,End time,Participants\n"
            'Deep learning,81234567890,T (t@x.org),250,"11/02/2026 08:50:00 AM",'
            '"11/02/2026 01:00:00 PM",2\n'
            "\n"
            "Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,"
            "Recording disclaimer response,In waiting room\n" + ADA.replace(",Yes,,", ",Yes,OK,")
        )
        assert stays(read(text)) == [ADA_STAYED]

    def test_the_headings_of_long_ago(self):
        text = (
            "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes)\n"
            "Ada Lovelace,ada@x.org,11/02/2026 09:00:12 AM,11/02/2026 01:00:00 PM,240\n"
        )
        assert stays(read(text)) == [ADA_STAYED]

    def test_two_reports_pasted_together(self):
        above = "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants,\n"
        meeting = "812,DL,11/02/2026 08:50:00 AM,11/02/2026 01:00:00 PM,t@x.org,250,2,\n\n"
        one = above + meeting + HEAD + ADA
        assert stays(read(one + "\n" + one)) == [ADA_STAYED, ADA_STAYED]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_copies(self, encoding, separator):
        text = (HEAD + ADA).replace(",", separator).replace("Ada", "Zoë").replace("\n", "\r\n")
        mark = "\ufeff" if encoding == "utf-16-le" else ""
        ((name, *_),) = stays(read((mark + text).encode(encoding)))
        assert name == "Zoë Lovelace"

    def test_the_waiting_room_does_not_count(self):
        waited = (
            "Ada Lovelace,ada@x.org,11/02/2026 08:50:00 AM,11/02/2026 09:00:12 AM,10,Yes,,Yes\n"
        )
        assert stays(read(HEAD + waited + ADA)) == [ADA_STAYED]

    def test_guests_and_telephones_have_no_email(self):
        text = HEAD + "31612345678,,11/02/2026 09:10:00 AM,11/02/2026 09:20:00 AM,10,Yes,,No\n"
        assert stays(read(text)) == [("31612345678", "", [("02 09:10:00", "02 09:20:00")])]

    def test_the_minutes_are_not_believed(self):
        assert stays(read(HEAD + ADA.replace(",240,", ",9999,"))) == [ADA_STAYED]
        assert stays(read(HEAD + ADA.replace(",240,", ",lots,"))) == [ADA_STAYED]

    def test_a_name_in_quotation_marks(self):
        text = HEAD + ADA.replace("Ada Lovelace", '"Lovelace, ""Ada"" (Ada)"')
        assert stays(read(text))[0][0] == 'Lovelace, "Ada" (Ada)'

    def test_marks_of_direction_are_taken_out_of_names(self):
        text = HEAD + ADA.replace("Ada", "\u202eAda\u200f")
        assert stays(read(text)) == [ADA_STAYED]

    def test_a_name_of_nothing(self):
        assert stays(read(HEAD + ADA.replace("Ada Lovelace", "\u202e")))[0][0] == "(no name)"

    def test_a_column_more_is_passed_over_and_said(self):
        report = read(HEAD.replace("Guest", "Pronouns") + ADA)
        assert stays(report) == [ADA_STAYED]
        assert "day1.csv: columns not known here were passed over: 'Pronouns'" in report.notes

    def test_opened_the_night_before(self):
        text = HEAD + "T,,11/01/2026 11:50:00 PM,11/02/2026 01:00:00 PM,790,No,,No\n" + ADA
        assert stays(read(text))[0][2] == [("01 23:50:00", "02 13:00:00")]

    def test_past_midnight(self):
        late = Session(
            "night", at("2026-11-02 20:00"), at("2026-11-03 02:00"), (), "day1.csv", AMSTERDAM
        )
        text = HEAD + "Ada,,11/02/2026 11:00:00 PM,11/03/2026 01:00:00 AM,120,Yes,,No\n"
        assert stays(read(text, late))[0][2] == [("02 23:00:00", "03 01:00:00")]


WEBINAR = """\
Attendee Report,
Report Generated:,"Nov 2, 2026 6:26 PM"
Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered,# Cancelled,Unique Viewers
Deep learning,847 5984 1045,"Nov 2, 2026 8:50 AM",250,3,0,2
Host Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest,\
Country/Region Name
Yes,T. Eacher,t@x.org,"Nov 2, 2026 08:50:00","Nov 2, 2026 13:00:00",250,No,Netherlands
Panelist Details,
Attendee Details,
Attended,User Name (Original Name),First Name,Last Name,Email,Phone,Registration Time,\
Approval Status,Join Time,Leave Time,Time in Session (minutes),Is Guest,"Why ""deep""?",\
Country/Region Name
Yes,Lady A.,Ada,Lovelace,ada@x.org,,"Oct 1, 2026 11:23:29",approved,"Nov 2, 2026 09:00:12",\
"Nov 2, 2026 13:00:00",240,Yes,because,Netherlands
No,Grace,Grace,Hopper,grace@x.org,,"Oct 1, 2026 11:23:29",approved,--,--,--,--,because,
Other Attended,
User Name,Join Time,Leave Time,Time in Session (minutes),Country/Region Name
31612345678,"Nov 2, 2026 09:10:00","Nov 2, 2026 09:20:00",10,Netherlands
"""


class TestWebinar:
    def test_all_sections(self):
        report = read(WEBINAR)
        assert stays(report) == [
            ("T. Eacher", "t@x.org", [("02 08:50:00", "02 13:00:00")]),
            ("Lady A.", "ada@x.org", [("02 09:00:12", "02 13:00:00")]),
            ("31612345678", "", [("02 09:10:00", "02 09:20:00")]),
        ]
        assert report.rows[1].names == ("Lady A.", "Ada Lovelace")
        assert "'Why \"deep\"?'" in "".join(report.notes)

    def test_lines_padded_by_a_spreadsheet(self):
        padded = "".join(f"{line},,,\n" for line in WEBINAR.replace("\\\n", "").splitlines())
        assert stays(read(padded)) == stays(read(WEBINAR))

    def test_absent_and_there_at_once(self):
        said = refusal(WEBINAR.replace("Yes,Lady", "No,Lady"))
        assert "line 11: did not attend, it says, and was there from Nov 2, 2026 09:00:12" in said

    def test_a_section_of_other_columns(self):
        said = refusal(WEBINAR.replace("User Name,Join Time,Leave", "Caller,Joined,Left"))
        assert "the section 'Other Attended' does not have the columns name" in said
        assert "'Caller', 'Joined'" in said


class TestDates:
    @pytest.mark.parametrize(
        ("nine", "ten"),
        [
            ("11/02/2026 09:00:12 AM", "11/02/2026 10:00:00 PM"),
            ("2026-11-02 09:00:12", "2026-11-02 22:00:00"),
            ("2026/11/02 09:00:12", "2026/11/02 22:00"),
            ("2026-11-02T09:00:12", "2026-11-02T22:00:00"),
            ("02-11-2026 09:00:12", "02-11-2026 22:00:00"),
            ("2/11/2026 9:00:12", "2/11/2026 22:00"),
            ("2.11.2026 9:00:12", "2.11.2026 22:00"),
            ("02/11/2026 09:00:12 am", "02/11/2026 10:00 pm"),
            ("11/2/2026, 9:00:12\u202fAM", "11/2/2026, 10:00:00\u202fPM"),
            ("Nov 2, 2026 09:00:12", "Nov 2, 2026 22:00:00"),
            ("November 2, 2026 09:00:12 AM", "November 2, 2026 10:00:00 p.m."),
            ("2 Nov 2026 09:00:12", "2 november 2026, 22:00"),
        ],
    )
    def test_forms(self, nine, ten):
        report = read(HEAD + f'Ada,,"{nine}","{ten}",,,,\n')
        assert stays(report) == [("Ada", "", [("02 09:00:12", "02 22:00:00")])]

    def test_noon_and_midnight(self):
        text = HEAD + "Ada,,11/02/2026 12:05:00 AM,11/02/2026 12:05:00 PM,,,,\n"
        assert stays(read(text))[0][2] == [("02 00:05:00", "02 12:05:00")]

    def test_what_could_be_another_day_is_said(self):
        note = "11/02/2026 09:00:12 AM was read as 2 November 2026, not as 11 February 2026"
        assert note in read(HEAD + ADA).notes[0]
        assert read(HEAD + ADA.replace("11/02/2026", "2026-11-02")).notes == ()

    def test_the_13th_leaves_no_doubt(self):
        assert read(HEAD + ADA.replace("/02/", "/13/"), session("2026-11-13")).notes == ()

    @pytest.mark.parametrize("bad", ["yesterday", "11/02/2026", "09:00", "31/31/2026 09:00", "5"])
    def test_no_time(self, bad):
        assert "line 2: '" + bad in refusal(HEAD + ADA.replace("11/02/2026 09:00:12 AM", bad))

    @pytest.mark.parametrize(
        "bad", ["11/02/2026 13:00:00 PM", "11/02/126 09:00", "2026-11-02 25:00"]
    )
    def test_no_time_that_can_be_trusted(self, bad):
        assert "line 2: '" + bad in refusal(HEAD + ADA.replace("11/02/2026 09:00:12 AM", bad))


class TestWrongReports:
    def test_of_another_day(self):
        said = refusal(HEAD + ADA, session("2026-11-03"))
        assert "is a report of 11 February 2026 or 2 November 2026" in said
        assert "the session day 1 is on 3 November 2026" in said

    def test_of_another_day_without_doubt(self):
        said = refusal(HEAD + ADA.replace("11/02/2026", "2026-11-02"), session("2026-11-03"))
        assert "is a report of 2 November 2026, and" in said

    def test_of_two_forms_of_dates(self):
        other = "Bob,,02/11/2026 09:00:12,02/11/2026 10:00:00,60,Yes,,No\n"
        said = refusal(HEAD + ADA + ADA + other)
        assert "line 4: 02/11/2026 09:00:12 is not of 2 November 2026" in said
        assert "same form?" in said

    def test_of_other_hours(self):
        said = refusal(HEAD + ADA, session(start="14:00"))
        assert "nobody was there during the session day 1, from 14:00 to 17:00" in said
        assert "another time zone" in said

    def test_of_unique_users(self):
        text = (
            "Name (Original Name),User Email,Total Duration (Minutes),Guest\n"
            "Ada Lovelace,ada@x.org,240,Yes\n"
        )
        said = refusal(text)
        assert "line 1: has total minutes and no times of joining and leaving" in said
        assert "'Show unique users' unticked" in said

    def test_of_unknown_columns(self):
        said = refusal("Naam,E-mail,Deelnametijd\nAda,ada@x.org,09:00\n")
        assert "found 'Naam', 'E-mail', 'Deelnametijd'" in said
        assert "in English" in said

    def test_with_a_column_missing(self):
        said = refusal("Name,Email,Join Time\nAda,ada@x.org,2026-11-02 09:00\n")
        assert "no table with the columns name (original name), join time, leave time" in said

    def test_with_two_columns_for_one_thing(self):
        said = refusal(HEAD.replace("Guest", "Email") + ADA)
        assert "line 1: the columns 'User Email' and 'Email' may both be" in said

    @pytest.mark.parametrize("empty", ["", "\n\n", HEAD, b"\xef\xbb\xbf"])
    def test_empty(self, empty):
        assert "On zoom.us" in refusal(empty)

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (ADA.replace("09:00:12 AM", "02:00:00 PM"), "line 3: leaves at 13:00:00, before"),
            (ADA.replace("11/02/2026 01:00:00 PM", ""), "line 3: has no leave time"),
            (ADA.replace("Ada Lovelace", "Lovelace, Ada"), "line 3: has more cells"),
            (ADA.replace("Ada Lovelace", '"Ada'), "line 3: is no valid CSV"),
            (ADA.replace(",No\n", ",Maybe\n"), "line 3, column In Waiting Room: must be Yes or No"),
            ("Ada Lovelace\n", "line 3: has no join time"),
        ],
    )
    def test_with_a_broken_row(self, row, message):
        assert message in refusal(HEAD + ADA + row)

    @pytest.mark.parametrize("junk", [b"PK\x03\x04xx", b"\xff\xfe\x00", b"\x00\x01", b"\x80\x81"])
    def test_no_text(self, junk):
        refusal(junk)


class TestClockChange:
    AUTUMN = session("2026-10-25", "01:00", "05:00")
    SPRING = session("2026-03-29", "01:00", "05:00")

    def lengths(self, join: str, leave: str, when: Session) -> list[float]:
        day = f"{when.start:%Y-%m-%d}"
        report = read(HEAD + f"Ada,,{day} {join},{day} {leave},,,,\n", when)
        return sorted((leave - join) / 60 for join, leave in report.rows[0].stay.readings)

    def test_around_it_the_hour_counts(self):
        assert self.lengths("01:30", "04:00", self.AUTUMN) == [210]
        assert self.lengths("01:30", "04:00", self.SPRING) == [90]

    def test_to_or_from_the_repeated_hour_both_are_meant(self):
        assert self.lengths("01:30", "02:15", self.AUTUMN) == [45, 105]
        assert self.lengths("02:45", "03:15", self.AUTUMN) == [30, 90]

    def test_within_the_repeated_hour(self):
        assert self.lengths("02:10", "02:50", self.AUTUMN) == [40, 40, 100]

    def test_leaving_before_joining_by_the_clock_is_over_the_change(self):
        assert self.lengths("02:50", "02:10", self.AUTUMN) == [20]

    def test_leaving_before_joining_by_more_than_that_is_not(self):
        with pytest.raises(CertificateError, match="line 2: leaves at 01:50:00, before joining"):
            self.lengths("02:10", "01:50", self.AUTUMN)

    def test_a_time_that_never_was(self):
        with pytest.raises(CertificateError, match="no clock in Europe/Amsterdam showed 02:30:00"):
            self.lengths("01:30", "02:30", self.SPRING)
