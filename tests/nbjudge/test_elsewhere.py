"""Work that is not where it was asked for: in other cells, in other files, in other formats."""

from __future__ import annotations

import json
import shutil
import zipfile

import nbformat
import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.record.records import read_record
from toy_class import delete

UNWRITTEN = {id: text for id, text in toy.RIGHT.items() if id != "why"}
TEXT = "Because the sum has a closed form."


def below(kind: str, text: str = TEXT, id: str = "mine", after: str = "why"):
    """Add a cell with a text below one of the notebook's."""

    def change(notebook: toy.Notebook) -> None:
        place = notebook["cells"].index(toy.by_id(notebook, after))
        notebook["cells"].insert(place + 1, toy.cell(kind, id, text))

    return change


def strip_marks(*ids: str, keep_ids: bool = False):
    """What Colab, Deepnote or copy and paste do to cells: all, without ``ids``."""

    def change(notebook: toy.Notebook) -> None:
        for number, cell in enumerate(notebook["cells"]):
            if not ids or cell["id"] in ids:
                cell["metadata"] = {}
                if not keep_ids:
                    cell["id"] = f"new-{number}"

    return change


def answer_without_marks(notebook: toy.Notebook) -> None:
    toy.by_id(notebook, "why")["source"] = TEXT
    strip_marks("why")(notebook)


def in_the_question(notebook: toy.Notebook) -> None:
    toy.by_id(notebook, "task3")["source"] += f"\n\n{TEXT}"


def first_copy(notebook: toy.Notebook) -> None:
    stub = toy.by_id(notebook, "why")
    place = notebook["cells"].index(stub)
    notebook["cells"].insert(place, dict(stub, id="copy", source=TEXT))


ELSEWHERE = {
    "markdown below": below("markdown"),
    "raw below": below("raw"),
    "code below": below("code"),
    "code below as a text": below("code", repr(TEXT)),
    "at the top": below("markdown", after="title"),
    "without marks": answer_without_marks,
    "deleted and anew": lambda nb: (below("markdown")(nb), delete("why")(nb)),
    "in the question": in_the_question,
    "in the first of two copies": first_copy,
}


@pytest.fixture(scope="module")
def written(pristine_course, tmp_path_factory):
    """Blank written answers whose text stands elsewhere, graded in one run."""
    root = shutil.copytree(pristine_course, tmp_path_factory.mktemp("elsewhere") / "course")
    for number, change in enumerate(ELSEWHERE.values()):
        toy.submit(root, f"s{number}", UNWRITTEN, change)
    toy.submit(root, "blank", UNWRITTEN)
    toy.submit(root, "scratch", UNWRITTEN, below("code", "double(5)", after="double"))
    answers = {"sums": toy.RIGHT["sums"], "why": TEXT}
    toy.submit(root, "other-cell", answers, below("code", toy.RIGHT["double"], after="double"))
    toy.submit(root, "bare", change=strip_marks())
    toy.submit(root, "ids-only", change=strip_marks(keep_ids=True))
    course = load_course(root)
    outcomes = {found.student: found for found in grade(course, find_submissions(course))}
    return course, outcomes


