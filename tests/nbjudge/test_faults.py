"""What machines and people do to a run: nothing is lost, counted twice, or graded as it was not."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import nbjudge.cohort.dispatch as dispatch_module
import nbjudge.cohort.run as run_module
import nbjudge.record.records
import pytest
import toy_course as toy
from nbgrader.converters import Autograde
from nbgrader.preprocessors import SaveAutoGrades
from nbjudge.cohort.recording import CannotRecord, Recorder
from nbjudge.course import Course, load_course
from nbjudge.record.records import BEGUN
from small_disk import fill, free, on_small_disk
from toy_faults import (
    ANSWER,
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

pytestmark = pytest.mark.usefixtures("grades_here")


@pytest.fixture(scope="module")
def tried(pristine_course, tmp_path_factory) -> list[Path]:
    """Where the course is, or is to be, whose reference solution has had full marks."""
    return [shutil.copytree(pristine_course, tmp_path_factory.mktemp("tried") / "course")]


@pytest.fixture
def course(tried, tmp_path) -> Course:
    """A course whose reference solution has had full marks, with one submission."""
    (root,) = tried
    if not (root / "submitted").exists():
        toy.submit(root, "anna", {})
        assert graded(load_course(root))["anna"].score == 0
        shutil.rmtree(root / "submitted")
        with load_course(root).gradebook() as gradebook:
            gradebook.remove_student("anna")
        (root / "submitted").mkdir()
    copy = load_course(shutil.copytree(root, tmp_path / "course"))
    toy.submit(copy.root, "anna", RIGHT)
    return copy


@pytest.fixture
def at_work(monkeypatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen while a worker is at a student's notebook, which was sent already."""

    work = dispatch_module.work

    def have(happen: Callable[[], object]) -> None:
        def work_meanwhile(task):
            worked = work(task)
            happen()
            return worked

        monkeypatch.setattr(dispatch_module, "work", work_meanwhile)

    return have


def nothing() -> None:
    """Nothing happens."""


def submit_late(root: Path) -> None:
    toy.submit(root, "anna", RIGHT, timestamp="2031-01-01 12:00:00 UTC")


def add_file(root: Path) -> None:
    (root / "submitted" / "anna" / "ps1" / "notes.txt").write_text("mine")


def submit_wrong(root: Path) -> None:
    toy.submit(root, "anna", WRONG)


REPLACED = {
    "other answers": (submit_wrong, 3),
    "another time": (submit_late, 5),
    "another file": (add_file, 5),
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_submission_replaced_while_it_is_graded_gets_its_own_grade(course, at_work, name):
    replace, score = REPLACED[name]
    at_work(lambda: replace(course.root))
    assert graded(course)["anna"].score == score
    require_grade(course, score)


def test_a_submission_replaced_while_it_is_recorded_gets_its_own_grade(course, monkeypatch):
    start = Autograde.start

    def replace_and_start(self):
        if not self.autograde_preprocessors[0].trials["toys"].run.was_stored:
            submit_wrong(course.root)
        start(self)

    monkeypatch.setattr(Autograde, "start", replace_and_start)
    assert graded(course)["anna"].score == 3
    require_grade(course, 3)


def test_a_submission_changed_and_changed_back_gets_its_own_grade(course, monkeypatch):
    """The worker is sent what was there only between two looks at the folder."""
    read = run_module.submitted_files
    reads = []

    def read_another(here, submission):
        reads.append(1)
        if len(reads) > 1:
            return read(here, submission)
        toy.submit(course.root, "anna", WRONG)
        found = read(here, submission)
        toy.submit(course.root, "anna", RIGHT)
        return found

    monkeypatch.setattr(run_module, "submitted_files", read_another)
    assert graded(course)["anna"].score == 5
    require_grade(course, 5)
    assert len(reads) == 2


def test_a_submission_replaced_again_and_again_is_not_graded(course, at_work):
    toy.submit(course.root, "bob", RIGHT)
    days = list(range(1, 29))

    def hand_in_again():
        if days:
            toy.submit(course.root, "anna", RIGHT, timestamp=f"2030-01-{days.pop()} 12:00:00 UTC")

    at_work(hand_in_again)
    found = graded(course)
    assert (found["anna"].status, found["anna"].score) == ("not graded", 0)
    assert "replaced again and again" in found["anna"].reason
    assert found["bob"].score == 5
    require_no_grade(course)
    assert in_gradebook(course) == {"bob": 5}
    assert not (course.autograded / "anna" / "ps1").exists()

    days.clear()
    assert graded(course)["anna"].score == 5
    require_grade(course, 5)


def take_away(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def take_its_notebook_away(folder: Path) -> None:
    (folder / "toys.ipynb").unlink(missing_ok=True)


@pytest.mark.parametrize("spoil", [take_away, take_its_notebook_away])
def test_a_submission_spoilt_while_it_is_graded_is_not_graded(course, at_work, spoil):
    assert graded(course)["anna"].score == 5
    submit_wrong(course.root)
    toy.submit(course.root, "bob", RIGHT)
    at_work(lambda: spoil(course.submitted / "anna" / "ps1"))
    found = graded(course)
    assert (found["anna"].status, found["anna"].score) == ("not graded", 0)
    assert found["anna"].reason == record(course).reason != BEGUN
    assert found["bob"].score == 5
    require_no_grade(course)
    assert in_gradebook(course) == {"bob": 5}
    assert not (course.autograded / "anna" / "ps1").exists()


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path], Path]]:
    """Put a folder onto a disk of its own with room for a megabyte."""
    with ExitStack() as disks:
        yield lambda folder: disks.enter_context(on_small_disk(folder))


