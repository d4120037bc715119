"""What students get back: their own work and a reason for each lost point; no test, no script."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.record.marks import read_totals
from nbjudge.record.records import read_record

pytestmark = pytest.mark.usefixtures("grades_here")

SHOWS = """import pandas as pd
import matplotlib.pyplot as plt
from IPython.display import HTML, Javascript, Markdown, display
display(HTML("<b id='mine'>bold work</b><script>alert('taken over')</script>"
             "<img src=x onerror=alert(2)><a href='javascript:alert(3)'>here</a>"))
display(Javascript("alert('taken over too')"))
display(Markdown("**strong** <script>alert('and again')</script>"))
display(pd.DataFrame({"column": ["first cell", "<script>alert(4)</script>"]}))
plt.plot([1, 2])
plt.show()
print("<script>alert('printed')</script>")
def double(x):
    return 4"""


def spoil(notebook: toy.Notebook) -> None:
    """Do all that a student must not do to the cells."""
    by_id = {cell["id"]: cell for cell in notebook["cells"]}
    by_id["setup"]["source"] = "LIMIT = 1"
    by_id["test-double"]["source"] = "assert True"
    by_id["test-double"]["metadata"]["tags"] = ["skip-execution"]
    sums = notebook["cells"].index(by_id["sums"])
    notebook["cells"].insert(sums, dict(by_id["sums"], id="copied", source="nothing = 0"))
    notebook["cells"].remove(by_id["test-sums"])
    notebook["cells"].remove(by_id["why"])
    notebook["cells"].insert(1, by_id["why"])
    hostile = "</div><script>alert('mine')</script>"
    by_id["task1"]["source"] = f"## Double {hostile}"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "course"


@pytest.fixture
def course(pristine_course, place) -> Course:
    """A course with three graded submissions and their feedback, made once."""
    if place.exists():
        return load_course(place)
    course = load_course(shutil.copytree(pristine_course, place))
    toy.submit(course.root, "shows", toy.RIGHT | {"double": SHOWS})
    folder = toy.submit(course.root, "spoils", change=spoil)
    (folder / "random.py").write_text("raise SystemExit")
    (folder / "<b>.py").write_text("")
    toy.submit(course.root, "right")
    outcomes = list(grade(course, find_submissions(course)))
    assert [outcome.reason for outcome in outcomes] == [""] * 3
    assert {outcome.student: outcome.score for outcome in outcomes} == {
        "right": 5,
        "shows": 3,
        "spoils": 5,
    }
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", "ps1"]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return course


def page(course: Course, student: str) -> str:
    return (course.feedback / student / "ps1" / "toys.html").read_text()


def words(html: str) -> str:
    """What a reader sees of a page, about."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", "", body))


def test_a_student_finds_the_work_the_visible_test_and_the_message(course):
    text = words(page(course, "shows"))
    assert "print(\"<script>alert('printed')</script>\")" in text
    assert "assert double(2) == 4" in text
    assert "double(21) should be 42" in text
    assert "got 4, expected another number" in text
    assert "# (hidden tests)" in text
    assert "assert double(21)" not in text
    assert "(Score: 3.0 / 7.0)" in text


def test_no_script_of_a_students_is_active(course):
    html = page(course, "shows")
    active = "".join(re.findall(r"<script\b.*?</script>", html, flags=re.DOTALL))
    assert "alert(" not in active
    tags = re.findall(r"<[a-zA-Z][^>]*>", html)
    assert not [tag for tag in tags if "onerror" in tag or "javascript:" in tag]
    assert "bold work" in html
    assert "alert('mine')" not in "".join(
        re.findall(r"<script\b.*?</script>", page(course, "spoils"), flags=re.DOTALL)
    )


def test_tables_and_figures_still_show(course):
    html = page(course, "shows")
    assert re.search(r"<td[^>]*>first cell</td>", html)
    assert "tbody" not in words(html)
    assert re.search(r"<th[^>]*>column</th>", html)
    assert re.search(r'<img[^>]*src="data:image/png;base64,iVBOR', html)
    assert "<strong>strong</strong>" in html


NOTES = [
    "The read-only cell 'setup' had been changed; its own text was put back.",
    "The test cell 'test-double' had been changed; its own text was put back.",
    "The cell 'test-double' had tags; they were taken off.",
    "The cell 'sums' was there 2 times; the last one counts.",
    "The cell 'test-sums' was missing; it was put back.",
    "The cells were in another order; they were put back into the one they had.",
    "random.py was set aside: it would stand in the way of the module random.",
]


@pytest.mark.parametrize("note", NOTES)
def test_what_was_put_back_is_told_on_top(course, note):
    text = words(page(course, "spoils"))
    start = text.index("Before your notebook was graded")
    assert start < text.index(note) < text.index("Toys", start)
    assert note in " ".join(
        read_record(course.gradebook_folder, "ps1", "spoils").notebooks[0].notes
    )


def test_where_nothing_was_put_back_nothing_is_told(course):
    assert "Before your notebook was graded" not in page(course, "right")


def autograde(course: Course) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", "ps1"],
        cwd=course.root,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr


def test_what_nbgraders_command_graded_is_not_graded_again(tmp_path):
    """Its record is that of `grade`, with all notebooks; and the other way round."""
    notebooks = {"ps1/toys": toy.toy_notebook(), "ps1/more": toy.toy_notebook()}
    course = load_course(toy.make_course(tmp_path / "course", notebooks))
    assert course.api().generate_assignment("ps1")["success"]
    for student, answers in (("anna", toy.RIGHT), ("bob", {})):
        folder = toy.submit(course.root, student, answers)
        toy.write(folder / "more.ipynb", toy.read(Path(folder, "toys.ipynb")))
    autograde(course)
    records = {s: read_record(course.gradebook_folder, "ps1", s) for s in ("anna", "bob")}
    assert {record.status for record in records.values()} == {"graded"}
    assert [run.notebook for run in records["anna"].notebooks] == ["more", "toys"]
    assert len(records["anna"].cells) == 6
    assert sum(cell.score or 0 for cell in records["anna"].cells) == 10

    outcomes = list(grade(course, find_submissions(course)))
    assert [(o.student, o.reused, o.score) for o in outcomes] == [
        ("anna", True, 10),
        ("bob", True, 0),
    ]
    ours = list(grade(course, find_submissions(course, students=["anna"]), force=True))
    assert [o.score for o in ours] == [10]
    again = read_record(course.gradebook_folder, "ps1", "anna")
    assert again.inputs == records["anna"].inputs
    assert [(c.grade_id, c.score) for c in again.cells] == [
        (c.grade_id, c.score) for c in records["anna"].cells
    ]
    with course.gradebook() as gradebook:
        assert read_totals(gradebook, "ps1", "anna").score == 10
