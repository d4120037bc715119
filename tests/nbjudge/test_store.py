"""What was run is kept: judged again it is run again only where something was not asked before."""

from __future__ import annotations

import errno
import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import toy_course as toy
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import Course, load_course
from nbjudge.execute.execution import Execution, NotStored, Replay
from nbjudge.execute.store import Quota, Store, entry_path
from nbjudge.judge.messages import Captured
from nbjudge.record.records import Record, read_record
from toy_token import TOKEN, printed

pytestmark = pytest.mark.usefixtures("grades_here")

ANSWER = TOKEN + "def double(x):\n    return x + x\n"
NEARLY = ANSWER + "    ...\ndef double(x):\n    return x + x + 0.25 * (x == 21)"
LENIENT = "assert abs(double(21) - 42) < 1, 'too far off'"


def with_hidden(text: str, **changes) -> toy.Notebook:
    notebook = toy.toy_notebook()
    cell = toy.by_id(notebook, "test-double")
    cell["source"] = cell["source"].replace(toy.HIDDEN, text)
    cell["metadata"]["nbgrader"].update(changes)
    return notebook


def release_again(course: Course, notebook: toy.Notebook) -> None:
    toy.write(course.source / "ps1" / "toys.ipynb", notebook)
    result = course.api().generate_assignment("ps1", force=True)
    assert result["success"], result


def run(course: Course, **options) -> dict[str, float]:
    """Grade everything that has changed; the scores."""
    found = list(grade(load_course(course.root), find_submissions(course), **options))
    assert [outcome.reason for outcome in found] == [""] * len(found)
    assert not any(outcome.reused for outcome in found)
    return {outcome.student: outcome.score for outcome in found}


def judge_again(course: Course, **options) -> dict[str, float]:
    """Grade although nothing has changed."""
    shutil.rmtree(course.autograded)
    return run(course, **options)


def record(course: Course, student: str = "anna") -> Record:
    found = read_record(course.gradebook_folder, "ps1", student)
    assert found is not None
    assert found.status == "graded"
    return found


def was_stored(course: Course, student: str = "anna") -> bool:
    (only,) = record(course, student).notebooks
    return only.was_stored


def require_a_new_run_that_is_kept(course: Course, before: str) -> None:
    """``before`` was printed when Anna was graded last but one."""
    assert not was_stored(course)
    assert printed(course) != before
    before = printed(course)
    assert judge_again(course) == {"anna": 5}
    assert was_stored(course)
    assert printed(course) == before


def entries(course: Course) -> list[Path]:
    return sorted((course.gradebook_folder / "store").glob("*/*.execution"))


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> list[Path]:
    """A place for the toy course with a lenient test and Anna's submission graded."""
    return [tmp_path_factory.mktemp("lenient") / "course"]


@pytest.fixture
def course(graded, tmp_path) -> Course:
    """A copy of that course; the first test to ask for it makes it."""
    (root,) = graded
    if not root.exists():
        course = load_course(toy.make_course(root))
        release_again(course, with_hidden(LENIENT))
        toy.submit(root, "anna", toy.RIGHT | {"double": ANSWER})
        assert run(course) == {"anna": 5}
        assert not was_stored(course)
    return load_course(shutil.copytree(root, tmp_path / "course"))


MENDED = {
    "a stricter value": (with_hidden("assert abs(double(21) - 42) < 0.1, 'too far off'"), 3),
    "other words": (with_hidden(LENIENT.replace("too far", "a bit")), 5),
    "more points": (with_hidden(LENIENT, points=4), 7),
    "partial credit": (with_hidden("found = double(21)\n2 * (1 - abs(found - 42))"), 4.5),
    "a value that was asked for": (with_hidden(f"{LENIENT}\nassert callable(double)"), 5),
}


@pytest.mark.parametrize("name", MENDED)
def test_a_mended_test_is_judged_again_and_nothing_is_run(course, name):
    notebook, score = MENDED[name]
    toy.submit(course.root, "nearly", toy.RIGHT | {"double": NEARLY})
    assert list(grade(course, find_submissions(course)))[1].score == 5
    before = {student: printed(course, student) for student in ("anna", "nearly")}
    usage = record(course).notebooks[0].usage
    release_again(course, notebook)
    assert run(course)["nearly"] == score
    for student, text in before.items():
        assert was_stored(course, student)
        assert printed(course, student) == text
    assert record(course).notebooks[0].usage == usage


DRAWN = """import random
import numpy as np
for drawn in (random.random(), np.random.rand(), np.random.normal(size=3)):
    assert np.all(abs(double(drawn) - 2 * drawn) < 1), 'too far off'"""


