"""A run that is stopped, at whatever moment: the next one carries on, and nothing is half done."""

from __future__ import annotations

import getpass
import json
import os
import platform
import shutil
import signal
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
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.cohort.lock import CourseLocked
from nbjudge.course import Course, load_course
from nbjudge.record.records import BEGUN, read_record, record_path
from nbjudge.warm.client import ADDRESS
from toy_faults import (
    LOST,
    RIGHT,
    WRONG,
    give_mark,
    graded,
    in_gradebook,
    record,
    require_grade,
    require_no_grade,
)
from toy_token import printed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("grades_here")]

SECONDS = 120


@pytest.fixture(scope="module")
def before(pristine_course, tmp_path_factory) -> list[Path]:
    """A place for the course as it was before the run."""
    return [shutil.copytree(pristine_course, tmp_path_factory.mktemp("before") / "course")]


@pytest.fixture
def course(before, tmp_path) -> Course:
    """Anna and Bob are graded, and Bob has a mark; now Bob hands in again, and Cleo for once."""
    (root,) = before
    if not (root / "submitted").exists():
        toy.submit(root, "anna", RIGHT)
        toy.submit(root, "bob", RIGHT)
        graded(load_course(root))
        give_mark(load_course(root), "bob")
    copy = load_course(shutil.copytree(root, tmp_path / "course"))
    toy.submit(copy.root, "bob", WRONG)
    toy.submit(copy.root, "cleo", RIGHT)
    return copy


# Grades with workers as in `grades_here`, and ends at a function's call of this number.
GRADE_UNTIL = """
import functools, os, pkgutil, signal, sys
from contextlib import nullcontext
root, tests, address, owner, name, number, moment = sys.argv[1:]
sys.path.insert(0, tests)
from workers_here import workers_here
import nbjudge.cohort.grading
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.admit.submissions import find_submissions

owner = pkgutil.resolve_name(owner)
real, calls = getattr(owner, name), []

@functools.wraps(real)
def fatal(*arguments, **options):
    calls.append(1)
    if len(calls) < int(number):
        return real(*arguments, **options)
    if moment == "half":
        self, text, *others = arguments
        real(self, text[: len(text) // 2], *others, **options)
    elif moment == "after":
        real(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, fatal)
here = workers_here(address)
nbjudge.cohort.grading.local_workers = lambda count, preload: nullcontext(here)
course = load_course(root)
list(grade(course, find_submissions(course)))
"""


