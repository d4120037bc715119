"""The `dlcourse` command: help, exit codes, and messages that tell what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
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
    (course / "gradebook" / "policy.toml").write_text(
        'assignments = ["image-data"]\noverall = 0.5\n'
    )
    shown = call("eligible", "--course", course, env=env)
    assert shown.exit_code == 1, shown.output
    assert name in shown.output


def test_the_missing_half_of_an_installation_is_named(monkeypatch, course):
    def missing(folder):
        raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader")

    monkeypatch.setattr("nbjudge.course.load_course", missing)
    shown = call("grade", "--course", course)
    assert shown.exit_code == 2
    assert "pip install '.[grading]'" in shown.output


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


def test_eligibility_needs_a_gradebook_and_a_policy_that_can_be_read(course):
    assert call("eligible", "--course", course).exit_code == 2
    (course / "gradebook" / "policy.toml").write_text("overall = 60\n")
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
