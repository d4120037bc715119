"""The course of nbgrader's own documentation: one line of configuration, and the same grades."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.record.records import read_record
from nbjudge.release.release import release
from nbjudge.vet.cases import Kind
from nbjudge.vet.vetting import vet

SHIPPED = Path(str(files("nbgrader"))) / "docs" / "source" / "user_guide"
OURS = "c = get_config()\nfrom nbjudge.configure import configure; configure(c)\n"
STOCK = "c = get_config()\n"
DELETES_SQUARES = "sum_of_squares_uses_squares"

pytestmark = pytest.mark.skipif(
    not (SHIPPED / "source" / "ps1").is_dir(), reason="this nbgrader has no documentation"
)

ALONE = "def sum_of_squares(n):\n    return sum(i ** 2 for i in range(1, n + 1))"
SQUARES = "def squares(n):\n    if n < 1:\n        raise ValueError(n)\n    return {}"
WRITTEN = {
    "reference": None,  # the instructor's own answers
    "blank": {},
    "alone": {
        "squares": SQUARES.format("[i * i for i in range(1, n + 1)]"),
        "sum_of_squares": ALONE,
        "sum_of_squares_application": "print(sum_of_squares(3))",
    },
    "wrong": {
        "squares": SQUARES.format("[i ** 3 for i in range(1, n + 1)]"),
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))",
    },
}


def by_grade_id(notebook):
    cells = {}
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if "nbgrader" in cell["metadata"]:
            cells[cell["metadata"]["nbgrader"]["grade_id"]] = cell
    return cells


def change(path, act):
    """Let `act` change the cells of a notebook file, by grade id."""
    notebook = json.loads(path.read_text())
    act(by_grade_id(notebook))
    path.write_text(json.dumps(notebook))


def make_course(root: Path, config: str) -> Path:
    shutil.copytree(SHIPPED / "source" / "ps1", root / "source" / "ps1")
    (root / "nbgrader_config.py").write_text(config)
    return root


def hand_in(root: Path) -> None:
    """The shipped submissions, and four more: made from the shipped release."""
    shutil.copytree(SHIPPED / "submitted", root / "submitted")
    source = json.loads((SHIPPED / "source" / "ps1" / "problem1.ipynb").read_text())
    solved = {name: cell["source"] for name, cell in by_grade_id(source).items()}
    for student, written in WRITTEN.items():
        folder = shutil.copytree(SHIPPED / "release" / "ps1", root / "submitted" / student / "ps1")

        def write(cells, written=written):
            for name, cell in cells.items():
                if cell["metadata"]["nbgrader"]["solution"]:
                    answers = solved if written is None else written
                    cell["source"] = answers.get(name, cell["source"])

        change(folder / "problem1.ipynb", write)


def grades(course: Course) -> dict[tuple[str, str, str], tuple[float | None, float, bool]]:
    """What the gradebook has for each cell: score, maximum, whether a person is to look."""
    with course.gradebook() as gradebook:
        return {
            (found.student.id, notebook.name, cell.name): (
                cell.auto_score,
                cell.max_score,
                cell.needs_manual_grade,
            )
            for found in gradebook.assignment_submissions("ps1")
            for notebook in found.notebooks
            for cell in notebook.grades
        }


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """The course, released by nbjudge."""
    root = make_course(tmp_path_factory.mktemp("documentation") / "course", OURS)
    release(load_course(root), "ps1")
    return root


@pytest.fixture
def course(released, tmp_path) -> Course:
    return load_course(shutil.copytree(released, tmp_path / "course"))


def test_release_takes_notebooks_from_before_cell_ids(released, tmp_path):
    """And nbgrader's own command writes the same."""
    course = load_course(make_course(tmp_path / "other", OURS))
    result = course.api().generate_assignment("ps1")
    assert result["success"], result
    for name in ("problem1.ipynb", "problem2.ipynb", "jupyter.png"):
        theirs = (course.release / "ps1" / name).read_bytes()
        assert theirs == (released / "release" / "ps1" / name).read_bytes()
    assert b"BEGIN SOLUTION" not in (released / "release" / "ps1" / "problem1.ipynb").read_bytes()