def grade_until(course: Course, owner: str, name: str, number: int, moment: str) -> None:
    """A run that is killed at this call of ``owner.name``."""
    place = [str(Path(__file__).parent), os.environ[ADDRESS]]
    done = subprocess.run(
        [sys.executable, "-c", GRADE_UNTIL, course.root, *place, owner, name, str(number), moment],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


NBGRADER = "nbgrader.converters:Autograde"
WRITER = "nbconvert.writers:FilesWriter"
SCORES = "nbgrader.preprocessors:SaveAutoGrades"
# The records of Bob's and Cleo's beginning come first.
RECORD = ("nbjudge.record.records", "write_atomically", 3)
RECORDING = {
    "nothing is recorded": (NBGRADER, "start", 1, "before"),
    "the submission is entered": (NBGRADER, "init_assignment", 1, "after"),
    "half of the notebook is copied": (WRITER, "write", 1, "half"),
    "the first of the scores is entered": (SCORES, "preprocess_cell", 5, "after"),
    "all scores are entered": (SCORES, "preprocess", 1, "after"),
    "half of the notebook is written": (WRITER, "write", 2, "half"),
    "the notebook is written": (WRITER, "write", 2, "after"),
    "the record is not written": (*RECORD, "before"),
    "the record is written": (*RECORD, "after"),
}


@pytest.mark.parametrize("name", RECORDING)
def test_a_run_killed_while_it_records_is_carried_on(course, name):
    token = printed(course, "anna")
    old = record(course, "anna")
    grade_until(course, *RECORDING[name])
    bob = record(course, "bob")
    if bob.status == "graded":  # then it is the new grade, and the whole of it
        require_grade(course, 4.5, "bob")
    else:
        assert bob.reason == BEGUN
    assert record(course, "anna") == old
    require_no_grade(course, "cleo")

    again = graded(course)
    assert {student: found.score for student, found in again.items()} == {
        "anna": 5,
        "bob": 4.5,
        "cleo": 5,
    }
    assert again["anna"].reused
    assert printed(course, "anna") == token
    # Both were run by the one that was killed, and are not run again.
    assert record(course, "cleo").notebooks[0].was_stored
    assert record(course, "bob").notebooks[0].was_stored == (bob.status != "graded")
    assert in_gradebook(course) == {"anna": 5, "bob": 4.5, "cleo": 5}
    require_grade(course, 4.5, "bob")
    require_grade(course, 5, "cleo")


RECORDER = "nbjudge.cohort.recording"
WITHDRAWING = {
    "nothing is taken out": (RECORDER, "remove_submission", 1, "before"),
    "it is taken out of the gradebook": (RECORDER, "remove_submission", 1, "after"),
    "its folder is removed": (RECORDER, "remove_folder", 1, "after"),
    "the record is not written": (*RECORD, "before"),
    "the record is written": (*RECORD, "after"),
}


@pytest.mark.parametrize("name", WITHDRAWING)
def test_a_run_killed_while_it_takes_a_grade_back_loses_no_mark(course, name):
    toy.submit(course.root, "bob", LOST)
    grade_until(course, *WITHDRAWING[name])
    require_no_grade(course, "bob")

    found = graded(course)
    assert (found["bob"].status, found["cleo"].score) == ("not graded", 5)
    assert in_gradebook(course) == {"anna": 5, "cleo": 5}
    assert not (course.autograded / "bob" / "ps1").exists()
    toy.submit(course.root, "bob", WRONG)
    assert graded(course)["bob"].score == 4.5
    require_grade(course, 4.5, "bob")


# Long enough to be found at it; starting takes a kernel far less.
LONG = "import time\nwhile time.process_time() < 3:\n    pass\n"
AT_WORK = 1.0
DLCOURSE = Path(sys.executable).with_name("dlcourse")


@pytest.fixture
def long_course(course) -> Course:
    """Bob's notebook takes a while, and Dora's was not graded before."""
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Grading.cell_seconds = 60\n")
    toy.submit(course.root, "bob", WRONG | {"double": LONG + WRONG["double"]})
    toy.submit(course.root, "dora", RIGHT)
    course = load_course(course.root)
    list(grade(course, find_submissions(course, students=["cleo"])))
    return course


@dataclass
class Command:
    """A running `dlcourse grade`, one submission at a time, as in a terminal of its own."""

    process: subprocess.Popen
    errors: Path

    @property
    def main(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def press_ctrl_c(self) -> None:
        """The terminal tells every process of its foreground."""
        os.killpg(self.process.pid, signal.SIGINT)

    def says(self, words: str) -> bool:
        return words in " ".join(self.errors.read_text().split())

    def outcomes(self) -> dict[str, dict]:
        """What it printed, once it has come to its end."""
        out, _ = self.process.communicate(timeout=SECONDS)
        return {found["student"]: found for found in map(json.loads, out.splitlines())}


@contextmanager
def grading(course: Course, *options: str) -> Iterator[Command]:
    """The command at work; it and all it started is over at the end of the block."""
    errors = course.root / "errors.txt"
    with errors.open("w") as file:
        process = subprocess.Popen(
            [DLCOURSE, "grade", "--course", course.root, "--jobs", "1", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            start_new_session=True,
        )
    try:
        yield Command(process, errors)
    finally:
        with suppress(psutil.NoSuchProcess):
            for left in all_below(process.pid):
                left.kill()
        process.communicate(timeout=SECONDS)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline


def all_below(pid: int) -> list[psutil.Process]:
    main = psutil.Process(pid)
    return [main, *main.children(recursive=True)]


def is_over(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def a_kernel_works(main: psutil.Process) -> bool:
    """Whether a child of a guard, which is one of the warm server, has been at work for long."""
    with suppress(psutil.NoSuchProcess):
        kernels = [
            kernel
            for helper in main.children()
            for guard in helper.children()
            for kernel in guard.children()
        ]
        return any(sum(kernel.cpu_times()[:2]) > AT_WORK for kernel in kernels)
    return False


def a_worker_starts(main: psutil.Process) -> bool:
    """Whether the process that forks workers is there; it imports for a second or so."""
    with suppress(psutil.NoSuchProcess):
        return any("forkserver" in " ".join(item.cmdline()) for item in main.children())
    return False


def has_begun(course: Course, student: str) -> bool:
    found = read_record(course.gradebook_folder, "ps1", student)
    return found is not None and found.reason == BEGUN


def until_bob_runs(course: Course, command: Command) -> list[psutil.Process]:
    """Every process at a moment when Anna is graded, Bob's notebook runs, and others wait."""
    until(lambda: has_begun(course, "bob"))
    until(lambda: a_kernel_works(command.main))
    return all_below(command.process.pid)


def kept_record(course: Course, student: str) -> bytes:
    return record_path(course.gradebook_folder, "ps1", student).read_bytes()


def require_the_rest(course: Course, reused: set[str]) -> None:
    """The next run carries on."""
    again = graded(course)
    assert {student: found.score for student, found in again.items()} == {
        "anna": 5,
        "bob": 4.5,
        "cleo": 5,
        "dora": 5,
    }
    assert {student for student, found in again.items() if found.reused} == reused
    assert in_gradebook(course) == {student: found.score for student, found in again.items()}


def test_the_first_ctrl_c_finishes_what_runs_and_leaves_the_others_as_they_were(long_course):
    course = long_course
    cleo = kept_record(course, "cleo")
    with grading(course, "--force") as command:
        everybody = until_bob_runs(course, command)
        command.press_ctrl_c()
        found = command.outcomes()
        until(lambda: all(is_over(item) for item in everybody))
    assert command.process.returncode == 1
    assert {student: made["score"] for student, made in found.items()} == {"anna": 5, "bob": 4.5}
    assert command.says("Finishing what is running")
    assert command.says("2 not started: grade again to continue")
    require_grade(course, 4.5, "bob")
    assert kept_record(course, "cleo") == cleo
    assert read_record(course.gradebook_folder, "ps1", "dora") is None
    assert in_gradebook(course) == {"anna": 5, "bob": 4.5, "cleo": 5}
    require_the_rest(course, {"anna", "bob", "cleo"})


def test_the_second_ctrl_c_stops_at_once(long_course):
    course = long_course
    endless = LONG.replace("3", "10**6")
    toy.submit(course.root, "bob", WRONG | {"double": endless + WRONG["double"]})
    cleo = kept_record(course, "cleo")
    with grading(course, "--force") as command:
        everybody = until_bob_runs(course, command)
        command.press_ctrl_c()
        until(lambda: command.says("Ctrl-C again: stop now"))
        command.press_ctrl_c()
        found = command.outcomes()
        until(lambda: all(is_over(item) for item in everybody))
    assert command.process.returncode not in (0, None)
    assert set(found) == {"anna"}
    assert not command.says("Traceback")
    bob = record(course, "bob")
    assert (bob.status, bob.reason) == ("not graded", BEGUN)
    assert not (course.autograded / "bob" / "ps1").exists()
    assert kept_record(course, "cleo") == cleo
    assert read_record(course.gradebook_folder, "ps1", "dora") is None
    assert in_gradebook(course) == {"anna": 5, "cleo": 5}

    toy.submit(course.root, "bob", WRONG)
    require_the_rest(course, {"anna", "cleo"})


def test_a_ctrl_c_while_the_workers_start_grades_nobody_wrongly(long_course):
    course = long_course
    kept = {student: kept_record(course, student) for student in ("anna", "bob", "cleo")}
    with grading(course, "--force") as command:
        until(lambda: a_worker_starts(command.main))
        command.press_ctrl_c()
        found = command.outcomes()
    assert command.process.returncode == 1
    assert [made["status"] for made in found.values()] == ["graded"] * len(found)
    for student in kept:
        assert student in found or kept_record(course, student) == kept[student]


def test_the_second_of_two_runs_says_who_is_at_it_and_a_dead_one_is_not(long_course):
    course = long_course
    with grading(course) as command:
        everybody = until_bob_runs(course, command)
        with pytest.raises(CourseLocked) as told:
            graded(course)
        who = f"by {getpass.getuser()} on {platform.node()} since "
        assert who in str(told.value)
        assert f"(process {command.process.pid})" in str(told.value)
        assert has_begun(course, "bob")

        command.main.kill()
        command.process.wait(timeout=SECONDS)  # until its last thread has let go of the lock
        require_the_rest(course, {"anna", "cleo"})
        until(lambda: all(is_over(item) for item in everybody))
    require_grade(course, 4.5, "bob")
