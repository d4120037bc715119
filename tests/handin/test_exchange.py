"""Nbgrader's exchange: what is submitted is graded, and Assignment List shows the feedback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from handin.conftest import NOON, Queue, notebook
from handin.test_service import served, until
from nbhandin import exchange
from nbhandin.attempts import Attempt, Receipt
from nbhandin.errors import HandInError
from nbhandin.events import Exchanged
from nbhandin.exchange import Exchange, read_name, to_collect
from nbhandin.feedback import WITHHELD
from nbhandin.settings import settings_of
from nbjudge.course import Course, load_course

WRONG = "def double(x):\n    return x if x > 9 else 2 * x"


@pytest.fixture
def root(course, tmp_path) -> Path:
    """An exchange, in which the assignment is released."""
    root = tmp_path / "exchange"
    root.mkdir()
    root.chmod(0o777)
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.Exchange.root = {str(root)!r}\nc.CourseDirectory.course_id = 'toys'\n")
    load_course(course.root).api().release_assignment("ps1")
    return root


@pytest.fixture
def hub(course, root, monkeypatch) -> Hub:
    monkeypatch.setattr(exchange, "_SECONDS_TO_LOOK", 0.0)
    return Hub(load_course(course.root), root)


class Hub:
    """Students who submit in this process, with nbgrader's own classes."""

    def __init__(self, course: Course, root: Path) -> None:
        self.course, self.root = course, root
        self.queue = Queue(course, [])

    def home(self, student: str) -> Path:
        return self.root.parent / f"home-{student}"

    def at(self, student: str, name: str, **traits: object):
        """One of nbgrader's classes for the exchange, as this student's server makes it."""
        from nbgrader.auth import Authenticator
        from nbgrader.exchange import ExchangeFactory

        config = self.course.config.copy()
        config.Exchange.assignment_dir = str(self.home(student))
        config.Exchange.cache = str(self.home(student) / "cache")
        coursedir = Course(self.course.root, config).coursedir(
            assignment_id="ps1", student_id=student
        )
        make = getattr(ExchangeFactory(config=config), name)
        found = make(coursedir=coursedir, authenticator=Authenticator(), config=config, parent=None)
        for trait, value in traits.items():
            setattr(found, trait, value)
        return found

    def submit(self, student: str, **files: bytes) -> None:
        folder = self.home(student) / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / f"{name}.ipynb").write_bytes(data)
        self.at(student, "Submit").start()

    def submissions(self, student: str) -> list[dict]:
        """What Assignment List shows, the oldest first."""
        (found,) = self.at(student, "List", cached=True).start()
        return found["submissions"]

    def feedback(self, student: str) -> list[str]:
        """The pages that the student fetches, the oldest first."""
        self.at(student, "FetchFeedback").start()
        pages = (self.home(student) / "ps1" / "feedback").glob("*/toys.html")
        return [page.read_text() for page in sorted(pages)]

    def grade(self, workers, **settings: object) -> None:
        """Grade as the service does; the second time it looks, it releases."""
        for _ in range(2):
            assert self.queue.grader(watches=True, **settings).grade_all(workers)

    def fake(self, name: str, **files: bytes) -> Path:
        """A folder that somebody put there, not with nbgrader."""
        folder = self.root / "toys" / "inbound" / name
        folder.mkdir()
        for file, data in ({"toys": notebook(self.course)} | files).items():
            (folder / f"{file}.ipynb").write_bytes(data)
        (folder / "submission_secret.txt").write_text("a secret")
        return folder

    def problems(self) -> list[str]:
        said = [event for event in self.queue.said if isinstance(event, Exchanged)]
        return list(said[-1].problems) if said else []


def test_each_submission_is_graded_and_assignment_list_shows_its_own_feedback(hub, workers):
    hub.submit("ada", toys=notebook(hub.course, double=WRONG), Untitled=b"{}")
    assert not hub.submissions("ada")[0]["has_exchange_feedback"]
    hub.grade(workers)
    hub.submit("ada", toys=notebook(hub.course))
    hub.grade(workers)
    # Also beside a notebook that is not part of the exercise.
    assert [one["has_exchange_feedback"] for one in hub.submissions("ada")] == [True, True]
    first, second = hub.feedback("ada")
    assert "should be 42" in first and "should be 42" not in second
    found = hub.queue.attempts.all()
    assert [one.state.score for one in found] == [3, 5]
    assert hub.queue.in_gradebook("ada") == 5
    assert (hub.course.submitted / "ada" / "ps1" / "toys.ipynb").is_file()
    assert hub.problems() == []


