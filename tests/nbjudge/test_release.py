"""A release shows nothing that it must not, is the same each time, and replaces whole or not."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest
import toy_course as toy
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from nbformat import from_dict
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from nbjudge.assignment.leaks import find_leaks, is_telling
from nbjudge.course import load_course
from nbjudge.errors import CourseError, ReleaseError, SourceError
from nbjudge.files import read_files
from nbjudge.release.release import expected_release, release
from nbjudge.release.release_run import run_release


def test_the_release_holds_the_tasks_and_not_the_answers(released_course):
    text = (released_course.release / "ps1" / "toys.ipynb").read_text()
    assert "YOUR CODE HERE" in text
    assert "YOUR ANSWER HERE" in text
    assert "assert double(2) == 4" in text
    for secret in ("twofold_value", "double(21)", "reference answer", "sum(range", "BEGIN"):
        assert secret not in text


def test_a_report_tells_files_and_points(tmp_path):
    course = load_course(toy.make_course(tmp_path))
    (tmp_path / "source" / "ps1" / "data").mkdir()
    (tmp_path / "source" / "ps1" / "data" / "table.csv").write_text("a,b\n1,2\n")
    report = release(course, "ps1")
    assert report.files == ("data/table.csv", "toys.ipynb")
    assert (report.points, report.graded_cells, report.changed) == (7.0, 3, True)
    assert not release(course, "ps1").changed


def test_the_cells_keep_their_ids(released_course):
    released = toy.read(released_course.release / "ps1" / "toys.ipynb")
    assert [c["id"] for c in released["cells"]] == [c["id"] for c in toy.toy_notebook()["cells"]]


def test_the_expected_release_is_what_was_released_and_needs_no_gradebook(
    released_course, tmp_path
):
    released = read_files(released_course.release / "ps1")
    assert expected_release(released_course, "ps1") == released
    elsewhere = load_course(toy.make_course(tmp_path / "another place"))
    assert expected_release(elsewhere, "ps1") == released
    assert list(elsewhere.gradebook_folder.iterdir()) == []
    assert not elsewhere.release.exists()


def test_outputs_and_an_editors_traces_make_no_difference(released_course):
    released = read_files(released_course.release / "ps1")
    path = released_course.source / "ps1" / "toys.ipynb"
    traced = toy.read(path)
    traced["metadata"]["widgets"] = {"state": {}}
    traced["metadata"]["language_info"]["version"] = "3.14.0"
    toy.by_id(traced, "setup")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "twofold_value = 2 * x"}
    ]
    toy.by_id(traced, "setup")["metadata"]["execution"] = {"shell.execute_reply": "2030"}
    toy.write(path, traced)
    assert expected_release(released_course, "ps1") == released


def test_a_bad_source_stops_the_release_with_all_its_problems(released_course):
    before = read_files(released_course.release / "ps1")
    bad = toy.toy_notebook()
    toy.by_id(bad, "double")["source"] = "### BEGIN SOLUTION"
    toy.by_id(bad, "test-sums")["metadata"]["nbgrader"]["points"] = -3
    toy.write(released_course.source / "ps1" / "toys.ipynb", bad)
    with pytest.raises(SourceError, match="has no end") as caught:
        release(released_course, "ps1")
    assert len(caught.value.problems) == 2
    assert "toys.ipynb, cell 4 ('double')" in str(caught.value)
    assert read_files(released_course.release / "ps1") == before


def test_what_leaks_by_metadata_is_refused_and_the_old_release_stays(released_course):
    before = read_files(released_course.release / "ps1")
    source = toy.toy_notebook()
    toy.by_id(source, "title")["metadata"]["notes"] = ["return sum(range(n + 1))"]
    toy.write(released_course.source / "ps1" / "toys.ipynb", source)
    with pytest.raises(ReleaseError, match="toys.ipynb, cell 1 .metadata.: it shows 'return sum"):
        release(released_course, "ps1")
    assert read_files(released_course.release / "ps1") == before
    assert sorted(path.name for path in released_course.release.iterdir()) == ["ps1"]


def test_what_leaks_by_another_file_is_refused(released_course):
    helper = "def solve(n):\n        return  sum(range(n + 1))\n"
    (released_course.source / "ps1" / "helper.py").write_text(helper)
    with pytest.raises(ReleaseError, match=r"helper.py, its text: it shows 'return sum"):
        expected_release(released_course, "ps1")


words = st.text("abcdefgh xyz=+()'\"\\{}[]_éß", min_size=1, max_size=40).filter(str.strip)
lines = st.lists(words, min_size=1, max_size=5)


def cells_with(kept, solution, hidden):
    made = toy.notebook(
        toy.text("intro", "\n".join(kept)),
        toy.answer("a", "\n".join(["### BEGIN SOLUTION", *solution, "### END SOLUTION"])),
        toy.test_cell("t", "\n".join(["### BEGIN HIDDEN TESTS", *hidden, "### END HIDDEN TESTS"])),
    )
    return made


def clear(source):
    node = from_dict(copy.deepcopy(source))
    for preprocessor in (ClearSolutions(), ClearHiddenTests()):
        node, _ = preprocessor.preprocess(node, {})
    return json.loads(json.dumps(node))


@examples(60)
@given(kept=lines, solution=lines, hidden=lines)
def test_what_nbgrader_clears_is_never_called_a_leak(kept, solution, hidden):
    source = cells_with(kept, solution, hidden)
    assert find_leaks([source], {"n": clear(source)}, {}, ["YOUR CODE HERE"]) == []


@examples(60)
@given(kept=lines, solution=lines, hidden=lines, data=st.data())
def test_a_line_that_comes_through_is_found_wherever_it_is(kept, solution, hidden, data):
    source = cells_with(kept, solution, hidden)
    kept_text = " ".join(" ".join(kept).split())
    secrets = [
        line
        for line in [*solution, *hidden]
        if is_telling(line) and " ".join(line.split()) not in kept_text
    ]
    if not secrets:
        return
    secret = data.draw(st.sampled_from(secrets))
    planted = f"before\n    {secret}  \nafter"
    released = clear(source)
    others = {}
    where = data.draw(st.sampled_from(["source", "metadata", "key", "output", "notebook", "file"]))
    if where == "source":
        released["cells"][0]["source"] += "\n" + planted
    elif where == "metadata":
        released["cells"][1]["metadata"]["notes"] = {"deep": [planted]}
    elif where == "key":
        released["cells"][1]["metadata"][planted] = 1
    elif where == "output":
        released["cells"][1]["outputs"] = [{"output_type": "stream", "text": planted}]
    elif where == "notebook":
        released["metadata"]["remark"] = planted
    else:
        others["notes/helper.py"] = planted.encode()
    assert find_leaks([source], {"n": released}, others)


def test_a_release_again_keeps_the_grades(graded_class):
    course = graded_class.course
    with course.gradebook() as gradebook:
        before = {s.student.id: s.score for s in gradebook.assignment_submissions("ps1")}
        release(course, "ps1")
        after = {s.student.id: s.score for s in gradebook.assignment_submissions("ps1")}
    assert before == after
    assert before["right"] == 5


def test_taking_a_cell_out_while_there_are_grades_is_refused_in_words(graded_class, tmp_path):
    course = graded_class.course
    path = course.source / "ps1" / "toys.ipynb"
    whole = path.read_text()
    shorter = toy.toy_notebook()
    shorter["cells"] = [item for item in shorter["cells"] if item["id"] != "why"]
    toy.write(path, shorter)
    before = read_files(course.release / "ps1")
    try:
        with pytest.raises(ReleaseError, match="Put the cells back"):
            release(course, "ps1")
    finally:
        path.write_text(whole)
    assert read_files(course.release / "ps1") == before


def test_a_released_notebook_runs_up_to_what_must_be_written(released_course):
    (run,) = run_release(released_course, "ps1")
    assert run.notebook == "toys.ipynb"
    assert run.code_cells == 5
    assert len(run.waiting_cells) == 2
    assert read_files(released_course.release / "ps1").keys() == {"toys.ipynb"}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0", r"cell 2 \('1 / 0'\): ZeroDivisionError: division by zero"),
        ("raise NotImplementedError", "before there is anything to write"),
        ("while True: pass", "a cell ran longer than 3 s"),
        ("import os; os._exit(1)", "the kernel died"),
        (
            "import os; assert os.environ['TOY_SETTING'] == 'from the config', 'no setting'\n1 / 0",
            "ZeroDivisionError",
        ),
    ],
)
def test_a_released_notebook_that_does_not_run_is_refused(tmp_path, source, says):
    course = load_course(toy.make_course(tmp_path))
    folder = course.release / "ps1"
    toy.write(folder / "toys.ipynb", toy.notebook(toy.text("t", "# T"), toy.code("x", source)))
    with pytest.raises(ReleaseError, match=says):
        run_release(course, "ps1")


@pytest.mark.parametrize(
    ("last", "runs"),
    [("print(answer)", True), ("later = answer + 1", True), ("print(anser)", False)],
)
def test_what_an_unanswered_cell_would_have_bound_may_be_missing(tmp_path, last, runs):
    course = load_course(toy.make_course(tmp_path))
    task = toy.answer("task", "def find():\n    raise NotImplementedError")
    cells = [task, toy.code("given", "answer = find()"), toy.code("last", last)]
    toy.write(course.release / "ps1" / "toys.ipynb", toy.notebook(*cells))
    if runs:
        (run,) = run_release(course, "ps1")
        assert len(run.waiting_cells) == 2
    else:
        with pytest.raises(ReleaseError, match="NameError: name 'anser' is not defined"):
            run_release(course, "ps1")


def test_an_assignment_that_is_not_there_is_named_with_those_that_are(released_course):
    with pytest.raises(CourseError, match="are: ps1"):
        release(released_course, "ps2")


def test_a_folder_without_configuration_is_no_course(tmp_path):
    with pytest.raises(CourseError, match="nbgrader_config.py"):
        load_course(tmp_path)


def test_a_broken_configuration_is_named(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(CourseError, match="cannot be loaded: SyntaxError"):
        load_course(tmp_path)


def test_stock_generate_assignment_writes_the_same_bytes(released_course):
    before = read_files(released_course.release / "ps1")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "ps1", "--force"]
    done = subprocess.run(command, cwd=released_course.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert read_files(released_course.release / "ps1") == before


PICTURE = {"answer.png": {"image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUl"}}


def written(stub: str = "Write here.", **cell) -> toy.Cell:
    """A written answer whose model answer has a picture."""
    solution = "### BEGIN SOLUTION\n![why](attachment:answer.png)\n### END SOLUTION"
    made = toy.text("why", f"{stub}\n{solution}", solution=True, grade=True, points=1)
    made["metadata"]["nbgrader"]["grade_id"] = "why"
    return made | {"attachments": PICTURE} | cell


def test_the_picture_of_a_model_answer_is_not_released(tmp_path):
    task = toy.text("task", "![task](attachment:task.png)") | {
        "attachments": {"task.png": {"image/png": "AAAA"}}
    }
    course = load_course(toy.make_course(tmp_path, {"ps1/toys": toy.notebook(task, written())}))
    files = expected_release(course, "ps1")
    released = json.loads(files["toys.ipynb"])
    assert "attachments" not in toy.by_id(released, "why")
    assert toy.by_id(released, "task")["attachments"] == task["attachments"]


def test_a_picture_that_comes_through_is_found(tmp_path):
    made = toy.notebook(written())
    released = copy.deepcopy(made)
    released["cells"][0]["source"] = "Write here."
    (leak,) = find_leaks([made], {"toys.ipynb": released}, {})
    assert "the picture answer.png of a solution" in str(leak)


def test_what_else_an_answer_carries_is_not_released(tmp_path):
    made = written(attachments={})
    made["metadata"]["model"] = "42"
    course = load_course(toy.make_course(tmp_path, {"ps1/toys": toy.notebook(made)}))
    (cell,) = json.loads(expected_release(course, "ps1")["toys.ipynb"])["cells"]
    assert set(cell["metadata"]) <= {"nbgrader", "deletable", "editable"}


@pytest.mark.parametrize(
    ("file", "text", "is_refused"),
    [
        ("expected.npy", "Write a test.", True),
        ("solution.csv", "Write your solution.", True),
        ("iris.csv", "Load the data.", True),
        ("iris.csv", "Load the iris data.", False),
        ("iris.csv", "Load `iris.csv`.", False),
        ("other.csv", "Load the data.", False),
    ],
)
def test_a_file_that_only_a_solution_or_hidden_test_names_is_refused(
    tmp_path, file, text, is_refused
):
    hidden = "### BEGIN HIDDEN TESTS\nopen('expected.npy')\n### END HIDDEN TESTS"
    solution = "### BEGIN SOLUTION\nopen('iris.csv'), open('solution.csv')\n### END SOLUTION"
    cells = toy.text("task", text), toy.answer("a", solution), toy.test_cell("t", hidden)
    course = load_course(toy.make_course(tmp_path, {"ps1/toys": toy.notebook(*cells)}))
    (course.source / "ps1" / file).write_text("1")
    if not is_refused:
        assert file in expected_release(course, "ps1")
        return
    with pytest.raises(ReleaseError, match=f"{file}: only a solution or a hidden test names it"):
        expected_release(course, "ps1")
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + f"\nc.Grading.files_for_students = [{file!r}]\n")
    assert file in expected_release(load_course(course.root), "ps1")


@pytest.mark.parametrize(
    ("solution", "later", "runs"),
    [
        ("heaviest = 30.5", "assert heaviest == 30.5", True),
        ("first, second = 1, 2", "print(second)", True),
        ("table['new'] = 1", "table['new']", True),
        ("from math import tau", "print(tau)", True),
        ("class Shape:\n    pass", "shape = Shape()", True),
        ("heaviest = 30.5", "print(heavyest)", False),
        ("import math\nvalue = math.tau", "math.nothing", False),
    ],
)
def test_what_only_a_removed_solution_makes_may_be_missing(tmp_path, solution, later, runs):
    answer = toy.answer("a", f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION\n...")
    cells = toy.code("given", "import math\ntable = {}"), answer, toy.test_cell("t", later)
    course = load_course(toy.make_course(tmp_path, {"ps1/toys": toy.notebook(*cells)}))
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.ClearSolutions.code_stub = {'python': 'pass'}\n")
    released = copy.deepcopy(toy.notebook(*cells))
    released["cells"][1]["source"] = "pass\n..."
    toy.write(course.release / "ps1" / "toys.ipynb", released)
    if runs:
        run_release(course, "ps1")
    else:
        with pytest.raises(ReleaseError):
            run_release(course, "ps1")
