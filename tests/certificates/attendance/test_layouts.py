"""Layouts of Zoom, Teams and Meet, in several languages, years and encodings: a sample of each."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbcertify.attendance.layouts import Layout, layouts
from nbcertify.attendance.presence import bounds_within
from nbcertify.attendance.reports import Report, read_report
from nbcertify.attendance.times import read_duration
from nbcertify.errors import CertificateError
from nbcertify.sessions import Session

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def session(meeting: str = "", zone: str = "", day: str = "2026-11-02") -> Session:
    """From 9 to 12."""
    begin, end = (
        datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=AMSTERDAM)
        for clock in ("09:00", "12:00")
    )
    own = ZoneInfo(zone) if zone else None
    return Session("day 1", begin, end, (), "day1.csv", AMSTERDAM, meeting, own)


def read(text: str | bytes, when: Session | None = None) -> Report:
    data = text.encode() if isinstance(text, str) else text
    return read_report(data, Path("attendance/day1.csv"), when or session())


def minutes(report: Report, when: Session | None = None) -> dict[str, tuple[float, float]]:
    """The fewest and the most minutes of each participant."""
    spans = list((when or session()).spans())
    names = dict.fromkeys(row.shown for row in report.rows)
    found = {}
    for name in names:
        low, high = bounds_within([r.stay for r in report.rows if r.shown == name], spans)
        found[name] = round(low / 60, 1), round(high / 60, 1)
    return found


def refusal(text: str | bytes, when: Session | None = None) -> str:
    with pytest.raises(CertificateError) as error:
        read(text, when)
    return str(error.value)


# How a program writes 9:30 and 11:00 of 2 November 2026.
FORMS = {
    ("Zoom", "English"): ("11/02/2026 09:30:00 AM", "11/02/2026 11:00:00 AM"),
    ("Zoom", "Dutch"): ("02-11-2026 09:30:00", "02-11-2026 11:00:00"),
    ("Zoom", "German"): ("02.11.2026 09:30:00", "02.11.2026 11:00:00"),
    ("Zoom", "French"): ("02/11/2026 09:30:00", "02/11/2026 11:00:00"),
    ("Zoom", "Spanish"): ("02/11/2026 09:30:00 a. m.", "02/11/2026 11:00:00 a. m."),
    ("Zoom", "Portuguese"): ("02/11/2026 09:30:00", "02/11/2026 11:00:00"),
    ("Zoom", "Japanese"): ("2026年11月2日 午前 9:30:00", "2026年11月2日 午前 11:00:00"),
    ("Teams", "English"): ("11/2/26, 9:30:00 AM", "11/2/26, 11:00:00 AM"),
    ("Teams", "Dutch"): ("2-11-26 09:30:00", "2-11-26 11:00:00"),
    ("Teams", "German"): ("02.11.26, 09:30:00", "02.11.26, 11:00:00"),
    ("Teams", "French"): ("02/11/2026 à 09:30:00", "02/11/2026 à 11:00:00"),
    ("Teams", "Spanish"): ("2/11/26, 9:30:00", "2/11/26, 11:00:00"),
    ("Teams", "Portuguese"): ("02/11/2026 09:30:00", "02/11/2026 11:00:00"),
    ("Teams", "Japanese"): ("26/11/2 9:30:00", "26/11/2 11:00:00"),
    ("Meet", "English"): ("9:30 AM", "11:00 AM"),
}
ANSWERS = {"Dutch": "Nee", "German": "Nein", "French": "Non", "Portuguese": "Não"} | {
    "Japanese": "いいえ"
}


def sample(layout: Layout) -> str:
    """A report in this layout: Ada was there from 9:30 to 11:00."""
    join, leave = FORMS.get((layout.program, layout.language), ("09:30", "11:00"))
    cells = {
        "name": "Ada Lovelace",
        "first": "Ada",
        "last": "Lovelace",
        "email": "ada@x.org",
        "upn": "ada@x.org",
        "join": join,
        "leave": leave,
        "duration": "1h 30m" if layout.program != "Zoom" else "90",
        "waiting": ANSWERS.get(layout.language, "No"),
        "attended": "Yes",
        "topic": "Deep learning",
        "meeting": "812 3456 7890",
    }
    separator = "," if layout.program == "Zoom" else "\t"
    heading = separator.join(heading for heading, _ in layout.headings)
    rows = [cells]
    if layout.kind == "events":
        utc = [f"11/2/2026 {clock}:00 AM" for clock in ("8:30", "10:00")]
        rows = [
            cells | {"action": action, "time": time, "utc": in_utc}
            for action, time, in_utc in zip(
                EVENTS[layout.language], (join, leave), utc, strict=True
            )
        ]
    lines = [separator.join(row.get(role, "") for _, role in layout.headings) for row in rows]
    return "\n".join([heading, *lines, ""])


EVENTS = {"English": ("Joined", "Left"), "Portuguese": ("Ingressou", "Saiu")}
NAMES = [f"{one.program}, {one.language}, {one.name}" for one in layouts().layouts]


@pytest.mark.parametrize("layout", layouts().layouts, ids=NAMES)
def test_every_layout_is_read(layout: Layout):
    report = read(sample(layout))
    (row,) = report.rows
    assert row.names[-1] == "Ada Lovelace"
    assert row.email == ("ada@x.org" if "email" in dict(map(reversed, layout.headings)) else "")
    assert minutes(report) == {"Ada Lovelace": (90, 90)}
    assert not [note for note in report.notes if "passed over" in note or "wording" in note]


@pytest.mark.parametrize("layout", layouts().layouts, ids=NAMES)
def test_every_layout_tells_its_source(layout: Layout):
    assert layout.source
    assert layout.years


TEAMS = """\
1. Summary
Meeting title\t"Deep learning, day 1"
Attended participants\t3
Start time\t11/2/26, 8:51:00 AM
End time\t11/2/26, 12:03:00 PM
Meeting duration\t3h 12m
Average attendance time\t1h 30m