def where_the_database_is(course: Course) -> Path:
    """Give the gradebook a folder of its own, as on a disk that is mounted."""
    folder = course.root / "mounted"
    folder.mkdir()
    (course.gradebook_folder / "gradebook.db").rename(folder / "gradebook.db")
    config = course.root / "nbgrader_config.py"
    url = f"sqlite:///{folder}/gradebook.db?timeout=0.01"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {url!r}\n")
    return folder


# Large as it was handed in, and only with its outputs.
LENGTHY = RIGHT | {"double": ANSWER + f"# {'x' * 60_000}\n"}
CHATTY = RIGHT | {"double": ANSWER + "print('x' * 60_000)\n"}
FULL = {
    "autograded": (lambda course: course.autograded, LENGTHY),
    "autograded in the middle": (lambda course: course.autograded, CHATTY),
    "records": (lambda course: course.gradebook_folder / "records", RIGHT),
    "gradebook": (where_the_database_is, RIGHT),
}


@pytest.mark.parametrize("name", FULL)
def test_a_full_disk_ends_the_run_and_loses_nothing(course, small_disk, at_work, name):
    find, answers = FULL[name]
    disk = small_disk(find(course))
    course = load_course(course.root)
    toy.submit(course.root, "anna", {})
    assert graded(course)["anna"].score == 0
    toy.submit(course.root, "anna", answers)
    toy.submit(course.root, "bob", WRONG)
    ends = iter([nothing, lambda: fill(disk)])  # when Anna's is done, and when Bob's is
    at_work(lambda: next(ends)())
    with pytest.raises(CannotRecord, match=r"(?s)The disk is full.*grade again"):
        graded(course)
    require_no_grade(course)
    require_no_grade(course, "bob")

    free(disk)
    at_work(nothing)
    again = graded(course)
    assert {student: outcome.score for student, outcome in again.items()} == {"anna": 5, "bob": 3}
    for student, score in (("anna", 5), ("bob", 3)):
        require_grade(course, score, student)
        assert record(course, student).notebooks[0].was_stored


def test_a_full_disk_loses_no_mark_of_a_submission_that_is_not_graded(course, small_disk, at_work):
    disk = small_disk(course.gradebook_folder / "records")
    assert graded(course)["anna"].score == 5
    give_mark(course)
    toy.submit(course.root, "anna", LOST)
    at_work(lambda: fill(disk))
    with pytest.raises(CannotRecord):
        graded(course)
    require_no_grade(course)

    free(disk)
    toy.submit(course.root, "anna", RIGHT)
    at_work(nothing)
    assert graded(course)["anna"].score == 6.5


@pytest.fixture
def waits(monkeypatch) -> list[Callable[[], object]]:
    """What happens while the run waits for the gradebook, one after another; it never sleeps."""
    happen: list[Callable[[], object]] = []
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        assert sum(waited) < 120
        if happen:
            happen.pop(0)()

    monkeypatch.setattr(run_module, "Recorder", partial(Recorder, wait=wait))
    return happen