def test_what_cannot_be_graded_says_why_in_assignment_list(hub, workers):
    hub.submit("ada", toys=notebook(hub.course, double="import os\nos._exit(0)"))
    hub.grade(workers)
    assert hub.submissions("ada")[0]["has_exchange_feedback"]
    (page,) = hub.feedback("ada")
    assert "could not be graded" in page and "kernel died" in page


def test_what_hidden_tests_say_is_released_when_it_is_due(hub, workers, monkeypatch):
    hub.submit("ada", toys=notebook(hub.course, double=WRONG))
    hub.grade(workers, hidden_messages="after due")
    (page,) = hub.feedback("ada")
    assert WITHHELD in page and "should be 42" not in page
    with hub.course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate="2001-01-01 12:00:00 UTC")
    hub.grade(workers, hidden_messages="after due")
    assert "should be 42" in hub.feedback("ada")[0]


def test_what_could_not_be_released_is_said_and_released_later(hub, workers, monkeypatch):
    hub.submit("ada", toys=notebook(hub.course))
    folder = hub.root / "toys" / "feedback"
    folder.write_text("in the way")
    hub.grade(workers)
    assert "could not be put into the exchange" in hub.problems()[0]
    folder.unlink()
    hub.grade(workers)
    assert hub.problems() == [] and len(hub.feedback("ada")) == 1


def test_a_submission_leads_nowhere_and_holds_no_other_back(hub, workers, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(notebook(hub.course, why="The instructor's own."))
    link = hub.fake("eve+ps1+2030-01-01 12:00:00.0 UTC")
    (link / "toys.ipynb").unlink()
    (link / "toys.ipynb").symlink_to(secret)
    pipe = hub.fake("fay+ps1+2030-01-01 12:00:00.0 UTC")
    os.mkfifo(pipe / "pipe")
    (hub.root / "toys" / "inbound" / "gil+ps1+2030-01-01 12:00:00.0 UTC").symlink_to(tmp_path)
    hub.fake("..+ps1+2030-01-01 12:00:00.0 UTC")
    hub.fake("hal+ps1+yesterday")
    hub.fake("ian+ps9+2030-01-01 12:00:00.0 UTC")
    hub.submit("ada", toys=notebook(hub.course))
    hub.grade(workers)
    found = {one.receipt.student: one.state for one in hub.queue.attempts.all()}
    assert set(found) == {"ada", "eve", "fay"}
    assert found["ada"].score == 5
    assert "toys.ipynb is not a file that can be read" in found["eve"].reason
    assert "pipe is not a file that can be read" in found["fay"].reason
    assert "own." not in "".join(
        path.read_text(errors="replace") for path in hub.queue.places.root.rglob("*.ipynb")
    )
    said = " ".join(hub.problems())
    for name in ("gil+ps1", "..+ps1", "hal+ps1", "ian+ps9"):
        assert name in said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_what_is_somebody_elses_is_not_collected_and_not_called_a_deed(hub, workers):
    folder = hub.fake("ada+ps1+2030-01-01 12:00:00.0 UTC")
    os.chown(folder, 54_321, 54_321)
    hub.grade(workers)
    assert hub.queue.attempts.all() == []
    assert "belongs to another account" in hub.problems()[0]
    hub.course.config.ExchangeCollect.check_owner = False
    hub.grade(workers)
    assert [one.receipt.student for one in hub.queue.attempts.all()] == ["ada"]


def test_what_is_still_being_copied_waits(hub, workers):
    folder = hub.fake("ada+ps1+2030-01-01 12:00:00.0 UTC")
    (folder / "submission_secret.txt").unlink()
    hub.grade(workers)
    assert hub.queue.attempts.all() == [] and hub.problems() == []
    (folder / "submission_secret.txt").write_text("x")
    hub.grade(workers)
    assert len(hub.queue.attempts.all()) == 1


def inbound(minutes: int, student: str = "ada") -> exchange.Inbound:
    when = NOON + timedelta(minutes=minutes)
    return exchange.Inbound(f"{student}+ps1+{when}", student, "ps1", when)


def collected(one: exchange.Inbound, number: int) -> Attempt:
    return Attempt(Receipt(number, *one.pair, one.submitted, (), (), one.name))


def test_the_newest_of_each_is_collected_once():
    first, second, bob = inbound(1), inbound(2), inbound(3, "bob")
    assert to_collect([second, bob, first], {}, 0, NOON) == [second, bob]
    known = {second.pair: [collected(second, 1)]}
    assert to_collect([second, bob, first], known, 0, NOON) == [bob]
    assert to_collect([first, inbound(4)], known, 0, NOON) == [inbound(4)]


def test_what_is_above_the_daily_limit_waits_and_the_newest_comes_first():
    tries = [collected(inbound(n), n) for n in (1, 2)]
    known = {tries[0].pair: tries}
    there = [inbound(n) for n in (1, 2, 3, 4)]
    assert to_collect(there, known, 2, NOON + timedelta(minutes=5)) == []
    assert to_collect(there, known, 2, NOON + timedelta(days=1, minutes=5)) == [inbound(4)]
    page = {
        tries[0].pair: [replace(one, receipt=replace(one.receipt, exchange="")) for one in tries]
    }
    assert to_collect(there[:1], page, 0, NOON) == [inbound(1)]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("ada+ps1+2030-01-01 12:00:00.123456 UTC+Rk_-x=", "ada"),
        ("ada+ps1+2030-01-01 12:00:00.123456 UTC", "ada"),
        ("a+da+ps1+2030-01-01 12:00:00.123456 UTC+x", "a+da"),
        ("ada+ps1", None),
        ("+ps1+2030-01-01 12:00:00.1 UTC", None),
        ("ada+.+2030-01-01 12:00:00.1 UTC", None),
        ("a*+ps1+2030-01-01 12:00:00.1 UTC", None),
        ("ada+ps1+2030-99-99 12:00:00.1 UTC", None),
        ("x" * 129 + "+ps1+2030-01-01 12:00:00.1 UTC", None),
    ],
)
def test_a_name_that_nobody_can_have_is_nobodys(name, student):
    found = read_name(name)
    assert (found and (found.student, found.assignment)) == (student and (student, "ps1"))