2. Participants
Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole
Ada Lovelace\t11/2/26, 9:00:00 AM\t11/2/26, 12:00:00 PM\t2h 0m\tada@x.org\tada@x.org\tOrganizer
Jan Jansen (Guest)\t11/2/26, 9:00:00 AM\t11/2/26, 10:00:00 AM\t1h\t\t\tPresenter
Grace Hopper\t11/2/26, 9:00:00 AM\t11/2/26, 12:00:00 PM\t2h 0m\t\tgrace@x.org\tAttendee

3. In-Meeting Activities
Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole
Ada Lovelace\t11/2/26, 9:00:00 AM\t11/2/26, 10:00:00 AM\t1h\tada@x.org\tOrganizer
Ada Lovelace\t11/2/26, 11:00:00 AM\t11/2/26, 12:00:00 PM\t1h\tada@x.org\tOrganizer
Jan Jansen (Guest)\t11/2/26, 9:00:00 AM\t11/2/26, 10:00:00 AM\t1h\t\tPresenter

4. Meeting Engagement
Name\tEngagement Type\tTime
Ada Lovelace\tReaction sent "applause"\t11/2/26, 9:10:00 AM
"""


class TestTeams:
    def test_stays_count_more_than_totals(self):
        report = read(TEAMS)
        assert minutes(report) == {
            "Ada Lovelace": (120, 120),
            "Jan Jansen (Guest)": (60, 60),
            # In the first table only: two of the three hours, nobody knows which.
            "Grace Hopper": (120, 120),
        }
        emails = {row.shown: row.email for row in report.rows}
        assert emails["Grace Hopper"] == "grace@x.org"

    def test_a_total_alone_is_a_range_at_the_edge(self):
        late = TEAMS.partition("3. In-Meeting")[0].replace("9:00:00 AM", "8:00:00 AM")
        assert minutes(read(late))["Ada Lovelace"] == (60, 120)
        whys = {row.shown: row.stay.why for row in read(late).rows if row.stay.away}
        assert "120 min in between are missing" in whys["Ada Lovelace"]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
    def test_encodings(self, encoding):
        assert minutes(read(TEAMS.replace("Ada", "Zoë").encode(encoding)))["Zoë Lovelace"]

    def test_saved_again_by_a_spreadsheet(self):
        lines = [line.split("\t") for line in TEAMS.splitlines()]
        padded = "\r\n".join(";".join((line + [""] * 7)[:7]) for line in lines)
        assert minutes(read(padded)) == minutes(read(TEAMS))

    LIST = (
        "Full Name\tUser Action\tTimestamp\n"
        "Ada Lovelace\tJoined before\t11/2/2026, 9:05:00 AM\n"
        "Jan Jansen\tJoined\t11/2/2026, 9:10:00 AM\n"
        "Jan Jansen\tLeft\t11/2/2026, 10:10:00 AM\n"
        "Jan Jansen\tJoined\t11/2/2026, 11:00:00 AM\n"
        "Ada Lovelace\tLeft\t11/2/2026, 11:30:00 AM\n"
    )

    def test_the_first_attendance_list(self):
        report = read(self.LIST.encode("utf-16"))
        # Ada came before the list was begun; Jan was still there when it was downloaded.
        assert minutes(report) == {"Ada Lovelace": (145, 150), "Jan Jansen": (90, 120)}
        assert [row.stay.why.split(",")[0] for row in report.rows] == [
            "the list was begun after this participant had come",
            "",
            "the list was downloaded before this participant left",
        ]

    def test_nobody_took_part(self):
        assert "In Teams" in refusal("Full Name\tUser Action\tTimestamp\n")

    def test_an_unknown_action_is_refused(self):
        said = refusal(self.LIST.replace("Left", "Muted"))
        assert "line 4: the action 'Muted' is not known here" in said
        assert "In Teams" in said

    def test_advice_is_for_teams(self):
        total = "Name\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole\nAda\t1h\t\t\t\n"
        assert "In Teams" in refusal(total)

    def test_participants_called_like_a_heading_hide_nobody(self):
        odd = TEAMS.replace("Jan Jansen (Guest)", "4. Meeting Engagement")
        assert minutes(read(odd)).keys() >= {"4. Meeting Engagement", "Grace Hopper"}


class TestMeet:
    HEAD = "First name,Last name,Email,Duration,Time joined,Time exited\n"

    def test_times_without_a_date(self):
        report = read(self.HEAD + "Ada,Lovelace,ada@x.org,1 hr 2 min,9:00 AM,12:00 PM\n")
        assert minutes(report) == {"Ada Lovelace": (62, 62)}
        assert report.notes == (
            "day1.csv: its times have no date, and were taken to be of 2 November 2026",
        )

    def test_moments_with_their_zone(self):
        row = "Ada,Lovelace,,180,2026-11-02T08:00:00Z,2026-11-02T12:00:00+01:00\n"
        assert minutes(read(self.HEAD + row)) == {"Ada Lovelace": (180, 180)}

    def test_without_times_it_is_refused_with_advice_for_meet(self):
        said = refusal("First name,Last name,Email,Duration\nAda,Lovelace,,62\n")
        assert "has total minutes and no times of joining and leaving" in said
        assert "In Google Meet" in said


ZOOM = "Name (original name),Email,Join time,Leave time,Duration (minutes)\n"


class TestZoom:
    TABLE = (
        "Topic,ID,Host,Duration (minutes),Start time,End time,Participants,Name (original name),"
        "Email,Join time,Leave time,Duration (minutes),Guest\n"
    )

    def row(self, topic: str, id: str, name: str, day: str = "2026-11-02") -> str:
        times = f"{day} 09:00:00,{day} 12:00:00"
        return f"{topic},{id},T,180,{times},5,{name},,{times},180,Yes\n"

    def test_several_meetings_in_one_file_are_told_apart(self):
        text = self.TABLE + self.row("DL", "812 1", "Ada") + self.row("Other", "812 2", "Bob")
        said = refusal(text)
        assert "holds several meetings" in said
        assert "812 1 (DL); 812 2 (Other)" in said
        for name in ("812 1", "8121", "DL"):
            assert minutes(read(text, session(name))).keys() == {"Ada"}
        assert "has no meeting '813'" in refusal(text, session("813"))

    def test_two_meetings_of_one_topic_need_the_id(self):
        text = self.TABLE + self.row("DL", "812 1", "Ada") + self.row("DL", "812 2", "Bob")
        assert "several meetings with the topic 'DL'" in refusal(text, session("DL"))

    def test_a_topic_that_looks_like_an_id_is_none(self):
        text = self.TABLE + self.row("8122", "812 1", "Ada") + self.row("DL", "812 2", "Bob")
        assert minutes(read(text, session("812 2"))).keys() == {"Bob"}

    def test_meetings_of_other_days_are_passed_over(self):
        text = self.TABLE + self.row("DL", "812 1", "Ada")
        text += self.row("DL", "812 2", "Bob", day="2026-11-03")
        report = read(text)
        assert minutes(report).keys() == {"Ada"}
        assert report.notes == (
            "day1.csv: read as the meeting 812 1 (DL) of the session's day; rows of other "
            "days and meetings were passed over: 1",
        )

    def test_a_meeting_that_comes_again_has_one_id_for_all_days(self):
        text = self.TABLE + self.row("DL", "812 1", "Ada")
        text += self.row("DL", "812 1", "Bob", day="2026-11-03")
        assert minutes(read(text)).keys() == {"Ada"}
        assert minutes(read(text, session("812 1"))).keys() == {"Ada"}
        assert "is a report of 2 November 2026" in refusal(text, session(day="2026-11-09"))

    @pytest.mark.parametrize("name", ["Attendee Details", "Topic", "Name (original name)", "ID"])
    def test_a_participant_called_like_a_heading_hides_nobody(self, name):
        times = "2026-11-02 09:00:00,2026-11-02 12:00:00,180"
        text = ZOOM + f"{name},Email,{times}\n" + f"Ada,,{times}\n"
        assert minutes(read(text)) == {name: (180, 180), "Ada": (180, 180)}

    @pytest.mark.parametrize(
        ("joined", "left"),
        [
            ("02/11/26 09:00:00", "02/11/26 12:00:00"),
            ("2 nov. 2026 à 09:00", "2 nov. 2026 à 12:00"),
            ("2 de nov. de 2026 09:00", "2 de noviembre de 2026 12:00"),
            ("2. November 2026 09:00 Uhr", "2. Nov. 2026 12:00 Uhr"),
            ("02/11/2026 9:00:00 a. m.", "02/11/2026 12:00:00 p. m."),
            ("2026-11-02T08:00:00Z", "2026-11-02T11:00:00.000Z"),
            ("2026-11-02 09:00:00+01:00", "2026-11-02 12:00:00 +0100"),
            ("2026-11-02 08:00 UTC", "2026-11-02 12:00 GMT+1"),
            ("46328.375", "46328,5"),
            ("Mon, Nov 2, 2026 9:00 AM", "Monday, November 2, 2026 12:00 PM"),
            ("2026/11/02 午前9:00", "2026/11/02 午後12:00"),
        ],
    )
    def test_dates(self, joined, left):
        report = read(ZOOM + f'Ada,,"{joined}","{left}",180\n')
        assert minutes(report) == {"Ada": (180, 180)}

    def test_each_row_saved_as_one_cell(self):
        plain = ZOOM + 'Ada,,"11/02/2026 09:00:00 AM","11/02/2026 12:00:00 PM",180\n'
        lines = plain.splitlines()
        cells = "\n".join('"' + line.replace('"', '""') + '"' for line in lines)
        assert minutes(read(cells)) == {"Ada": (180, 180)}

    def test_the_line_of_a_spreadsheet_that_names_the_separator(self):
        row = "Ada;;2026-11-02 09:00;2026-11-02 12:00;180\n"
        assert minutes(read("sep=;\r\n" + ZOOM.replace(",", ";") + row)) == {"Ada": (180, 180)}

    @pytest.mark.parametrize(
        ("language", "encoding"), [("French", "cp1252"), ("Japanese", "cp932")]
    )
    def test_older_encodings(self, language, encoding):
        (layout,) = (
            one for one in layouts().layouts if (one.program, one.language) == ("Zoom", language)
        )
        name = {"French": "Zoë de Vries", "Japanese": "山田 花子"}[language]
        text = sample(layout).replace("Ada Lovelace", name).replace("’", "'")
        report = read(text.encode(encoding))
        assert minutes(report) == {name: (90, 90)}
        assert "is not in UTF-8" in report.notes[0]

    def test_columns_of_unknown_wording_are_read_and_said(self):
        text = "Deelnemersnaam,Mailadres,Toetreding op,Verlaten op\nAda,a@x.org,{0} 09:00,{0} 12:00"
        report = read(text.format("2026-11-02"))
        assert minutes(report) == {"Ada": (180, 180)}
        assert "columns were read by their wording: 'Deelnemersnaam' as name" in report.notes[0]

    def test_another_time_zone_that_the_policy_names(self):
        row = "Ada,,2026-11-02 08:00:00,2026-11-02 11:00:00,180\n"
        there = session(zone="Europe/London")
        assert minutes(read(ZOOM + row, there)) == {"Ada": (180, 180)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h 13m 42s", 4422),
        ("59 Min. 0 Sek.", 3540),
        ("1 hr 2 min", 3720),
        ("1:02:03", 3723),
        ("2 uur 5 min", 7500),
        ("1 時間 2 分 3 秒", 3723),
        ("75", 4500),
        ("PT1H5M", 3900),
        ("soon", None),
        ("", None),
    ],
)
def test_durations(text, seconds):
    assert read_duration(text) == seconds


CELLS = st.sampled_from(
    [heading for layout in layouts().layouts for heading, _ in layout.headings]
    + ["2026-11-02 09:00", "11/2/26, 9:30 AM", "2026-11-02T11:00:00Z", "99/99/9999 99:99", "--", ""]
    + ["Ada", "1h", "Joined", "Left", "Yes", "Nee", "3. In-Meeting Activities", "Attendee Details"]
    + ["812 1", "0:00", "25:00", "46328.99999", "\ufeff", "\u202e", '"', "2026-10-25 02:30"]
)


@st.composite
def tables(draw) -> list[list[str]]:
    """Rows of all sorts, most of them below the headings of some layout, and as wide."""
    rows: list[list[str]] = []
    for layout in draw(st.lists(st.sampled_from(layouts().layouts), max_size=2)):
        width = len(layout.headings)
        rows.append([heading for heading, _ in layout.headings])
        rows += draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=4))
        rows += draw(st.lists(st.lists(CELLS, max_size=9), max_size=1))
        if draw(st.booleans()):
            cells = dict.fromkeys(("join", "time", "utc"), "11/2/2026 9:30") | {
                "leave": "11/2/2026 11:00",
                "action": "Joined",
                "duration": "5",
            }
            rows.append([cells.get(role, "") for _, role in layout.headings])
    return rows


@given(tables(), st.sampled_from([",", "\t", ";"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(rows, separator, encoding):
    text = "\n".join(separator.join(row) for row in rows)
    try:
        report = read(text.encode(encoding, errors="replace"))
    except CertificateError as error:
        assert "day1.csv" in str(error)
    else:
        assert all(join <= leave for row in report.rows for join, leave in row.stay.readings)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_report_are_refused(data):
    with pytest.raises(CertificateError):
        read(data)
