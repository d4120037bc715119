"""A notebook goes on after an error, and says how far one is: run by nbclient without any tag."""

from __future__ import annotations

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbjudge.release.sockets import use_private_sockets

from dlcourse import progress

BEGIN = "from dlcourse import progress\nprogress.begin()"
TABLE = "1 | 2 | 0 | 1 | doubling\n2 | 3 | 0 | 2 | halving\n3 | 0 | 4 | 0 | in words"
SHOW = f'progress.show("sums", """\n{TABLE}\n""", "Use the website.")'
STUB = "def double(x):\n    raise NotImplementedError()"
ANSWER = "def double(x):\n    return 2 * x"
CHECK = (
    '#@title Check of task 1: run this cell {display-mode: "form"}\n'
    "from dlcourse import checks as check\n"
    'check.function("double", double).called_with(2).returns(4)\n'
    'check.passed("double(2) is 4")'
)


SCENES = {
    "unfinished": [STUB, CHECK, "four = double(2)", "four + 1"],
    "finished": [ANSWER, CHECK, "four = double(2)", "four + 1"],
    "wrong": ["def double(x):\n    return 3", CHECK],
    "broken": [STUB, CHECK, ANSWER.replace("(x):", "(x)"), CHECK],
    "broken before": [ANSWER, CHECK, ANSWER.replace("2 * x", "2 * "), CHECK],
    "left empty": [
        STUB,
        "two = four = None\nfour = double(2)",
        "words = four.split()",
        "raise NotImplementedError()",
    ],
    "other packages": ["import no_seaborn as sns", "import dlcourse"],
    "half": [
        ANSWER,
        CHECK,
        "def halve(x):\n    return 4",
        CHECK.replace("task 1", "task 2, part 1").replace("double", "halve"),
    ],
}
FRESH = f"globals().pop('four', 0), globals().pop('two', 0)\n{BEGIN}"


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> dict[str, list[str]]:
    """What each cell of each scene showed, run as Run All does: a cell that is not done stops it.

    One kernel for all, each scene from its own `begin` on.
    """
    folder = tmp_path_factory.mktemp("run")
    cells = [cell for scene in SCENES.values() for cell in (FRESH, *scene, SHOW)]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=120)
    use_private_sockets(client.create_kernel_manager(), folder)
    client.execute(cwd=str(folder))
    words = iter([shown(cell) for cell in notebook.cells])
    return {name: [next(words) for _ in ("", *scene, "")][1:] for name, scene in SCENES.items()}


def shown(cell: nbformat.NotebookNode) -> str:
    words = []
    for out in cell.outputs:
        if out.output_type == "error":
            words.append("\n".join(["ERROR", out.ename, *out.traceback]))
        else:
            words.append(out.text if out.output_type == "stream" else out.data["text/plain"])
    return "\n".join(words)


def test_an_unfinished_task_does_not_stop_what_follows(ran):
    _, check, given, after, last = ran["unfinished"]
    assert check.startswith("ERROR\nNotAttempted") and "○ double" in check
    assert "○ double: " in given and "Traceback" not in given
    assert "○ `four` is missing" in after and "Traceback" not in after
    assert "○ task 1" in last


def test_what_a_cell_left_empty_is_told_as_missing_and_not_as_an_error_of_python(ran):
    *_, used, own, last = ran["left empty"]
    assert "○ `four` is missing" in used and "Traceback" not in used
    assert "○ this cell: nothing to check yet" in own


def test_a_package_that_the_course_does_without_is_named(ran):
    words = ran["other packages"][0]
    assert "The package `no_seaborn` is not installed here" in words
    assert "without it. It has NumPy" in words and "Traceback" not in words


def test_what_is_right_is_ticked(ran):
    _, check, _, after, last = ran["finished"]
    assert check == "✓ double(2) is 4\n" and after == "5"
    assert "✓ task 1" in last and "✓ stands at tasks of 2 out of 5 points" in last
    assert "Next: task 2, halving." in last


def test_what_is_wrong_is_told_at_the_end_too(ran):
    last = ran["wrong"][-1]
    assert "✗ task 1" in last
    assert "Next: task 1, doubling. Its check says: double(2) returned 3." in last


def test_a_task_with_two_checks_needs_both(ran):
    assert "○ task 2" in ran["half"][-1]


def test_a_syntax_error_above_is_told_as_such(ran):
    words = ran["broken"][3]
    assert "could not read the cell that makes `double`" in words and "line 1" in words
    assert "✗ task 1" in ran["broken"][-1]


def test_an_older_definition_is_not_taken_for_the_broken_one(ran):
    words = ran["broken before"][3]
    assert words.startswith("✗ Python could not read the cell that makes `double`")
    assert "✗ task 1" in ran["broken before"][-1]


def test_the_last_cell_says_how_to_hand_in(ran):
    last = ran["finished"][-1]
    assert "sums.ipynb" in last and "Use the website." in last
    assert "up to 4 points for written answers" in last and "✎ task 3" in last


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    return shell


def test_a_cell_that_raised_counts_as_done(shell):
    progress.begin()
    assert shell.run_cell("1 / 0").success


def test_where_nbgrader_runs_it_an_error_is_one(shell, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    progress.begin()
    assert not shell.run_cell("1 / 0").success


def test_an_interrupt_still_stops_everything(shell):
    progress.begin()
    assert not shell.run_cell("raise KeyboardInterrupt").success


def test_the_table_has_words_for_each_mark():
    seen = progress.Progress({"task 1": progress.RIGHT}, {})
    html = progress.Overview("sums", progress.read_tasks(TABLE), seen, "")._repr_html_()
    assert "right, as far as it is checked here" in html and "read by a person" in html
    assert "color" not in html
