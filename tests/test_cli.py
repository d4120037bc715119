"""The `dlcourse` command: help, exit codes, and messages that tell what to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

# A course without TensorFlow is beside nbjudge's own tests.
import toy_course as toy
from nbjudge.assignment import read_assignment
from nbjudge.course import load_course
from nbjudge.sandbox import Finding
from nbjudge.trial import judging
from nbjudge.trial.reference import has_passed
from typer.testing import CliRunner

from dlcourse.cli import app

ROOT = Path(__file__).parents[1]


def call(*arguments, env=None):
    return CliRunner().invoke(
        app, [str(a) for a in arguments], env={"COLUMNS": "200"} | (env or {})
    )


@pytest.fixture
def course(tmp_path):
    """The repository's course without anything handed in."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "source" / "image-data", tmp_path / "source" / "image-data")
    for part in ("header.ipynb", "footer.ipynb"):
        shutil.copy(ROOT / "source" / part, tmp_path / "source")
    (tmp_path / "gradebook").mkdir()
    shutil.copy(ROOT / "gradebook" / "policy.toml", tmp_path / "gradebook")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("release", "student versions"),
        ("grade", "handed in"),
        ("eligible", "certificate"),
        ("demo", "made-up class"),
        ("data", "CIFAR-10"),
    ],
)
def test_every_command_explains_itself(command, words):
    shown = call(command, "--help")
    assert shown.exit_code == 0
    assert words in shown.output
    assert command in call("--help").output


def test_a_folder_that_is_no_course(tmp_path):
    for command in ("release", "grade", "eligible", "demo"):
        shown = call(command, "--course", tmp_path)
        assert shown.exit_code == 2
        assert "nbgrader_config.py" in shown.output
        assert "Traceback" not in shown.output


def test_nothing_to_grade(course):
    shown = call("grade", "--course", course)
    assert shown.exit_code == 2
    assert "nothing to grade" in shown.output


def test_what_a_student_is_called_is_shown_as_it_is(course):
    """A name that looks like the terminal's markup must not stop the table for the others."""
    assert call("release", "--no-run", "--course", course).exit_code == 0
    name = "x[red]"
    (course / "submitted" / name / "image-data").mkdir(parents=True)
    (course / "submitted" / name / "image-data" / "image-data.ipynb").write_text("{}")
    env = {"DLCOURSE_DATA": "stand-in"}
    shown = call("grade", "--course", course, env=env)
    assert shown.exit_code == 1, shown.output
    assert name in shown.output
    policy = course / "gradebook" / "policy.toml"
    text = re.sub(r"(?m)^assignments = .*$", 'assignments = ["image-data"]', policy.read_text())
    policy.write_text(re.sub(r"(?m)^shares = .*$", "shares = { image-data = 0.5 }", text))
    shown = call("eligible", "--course", course, env=env)
    assert shown.exit_code == 1, shown.output
    assert name in shown.output


def test_help_names_the_missing_half_of_an_installation():
    script = (
        "import sys; sys.modules['nbjudge'] = None; "
        "from dlcourse.cli import app; sys.argv = ['dlcourse', '--help']; app()"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert shown.returncode == 0
    assert "packages/nbjudge" in shown.stdout


def test_an_assignment_that_there_is_not(course):
    for command in ("release", "grade"):
        shown = call(command, "convent", "--course", course)
        assert shown.exit_code == 2
        assert "image-data" in shown.output.replace("\n", " ")


def test_a_release_writes_the_student_version(course):
    shown = call("release", "--no-run", "--course", course)
    assert shown.exit_code == 0, shown.output
    notebook = (course / "release" / "image-data" / "image-data.ipynb").read_text()
    assert "YOUR CODE HERE" in notebook


def test_a_source_with_a_mistake_is_not_released(course):
    path = course / "source" / "image-data" / "image-data.ipynb"
    content = json.loads(path.read_text())
    cell = next(c for c in content["cells"] if c["id"] == "normalise")
    cell["source"] = [line for line in cell["source"] if "END SOLUTION" not in line]
    path.write_text(json.dumps(content))
    shown = call("release", "--course", course)
    assert shown.exit_code == 2
    told = " ".join(shown.output.split())
    assert "normalise" in told
    assert "END SOLUTION" in told
    assert not (course / "release" / "image-data").exists()


def test_a_release_without_any_points_says_so(tmp_path):
    """Somebody wrote tests, and forgot to say that the cell has tests."""
    forgot = toy.notebook(toy.code("setup", "x = 1"), toy.code("tests", "assert x == 1"))
    made = toy.make_course(tmp_path / "toys", {"ps1/toys": forgot, "ps2/toys": toy.toy_notebook()})
    shown = call("release", "--no-run", "--course", made)
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.output.split())
    assert "ps1 gives no points" in told and "Create Assignment" in told
    assert "ps2 gives no points" not in told


