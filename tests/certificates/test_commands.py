"""The commands, from Zoom's reports to certificates, as a person uses them."""

import csv
import email
import email.policy
import json
import re
import shutil
import stat
from datetime import UTC, date, datetime, timedelta

import pikepdf
import pytest
from nbcertify.log import append
from typer.testing import CliRunner

from dlcourse.cli import app

ZOOM = "%m/%d/%Y %I:%M:%S %p"


@pytest.fixture
def call(classroom):
    def call(*arguments, code=0, width=300, **more):
        shown = CliRunner().invoke(
            app,
            [*map(str, arguments), "--course", str(classroom.root)],
            env={"COLUMNS": str(width)},
            **more,
        )
        assert shown.exit_code == code, shown.output
        return shown.output

    return call


def _an_hour_earlier(report: str) -> str:
    """Zoom's report as it is exported in London."""

    def earlier(match: re.Match[str]) -> str:
        moment = datetime.strptime(match[0], ZOOM) - timedelta(hours=1)
        return moment.strftime(ZOOM)

    return re.sub(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d [AP]M", earlier, report)


def verdicts(classroom) -> dict[tuple[str, str], str]:
    content = json.loads(classroom.places.decisions.read_text())
    return {(row["student"], row["tier"]): row["verdict"] for row in content["decisions"]}


def issued(classroom) -> list[dict]:
    return json.loads(classroom.places.issued.read_text())["certificates"]


class TestAttendance:
    def test_it_shows_minutes_and_needs_nobody(self, call):
        shown = call("attendance")
        assert "180 of 180 min" in shown
        assert "60 of 150 min" in shown

    def test_a_stranger_is_written_to_the_review_list(self, classroom, call):
        report = classroom.places.attendance / "day-1.csv"
        line = "A. Abel,,06/08/2026 09:00:00 AM,06/08/2026 10:00:00 AM,60,Yes,,No\n"
        report.write_text(report.read_text("utf-8-sig") + line)
        assert "A. Abel" in call("attendance", code=1)
        with (classroom.places.attendance / "review.csv").open(encoding="utf-8-sig") as file:
            (row,) = csv.DictReader(file)
        assert (row["participant"], row["session"], row["student"]) == ("A. Abel", "Day 1", "")
        assert "move the row to aliases.csv" in call("attendance", code=1)
        with (classroom.places.attendance / "aliases.csv").open("a") as file:
            file.write("A. Abel,ada\n")
        call("attendance")

    def test_a_missing_report_is_named(self, classroom, call):
        (classroom.places.attendance / "day-2.csv").unlink()
        assert "day-2.csv" in call("attendance", code=1)
        call("eligible", code=1)
        assert set(verdicts(classroom).values()) >= {"undecided"}
        assert verdicts(classroom)["ada", "attendance"] == "undecided"

    def test_without_a_roster_it_says_what_to_make(self, classroom, call):
        classroom.places.roster.unlink()
        assert "roster.csv" in call("attendance", code=2)
        assert "There is no roster" in call("eligible", code=1)


class TestEligible:
    def test_who_may_have_what(self, classroom, call):
        shown = call("eligible", code=1)
        assert verdicts(classroom) == {
            ("ada", "attendance"): "eligible",
            ("ada", "exercises"): "eligible",
            ("bob", "attendance"): "not eligible",
            ("bob", "exercises"): "not eligible",
            ("dan", "attendance"): "eligible",
            ("dan", "exercises"): "undecided",
            ("zoe", "attendance"): "eligible",
            ("zoe", "exercises"): "not eligible",
        }
        assert "Day 2: present for 1 h of 2 h 30 min (40 %); at least 80 % is needed" in shown
        assert "convnet: not graded: there is no record of its grading" in shown
        with classroom.places.decisions.with_suffix(".csv").open() as file:
            assert len(list(csv.DictReader(file))) == 8

    def test_twice_gives_the_same_bytes_and_changes_nothing_else(self, classroom, call):
        call("eligible", code=1)
        first = classroom.places.decisions.read_bytes()
        before = {p: p.read_bytes() for p in classroom.root.rglob("*") if p.is_file()}
        call("eligible", code=1)
        assert classroom.places.decisions.read_bytes() == first
        assert {p: p.read_bytes() for p in classroom.root.rglob("*") if p.is_file()} == before

    def test_nothing_of_a_person_but_the_pseudonym_is_in_the_decisions(self, classroom, call):
        call("eligible", code=1)
        text = classroom.places.decisions.read_text()
        assert "Abel" not in text
        assert "@" not in text

    def test_a_submission_handed_in_again_makes_it_undecided(self, classroom, call):
        classroom.hand_in("ada", "2")
        call("eligible", code=1)
        assert verdicts(classroom)["ada", "exercises"] == "undecided"

    def test_it_fits_a_terminal_and_says_each_reason_once(self, classroom, call):
        shown = call("eligible", code=1, width=80)
        assert max(map(len, shown.splitlines())) <= 80
        text = " ".join(shown.split())
        assert text.count("Day 2: present for 1 h of 2 h 30 min (40 %)") == 1
        assert text.index("Undecided: 1 student") < text.index("Not eligible: 2 students")
        assert "bob Bob “=1+1” O'Brien attendance, exercises" in text
        assert "Eligible: attendance 3, exercises 1" in text
        assert "ada" not in shown

    def test_who_has_the_same_reasons_is_told_together(self, classroom, call):
        (classroom.places.attendance / "day-2.csv").unlink()
        shown = " ".join(call("eligible", code=1, width=80).split())
        assert shown.count("the report of this session, day-2.csv, is missing") == 3
        with classroom.places.roster.open("a") as file:
            file.write("".join(f"e{n},Ed {n},e{n}@example.org\n" for n in range(20)))
        shown = " ".join(call("eligible", code=1, width=80).split())
        assert "e0 Ed 0, e1 Ed 1, e10 Ed 10" in shown
        assert "and 12 more" in shown

    def test_it_says_the_next_command(self, classroom, call):
        assert "Next: settle what is undecided" in call("eligible", code=1)
        classroom.grade("dan", 9)
        assert "certify --dry-run" in call("eligible").splitlines()[-1]

    def test_somebody_known_to_the_gradebook_alone_is_decided_on(self, classroom, call):
        policy = classroom.places.policy
        text = policy.read_text().replace(
            'requires = { all = ["there", "points"] }', 'requires = "there"'
        )
        before, _, after = text.partition("[rules.points]")
        policy.write_text(before + after[after.index("[tiers.attendance]") :])
        lines = classroom.places.roster.read_text("utf-8-sig").splitlines()
        classroom.places.roster.write_text("\n".join(x for x in lines if not x.startswith("bob")))
        call("eligible", code=1)
        assert verdicts(classroom)["bob", "attendance"] == "undecided"
        policy.write_text(
            policy.read_text() + '[[overrides]]\nstudent = "bob"\ntier = "attendance"\n'
            'decision = "deny"\nreason = "Left."\nauthor = "M. de Vries"\ndate = 2026-06-15\n'
        )
        call("eligible", code=1)
        assert verdicts(classroom)["bob", "attendance"] == "overridden: denied"

    def test_a_late_submission_that_could_not_be_graded_has_not_been_read(self, classroom, call):
        policy = classroom.places.policy
        text = policy.read_text().replace('kind = "points"', 'kind = "hand-graded"')
        policy.write_text(text.replace("share = 0.5\n", "") + "[late]\nlast_day = 1\n")
        with classroom.course.gradebook() as gradebook:
            gradebook.update_or_create_assignment("convnet", duedate="2026-06-01 12:00 UTC")
            gradebook.update_or_create_submission(
                "convnet", "dan", timestamp="2026-06-09 12:00 UTC"
            )
        call("eligible", code=1)
        assert verdicts(classroom)["dan", "exercises"] == "undecided"

    def test_what_rests_on_a_name_alone_says_so(self, classroom, call):
        report = classroom.places.attendance / "day-1.csv"
        report.write_text(
            report.read_text("utf-8-sig").replace("ada@example.org", "a@home.example")
        )
        shown = " ".join(call("eligible", "--student", "ada").split())
        assert "Day 1: rests on a name alone, without an own e-mail: line 6 of day-1.csv" in shown
        assert "rests on a name alone" in classroom.places.decisions.read_text()
        policy = classroom.places.policy
        policy.write_text('recognition = { other_email = "undecided" }\n' + policy.read_text())
        call("eligible", "--student", "ada", code=1)
        assert verdicts(classroom)["ada", "attendance"] == "undecided"

    def test_a_report_of_another_time_zone_is_said(self, classroom, call):
        report = classroom.places.attendance / "day-1.csv"
        report.write_text(_an_hour_earlier(report.read_text("utf-8-sig")))
        shown = " ".join(call("eligible").split())
        assert "60 min before the session ends (12:00)" in shown
        assert "report_timezone" in classroom.places.decisions.read_text()
        policy = classroom.places.policy
        own = 'report = "day-1.csv"\nreport_timezone = "Europe/London"'
        policy.write_text(policy.read_text().replace('report = "day-1.csv"', own))
        assert "before the session ends" not in " ".join(call("eligible", code=1).split())

    def test_only_one_student(self, call):
        assert "ada" not in call("eligible", "--student", "bob")

    def test_a_policy_with_an_unknown_assignment_is_refused(self, classroom, call):
        policy = classroom.places.policy
        policy.write_text(policy.read_text().replace('["convnet"]', '["convent"]'))
        shown = call("eligible", code=2).replace("\n", "")
        assert "'convent'" in shown
        assert "convnet" in shown


class TestCertify:
    def test_it_shows_what_it_will_do_and_asks(self, classroom, call):
        shown = call("certify", code=1, input="n\n")
        assert "Ada Abel" in shown
        assert "4 × issue" in shown
        assert not classroom.places.issued.exists()
        call("certify", "--dry-run")
        assert not classroom.places.certificates.exists()

    def test_everyone_who_is_eligible_gets_files_that_verify(self, classroom, call):
        call("certify", "--yes")
        names = {path.parent.name for path in classroom.places.people.rglob("*.pdf")}
        assert names == {"ada", "dan", "zoe"}
        files = sorted(classroom.places.people.rglob("*.pdf"))
        files += sorted(classroom.places.people.rglob("*.jwt"))
        assert len(files) == 8
        assert call("verify", *files).count(": valid") == 8
        assert (classroom.places.site / "verify" / "index.html").exists()

    def test_whose_it_is_can_be_asked(self, classroom, call):
        call("certify", "--yes")
        pdf = classroom.files("ada", ".pdf")[0]
        call("verify", pdf, "--name", "Ada Abel")
        call("verify", pdf, "--name", "ada@example.org")
        assert "It is not Dan Dvořák's" in call("verify", pdf, "--name", "Dan Dvořák", code=1)

    def test_twice_issues_nothing_twice(self, classroom, call):
        call("certify", "--yes")
        before = {p: p.read_bytes() for p in classroom.places.people.rglob("*.*")}
        assert "4 × issued already" in call("certify", "--yes")
        assert {p: p.read_bytes() for p in classroom.places.people.rglob("*.*")} == before
        assert len(issued(classroom)) == 4

    def test_a_lost_file_is_made_again_as_the_same_certificate(self, classroom, call):
        call("certify", "--yes")
        (lost,) = classroom.files("zoe", ".pdf")
        lost.unlink()
        assert "1 × make its files again" in call("certify", "--yes")
        assert len(issued(classroom)) == 4
        assert call("verify", lost).count(": valid") == 1

    def test_a_certificate_is_not_made_again_for_somebody_else(self, classroom, call):
        call("certify", "--yes")
        classroom.files("zoe", ".pdf")[0].unlink()
        text = classroom.places.roster.read_text("utf-8-sig")
        classroom.places.roster.write_text(text.replace("Zoë de Vries", "Eve Evil"))
        assert "another name or address" in call("certify", "--yes", code=1)
        assert not classroom.files("zoe", ".pdf")

    def test_files_of_people_are_for_the_office_alone(self, classroom, call):
        call("certify", "--yes")
        for path in [classroom.places.issued, *classroom.places.people.rglob("*.*")]:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_credential_is_attached_to_the_pdf_and_the_mail(self, classroom, call):
        call("certify", "--yes")
        for pdf, jwt, mail in zip(
            *(classroom.files("ada", kind) for kind in (".pdf", ".jwt", ".eml")), strict=True
        ):
            with pikepdf.open(pdf) as document:
                (attached,) = document.attachments.values()
                assert attached.get_file().read_bytes() == jwt.read_bytes()
            message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
            assert message["To"].addresses[0].addr_spec == "ada@example.org"
            contents = {
                part.get_filename(): part.get_content() for part in message.iter_attachments()
            }
            assert pdf.read_bytes() in contents.values()

    def test_nothing_published_names_anybody(self, classroom, call):
        call("certify", "--yes")
        for path in classroom.places.site.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                names = ("Abel", "Dvo", "Zoë", "ada@", "dan@")
                assert not any(name.encode() in data for name in names), path

    def test_who_is_not_in_the_roster_is_told(self, classroom, call):
        lines = classroom.places.roster.read_text("utf-8-sig").splitlines()
        classroom.places.policy.write_text(
            classroom.places.policy.read_text()
            + '[[overrides]]\nstudent = "ada"\ntier = "exercises"\ndecision = "allow"\n'
            'reason = "Was there."\nauthor = "M. de Vries"\ndate = 2026-06-15\n'
        )
        classroom.places.roster.write_text("\n".join(lines[:1] + lines[2:]))
        shown = call("certify", "--yes", code=1)
        assert "is not in the roster" in shown
        assert not classroom.files("ada", ".pdf")

    def test_a_name_that_cannot_be_printed_stops_no_other(self, classroom, call):
        text = classroom.places.roster.read_text("utf-8-sig")
        classroom.places.roster.write_text(text.replace("Ada Abel", "Ada 😀 Abel"))
        report = classroom.places.attendance
        for path in report.glob("day-*.csv"):
            path.write_text(path.read_text("utf-8-sig").replace("Ada Abel", "Ada 😀 Abel"))
        shown = call("certify", "--yes", code=1)
        assert "U+1F600" in shown
        assert classroom.files("zoe", ".pdf")
        assert not classroom.files("ada", ".pdf")

    def test_without_a_key_it_says_how_to_make_one(self, classroom, call):
        shutil.rmtree(classroom.keys)
        assert "dlcourse keys new" in call("certify", "--dry-run", code=2)
        assert "dlcourse keys new" in call("certify", "--yes", code=2)
        assert not classroom.places.issued.exists()

    def test_a_certificate_whose_holder_is_no_longer_eligible_needs_a_person(self, classroom, call):
        call("certify", "--yes")
        classroom.grade("ada", 1)
        shown = call("certify", "--yes", code=1)
        assert "has a certificate, but is now not eligible" in shown
        assert len(classroom.files("ada", ".pdf")) == 2

    def test_an_override_is_printed_and_logged(self, classroom, call):
        policy = classroom.places.policy
        policy.write_text(
            policy.read_text()
            + '[[overrides]]\nstudent = "bob"\ntier = "attendance"\ndecision = "allow"\n'
            'reason = "Did the catch-up session."\nauthor = "M. de Vries"\ndate = 2026-06-15\n'
        )
        assert "overridden: allowed" in call("certify", "--yes")
        assert classroom.files("bob", ".pdf")
        events = [json.loads(line)["event"] for line in classroom.places.log.open()]
        assert (events.count("override"), events.count("issued")) == (1, 5)

    def test_an_interrupted_run_is_gone_on_with(self, classroom, call, monkeypatch):
        import nbcertify.issuing as issuing

        make, made = issuing.make_pdf, []

        def fail(*arguments):
            if made:
                raise KeyboardInterrupt
            made.append(1)
            return make(*arguments)

        monkeypatch.setattr(issuing, "make_pdf", fail)
        call("certify", "--yes", code=130)
        ids = [one["id"] for one in issued(classroom)]
        monkeypatch.setattr(issuing, "make_pdf", make)
        assert "3 × make its files again" in call("certify", "--yes")
        assert [one["id"] for one in issued(classroom)] == ids
        files = sorted(classroom.places.people.rglob("*.pdf"))
        assert call("verify", "--log", *files).count(": valid") == 4

    def test_a_certificate_that_cannot_be_written_stops_no_other(self, classroom, call):
        classroom.places.people.mkdir(parents=True)
        (classroom.places.people / "ada").write_text("in the way")
        shown = call("certify", "--yes", code=1)
        assert "cannot be written" in shown
        assert classroom.files("zoe", ".pdf")
        (classroom.places.people / "ada").unlink()
        assert "2 × make its files again" in call("certify", "--yes")

    def test_a_clock_that_went_back_is_noticed(self, classroom, call, monkeypatch):
        call("certify", "--yes", "--student", "ada")
        log = classroom.places.log
        append(log, "key", datetime(2030, 1, 1, tzinfo=UTC))
        assert "set the clock right" in call("certify", "--yes", code=2)

    def test_before_the_course_has_ended_nothing_is_certified(self, classroom, call):
        policy = classroom.places.policy
        policy.write_text(policy.read_text().replace("2026-06-09", "2036-06-09"))
        (classroom.places.attendance / "day-2.csv").unlink()
        assert "The course ends on 2036-06-09" in call("certify", "--yes", code=2)

    def test_a_log_that_was_changed_is_not_gone_on_with(self, classroom, call):
        call("certify", "--yes", "--student", "ada")
        lines = classroom.places.log.read_text().splitlines(keepends=True)
        classroom.places.log.write_text("".join(lines[1:]))
        assert "was changed, or is not whole" in call("certify", "--yes", code=2)

    def test_a_student_whom_there_is_not(self, call):
        assert "no student nobody" in call("certify", "--student", "nobody", code=2)
        assert "no student nobody" in call("eligible", "--student", "nobody", code=2)


class TestRevoke:
    def revoke(self, call, classroom, *more, **how):
        which = next(one for one in issued(classroom) if one["student"] == "zoe")
        why = ("--reason", "Issued by mistake.", "--author", "M. de Vries")
        return call("revoke", which["id"], *why, *more, **how)

    def test_a_revoked_certificate_does_not_verify_and_is_not_issued_again(
        self, classroom, call, tmp_path
    ):
        call("certify", "--yes")
        pdf = shutil.copy(classroom.files("zoe", ".pdf")[0], tmp_path)
        self.revoke(call, classroom, "--yes")
        assert ": revoked" in call("verify", pdf, code=1)
        assert call("verify", *classroom.files("ada", ".pdf"))
        assert "was revoked on" in call("certify", "--yes")
        assert len(issued(classroom)) == 4
        self.revoke(call, classroom, "--yes", code=2)

    def test_what_was_to_be_handed_over_is_gone(self, classroom, call):
        call("certify", "--yes")
        self.revoke(call, classroom, "--yes")
        assert not classroom.files("zoe", ".eml")

    @pytest.mark.parametrize("copy", ["none", "from before"])
    def test_a_lost_list_is_noticed(self, classroom, call, copy):
        call("certify", "--yes")
        before = classroom.places.issued.read_bytes()
        self.revoke(call, classroom, "--yes")
        whole = classroom.places.issued.read_bytes()
        if copy == "none":
            classroom.places.issued.unlink()
        else:
            classroom.places.issued.write_bytes(before)
        assert "is not whole" in call("certify", "--yes", code=2)
        assert "in the list" in call("verify", "--log", code=1)
        classroom.places.issued.write_bytes(whole)
        call("certify", "--yes")

    def test_it_asks(self, classroom, call):
        call("certify", "--yes")
        self.revoke(call, classroom, code=1, input="n\n")
        call("verify", *classroom.files("zoe", ".pdf"))

    def test_a_replaced_one_is_issued_anew(self, classroom, call, tmp_path):
        call("certify", "--yes")
        old = shutil.copy(classroom.files("zoe", ".pdf")[0], tmp_path)
        self.revoke(call, classroom, "--yes", "--replace")
        text = classroom.places.roster.read_text("utf-8-sig")
        classroom.places.roster.write_text(text.replace("Zoë de Vries", "Zoë van der Berg"))
        call("certify", "--yes")
        shown = call("verify", old, *classroom.files("zoe", ".pdf"), code=1)
        assert (shown.count(": valid"), shown.count(": revoked")) == (1, 1)
        assert "4 × issued already" in call("certify", "--yes")

    def test_an_unknown_one(self, classroom, call):
        call("certify", "--yes")
        why = ("--reason", "x", "--author", "y", "--yes")
        assert "there is none" in call("revoke", "urn:uuid:nobody", *why, code=2)


class TestKeys:
    def test_certificates_of_an_earlier_key_stay_valid(self, classroom, call):
        call("certify", "--yes", "--student", "ada")
        CliRunner().invoke(app, ["keys", "new"], catch_exceptions=False)
        call("certify", "--yes")
        files = sorted(classroom.places.people.rglob("*.pdf"))
        assert call("verify", *files).count(": valid") == 4
        listed = CliRunner().invoke(app, ["keys", "list"])
        assert len(listed.output.split()) == 2

    def test_a_key_that_is_lost_still_vouches_for_what_it_signed(self, classroom, call):
        call("certify", "--yes", "--student", "ada")
        shutil.rmtree(classroom.keys)
        CliRunner().invoke(app, ["keys", "new"], catch_exceptions=False)
        call("certify", "--yes")
        files = sorted(classroom.places.people.rglob("*.pdf"))
        assert call("verify", *files).count(": valid") == 4


class TestLog:
    def test_it_is_whole_and_tells_its_head(self, classroom, call):
        call("certify", "--yes")
        assert "lines fit together" in call("verify", "--log")

    @pytest.mark.parametrize("change", ["line", "order", "gap"])
    def test_a_change_is_found(self, classroom, call, change):
        call("certify", "--yes")
        log = classroom.places.log
        lines = log.read_text().splitlines(keepends=True)
        if change == "line":
            lines[3] = lines[3].replace("eligible", "undecided")
        elif change == "order":
            lines[2], lines[3] = lines[3], lines[2]
        else:
            del lines[4]
        log.write_text("".join(lines))
        assert "line " in call("verify", "--log", code=1)

    def test_an_empty_log_is_found(self, classroom, call):
        call("certify", "--yes")
        classroom.places.log.write_text("")
        assert "the log does not know" in call("verify", "--log", code=1)

    def test_a_shortened_log_is_found_by_what_was_issued(self, classroom, call):
        call("certify", "--yes")
        log = classroom.places.log
        lines = log.read_text().splitlines(keepends=True)
        log.write_text("".join(lines[:-1]))
        assert "the log does not know" in call("verify", "--log", code=1)

    def test_neither_names_nor_addresses_are_in_it(self, classroom, call):
        call("certify", "--yes")
        text = classroom.places.log.read_text() + classroom.places.issued.read_text()
        assert "Abel" not in text
        assert "@" not in text


class TestHandOver:
    def test_refusals_say_what_was_needed(self, classroom, call):
        shown = call("refusals", code=1)
        assert "No mail yet to dan: undecided." in shown
        assert "3 written" in shown
        (attendance, exercises) = classroom.files("bob", ".eml")
        message = email.message_from_bytes(attendance.read_bytes(), policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()
        assert "present for 1 h of 2 h 30 min" in " ".join(text.split())
        assert not classroom.files("dan", ".eml")

    def test_nobody_is_refused_who_may_be_on_the_review_list(self, classroom, call):
        report = classroom.places.attendance / "day-2.csv"
        line = "Bobby,,06/09/2026 09:00:00 AM,06/09/2026 12:00:00 PM,180,Yes,,No\n"
        report.write_text(report.read_text("utf-8-sig") + line)
        shown = call("refusals", code=1)
        assert "No mail yet to bob, dan: undecided (somebody on the review list" in shown
        assert not classroom.files("bob", "attendance-refusal.eml")
        assert classroom.files("zoe", "exercises-refusal.eml")

    def test_a_refusal_goes_when_the_certificate_comes(self, classroom, call):
        call("refusals", code=1)
        classroom.grade("zoe", 9)
        call("certify", "--yes")
        assert [path.name for path in classroom.files("zoe", "refusal.eml")] == []
        assert len(classroom.files("bob", "refusal.eml")) == 2

    def test_who_is_unknown_to_the_gradebook_is_told_and_gets_no_refusal(self, classroom, call):
        with classroom.places.roster.open("a") as file:
            file.write("Ada2,Ada Lovelace,lovelace@example.org\n")
        assert "unknown to the gradebook: Ada2" in call("eligible", code=1)
        assert "no Ada2" in call("refusals", code=1)
        assert not classroom.files("Ada2", ".eml")

    def test_edubadges(self, classroom, call, tmp_path):
        call("certify", "--yes")
        call("edubadges", tmp_path / "awards.csv", "--tier", "attendance")
        assert "ada@example.org" in (tmp_path / "awards.csv").read_text("utf-8-sig")
        assert "bob@example.org" not in (tmp_path / "awards.csv").read_text("utf-8-sig")


class TestPurge:
    def test_nothing_of_the_person_is_left_but_the_pseudonym(self, classroom, call):
        call("certify", "--yes")
        call("purge", "ada", code=1, input="n\n")
        assert classroom.files("ada", ".pdf")
        shown = call("purge", "ada", "--yes")
        assert "status list" in shown
        for path in classroom.root.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert b"Abel" not in data, path
                assert b"ada@" not in data, path
        assert not (classroom.root / "submitted" / "ada").exists()
        assert call("verify", "--log")
        assert "nothing of" in call("purge", "ada", "--yes", code=2).replace("\n", " ")

    def test_the_others_keep_what_they_have(self, classroom, call):
        call("certify", "--yes")
        call("purge", "ada", "--yes")
        call("eligible", code=1)
        assert verdicts(classroom)["zoe", "attendance"] == "eligible"
        assert "2 × issued already" in call("certify", "--yes")
        assert call("verify", *classroom.files("zoe", ".pdf"))

    def test_others_of_the_same_name_or_minutes_stay(self, classroom, call):
        places = classroom.places
        text = places.roster.read_text("utf-8-sig")
        places.roster.write_text(text.replace("Dan Dvořák", "Ada Abel").replace("bob,", "180,"))
        for path in places.attendance.glob("day-*.csv"):
            path.write_text(path.read_text("utf-8-sig").replace("Dan Dvořák", "Ada Abel"))
        call("eligible", code=1)
        before = verdicts(classroom)
        call("purge", "180", "--yes")
        call("purge", "ada", "--yes")
        call("eligible", code=1)
        left = verdicts(classroom)
        assert left["dan", "attendance"] == before["dan", "attendance"] == "eligible"
        assert left["zoe", "attendance"] == "eligible"

    def test_however_zoom_writes_the_name(self, classroom, call):
        for path in classroom.places.attendance.glob("day-*.csv"):
            row = '"Abel, Ada (Ada Abel)",,'
            path.write_text(path.read_text("utf-8-sig").replace("Ada Abel,ada@example.org,", row))
        call("purge", "ada", "--yes")
        for path in classroom.places.attendance.glob("day-*.csv"):
            assert "Abel" not in path.read_text("utf-8-sig")
            assert "Zoë" in path.read_text("utf-8-sig")

    def test_who_is_enrolled_again_gets_a_new_certificate(self, classroom, call):
        call("certify", "--yes")
        roster = classroom.places.roster.read_bytes()
        reports = {p: p.read_bytes() for p in classroom.places.attendance.glob("day-*.csv")}
        call("purge", "zoe", "--yes")
        classroom.places.roster.write_bytes(roster)
        for path, data in reports.items():
            path.write_bytes(data)
        old = next(one["id"] for one in issued(classroom) if one["student"] == "zoe")
        shown = " ".join(call("certify", "--dry-run").split())
        short = old.removeprefix("urn:uuid:")[:8]
        assert f"a second one beside {short} of" in shown
        call("certify", "--yes")
        assert len(issued(classroom)) == 5
        assert call("verify", *classroom.files("zoe", ".pdf"))

    def test_the_certificate_that_was_handed_over_stays_valid(self, classroom, call, tmp_path):
        call("certify", "--yes")
        kept = shutil.copy(classroom.files("ada", ".pdf")[0], tmp_path)
        call("purge", "ada", "--yes")
        call("certify", "--yes")
        assert ": valid" in call("verify", kept)

    @pytest.mark.parametrize("student", ["nobody", "../ada", ".", "..", ""])
    def test_somebody_who_is_not_there(self, call, student):
        call("purge", student, "--yes", code=2)


def test_expiry(classroom, call):
    policy = classroom.places.policy
    policy.write_text(policy.read_text().replace("hours = 6", "hours = 6\nvalid_years = 5"))
    call("certify", "--yes", "--student", "zoe")
    (one,) = issued(classroom)
    years = (
        date.fromisoformat(one["expires"][:10]).year - date.fromisoformat(one["issued"][:10]).year
    )
    assert years == 5
