"""nbgrader's options work, or are refused in words; and files that ordinary courses have."""

from __future__ import annotations

import zipfile

import pytest
import toy_course as toy
from nbgrader.plugins import FileNameCollectorPlugin
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.configure import configure
from nbjudge.course import Course, load_course
from nbjudge.errors import CourseError, ReleaseError
from nbjudge.release.packing import pack
from nbjudge.release.release import release
from traitlets.config import Config

LIBRARY = toy.notebook(toy.code("lib", "def helper():\n    return 'from the library'"))
USES = toy.notebook(
    toy.code("run", "%run mylib.ipynb\nfrom tools.words import word"),
    toy.answer(
        "found",
        "### BEGIN SOLUTION\nfound = [helper(), word(), header_word]\n### END SOLUTION",
    ),
    toy.test_cell("test-found", "assert found == [helper(), word(), 'header']", 2),
    toy.answer("own", "### BEGIN SOLUTION\nimport mine\nvalue = mine.value\n### END SOLUTION"),
    toy.test_cell("test-own", "assert value in (1, 2)\n2.0 * (value == 2) or 1.0", 2),
    toy.code("write", "open('made.txt', 'w').write('made')"),
    toy.code("look", "import os\nold = os.path.exists('old/solved.ipynb')"),
    toy.answer("made", "### BEGIN SOLUTION\nmade = open('made.txt').read()\n### END SOLUTION"),
    toy.test_cell("test-made", "assert made == 'made' and not old", 1),
)
OPTIONS = """
c.Autograde.exclude_overwriting = {"ps1": ["mine.py"]}
c.Autograde.create_student = False
c.CourseDirectory.student_id_exclude = "teacher,tutor"
c.CourseDirectory.ignore.append("notes.md")
c.IncludeHeaderFooter.header = "header.ipynb"
c.Execute.timeout = 7
c.ClearSolutions.code_stub = {"python": "pass"}
c.Grading.files_for_students = ["mine.py"]
"""
ANSWERS = {
    "found": "found = [helper(), word(), header_word]",
    "own": "import mine\nvalue = mine.value",
    "made": "made = open('made.txt').read()",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    """A course with a notebook as a library, files in folders, a header, and many options."""
    root = toy.make_course(
        tmp_path_factory.mktemp("options") / "course", {"ps1/toys": USES, "ps1/mylib": LIBRARY}
    )
    config = root / "nbgrader_config.py"
    lines = [line for line in config.read_text().split("\n") if "cell_seconds" not in line]
    config.write_text("\n".join(lines) + OPTIONS)
    toy.write(root / "header.ipynb", toy.notebook(toy.code("head", "header_word = 'header'")))
    source = root / "source" / "ps1"
    solved = toy.notebook(toy.code("solved", "solution = 42"))
    toy.write(source / "old" / "solved.ipynb", solved)
    (source / "tools").mkdir()
    (source / "tools" / "words.py").write_text("def word():\n    return 'word'\n")
    (source / "mine.py").write_text("value = 2\n")
    (source / "notes.md").write_text("for teachers")
    release(load_course(root), "ps1")
    with load_course(root).gradebook() as gradebook:
        for student in ("anna", "bob", "teacher"):
            gradebook.update_or_create_student(student)
    return load_course(root)


def hand_in(course: Course, student: str, *, library: bool) -> None:
    made = toy.read(course.release / "ps1" / "toys.ipynb")
    for id, text in ANSWERS.items():
        toy.by_id(made, id)["source"] = text
    folder = course.submitted / student / "ps1"
    toy.write(folder / "toys.ipynb", made)
    if library:
        toy.write(folder / "mylib.ipynb", LIBRARY)
        (folder / "mine.py").write_text("value = 1\n")
    (folder / "tools").mkdir()
    (folder / "tools" / "words.py").write_text("def word():\n    return 'changed'\n")


@pytest.fixture(scope="module")
def outcomes(course):
    hand_in(course, "anna", library=True)
    hand_in(course, "bob", library=False)
    hand_in(course, "teacher", library=True)
    hand_in(course, "stranger", library=True)
    return {found.student: found for found in grade(course, find_submissions(course))}


def test_libraries_folders_headers_and_files_that_cells_write(outcomes):
    assert outcomes["anna"].reason == ""
    assert outcomes["anna"].score == 4  # with a file of her own, which is worth less
    # Without one, the assignment's is there; so is a notebook that is a library.
    assert outcomes["bob"].reason == ""
    assert outcomes["bob"].score == 5


def test_a_student_may_be_left_out_or_has_to_be_known(outcomes):
    assert "teacher" not in outcomes
    assert "no student 'stranger'" in outcomes["stranger"].reason


def test_nbgraders_time_for_a_cell_counts(course):
    assert course.settings.seconds_for("ps1") == 7


def test_assignments_are_listed_as_they_are_taught(tmp_path):
    notebook = toy.notebook(toy.code("one", "1"))
    root = toy.make_course(
        tmp_path / "course", {f"{name}/toys": notebook for name in ("sums", "early", "late", "add")}
    )
    with (root / "nbgrader_config.py").open("a") as config:
        config.write('c.Grading.teaching_order = ["sums", "not-yet", "early"]\n')
    taught = load_course(root)
    assert taught.assignments() == ["sums", "early", "add", "late"]
    for student, name in (("ada", "add"), ("ada", "sums"), ("ben", "sums")):
        (root / "submitted" / student / name).mkdir(parents=True)
    found = [(item.assignment, item.student) for item in find_submissions(taught)]
    assert found == [("sums", "ada"), ("sums", "ben"), ("add", "ada")]


def test_what_is_ignored_is_not_released(course):
    assert not (course.release / "ps1" / "notes.md").exists()


REFUSED = {
    "c.ClearSolutions.begin_solution_delimeter = 'SOLUTION:'": "begin_solution_delimeter",
    "c.ClearHiddenTests.begin_test_delimeter = '# HIDDEN'": "begin_test_delimeter",
    "c.CourseDirectory.directory_structure = '{student_id}/{nbgrader_step}/{assignment_id}'": (
        "directory_structure"
    ),
    "c.ExecutePreprocessor.interrupt_on_timeout = False": "always interrupted",
    "c.GenerateAssignment.preprocessors = ['nbgrader.preprocessors.LockCells']": (
        "lacks ClearSolutions, ClearHiddenTests"
    ),
    "c.Autograde.autograde_preprocessors = []": "lacks JudgeCells",
    "c.GenerateFeedback.preprocessors.clear()": "lacks HideTests",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_followed_is_refused_where_it_is_set(tmp_path, line):
    (tmp_path / "nbgrader_config.py").write_text(f"{toy.CONFIG}\n{line}\n")
    with pytest.raises(CourseError, match=r"nbgrader_config.py: c\.") as refused:
        load_course(tmp_path)
    assert REFUSED[line] in str(refused.value)


def test_an_assignment_whose_name_nbgrader_cannot_have_is_refused_in_words(tmp_path):
    root = toy.make_course(tmp_path / "course", {"ps+1/toys": toy.toy_notebook()})
    with pytest.raises(CourseError, match=r"cannot have \+ in its name"):
        release(load_course(root), "ps+1")


NAMES = {
    "canvas": [
        ("doejane_12345_678910_convnet.ipynb", "12345", "convnet"),
        ("doejane_LATE_12345_678910_convnet-1.ipynb", "12345", "convnet-1"),
        ("doejane_12345_678910_my_work.ipynb", "12345", "my_work"),
    ],
    "brightspace": [
        ("12345-67890 - Jane Doe - Nov 3, 2026 435 PM/convnet.ipynb", "12345", "convnet"),
        ("12345-67890 - Jane Doe - Nov 3, 2026 1035 AM - convnet.ipynb", "12345", "convnet"),
        ("1-2 - Jane - Ann Doe - September 13, 2026 1035 AM/w/convnet.ipynb", "1", "convnet"),
    ],
    "moodle": [
        ("Jane Doe_12345_assignsubmission_file_/convnet.ipynb", "Jane Doe", "convnet"),
        ("Jane Doe_12345_assignsubmission_file/convnet.ipynb", "Jane Doe", "convnet"),
        ("Jane Doe_12345_assignsubmission_file_convnet.ipynb", "Jane Doe", "convnet"),
    ],
}


@pytest.mark.parametrize(
    ("platform", "name", "student", "file"),
    [(platform, *case) for platform, cases in NAMES.items() for case in cases],
)
def test_the_archives_of_platforms_are_understood(tmp_path, platform, name, student, file):
    config = Config()
    configure(config, tmp_path, platform=platform)
    found = FileNameCollectorPlugin(config=config).collect(f"/course/extracted/ps1/{name}")
    assert (found["student_id"], found["file_id"]) == (student, file)


def test_a_pack_holds_the_students_files_and_nothing_else(tmp_path, course):
    (course.release / "ps1" / "solved.ipynb").write_text("{}")
    names = pack(course, ["ps1"], tmp_path / "handout.zip")
    first = (tmp_path / "handout.zip").read_bytes()
    assert names == [
        "ps1/mine.py",
        "ps1/mylib.ipynb",
        "ps1/tools/words.py",
        "ps1/toys.ipynb",
    ]
    with zipfile.ZipFile(tmp_path / "handout.zip") as archive:
        assert b"SOLUTION" not in archive.read("ps1/toys.ipynb")
    (course.release / "ps1" / "solved.ipynb").unlink()
    pack(course, ["ps1"], tmp_path / "handout.zip")
    assert (tmp_path / "handout.zip").read_bytes() == first


def test_a_release_that_is_not_what_the_source_gives_is_not_packed(tmp_path, released_course):
    (released_course.release / "ps1" / "toys.ipynb").write_text("{}")
    with pytest.raises(ReleaseError, match="Release ps1 first"):
        pack(released_course, ["ps1"], tmp_path / "handout.zip")
    assert not (tmp_path / "handout.zip").exists()
