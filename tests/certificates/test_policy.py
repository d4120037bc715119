"""What may stand in a policy, and how a mistake in it is told."""

from datetime import datetime
from pathlib import Path

import pytest
from nbcertify.errors import CertificateError
from nbcertify.policy import Policy, read_policy
from nbcertify.rules import Late
from nbjudge.course import load_course

ROOT = Path(__file__).parents[2]
WHOLE = """\
timezone = "Europe/Amsterdam"

[[sessions]]
name = "Day 1"
date = 2026-10-25
start = "00:30"
end = 05:00:00
breaks = [["01:00", "01:15"], [04:00:00, 04:30:00]]
report = "day-1.csv"

[rules.there]
kind = "attendance"
share = 0.8

[rules.points]
kind = "points"
assignments = ["a", "b"]
share = 0.6
drop_lowest = 1

[rules.each]
kind = "minimum"
shares = { a = 0.5, c = 0 }

[rules.read]
kind = "hand-graded"
assignments = ["a"]

[late]
grace_minutes = 15
per_day = 0.1
last_day = 7

[tiers.attendance]
title = "Certificate of attendance"
statement = ["was there."]
requires = "there"
hours = 14

[tiers.exercises]
title = "Certificate"
statement = ["was there", "and did it."]
requires = { all = ["there", "read", { any = ["points", "each"] }] }
hours = 28
valid_years = 5

[[overrides]]
student = "ada"
tier = "attendance"
decision = "allow"
reason = "Ill."
author = "M. de Vries"
date = 2026-06-15
"""