@pytest.mark.parametrize("case", ELSEWHERE)
def test_an_answer_elsewhere_waits_for_a_person_who_sees_it(written, case):
    course, outcomes = written
    student = f"s{list(ELSEWHERE).index(case)}"
    assert outcomes[student].reason == ""
    assert outcomes[student].needs_manual_grade
    assert outcomes[student].score == 5
    graded = toy.read(course.autograded / student / "ps1" / "toys.ipynb")
    (shown,) = [
        cell
        for cell in graded["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "why"
    ]
    assert TEXT in shown["source"]
    with course.gradebook() as gradebook:
        assert gradebook.find_comment("why", "toys", "ps1", student).comment is None


def test_an_answer_that_nobody_gave_is_no_answer(written):
    course, outcomes = written
    for student in ("blank", "scratch"):
        assert not outcomes[student].needs_manual_grade
        with course.gradebook() as gradebook:
            assert gradebook.find_comment("why", "toys", "ps1", student).comment == "No response."


def test_no_response_never_stands_beside_points(written):
    course, outcomes = written
    assert outcomes["other-cell"].score == 5
    with course.gradebook() as gradebook:
        assert gradebook.find_comment("double", "toys", "ps1", "other-cell").comment is None


@pytest.mark.parametrize("student", ["bare", "ids-only"])
def test_a_notebook_that_lost_all_marks_is_graded(written, student):
    course, outcomes = written
    assert outcomes[student].reason == ""
    assert outcomes[student].score == 5
    assert outcomes[student].needs_manual_grade
    notes = read_record(course.gradebook_folder, "ps1", student).notebooks[0].notes
    assert any("'test-double' had lost the marks" in note for note in notes)


def files(*changes):
    """What a folder becomes by one change after another."""

    def after(folder):
        for change in changes:
            change(folder)

    return after


def untouched(folder):
    """Put the released notebook where the solved one was, which is kept as a copy."""
    solved = folder / "toys.ipynb"
    solved.rename(folder / "toys-Copy1.ipynb")
    shutil.copy(folder.parents[2] / "release" / "ps1" / "toys.ipynb", solved)


def move(name):
    def change(folder):
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        (folder / "toys.ipynb").rename(target)

    return change


def packed(folder):
    solved = folder / "toys.ipynb"
    with zipfile.ZipFile(folder / "ps1.zip", "w") as archive:
        archive.writestr("work/toys.ipynb", solved.read_bytes())
        archive.writestr("work/notes.txt", "mine")
        archive.writestr("../out.txt", "outside")
    solved.unlink()


def another(name, **answers):
    """Another notebook beside, with other answers."""

    def change(folder):
        made = toy.read(next(folder.glob("*.ipynb")))
        for id, source in answers.items():
            toy.by_id(made, id)["source"] = source
        toy.write(folder / name, made)

    return change


def broken(folder):
    (folder / "toys.ipynb").rename(folder / "toys (1).ipynb")
    (folder / "toys.ipynb").write_text("{")


def only_a_page(folder):
    (folder / "toys.ipynb").rename(folder / "toys.html")


def in_old_format(folder):
    path = folder / "toys.ipynb"
    node = nbformat.read(path, as_version=4)
    del node.cells[0]  # a heading that version 3 would keep in another way
    old = nbformat.convert(node, 3)
    text = json.loads(nbformat.v3.writes_json(old))
    path.write_text(json.dumps(text))


def odd_outputs(folder):
    path = folder / "toys.ipynb"
    made = json.loads(path.read_text())
    for cell in made["cells"]:
        cell.pop("execution_count", None)
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "unknown", "x": 1},
                "text",
                {"output_type": "stream"},
            ]
        cell["unknown"] = {"x": 1}
        cell.pop("id")
    del made["metadata"]
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(made).encode())


def no_outputs(folder):
    path = folder / "toys.ipynb"
    made = json.loads(path.read_text())
    for cell in made["cells"]:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
    path.write_text(json.dumps(made | {"nbformat_minor": 2}))


# What is done to a solved hand-in; its automatic points, or what the reason says.
FILES = {
    "untouched beside a copy": (untouched, 5),
    "another name": (move("toys (2).ipynb"), 5),
    "as text": (move("toys.ipynb.txt"), 5),
    "a folder": (move("ps1/toys.ipynb"), 5),
    "a zip file": (packed, 5),
    "damaged beside a copy": (broken, 5),
    "an older copy beside": (another("toys-Copy1.ipynb", double="def double(x):\n    return 3"), 5),
    "two of other names": (
        files(move("a.ipynb"), another("b.ipynb", double="def double(x):\n    return 3")),
        "not certain which file is toys.ipynb: a.ipynb or b.ipynb",
    ),
    "no notebook": (only_a_page, "The submission holds toys.html"),
    "format 3": (in_old_format, 5),
    "odd outputs": (odd_outputs, 5),
    "no outputs": (no_outputs, 5),
}


@pytest.fixture(scope="module")
def filed(pristine_course, tmp_path_factory):
    root = shutil.copytree(pristine_course, tmp_path_factory.mktemp("files") / "course")
    for number, (change, _) in enumerate(FILES.values()):
        change(toy.submit(root, f"s{number}"))
    half = toy.submit(root, "half", {"sums": toy.RIGHT["sums"]})
    another("toys-Copy1.ipynb", **toy.RIGHT)(half)
    course = load_course(root)
    outcomes = {found.student: found for found in grade(course, find_submissions(course))}
    return course, outcomes


@pytest.mark.parametrize("case", FILES)
def test_work_in_another_file_or_format_is_recognised(filed, case):
    course, outcomes = filed
    found = outcomes[f"s{list(FILES).index(case)}"]
    expected = FILES[case][1]
    if isinstance(expected, str):
        assert found.status == "not graded"
        assert expected in found.reason
    else:
        assert found.reason == ""
        assert found.score == expected


def test_what_was_taken_is_told(filed):
    course, _ = filed
    notes = read_record(course.gradebook_folder, "ps1", "s0").notebooks[0].notes
    assert "toys-Copy1.ipynb was graded as toys.ipynb: it holds its cells." in notes[0]
    assert "toys.ipynb is as it was handed out" in notes[0]
    assert (course.submitted / "s0" / "ps1" / "toys-Copy1.ipynb").exists()
    zipped = read_record(course.gradebook_folder, "ps1", "s4").notebooks[0].notes
    assert "work/toys.ipynb in ps1.zip was graded" in zipped[0]
    assert (course.autograded / "s4" / "ps1" / "notes.txt").read_text() == "mine"


def test_a_half_done_notebook_beside_a_fuller_copy_is_undecided(filed):
    _, outcomes = filed
    assert outcomes["half"].status == "not graded"
    assert "toys-Copy1.ipynb, which also answers double" in outcomes["half"].reason
