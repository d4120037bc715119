"""A class whose gradebook is in PostgreSQL: the whole path, by the commands a person types."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest
import toy_class
import toy_course as toy
from nbjudge.course import Course, load_course
from nbjudge.errors import CourseError

pytestmark = pytest.mark.slow


POLICY = """\
[rules.points]
kind = "points"
assignments = ["ps1"]
share = 0.6
[tiers.exercises]
title = "Certificate"
statement = ["did it."]
requires = "points"
hours = 14
"""
CONNECTS = """
import socket
def double(x):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect({path!r})
    return 2 * x
"""


def make_course(root: Path, url: str, course_id: str = "toys") -> Course:
    toy.make_course(root)
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(f"c.CourseDirectory.db_url = {url!r}\n")
        file.write(f"c.CourseDirectory.course_id = {course_id!r}\n")
    return load_course(root)


def run(course: Course, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of this environment, typed in the course's folder."""
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [program, *command[1:]], cwd=course.root, capture_output=True, text=True, timeout=300
    )


def grade(course: Course) -> dict[str, dict]:
    """What `dlcourse grade` says, by student."""
    done = run(course, "dlcourse", "grade", "--json")
    assert done.returncode in (0, 1), done.stderr
    return {row["student"]: row for row in map(json.loads, done.stdout.splitlines())}


def export(course: Course) -> dict[str, dict[str, str]]:
    done = run(course, "nbgrader", "export", "--to", "grades.csv")
    assert done.returncode == 0, done.stderr
    with (course.root / "grades.csv").open() as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def eligible(course: Course) -> dict[str, dict[str, str]]:
    done = run(course, "dlcourse", "eligible")
    assert done.returncode in (0, 1), done.stderr
    with (course.gradebook_folder / "certificates" / "decisions.csv").open() as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def hand_in(root: Path, socket: Path) -> None:
    toy.submit(root, "right")
    toy.submit(root, "wrong", toy_class.right_but(double="def double(x):\n    return x"))
    toy.submit(root, "marked")
    toy.submit(root, "late", timestamp="2030-01-03 12:00:00 UTC")
    toy_class.break_json(toy.submit(root, "broken"))
    toy.submit(root, "odd", change=add_characters_that_postgresql_refuses)
    toy.submit(root, "connects", toy_class.right_but(double=CONNECTS.format(path=str(socket))))


def add_characters_that_postgresql_refuses(notebook: toy.Notebook) -> None:
    toy.by_id(notebook, "why")["source"] = "Since \0 and \ud800 say so."
    notebook["metadata"]["kernelspec"]["display_name"] = "\0\ud800"
    strange = toy.answer("own", "print('my \0 own')")
    strange["metadata"]["nbgrader"]["grade_id"] = "\0\ud800"
    notebook["cells"].append(strange)


def mark(course: Course, student: str) -> None:
    """Read the answer to "Why": two points, a comment, and a day more to hand in."""
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("why", "toys", "ps1", student)
        grade.manual_score, grade.needs_manual_grade = 2, False
        gradebook.find_comment("why", "toys", "ps1", student).manual_comment = "Naïve, but true ✓"
        gradebook.db.commit()
        gradebook.grant_extension("ps1", student, days=1)


@dataclass(frozen=True)
class Term:
    """A class from release to certificate; each field is what one command said."""

    course: Course
    database: str
    first: dict[str, dict]
    second: dict[str, dict]
    third: dict[str, dict]
    feedback: subprocess.CompletedProcess[str]
    exported: dict[str, dict[str, str]]
    eligible: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def term(server, tmp_path_factory) -> Term:
    database = server.make_database()
    course = make_course(tmp_path_factory.mktemp("postgresql") / "course", server.url(database))
    root = course.root
    released = run(course, "dlcourse", "release")
    assert released.returncode == 0, released.stderr
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate="2030-01-02 12:00:00 UTC")
    (course.gradebook_folder / "policy.toml").write_text(POLICY)

    hand_in(root, server.sockets / ".s.PGSQL.5432")
    first = grade(course)
    mark(course, "marked")
    toy.submit(root, "wrong")
    toy_class.break_json(toy.submit(root, "marked"))
    second = grade(course)
    toy.submit(root, "marked", timestamp="2030-01-03 11:00:00 UTC")
    third = grade(course)

    feedback = run(course, "nbgrader", "generate_feedback", "ps1", "--student", "marked")
    return Term(course, database, first, second, third, feedback, export(course), eligible(course))