def read(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return read_policy(path)


def test_the_repositorys_own_can_be_read():
    policy = read_policy(ROOT / "gradebook" / "policy.toml")
    course = load_course(ROOT)
    assert set(policy.assignments) <= set(course.assignments())
    assert list(policy.assignments) == course.in_teaching_order(policy.assignments)
    assert [tier.name for tier in policy.tiers] == ["attendance", "exercises"]


def test_everything_that_may_stand_in_one(tmp_path):
    policy = read(tmp_path, WHOLE)
    assert policy.assignments == ("a", "b", "c")
    assert policy.late == Late(900, 0.1, 7)
    assert list(policy.tier("exercises").needs.rules()) == ["there", "read", "points", "each"]
    assert policy.tier("exercises").ec == 1
    assert (policy.tier("attendance").valid_years, policy.tier("exercises").valid_years) == (
        None,
        5,
    )
    (override,) = policy.overrides
    assert (override.student, override.allow, override.author) == ("ada", True, "M. de Vries")


def test_a_session_lasts_as_long_as_clocks_in_its_zone_say(tmp_path):
    """In the night to 2026-10-25, the hour from two to three comes twice in Amsterdam."""
    (session,) = read(tmp_path, WHOLE).sessions
    assert session.seconds == (5.5 - 0.75) * 3600
    assert session.start == datetime.fromisoformat("2026-10-25T00:30+02:00")
    assert session.end == datetime.fromisoformat("2026-10-25T05:00+01:00")


@pytest.mark.parametrize(
    "old, new, line, key, wrong",
    [
        (
            'timezone = "Europe/Amsterdam"',
            'timezone = "Mars"',
            1,
            "timezone",
            "must be one such as",
        ),
        ('timezone = "Europe/Amsterdam"', "", 1, "timezone", "is missing"),
        ("timezone", "timezome", 1, "timezome", "unknown key"),
        ('name = "Day 1"', "name = 1", 4, "sessions[1].name", "must be a text"),
        ('name = "Day 1"', 'name = " "', 4, "sessions[1].name", "is empty"),
        ("2026-10-25", "2026-10-25T10:00:00", 5, "sessions[1].date", "must be a date"),
        ('"00:30"', '"half one"', 6, "sessions[1].start", "must be a time of day"),
        ("05:00:00", "00:30:00", 7, "sessions[1].end", "must be after the start"),
        ('"01:15"', '"00:59"', 8, "sessions[1].breaks", "must be within the session"),
        ('"01:00", "01:15"', '"01:00"', 8, "sessions[1].breaks", "must be a list of pairs"),
        (
            '["01:00", "01:15"], [04:00:00, 04:30:00]',
            '["00:30", "05:00"]',
            8,
            "sessions[1].breaks",
            "leave nothing",
        ),
        ("[tiers.attendance]", '[tiers."../x"]', 35, "tiers.../x.title", "cannot name files"),
        ("day-1.csv", "../day-1.csv", 9, "sessions[1].report", "must be the name of a file"),
        ('"attendance"\nshare', '"presence"\nshare', 12, "rules.there.kind", "unknown kind"),
        ("share = 0.8", "share = 80", 13, "rules.there.share", "must be from 0 to 1"),
        ("share = 0.8", "share = nan", 13, "rules.there.share", "must be from 0 to 1"),
        ("share = 0.8", "share = true", 13, "rules.there.share", "must be a number"),
        ("share = 0.8", "", 11, "rules.there.share", "is missing"),
        ("share = 0.8", "share = 0.8\nmay_miss = 1", 14, "rules.there.may_miss", "from 0 to 0"),
        (
            "share = 0.8",
            'share = 0.8\nsessions = ["Day 2"]',
            14,
            "rules.there.sessions",
            "unknown session 'Day 2'; there are Day 1",
        ),
        ('["a", "b"]', '["a", "a"]', 17, "rules.points.assignments", "names one twice"),
        ('["a", "b"]', "[]", 17, "rules.points.assignments", "must be a list of names"),
        ('["a", "b"]', '[\n"a",\n"b", 3]', 17, "rules.points.assignments", "must be a list of"),
        ("drop_lowest = 1", "drop_lowest = 2", 19, "rules.points.drop_lowest", "from 0 to 1"),
        ("drop_lowest = 1", "drop_lowest = 0.5", 19, "rules.points.drop_lowest", "whole number"),
        ("c = 0 }", "c = -1 }", 23, "rules.each.shares.c", "must be from 0 to 1"),
        ("per_day = 0.1", "per_day = 10", 31, "late.per_day", "must be from 0 to 1"),
        (
            'requires = "there"',
            'requires = "their"',
            37,
            "tiers.attendance.requires",
            "unknown rule",
        ),
        ('requires = "there"', "requires = 3", 37, "tiers.attendance.requires", "must be a rule's"),
        (
            '{ any = ["points", "each"] }',
            "{ any = [] }",
            43,
            "tiers.exercises.requires",
            "any must",
        ),
        (
            '{ any = ["points',
            '{ one = ["points',
            43,
            "tiers.exercises.requires",
            "must be a rule's",
        ),
        ("hours = 14", "", 34, "tiers.attendance.hours", "is missing"),
        ('student = "ada"', 'student = "a@b.nl"', 48, "overrides[1].student", "not an e-mail"),
        ('tier = "attendance"', 'tier = "both"', 49, "overrides[1].tier", "unknown tier"),
        ('"allow"', '"perhaps"', 50, "overrides[1].decision", 'must be "allow" or "deny"'),
        ('reason = "Ill."', "", 47, "overrides[1].reason", "is missing"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(tmp_path, old, new, line, key, wrong):
    assert old in WHOLE
    with pytest.raises(CertificateError) as caught:
        read(tmp_path, WHOLE.replace(old, new, 1))
    assert str(caught.value).startswith(f"{tmp_path / 'policy.toml'}, line {line}: {key}: ")
    assert wrong in str(caught.value)


def test_two_sessions_of_one_name_or_report_are_told_apart(tmp_path):
    session = WHOLE[WHOLE.index("[[sessions]]") : WHOLE.index("[rules.there]")]
    with pytest.raises(CertificateError, match="another session has 'Day 1' already"):
        read(tmp_path, WHOLE.replace(session, session * 2))


def test_two_overrides_of_one_decision_are_refused(tmp_path):
    override = WHOLE[WHOLE.index("[[overrides]]") :]
    with pytest.raises(CertificateError, match="two overrides for ada"):
        read(tmp_path, WHOLE + override)


def test_a_policy_without_tiers_gives_no_certificate(tmp_path):
    with pytest.raises(CertificateError, match="tiers: is missing"):
        read(tmp_path, "")


def test_what_is_not_toml_says_where(tmp_path):
    with pytest.raises(CertificateError, match=r"policy\.toml: is not valid TOML: .*line 1"):
        read(tmp_path, "tiers = = 1")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = [" + b"[" * 5000])
def test_what_cannot_be_read_is_an_error_with_words(tmp_path, content):
    path = tmp_path / "policy.toml"
    path.write_bytes(content)
    with pytest.raises(CertificateError, match=r"policy\.toml: is not"):
        read_policy(path)


def test_no_file(tmp_path):
    with pytest.raises(CertificateError, match="cannot be read: No such file"):
        read_policy(tmp_path / "policy.toml")


def test_the_digest_is_of_the_file(tmp_path):
    assert read(tmp_path, WHOLE).digest != read(tmp_path, WHOLE + "\n").digest
