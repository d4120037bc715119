"""Every threat has the outcome that is right for it, and shows nothing that is hidden."""

from __future__ import annotations

import pytest
from hostile_class import THREATS

# What the engine says where it did not foresee what happened.
UNFORESEEN = ("nobody foresaw", "was ended while it ran", "The grader failed", "instructor to look")


@pytest.mark.parametrize("name", THREATS)
def test_every_threat_has_its_outcome(hostile, name):
    threat, graded = THREATS[name], hostile[name]
    outcome = graded.outcome
    for words in UNFORESEEN:
        assert words not in outcome.reason
    if threat.score is None:
        assert (outcome.status, outcome.score) == ("not graded", 0)
        assert threat.says in outcome.reason
        assert graded.notebook is None
    else:
        assert (outcome.status, outcome.reason) == ("graded", "")
        scores = {cell.grade_id: cell.score for cell in graded.record.cells}
        assert outcome.score == threat.score, (scores, graded.record.cells)
    assert outcome.max_score == 8
    assert outcome.seconds < 45


@pytest.mark.parametrize("name", [name for name, threat in THREATS.items() if threat.check])
def test_every_threat_shows_what_it_may(hostile, name):
    THREATS[name].check(hostile[name])


@pytest.mark.parametrize("name", THREATS)
def test_nothing_hidden_is_shown(hostile, name):
    graded = hostile[name]
    shown = graded.all_outputs() + str(graded.record) + str(graded.outcome)
    for kind, secret in hostile.secrets.all().items():
        assert secret not in shown, kind