def test_each_submission_gets_its_score(term):
    scores = {s: row["score"] for s, row in term.first.items() if row["status"] == "graded"}
    expected = {"right": 5, "wrong": 3, "marked": 5, "late": 5, "odd": 5}
    assert expected.items() <= scores.items()
    assert term.first["late"]["late_seconds"] == 24 * 3600
    assert "broken" not in scores
    assert "not valid JSON" in term.first["broken"]["reason"]


def test_the_gradebook_is_in_postgresql_and_nowhere_else(term, server):
    rows = server.ask(
        term.database,
        "SELECT student_id, sum(auto_score) FROM submitted_assignment AS handed_in"
        " JOIN submitted_notebook ON submitted_notebook.assignment_id = handed_in.id"
        " JOIN grade ON grade.notebook_id = submitted_notebook.id GROUP BY student_id",
    )
    assert {"right": 5.0, "wrong": 5.0, "odd": 5.0}.items() <= dict(rows).items()
    assert "broken" not in dict(rows)
    assert list(term.course.root.rglob("*.db*")) == []


def test_what_has_not_changed_is_not_graded_again(term):
    assert {s for s, row in term.second.items() if row["reused"]} == {
        "right",
        "late",
        "odd",
        "connects",
    }


def test_a_resubmission_counts(term):
    assert (term.first["wrong"]["score"], term.second["wrong"]["score"]) == (3, 5)


def test_marks_of_a_person_survive_a_resubmission_that_cannot_be_graded(term):
    assert term.second["marked"]["status"] == "not graded"
    again = term.third["marked"]
    # The answer that was read is the same.
    assert (again["score"], again["needs_manual_grade"]) == (7, False)
    assert again["late_seconds"] == 0  # 23 hours late, with a day more
    assert term.feedback.returncode == 0, term.feedback.stderr
    page = (term.course.feedback / "marked" / "ps1" / "toys.html").read_text()
    assert "(Score: 7.0 / 7.0)" in page
    assert "Naïve, but true ✓" in page


def test_export_writes_the_class(term):
    rows = term.exported
    assert float(rows["right"]["score"]) == 5
    assert float(rows["right"]["max_score"]) == 7
    assert rows["late"]["timestamp"] == "2030-01-03 12:00:00"
    assert float(rows["late"]["late_submission_penalty"] or 0) == 0


def test_eligible_reads_it(term):
    right, broken = term.eligible["right"], term.eligible["broken"]
    assert (right["verdict"], right["why"]) == (
        "eligible",
        "ps1: 5 to 7 of 7 points (71.4 % to 100 %); at least 60 % is needed, and is reached even "
        "with no points for the rest; ps1: 1 answer waits for hand-grading (2 points)",
    )
    assert broken["verdict"] == "undecided"
    assert "0 to 7 of 7 points" in broken["why"]


def test_the_formgraders_tables_show_it(term):
    api = term.course.api()
    (assignment,) = api.get_assignments()
    assert (assignment["num_submissions"], assignment["max_score"]) == (7, 7)
    submissions = {row["student"]: row for row in api.get_submissions("ps1")}
    assert (submissions["right"]["score"], submissions["right"]["needs_manual_grade"]) == (5, True)
    assert not submissions["broken"]["autograded"]
    (notebook,) = api.get_notebooks("ps1")
    assert notebook["average_score"] == pytest.approx((5 * 4 + 7 + 3) / 6)
    rows = api.get_notebook_submissions("ps1", "toys")
    assert sorted(row["score"] for row in rows) == [3, 5, 5, 5, 5, 7]
    assert {row["id"]: row["score"] for row in api.get_students()}["marked"] == 7
    assert api.get_student_submissions("right")[0]["score"] == 5
    assert api.get_student_notebook_submissions("connects", "ps1")[0]["failed_tests"]


def test_a_students_code_cannot_reach_the_server(term, server):
    path = str(server.sockets / ".s.PGSQL.5432")
    own: dict = {}
    exec(CONNECTS.format(path=path), own)
    assert own["double"](2) == 4  # whoever is outside can
    assert term.first["connects"]["score"] == 3