def test_random_numbers_that_a_test_asks_with_are_the_same_when_it_is_mended(course):
    release_again(course, with_hidden(DRAWN))
    assert run(course) == {"anna": 5}
    before = printed(course)
    release_again(course, with_hidden(DRAWN.replace("too far", "a bit")))
    assert run(course) == {"anna": 5}
    assert was_stored(course)
    assert printed(course) == before


NEW_QUESTIONS = {
    "other arguments": "assert double(100) == 200",
    "the same arguments once more": "assert double(21) == 42",
    "another name": "assert LIMIT == 10",
    "a name that is not there": "assert 'unknown_name' not in globals() or unknown_name",
}


@pytest.mark.parametrize("name", NEW_QUESTIONS)
def test_what_was_not_asked_before_is_asked_of_a_new_run(course, name):
    before = printed(course)
    release_again(course, with_hidden(f"{LENIENT}\n{NEW_QUESTIONS[name]}"))
    assert run(course) == {"anna": 5}
    require_a_new_run_that_is_kept(course, before)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def make_folder(path: Path) -> None:
    path.unlink()
    (path / "inner").mkdir(parents=True)


DAMAGE = {
    "a bit": flip,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": Path.unlink,
    "a folder": make_folder,
    "another's": lambda path: path.write_bytes(
        Execution(outputs={}, values={}, calls={}).to_bytes()
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_entry_is_as_good_as_none(course, name):
    before = printed(course)
    digest = record(course).notebooks[0].execution
    (entry,) = [path for path in entries(course) if path.stem == digest]
    DAMAGE[name](entry)
    assert judge_again(course) == {"anna": 5}
    require_a_new_run_that_is_kept(course, before)


DATA = """
from nbjudge.course.data import GradingData

def find(root):
    return GradingData(context={"data": "other"})
"""

CHANGES = {
    "c.Grading.memory_megabytes = 3000": True,
    "c.Grading.cell_seconds = 4": True,
    "c.Grading.call_seconds = 2": True,
    "c.Grading.max_value_megabytes = 50": True,
    "c.Grading.max_output_megabytes = 5": True,
    "c.Grading.seed = 1": True,
    "c.Grading.kernel_environment = {'TOY_SETTING': 'another'}": True,
    "c.Grading.data = 'toy_store_data:find'": True,
    "c.Grading.judge_seconds = 100": False,
    "c.Grading.luck_attempts = 1": False,
    "c.Grading.jobs = 1": False,
}


@pytest.mark.parametrize("line", CHANGES)
def test_what_a_run_follows_from_makes_it_another_run(course, line, tmp_path, monkeypatch):
    (tmp_path / "toy_store_data.py").write_text(DATA)
    monkeypatch.syspath_prepend(tmp_path)
    before = printed(course)
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\n{line}\n")
    assert judge_again(course) == {"anna": 5}
    assert was_stored(course) is not CHANGES[line]
    assert (printed(course) != before) is CHANGES[line]


def test_other_versions_are_another_run(course, monkeypatch):
    before = printed(course)
    found = record(course).inputs.versions | {"packages": "another"}
    monkeypatch.setattr("nbjudge.trial.trial.versions", lambda: found)
    assert judge_again(course) == {"anna": 5}
    assert printed(course) != before


def test_another_file_beside_the_notebook_is_another_run(course):
    before = printed(course)
    (course.root / "submitted" / "anna" / "ps1" / "notes.txt").write_text("mine")
    assert run(course) == {"anna": 5}
    assert not was_stored(course)
    assert printed(course) != before


def test_force_runs_again_and_keeps_the_new_run(course):
    before = printed(course)
    assert run(course, force=True) == {"anna": 5}
    assert not was_stored(course)
    forced = printed(course)
    assert forced != before
    assert judge_again(course) == {"anna": 5}
    assert printed(course) == forced


def test_two_with_the_same_answers_are_run_once(course):
    toy.submit(course.root, "bob", toy.RIGHT | {"double": ANSWER})
    found = {o.student: o.reused for o in grade(course, find_submissions(course))}
    assert found == {"anna": True, "bob": False}
    assert was_stored(course, "bob")
    assert printed(course, "bob") == printed(course)


def test_a_resubmission_never_leaves_the_old_score(course):
    toy.submit(course.root, "anna", toy.RIGHT | {"double": ANSWER.replace("x + x", "x - x")})
    assert run(course) == {"anna": 3}
    toy.submit(course.root, "anna", {})
    assert run(course) == {"anna": 0}
    toy.submit(course.root, "anna", toy.RIGHT | {"double": ANSWER})
    assert run(course) == {"anna": 5}
    assert was_stored(course)


def test_of_two_notebooks_only_the_changed_one_is_run_again(tmp_path):
    root = toy.make_course(
        tmp_path / "course", {"ps1/toys": toy.toy_notebook(), "ps1/more": toy.toy_notebook()}
    )
    course = load_course(root)
    assert course.api().generate_assignment("ps1")["success"]
    folder = toy.submit(root, "anna", toy.RIGHT | {"double": ANSWER})
    shutil.copy(folder / "toys.ipynb", folder / "more.ipynb")
    assert run(course) == {"anna": 10}
    assert [(n.notebook, n.was_stored) for n in record(course).notebooks] == [
        ("more", False),
        ("toys", True),  # the same text: what was run for the one is known for the other
    ]
    more = toy.read(folder / "more.ipynb")
    toy.by_id(more, "double")["source"] = "def double(x):\n    return x"
    toy.write(folder / "more.ipynb", more)
    before = printed(course)
    assert run(course) == {"anna": 8}
    assert [n.was_stored for n in record(course).notebooks] == [False, True]
    assert printed(course) == before
    assert {cell.notebook for cell in record(course).cells} == {"more", "toys"}
    assert len(record(course).cells) == 6


def test_a_store_gives_back_what_was_put_in_and_nothing_else(tmp_path):
    store = Store(tmp_path / "store")
    digest, other = "ab" * 32, "cd" * 32
    assert store.get(digest) is None
    first = Execution(outputs={1: [{"text": "ä"}]}, values={"t": {"x": Captured("missing")}})
    store.put(digest, first)
    assert store.get(digest) == first
    assert store.get(other) is None
    second = replace(first, tier="full")
    store.put(digest, second)
    assert store.get(digest) == second


def noise(size: int) -> Execution:
    """An execution that cannot be compressed."""
    return Execution(values={"t": {"x": Captured("value", random.Random(size).randbytes(size))}})


def kept(store: Store, digests: Sequence[str]) -> list[bool]:
    return [store.get(digest) is not None for digest in digests]


def test_a_store_keeps_to_its_quota_and_old_and_large_entries_go_first(tmp_path):
    store = Store(tmp_path / "store", Quota(total=100_000, each=60_000))
    digests = [f"{number:02d}" * 32 for number in range(5)]
    sizes, ages = (30_000, 5_000, 50_000), (300, 200, 100)
    for digest, size, age in zip(digests, sizes, ages, strict=False):
        store.put(digest, noise(size))
        then = time.time() - age
        os.utime(entry_path(store.folder, digest), (then, then))
    store.put(digests[3], noise(20_000))
    assert kept(store, digests) == [False, True, True, True, False]
    store.put(digests[4], noise(59_000))
    assert kept(store, digests) == [False, True, False, True, True]


def test_what_is_larger_than_an_entry_may_be_is_not_kept_and_costs_no_other(tmp_path):
    store = Store(tmp_path / "store", Quota(total=100_000, each=10_000))
    store.put("ab" * 32, noise(5_000))
    store.put("cd" * 32, noise(20_000))
    assert kept(store, ["ab" * 32, "cd" * 32]) == [True, False]
    store.put("ab" * 32, noise(20_000))
    assert store.get("ab" * 32) is None


def test_what_repeats_itself_takes_little_room(tmp_path):
    store = Store(tmp_path / "store")
    large = Execution(values={"t": {"x": Captured("value", bytes(10_000_000))}})
    store.put("ab" * 32, large)
    assert store.get("ab" * 32) == large
    assert entry_path(store.folder, "ab" * 32).stat().st_size < 100_000


def test_a_disk_without_room_for_the_store_costs_no_grade(course, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("nbjudge.execute.store.write_atomically", full)
    toy.submit(course.root, "berta", toy.RIGHT)
    assert judge_again(course) == {"anna": 5, "berta": 5}
    assert not was_stored(course, "berta")


def test_a_class_is_graded_although_nothing_fits_into_the_store(course):
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Grading.store_megabytes = 0\n")
    shutil.rmtree(course.gradebook_folder / "store")
    assert judge_again(course) == {"anna": 5}
    assert not was_stored(course)
    assert entries(course) == []


def test_a_replay_answers_only_what_was_asked():
    replay = Replay(Execution(values={"t": {"x": Captured("missing")}}))
    assert replay.values("t", ["x"]) == {"x": Captured("missing")}
    assert replay.values("u", []) == {}
    for cell, names in (("t", ["x", "y"]), ("u", ["x"])):
        with pytest.raises(NotStored):
            replay.values(cell, names)
    with pytest.raises(NotStored):
        replay.run(0, "pass")
    with pytest.raises(NotStored):
        replay.call("t", "t/x", b"", lambda number, request: b"")
