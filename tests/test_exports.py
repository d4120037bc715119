"""The files that learning platforms import."""

import csv
import io
import logging
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from nbcertify.errors import CertificateError
from nbcertify.exports import BrightspaceExporter, CanvasExporter, MoodleExporter
from nbgrader.api import Gradebook
from nbgrader.apps.exportapp import ExportApp
from nbjudge.course import load_course
from nbjudge.digests import digest_folder
from nbjudge.record.records import Inputs, Record, write_record

CONFIG = """
from nbjudge.configure import configure
c = get_config()
configure(c)
c.CanvasExporter.assignment_ids = {"convnet": 48291}
"""
STUDENTS = {
    "ada": {"first_name": "Ada, Countess", "last_name": "Lovelace", "email": "Ada@example.org"},
    "bob": {"first_name": '=HYPERLINK("x")', "last_name": "+1", "lms_user_id": "0042"},
    "cyd": {"last_name": "O'Neil\nCyd"},
    "=dan": {},
    "eva": {"first_name": "Eva", "email": "eva@example.org"},
}
EXPORTERS = [CanvasExporter, BrightspaceExporter, MoodleExporter]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Two assignments and a third without points.

    Ada has all, and was late once; Bob handed in one that is not graded; an answer of Eva's
    waits to be read, and she has 0 points in the other.
    """
    root = tmp_path_factory.mktemp("course")
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "gradebook").mkdir()
    course = load_course(root)
    with course.gradebook() as gradebook:
        for name, points in [("image-data", 20), ("convnet", 40)]:
            gradebook.add_assignment(name)
            gradebook.add_notebook(name, name)
            gradebook.add_grade_cell("code", name, name, max_score=points - 2, cell_type="code")
            gradebook.add_grade_cell("essay", name, name, max_score=2, cell_type="markdown")
        gradebook.add_assignment("survey")
        for student, facts in STUDENTS.items():
            gradebook.add_student(student, **facts)
    grade(course, "ada", "image-data", code=18, essay=1.25)
    grade(course, "ada", "convnet", code=30, essay=2, penalty=1.5)
    grade(course, "bob", "image-data", code=18, essay=2, status="not graded")
    grade(course, "eva", "image-data", code=0, essay=0)
    grade(course, "eva", "convnet", code=38, essay=None)
    return course


def grade(course, student, assignment, code, essay, penalty=0.0, status="graded"):
    folder = course.submitted / student / assignment
    folder.mkdir(parents=True)
    (folder / f"{assignment}.ipynb").write_text("{}")
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_submission(assignment, student)
        for cell, auto, manual in [("code", code, None), ("essay", None, essay)]:
            found = gradebook.find_grade(cell, assignment, assignment, student)
            found.auto_score, found.manual_score = auto, manual
            found.needs_manual_grade = auto is None and manual is None
            found.notebook.late_submission_penalty = penalty
        gradebook.db.commit()
    reason = "" if status == "graded" else "The kernel died."
    inputs = Inputs(digest_folder(folder), "", {}, {}, {}, {}, 0, "full")
    write_record(
        course.gradebook_folder, Record(student, assignment, status, reason, inputs, "", 0.0)
    )


@pytest.fixture
def export(course, tmp_path, caplog):
    """Runs an exporter; returns the rows of its file, read as CSV, and what the log said."""

    def run(exporter, **traits):
        path = tmp_path / "points.csv"
        plugin = exporter(config=course.config, log=logging.getLogger("export"), **traits)
        plugin.to = plugin.to or str(path)
        with course.gradebook() as gradebook, caplog.at_level(logging.WARNING):
            plugin.export(gradebook)
        text = Path(plugin.to).read_bytes().decode("utf-8")
        assert text.endswith("\r\n")
        return list(csv.reader(io.StringIO(text, newline=""))), caplog.messages

    return run


class TestCanvas:
    def test_the_file_that_canvas_reads(self, export):
        rows, _ = export(CanvasExporter)
        assert rows == [
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
            + ["convnet (48291)", "image-data"],
            ["Points Possible", "", "", "", "", "40", "20"],
            ["'=dan", "", "", "'=dan", "", "", ""],
            ["Eva", "", "", "eva", "", "", "0"],
            ['\'+1, =HYPERLINK("x")', "0042", "", "bob", "", "", ""],
            ["Lovelace, Ada, Countess", "", "", "ada", "", "30.5", "19.25"],
            ["O'Neil Cyd", "", "", "cyd", "", "", ""],
        ]

    def test_ids_from_where_the_gradebook_has_them(self, export):
        rows, _ = export(CanvasExporter, canvas_id="", sis_user_id="lms_user_id", sis_login_id="")
        assert ['\'+1, =HYPERLINK("x")', "", "0042", ""] in [row[:4] for row in rows]


class TestBrightspace:
    def test_the_file_that_brightspace_reads(self, export):
        rows, warnings = export(BrightspaceExporter, columns={"convnet": "Exercise 2"})
        assert rows[0] == [
            "Username",
            "Exercise 2 Points Grade <Numeric MaxPoints:40>",
            "image-data Points Grade <Numeric MaxPoints:20>",
            "End-of-Line Indicator",
        ]
        assert sorted(rows[1:]) == [
            ["#=dan", "", "", "#"],
            ["#ada", "30.5", "19.25", "#"],
            ["#bob", "", "", "#"],
            ["#cyd", "", "", "#"],
            ["#eva", "", "0", "#"],
        ]
        assert not any("formula" in warning for warning in warnings)

    def test_both_ids_and_nobody_without_one(self, export):
        rows, warnings = export(BrightspaceExporter, org_defined_id="lms_user_id", username="email")
        assert rows[0][:2] == ["OrgDefinedId", "Username"]
        assert sorted(row[:2] for row in rows[1:]) == [
            ["", "#Ada@example.org"],
            ["", "#eva@example.org"],
            ["#0042", ""],
        ]
        assert "cyd: left out: the gradebook has no lms_user_id and no email of theirs" in warnings


class TestMoodle:
    def test_the_file_that_moodle_reads(self, export):
        rows, _ = export(MoodleExporter)
        assert rows[0] == ["Username", "First name", "Last name", "convnet", "image-data"]
        assert sorted(rows[1:]) == [
            ["'=dan", "", "", "-", "-"],
            ["ada", "Ada, Countess", "Lovelace", "30.5", "19.25"],
            ["bob", '\'=HYPERLINK("x")', "'+1", "-", "-"],
            ["cyd", "", "O'Neil Cyd", "-", "-"],
            ["eva", "Eva", "", "-", "0"],
        ]

    def test_nobody_without_an_address_gets_anothers_row(self, export):
        rows, warnings = export(MoodleExporter, identifier="email", source="email")
        assert rows[0][0] == "Email address"
        assert sorted(row[0] for row in rows[1:]) == ["Ada@example.org", "eva@example.org"]
        assert "bob: left out: the gradebook has no email of theirs" in warnings


@pytest.mark.parametrize("exporter", EXPORTERS)
class TestAll:
    def test_what_is_blank_though_handed_in_is_told(self, export, exporter):
        _, warnings = export(exporter)
        assert "image-data: left blank for bob: not graded: The kernel died." in warnings
        assert "convnet: left blank for eva: 1 answer waits for hand-grading (2 points)" in warnings
        assert "survey: left out: it has no points" in warnings
        assert not any("cyd" in warning for warning in warnings)

    def test_only_what_was_asked_for_in_that_order(self, export, exporter):
        traits = {"assignment": ["image-data", "convnet"], "student": ["ada"]}
        rows, warnings = export(exporter, **traits)
        assert [cell for cell in rows[-1] if cell not in ("#", "")][-2:] == ["19.25", "30.5"]
        assert not any("eva" in " ".join(row) for row in rows)
        assert warnings == []

    @pytest.mark.parametrize(
        ("traits", "words"),
        [
            ({"assignment": ["convnet", "quiz"]}, "no assignment quiz; it has convnet, image-data"),
            ({"student": ["zoe"]}, "no student zoe; it has =dan, ada"),
            ({"to": "/proc/points.csv"}, "/proc/points.csv: cannot be written"),
        ],
    )
    def test_what_cannot_be_exported_is_said(self, export, exporter, traits, words):
        with pytest.raises(CertificateError, match=words):
            export(exporter, **traits)

    def test_only_its_owner_may_read_it_and_no_mark_begins_it(self, export, exporter, tmp_path):
        export(exporter)
        (file,) = tmp_path.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_bytes()[:1].isascii()

    def test_under_nbgraders_command(self, course, exporter, tmp_path, monkeypatch):
        monkeypatch.chdir(course.root)
        path = tmp_path / "points.csv"
        app = ExportApp()
        name = f"nbcertify.exports.{exporter.__name__}"
        app.initialize([f"--exporter={name}", f"--to={path}", "--student=ada"])
        app.start()
        assert "30.5" in path.read_text(encoding="utf-8")
        assert "eva" not in path.read_text(encoding="utf-8")


def test_an_id_like_a_formula_is_told(export):
    _, warnings = export(CanvasExporter)
    assert any("=dan begins like a formula" in warning for warning in warnings)


def test_the_command_itself(course, tmp_path):
    def run(*options):
        command = [
            shutil.which("nbgrader", path=str(Path(sys.executable).parent)),
            "export",
            "--exporter=nbcertify.exports.CanvasExporter",
            f"--to={tmp_path / 'canvas.csv'}",
        ]
        return subprocess.Popen(
            [*command, *options],
            cwd=course.root,
            env=os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path)},
            stderr=subprocess.PIPE,
            text=True,
        )

    good, bad = run(), run("--assignment=quiz")
    told, refused = good.communicate()[1], bad.communicate()[1]
    assert good.returncode == 0, told
    assert "left blank for bob: not graded: The kernel died." in told
    assert '"Lovelace, Ada, Countess",,,ada,,30.5,19.25\r\n' in (
        (tmp_path / "canvas.csv").read_bytes().decode("utf-8")
    )
    assert bad.returncode == 1
    assert "The gradebook has no assignment quiz" in refused
    assert "Traceback" not in refused
