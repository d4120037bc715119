"""Every threat has the outcome that is right for it, and shows nothing that is hidden."""

from __future__ import annotations

import collections
import copy

import pytest
from hostile_class import THREATS, active_parts
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader.handlers import template_path

# What the engine says where it did not foresee what happened.
UNFORESEEN = ("unexpected error", "was ended while it ran", "The grader failed", "must look")


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


@pytest.mark.parametrize("name", [name for name, threat in THREATS.items() if threat.check])
def test_every_threat_shows_what_it_may(hostile, name):
    THREATS[name].check(hostile[name])


@pytest.mark.parametrize("name", THREATS)
def test_nothing_hidden_is_shown(hostile, name):
    graded = hostile[name]
    shown = graded.all_outputs() + str(graded.record) + str(graded.outcome)
    for kind, secret in hostile.secrets.all().items():
        assert secret not in shown, kind


def test_the_formgrader_shows_the_instructor_nothing_that_runs(hostile):
    """The page on which an instructor grades a text cell, with nbgrader's own template."""
    graded = hostile["outputs.markdown"]
    config = copy.deepcopy(graded.course.config)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [template_path]
    place = graded.course.autograded / graded.outcome.student / "h1" / "tasks.ipynb"
    resources = collections.defaultdict(str, index=0, total=1)
    page, _ = HTMLExporter(config=config).from_filename(str(place), resources=resources)
    assert "Mermaid" in page or "mermaid" in page
    found = [item for item in active_parts(page) if "alert" in item or "stolen" in item]
    assert found == []
