"""The isolation that a course asks for: less than that grades nobody, unless it is permitted."""

from __future__ import annotations

import os
from pathlib import Path

import nbjudge.trial.judging
import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.errors import IsolationError
from nbjudge.record.marks import read_totals
from nbjudge.record.records import read_record, record_path
from nbjudge.sandbox import Finding
from typer.testing import CliRunner

from dlcourse.cli import app

pytestmark = pytest.mark.usefixtures("grades_here")

REASON = "user namespaces are switched off; an administrator permits them"


@pytest.fixture
def machine(monkeypatch):
    """Let this machine be one that offers a tier and no more; call it with the tier."""

    def pretend(tier: str) -> None:
        monkeypatch.setattr(nbjudge.trial.judging, "find_tier", lambda: Finding(tier, (REASON,)))
        nbjudge.trial.judging._tier.cache_clear()

    yield pretend
    nbjudge.trial.judging._tier.cache_clear()


def permit(course: Course, tier: str) -> Course:
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Grading.isolation_floor = {tier!r}\n")
    return load_course(course.root)


needs_common_python = pytest.mark.skipif(
    os.name == "posix"
    and os.getuid() == 0
    and not all(folder.stat().st_mode & 0o001 for folder in Path(os.__file__).parents),
    reason="in the tier 'filters' root becomes another user, who cannot read this Python",
)
WEAKER = [("full", "filters"), ("full", "none"), ("filters", "none")]


@pytest.mark.parametrize(("floor", "found"), WEAKER)
def test_a_machine_that_offers_less_grades_nobody_and_says_why(
    released_course, machine, floor, found
):
    course = permit(released_course, floor)
    toy.submit(course.root, "anna")
    machine(found)
    with pytest.raises(IsolationError) as refused:
        list(grade(course, find_submissions(course)))
    assert f"offers the isolation '{found}', and the course asks for '{floor}'" in str(
        refused.value
    )
    assert REASON in str(refused.value)
    assert f"c.Grading.isolation_floor = '{found}'" in str(refused.value)
    assert read_record(course.gradebook_folder, "ps1", "anna") is None
    assert not (course.autograded / "anna").exists()
    with course.gradebook() as gradebook:
        assert read_totals(gradebook, "ps1", "anna") is None


def test_a_grade_that_was_given_in_a_stronger_one_is_left_alone(released_course, machine):
    course = released_course
    toy.submit(course.root, "anna")
    (anna,) = grade(course, find_submissions(course))
    assert anna.score == 5
    file = record_path(course.gradebook_folder, "ps1", "anna")
    before = file.read_bytes()
    machine("none")
    with pytest.raises(IsolationError):
        list(grade(course, find_submissions(course), force=True))
    assert file.read_bytes() == before
    with course.gradebook() as gradebook:
        assert read_totals(gradebook, "ps1", "anna").score == 5


LOOKS = """import os
confined = os.getpid() == 1
def double(x):
    return 2 * x
"""


@pytest.mark.parametrize("tier", [pytest.param("filters", marks=needs_common_python), "none"])
def test_where_it_is_permitted_it_is_graded_and_the_record_says_so(released_course, machine, tier):
    course = permit(released_course, tier)
    toy.submit(course.root, "anna", toy.RIGHT | {"double": LOOKS + "print(confined)"})
    toy.submit(course.root, "bob", {})
    toy.submit(course.root, "cleo", toy.RIGHT | {"double": "while True: pass"})
    toy.submit(course.root, "dora", toy.RIGHT | {"double": "import os\nos._exit(1)"})
    machine(tier)
    found = {o.student: (o.status, o.score) for o in grade(course, find_submissions(course))}
    assert found == {
        "anna": ("graded", 5),
        "bob": ("graded", 0),
        "cleo": ("graded", 3),
        "dora": ("not graded", 0),
    }
    assert read_record(course.gradebook_folder, "ps1", "anna").inputs.tier == tier
    notebook = toy.read(course.autograded / "anna" / "ps1" / "toys.ipynb")
    assert toy.by_id(notebook, "double")["outputs"][0]["text"] == ["False\n"]


def test_a_floor_below_what_there_is_does_not_lower_it(released_course):
    course = permit(released_course, "none")
    toy.submit(course.root, "anna", toy.RIGHT | {"double": LOOKS + "print(confined)"})
    (anna,) = grade(course, find_submissions(course))
    assert anna.score == 5
    assert read_record(course.gradebook_folder, "ps1", "anna").inputs.tier == "full"
    notebook = toy.read(course.autograded / "anna" / "ps1" / "toys.ipynb")
    assert toy.by_id(notebook, "double")["outputs"][0]["text"] == ["True\n"]


@needs_common_python
def test_a_stronger_isolation_than_last_time_grades_again(released_course, machine):
    course = permit(released_course, "filters")
    toy.submit(course.root, "anna")
    machine("filters")
    (first,) = grade(course, find_submissions(course))
    machine("full")
    (second,) = grade(course, find_submissions(course))
    (third,) = grade(course, find_submissions(course))
    assert [o.reused for o in (first, second, third)] == [False, False, True]
    assert read_record(course.gradebook_folder, "ps1", "anna").inputs.tier == "full"


def test_the_command_says_so_and_exits_with_2(released_course, machine):
    toy.submit(released_course.root, "anna")
    machine("filters")
    done = CliRunner().invoke(app, ["grade", "--course", str(released_course.root)])
    assert done.exit_code == 2
    said = " ".join(done.stderr.split())
    assert "offers the isolation 'filters', and the course asks for 'full'" in said
    assert REASON in said
    assert "Traceback" not in said