def test_every_cell_has_the_score_it_should_have(course, grades_here):
    hand_in(course.root)
    outcomes = {found.student: found for found in grade(course, find_submissions(course))}
    assert {found.reason for found in outcomes.values()} == {""}
    assert {student: found.score for student, found in outcomes.items()} == {
        "bitdiddle": 1.5,
        "hacker": 3,
        "reference": 3,
        "blank": 0,
        "alone": 2.5,
        "wrong": 1.5,
    }
    scores = grades(course)
    assert scores["alone", "problem1", DELETES_SQUARES] == (0, 0.5, False)
    assert scores["hacker", "problem1", DELETES_SQUARES] == (0.5, 0.5, False)
    assert scores["hacker", "problem2", "part-a"] == (None, 1, True)
    assert {found.max_score for found in outcomes.values()} == {13}
    record = read_record(course.gradebook_folder, "ps1", "hacker")
    assert [run.notebook for run in record.notebooks] == ["problem1", "problem2"]
    # One of the tests deletes a function of the student's, and calls another one that uses it.
    assert [run.tests_in_kernel for run in record.notebooks] == [(), ()]


@pytest.mark.slow
def test_stock_nbgrader_gives_the_same_score_for_each_cell(course, tmp_path, grades_here):
    stock = make_course(tmp_path / "stock", STOCK)
    hand_in(stock)
    hand_in(course.root)
    command = [sys.executable, "-m", "nbgrader"]
    for arguments in (["generate_assignment", "ps1"], ["autograde", "ps1"]):
        done = subprocess.run(
            [*command, *arguments], cwd=stock, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    assert [o.reason for o in grade(course, find_submissions(course))] == [""] * 6
    theirs = load_course(stock)
    assert theirs.db_url.startswith(f"sqlite:///{stock}/gradebook.db")
    ours, stocks = grades(course), grades(theirs)
    assert len(ours) == 6 * 9 and ours.keys() == stocks.keys()
    # The shipped work has cells that are not in the shipped source: an answer may stand there, so
    # a person looks at a written answer that stock takes for none.
    waiting = {key for key, (score, _, is_open) in ours.items() if score is None and is_open} & {
        key for key, (score, _, is_open) in stocks.items() if score == 0 and not is_open
    }
    assert {key: ours[key] for key in ours.keys() - waiting} == {
        key: stocks[key] for key in ours.keys() - waiting
    }


def test_the_configuration_makes_the_gradebooks_folder(tmp_path):
    """Stock commands alone make none, and then cannot make the database."""
    course = load_course(make_course(tmp_path / "course", OURS))
    assert course.db_url == f"sqlite:///{course.root}/gradebook/gradebook.db?timeout=60"
    assert course.gradebook_folder.is_dir()


def test_a_course_that_was_graded_by_stock_nbgrader_keeps_its_gradebook(tmp_path):
    root = make_course(tmp_path / "course", OURS)
    (root / "gradebook.db").touch()
    assert load_course(root).db_url == f"sqlite:///{root}/gradebook.db?timeout=60"
    (root / "gradebook").mkdir(exist_ok=True)
    (root / "gradebook" / "gradebook.db").touch()
    assert load_course(root).db_url == f"sqlite:///{root}/gradebook/gradebook.db?timeout=60"


@pytest.mark.slow
def test_its_tests_are_vetted(course):
    """They reject nearly all that is wrong: they do not look at the text of an error."""
    report = vet(course, "ps1", jobs=2)
    assert report.planted.planted >= 30
    missed = [one.tried.case.change.said for one in report.missed]
    assert len(missed) == 1 and "MUST BE GREATER" in missed[0]
    assert report.count(Kind.RIGHT).tried >= 15
    assert not report.wrongly_rejected
    assert {one.tried.case.notebook for one in report.findings} == {"problem1"}