def test_a_release_grades_the_reference_solution(tmp_path):
    made = toy.make_course(tmp_path / "toys")
    shown = call("release", "--course", made)
    assert shown.exit_code == 0, shown.output
    assert "full marks" in shown.output
    course = load_course(made)
    assert has_passed(judging.judging_of(course), read_assignment(course, "ps1")), (
        "grading tries it again"
    )


def test_a_reference_solution_that_its_tests_refuse(tmp_path):
    wrong = toy.toy_notebook()
    toy.by_id(wrong, "test-sums")["source"] = "assert sums(2) == 4\n1.0"
    made = toy.make_course(tmp_path / "toys", {"ps1/toys": wrong})
    shown = call("release", "--course", made)
    assert shown.exit_code == 2
    told = " ".join(shown.output.split())
    assert "The reference solution of ps1 does not get full marks" in told
    assert "test-sums" in told


def test_a_release_on_a_machine_that_cannot_grade(tmp_path, monkeypatch):
    found = Finding("none", ("no user namespaces here",))
    monkeypatch.setattr("nbjudge.trial.judging.find_tier", lambda: found)
    monkeypatch.setattr("nbjudge.trial.judging._tier", judging._tier.__wrapped__)
    shown = call("release", "--course", toy.make_course(tmp_path / "toys"))
    assert shown.exit_code == 0, shown.output
    assert "no user namespaces here" in shown.output
    assert "not graded" in shown.output
    assert "full marks" not in shown.output


def test_eligibility_needs_a_gradebook_and_a_policy_that_can_be_read(course):
    assert call("eligible", "--course", course).exit_code == 2
    (course / "gradebook" / "policy.toml").write_text("[rules.points]\nshare = 60\n")
    shown = call("eligible", "--course", course)
    assert shown.exit_code == 2
    assert "policy.toml" in shown.output.replace("\n", "")


@pytest.mark.parametrize("student", ["a-real-student", "ada"])
def test_the_demo_leaves_a_real_class_alone(course, student):
    shutil.copytree(ROOT / "tests" / "cohort", course / "tests" / "cohort")
    (course / "submitted" / student / "image-data").mkdir(parents=True)
    (course / "submitted" / student / "image-data" / "image-data.ipynb").write_text("{}")
    shown = call("demo", "--course", course)
    assert shown.exit_code == 2
    assert student in shown.output
    left = course / "submitted" / student / "image-data" / "image-data.ipynb"
    assert left.read_text() == "{}"


def test_the_data_in_use_is_told_and_drawn(tmp_path):
    env = {"DLCOURSE_DATA": "stand-in", "DLCOURSE_CACHE": str(tmp_path / "cache")}
    shown = call("data", "--picture", tmp_path / "grid.png", env=env)
    assert shown.exit_code == 0, shown.output
    assert "stand-in" in shown.output
    assert "5,000" in shown.output
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_data_that_is_named_and_not_there(tmp_path):
    shown = call("data", env={"DLCOURSE_DATA": str(tmp_path / "nowhere.npz")})
    assert shown.exit_code == 2
    assert "nowhere.npz" in shown.output.replace("\n", "")


@pytest.fixture(scope="module")
def toy_class(tmp_path_factory):
    """A place for the toy course with two assignments; Anna and Bob handed in, and were graded."""
    return tmp_path_factory.mktemp("toy") / "course"


@pytest.fixture
def graded_toys(toy_class, tmp_path):
    if not toy_class.exists():
        made = toy.make_course(
            toy_class, {"ps1/toys": toy.toy_notebook(), "ps2/toys": toy.toy_notebook()}
        )
        assert call("release", "--no-run", "--course", made).exit_code == 0
        toy.submit(made, "anna")
        toy.submit(made, "bob", {})
        shutil.copytree(made / "submitted" / "bob" / "ps1", made / "submitted" / "bob" / "ps2")
        shown = call("grade", "--course", made, "--jobs", "1", "--json")
        assert shown.exit_code == 0, shown.output
    return shutil.copytree(toy_class, tmp_path / "toys")


def lines(shown):
    """What was printed as JSON, by student and assignment."""
    made = [json.loads(line) for line in shown.stdout.splitlines()]
    found = {(item["student"], item["assignment"]): item for item in made}
    assert len(found) == len(made)
    return found


EVERYTHING = {("anna", "ps1"), ("bob", "ps1"), ("bob", "ps2")}