@pytest.fixture
def mounted(course) -> Course:
    """The course with its database in a folder of its own, and no patience in the driver."""
    where_the_database_is(course)
    return load_course(course.root)


def lock(course: Course) -> Callable[[], None]:
    """Lock the database as another program does; returns what ends that."""
    other = sqlite3.connect(course.root / "mounted" / "gradebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other.close


def move_away(path: Path) -> Callable[[], None]:
    """Returns what brings it back; nothing may have taken its place."""
    aside = path.rename(path.with_name("aside"))

    def bring_back() -> None:
        assert not path.exists()
        aside.rename(path)

    return bring_back


IN_THE_MIDDLE = {"locked": lock, "gone": lambda course: move_away(course.root / "mounted")}
UNREACHABLE = IN_THE_MIDDLE | {
    "its file gone": lambda course: move_away(course.root / "mounted" / "gradebook.db")
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_database_away_for_a_moment_costs_nothing(mounted, at_work, waits, name):
    waits[:] = [nothing, nothing]
    at_work(lambda: waits.append(UNREACHABLE[name](mounted)))
    assert graded(mounted)["anna"].score == 5
    assert waits == []
    require_grade(mounted, 5)


@pytest.mark.parametrize("name", IN_THE_MIDDLE)
@pytest.mark.parametrize("cell", range(2))
def test_a_database_away_in_the_middle_of_recording_costs_nothing(
    mounted, monkeypatch, waits, name, cell
):
    preprocess = SaveAutoGrades.preprocess_cell
    graded_cells = []

    def away(self, item, resources, index):
        if item.metadata.get("nbgrader", {}).get("grade"):
            graded_cells.append(index)
            if len(graded_cells) == cell + 1:
                self.gradebook.db.remove()
                waits.append(UNREACHABLE[name](mounted))
        return preprocess(self, item, resources, index)

    monkeypatch.setattr(SaveAutoGrades, "preprocess_cell", away)
    assert graded(mounted)["anna"].score == 5
    assert waits == []
    assert len(graded_cells) > cell + 1
    require_grade(mounted, 5)


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_database_that_stays_away_ends_the_run_and_loses_nothing(mounted, at_work, waits, name):
    toy.submit(mounted.root, "bob", LOST)
    once = iter([UNREACHABLE[name]])
    back = []
    at_work(lambda: back.extend(away(mounted) for away in once))
    with pytest.raises(CannotRecord, match=r"(?s)gradebook does not answer.*grade again"):
        graded(mounted)
    for student in ("anna", "bob"):
        require_no_grade(mounted, student)

    back.pop()()
    assert in_gradebook(mounted) == {}
    again = graded(mounted)
    assert (again["anna"].score, again["bob"].status) == (5, "not graded")
    assert record(mounted).notebooks[0].was_stored
    require_grade(mounted, 5)


def test_a_clock_that_goes_back_changes_no_grade(course, at_work, monkeypatch):
    class Clock(datetime):
        back = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - cls.back

    def turn_back():
        Clock.back += timedelta(days=1)

    monkeypatch.setattr(nbjudge.record.records, "datetime", Clock)
    toy.submit(course.root, "bob", LOST)
    at_work(turn_back)
    found = graded(course)
    assert (found["anna"].score, found["bob"].status) == (5, "not graded")
    assert record(course).seconds >= 0
    assert record(course, "bob").seconds >= 0
    token = printed(course)
    require_grade(course, 5)

    submit_wrong(course.root)
    assert graded(course)["anna"].score == 3
    assert printed(course) != token
    assert record(course).seconds >= 0
    require_grade(course, 3)


def test_the_entry_of_another_submission_is_found_out(course):
    """As after files were copied back under each other's names."""
    toy.submit(course.root, "bob", WRONG)
    assert graded(course)["bob"].score == 3
    token = printed(course)
    folder = course.gradebook_folder / "store"
    mine, other = (
        next(folder.glob(f"*/{record(course, student).notebooks[0].execution}.execution"))
        for student in ("anna", "bob")
    )
    shutil.copy(other, mine)
    shutil.rmtree(course.autograded / "anna")
    assert graded(course)["anna"].score == 5
    assert not record(course).notebooks[0].was_stored
    assert printed(course) != token
    require_grade(course, 5)