def test_stock_commands_work_on_it(server, database, tmp_path):
    course = make_course(tmp_path / "course", server.url(database))
    root = course.root
    for command in (
        ("generate_assignment", "ps1"),
        ("db", "student", "add", "ada", "--last-name", "Łukasiewicz"),
    ):
        done = run(course, "nbgrader", *command)
        assert done.returncode == 0, done.stderr
    toy.submit(root, "ada")
    for command in (("autograde", "ps1"), ("generate_feedback", "ps1"), ("db", "upgrade")):
        done = run(course, "nbgrader", *command)
        assert done.returncode == 0, done.stderr
    row = export(course)["ada"]
    assert (float(row["score"]), row["last_name"]) == (5, "Łukasiewicz")
    removed = run(course, "nbgrader", "db", "student", "remove", "ada", "--force")
    assert removed.returncode == 0, removed.stderr
    assert server.ask(database, "SELECT count(*) FROM grade") == [(0,)]


def test_a_course_needs_no_name(server, database, tmp_path):
    course = make_course(tmp_path / "course", server.url(database), course_id="")
    done = run(course, "dlcourse", "release")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_processes_that_begin_at_once_make_one_gradebook(kind, server, database, tmp_path):
    url = server.url(database) if kind == "postgresql" else f"sqlite:///{tmp_path}/gradebook.db"
    course = make_course(tmp_path / "course", url)
    script = (
        "import sys\n"
        "from nbjudge.course.course import load_course\n"
        "course = load_course(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "with course.gradebook() as gradebook:\n"
        "    gradebook.update_or_create_student(sys.argv[2])\n"
    )
    pipe = subprocess.PIPE
    options = {"stdin": pipe, "stdout": pipe, "stderr": pipe, "text": True}
    processes = [
        subprocess.Popen([sys.executable, "-c", script, course.root, name], **options)
        for name in ("ada", "bob", "cleo")
    ]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.close()
    errors = [process.stderr.read() for process in processes]
    assert [process.wait(60) for process in processes] == [0, 0, 0], errors
    with course.gradebook() as gradebook:
        assert {student.id for student in gradebook.students} == {"ada", "bob", "cleo"}
        versions = "SELECT version_num FROM alembic_version"
        assert len(gradebook.db.connection().exec_driver_sql(versions).all()) == 1


ERRORS = {
    "server": ("postgresql+psycopg://guarded:{password}@/class?host=/nowhere", "the server runs"),
    "port": ("postgresql+psycopg://guarded:{password}@127.0.0.1:1/class", "the server runs"),
    "database": ("postgresql+psycopg://gradebook:{password}@/none?host={host}", "createdb"),
    "role": ("postgresql+psycopg://nobody:{password}@/postgres?host={host}", "createuser"),
    "wrong": ("postgresql+psycopg://guarded:{password}-@/postgres?host={host}", ".pgpass"),
    "none": ("postgresql+psycopg://guarded@/postgres?host={host}", "PGPASSWORD"),
    "owner": ("postgresql+psycopg://guarded:{password}@/postgres?host={host}", "OWNER TO"),
    "query": ("postgresql+psycopg://gradebook@/none?host={host}&password={password}", "createdb"),
    "unescaped": ("postgresql+psycopg://guarded:1@{password}@127.0.0.1/class", "looks like"),
    "port text": ("postgresql+psycopg://guarded:{password}@host:{password}/class", "looks like"),
    "dialect": ("postgres://guarded:{password}@/class", "postgresql+psycopg://"),
    "nonsense": ("guarded:{password}", "looks like"),
    "folder": ("sqlite:////nowhere/gradebook.db", "folder"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_stands_in_the_way_is_told_without_the_password(case, server, tmp_path):
    address, advice = ERRORS[case]
    url = address.format(password=server.password, host=server.sockets)
    course = make_course(tmp_path / "course", url)
    with pytest.raises(CourseError) as raised:
        course.api()
    assert advice in str(raised.value)
    assert server.password not in "".join(traceback.format_exception(raised.value))


def test_a_command_tells_it_in_one_message(tmp_path):
    course = make_course(tmp_path / "course", "postgresql+psycopg:///class?host=/nowhere")
    done = run(course, "dlcourse", "release")
    assert done.returncode == 2
    assert "See that the server runs" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_missing_driver_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    course = make_course(tmp_path / "course", "postgresql+psycopg://guarded:secret@/class")
    with pytest.raises(CourseError, match=r"grading,postgresql") as raised:
        course.api()
    assert "secret" not in str(raised.value)
