"""The further course that policy.toml shows in its comments can be had by taking the marks away."""

from __future__ import annotations

from pathlib import Path

from nbcertify.policy import read_policy
from nbjudge.course import load_course

ROOT = Path(__file__).parents[2]


def test_the_further_course_needs_only_its_marks_taken_away(tmp_path):
    text = (ROOT / "gradebook" / "policy.toml").read_text()
    shown, after = text[text.index("# [rules.further") :].split("\n\n", 1)
    lines = [line.removeprefix("#").removeprefix(" ") for line in shown.splitlines()]
    (tmp_path / "policy.toml").write_text(text.replace(shown, "\n".join(lines)), encoding="utf-8")
    policy = read_policy(tmp_path / "policy.toml")
    tier = next(tier for tier in policy.tiers if tier.name == "intermediate")
    assert set(tier.needs.of) <= set(policy.rules)
    assert "nl" in tier.others
    further = policy.rules["further-points"].assignments
    assert set(further) <= set(load_course(ROOT).assignments())
    assert not set(further) & set(policy.rules["points"].assignments)