def snapshot(root):
    """Every file of a course with its bytes."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_has_not_changed_is_told_and_not_graded_again(graded_toys):
    shown = call("grade", "--course", graded_toys, "--json")
    assert shown.exit_code == 0, shown.output
    found = lines(shown)
    assert {who: item["score"] for who, item in found.items()} == {
        ("anna", "ps1"): 5,
        ("bob", "ps1"): 0,
        ("bob", "ps2"): 0,
    }
    assert all(item["reused"] and item["status"] == "graded" for item in found.values())
    assert "0 graded, 3 unchanged, 0 not graded." in " ".join(shown.stderr.split())
    shown = call("grade", "--course", graded_toys)
    assert "unchanged" in shown.output


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(graded_toys):
    toy.submit(graded_toys, "anna", toy.RIGHT | {"double": "def double(x):\n    return x"})
    toy.submit(graded_toys, "cleo")
    before = snapshot(graded_toys)
    shown = call("grade", "--dry-run", "--course", graded_toys, "--json")
    assert shown.exit_code == 0, shown.output
    assert {who: (item["to_grade"], item["why"]) for who, item in lines(shown).items()} == {
        ("anna", "ps1"): (True, "handed in again"),
        ("cleo", "ps1"): (True, "new"),
        ("bob", "ps1"): (False, ""),
        ("bob", "ps2"): (False, ""),
    }
    shown = call("grade", "--dry-run", "--course", graded_toys)
    assert "handed in again" in shown.stdout
    assert snapshot(graded_toys) == before

    shown = call("grade", "--dry-run", "--force", "--course", graded_toys, "--json")
    assert all(item["to_grade"] for item in lines(shown).values())
    assert snapshot(graded_toys) == before


ASKED = {
    "a student": (["--student", "bob"], {("bob", "ps1"), ("bob", "ps2")}),
    "two students": (["--student", "bob", "--student", "anna"], EVERYTHING),
    "an assignment": (["--assignment", "ps2"], {("bob", "ps2")}),
    "an assignment by its name": (["ps2"], {("bob", "ps2")}),
    "two assignments": (["ps2", "--assignment", "ps1"], EVERYTHING),
    "both": (["--student", "bob", "--assignment", "ps1"], {("bob", "ps1")}),
}


@pytest.mark.parametrize("name", ASKED)
def test_only_what_is_asked_for_is_graded(graded_toys, name):
    options, wanted = ASKED[name]
    shown = call("grade", *options, "--course", graded_toys, "--json")
    assert shown.exit_code == 0, shown.output
    assert set(lines(shown)) == wanted


def test_a_student_who_handed_nothing_in(graded_toys):
    shown = call("grade", "--student", "nobody", "--course", graded_toys)
    assert shown.exit_code == 2
    assert "nothing to grade" in shown.output


def test_force_grades_again_and_two_at_once(graded_toys):
    shown = call("grade", "--force", "--jobs", "2", "--course", graded_toys, "--json")
    assert shown.exit_code == 0, shown.output
    found = lines(shown)
    assert set(found) == EVERYTHING
    assert not any(item["reused"] for item in found.values())
    assert found["anna", "ps1"]["student_seconds"] > 0


def test_no_jobs_at_all(graded_toys):
    shown = call("grade", "--jobs", "0", "--course", graded_toys)
    assert shown.exit_code == 2
    assert "--jobs" in shown.output


def test_one_that_cannot_be_graded_needs_a_person(graded_toys):
    toy.submit(graded_toys, "bob", toy.RIGHT | {"double": "import os\nos._exit(1)"})
    shown = call("grade", "--course", graded_toys, "--json")
    assert shown.exit_code == 1, shown.output
    found = lines(shown)
    assert found["bob", "ps1"]["status"] == "not graded"
    assert found["bob", "ps1"]["reason"]
    assert found["anna", "ps1"]["score"] == 5
    told = " ".join(shown.stderr.split())
    assert "A person must look at these: bob, ps1: " in told


def test_who_holds_the_lock_is_told(graded_toys):
    from nbjudge.cohort.lock import course_lock

    with course_lock(graded_toys / "gradebook"):
        shown = call("grade", "--course", graded_toys)
    assert shown.exit_code == 2
    told = " ".join(shown.output.split())
    assert "being graded already, by " in told
    assert f"(process {os.getpid()})" in told
    assert call("grade", "--course", graded_toys).exit_code == 0


def test_a_gradebook_that_is_locked_is_told(graded_toys, monkeypatch):
    file = graded_toys / "gradebook" / "gradebook.db"
    config = graded_toys / "nbgrader_config.py"
    url = f"sqlite:///{file}?timeout=0.01"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {url!r}\n")
    monkeypatch.setattr("nbjudge.cohort.recording._PATIENCE", ())
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        shown = call("grade", "--course", graded_toys)
    assert shown.exit_code == 2
    assert "gradebook does not answer" in " ".join(shown.output.split())
    assert call("grade", "--course", graded_toys).exit_code == 0
