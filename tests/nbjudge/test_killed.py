"""Whatever is killed while a class is graded: nothing hangs, is left over, or is graded wrongly."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import toy_course as toy
from nbjudge.course import Course, load_course
from nbjudge.record.records import BEGUN, read_record
from toy_token import TOKEN, printed

pytestmark = pytest.mark.slow

SECONDS = 120
GRADE = """
import sys
from nbjudge.course import load_course
from nbjudge.cohort import grade
from nbjudge.admit.submissions import find_submissions

course = load_course(sys.argv[1])
for found in grade(course, find_submissions(course), jobs=1):
    print(found.student, found.status, found.score, found.reused, found.reason, sep="|", flush=True)
"""
# Long enough to be found at it; starting takes a kernel far less.
LONG = "import time\nwhile time.process_time() < 4:\n    pass\n"
AT_WORK = 2.0
DOUBLE = "def double(x):\n    return 2 * x"
RIGHT = {"anna": 5, "bob": 5, "cleo": 3}


@dataclass(frozen=True)
class Outcome:
    student: str
    status: str
    score: float
    reused: bool
    reason: str


def read_outcome(line: str) -> Outcome:
    student, status, score, reused, reason = line.rstrip("\n").split("|", 4)
    return Outcome(student, status, float(score), reused == "True", reason)


@pytest.fixture
def course(released_course) -> Course:
    """Three submissions; that of the second takes a while."""
    root = released_course.root
    config = root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Grading.cell_seconds = 60\n")
    toy.submit(root, "anna", toy.RIGHT | {"double": TOKEN + DOUBLE})
    toy.submit(root, "bob", toy.RIGHT | {"double": TOKEN + LONG + DOUBLE})
    toy.submit(root, "cleo", toy.RIGHT | {"double": TOKEN + DOUBLE.replace("2", "3")})
    return load_course(root)


@contextmanager
def grading(course: Course) -> Iterator[subprocess.Popen]:
    """A process that grades the course, one submission after another."""
    process = subprocess.Popen(
        [sys.executable, "-c", GRADE, str(course.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):
            for left in [*psutil.Process(process.pid).children(recursive=True), process]:
                left.kill()
        process.communicate(timeout=SECONDS)


def finish(process: subprocess.Popen) -> list[Outcome]:
    """What it prints from now on, once it has come to its end."""
    out, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    return [read_outcome(line) for line in out.splitlines()]


def until(condition: Callable[[], object]) -> object:
    """What the condition gives as soon as it gives something."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
    return found


@dataclass(frozen=True)
class Family:
    """The processes at work while a kernel runs."""

    main: psutil.Process
    server: psutil.Process
    worker: psutil.Process
    guard: psutil.Process
    kernel: psutil.Process


def find_family(main: psutil.Process) -> Family | None:
    """All of them, once Bob's cell is at work; the judge is a child of the server, too."""
    with suppress(psutil.NoSuchProcess, ValueError):
        children = {child: " ".join(child.cmdline()) for child in main.children()}
        (server,) = [child for child, text in children.items() if "nbjudge.warm.server" in text]
        (forker,) = [child for child, text in children.items() if "forkserver" in text]
        (worker,) = forker.children()
        (guard,) = [child for child in server.children() if child.children()]
        (kernel,) = guard.children()
        if sum(kernel.cpu_times()[:2]) < AT_WORK:  # user and system: to read a clock is the latter
            return None
        return Family(main, server, worker, guard, kernel)
    return None


def all_below(main: psutil.Process) -> list[psutil.Process]:
    return [main, *main.children(recursive=True)]


def is_over(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def bob_has_begun(course: Course) -> bool:
    record = read_record(course.gradebook_folder, "ps1", "bob")
    return record is not None and record.reason == BEGUN


def kill_while_bob_runs(course: Course, process: subprocess.Popen, victim: str) -> list:
    """Kill one as soon as Anna is graded and Bob's kernel runs; all processes of that moment."""
    assert read_outcome(process.stdout.readline()).student == "anna"
    until(lambda: bob_has_begun(course))
    main = psutil.Process(process.pid)
    family = until(lambda: find_family(main))
    everybody = all_below(main)
    getattr(family, victim).kill()
    return everybody


def leftovers() -> set[Path]:
    return set(Path("/tmp").glob("nbjudge-confined-*"))


def test_after_the_main_process_was_killed_the_rest_is_graded(course):
    before = leftovers()
    with grading(course) as process:
        everybody = kill_while_bob_runs(course, process, "main")
        until(lambda: all(is_over(item) for item in everybody))
    assert leftovers() <= before
    assert read_record(course.gradebook_folder, "ps1", "anna").status == "graded"
    bob = read_record(course.gradebook_folder, "ps1", "bob")
    assert (bob.status, bob.reason) == ("not graded", BEGUN)
    cleo = read_record(course.gradebook_folder, "ps1", "cleo")
    assert cleo is None or (cleo.status, cleo.reason) == ("not graded", BEGUN)
    with course.gradebook() as gradebook:
        scores = {s.student.id: s.score for s in gradebook.assignment_submissions("ps1")}
    assert scores.get("bob", 0) == 0
    token = printed(course, "anna")

    with grading(course) as process:
        found = {outcome.student: outcome for outcome in finish(process)}
    assert {student: outcome.score for student, outcome in found.items()} == RIGHT
    assert {student: outcome.reused for student, outcome in found.items()} == {
        "anna": True,
        "bob": False,
        "cleo": False,
    }
    assert printed(course, "anna") == token


REASONS = {
    "server": "ended from outside",
    "guard": "ended from outside",
    "kernel": "kernel died",
}


def test_a_killed_worker_costs_nothing(course):
    with grading(course) as process:
        everybody = kill_while_bob_runs(course, process, "worker")
        found = {outcome.student: outcome for outcome in finish(process)}
        until(lambda: all(is_over(item) for item in everybody))
    assert {student: outcome.score for student, outcome in found.items()} == {
        student: RIGHT[student] for student in ("bob", "cleo")
    }
    assert read_record(course.gradebook_folder, "ps1", "bob").status == "graded"


@pytest.mark.parametrize("victim", REASONS)
def test_a_killed_helper_costs_the_submission_at_hand_and_no_other(course, victim):
    with grading(course) as process:
        everybody = kill_while_bob_runs(course, process, victim)
        found = {outcome.student: outcome for outcome in finish(process)}
        until(lambda: all(is_over(item) for item in everybody))
    assert (found["bob"].status, found["bob"].score) == ("not graded", 0)
    assert found["bob"].reason
    assert REASONS[victim] in found["bob"].reason
    assert (found["cleo"].status, found["cleo"].score) == ("graded", 3)
    record = read_record(course.gradebook_folder, "ps1", "bob")
    assert (record.status, record.reason) == ("not graded", found["bob"].reason)
    assert not (course.autograded / "bob" / "ps1").exists()
    tokens = {student: printed(course, student) for student in ("anna", "cleo")}

    with grading(course) as process:
        again = {outcome.student: outcome for outcome in finish(process)}
    assert {student: outcome.score for student, outcome in again.items()} == RIGHT
    assert {student: printed(course, student) for student in tokens} == tokens
    assert [again[student].reused for student in tokens] == [True, True]