def test_a_course_without_an_exchange_is_told_what_is_missing(course):
    with pytest.raises(HandInError, match="course_id"):
        Exchange(course, settings_of(course))
    course.config.CourseDirectory.course_id = "toys"
    course.config.Exchange.root = str(course.root / "nowhere")
    with pytest.raises(HandInError, match="no exchange at"):
        Exchange(course, settings_of(course))


# A student's server, which has a HOME of its own: a line for each of what Assignment List asks.
SERVER = """
import json, os, sys
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList
here = AssignmentList()
here.root_dir = os.getcwd()
said = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    action, *arguments = json.loads(line)
    print(json.dumps(getattr(here, action)(*arguments)), file=said, flush=True)
"""


@contextmanager
def students_server(home: Path, root: Path) -> Iterator:
    home.mkdir()
    (home / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(root)!r}\nc.CourseDirectory.student_id = 'ada'\n"
    )
    environment = os.environ | {"HOME": str(home), "JUPYTER_DATA_DIR": str(home / "data")}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=home,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def ask(*question: str):
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert answer["success"], answer
            return answer.get("value")

        yield ask
        process.stdin.close()


@pytest.mark.slow
def test_in_a_hub_from_fetching_to_the_feedback(course, root, tmp_path):
    """The student's server is a process of its own, and so is the service."""
    home = tmp_path / "home"
    with served(course, "--exchange") as service, students_server(home, root) as ask:
        ask("fetch_assignment", "toys", "ps1")
        (home / "ps1" / "toys.ipynb").write_bytes(notebook(course, double=WRONG))
        ask("submit_assignment", "toys", "ps1")

        def submissions() -> list[dict]:
            found = [one for one in ask("list_assignments") if one["status"] == "submitted"]
            return found[0]["submissions"]

        until(lambda: submissions()[0]["has_exchange_feedback"])
        ask("fetch_feedback", "toys", "ps1")
        page = (home / submissions()[0]["local_feedback_path"] / "toys.html").read_text()
        assert "should be 42" in page
        service.open("ada").sees("3 of 7 points so far", "/attempt/1")
