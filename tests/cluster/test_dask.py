"""Grading by Dask's workers in other processes, which see nothing of the course's folder."""

from __future__ import annotations

import os
from pathlib import Path

import cloudpickle
import pytest
import toy_course as toy
from cluster import counted_course as counted
from cluster.counted_course import DOUBLE, LOG, WRONG
from distributed import Client
from nbjudge.course import Course
from nbjudge.release.release import release
from toy_token import printed

pytestmark = pytest.mark.slow

DATA = """
from nbjudge.course.data import GradingData

def find(root):
    return GradingData(
        environment={"TOY_FILE": root / "open.bin"},
        judge_environment={"TOY_SECRET": root / "secret.txt"},
        context={"data": "toy"},
    )
"""
WITH_DATA = "c.Grading.data = 'far_data:find'\n"
# Reads the data, a file beside the notebook and one of its own; sees nothing of the judge's.
READER = """
import os
from pathlib import Path
file = Path(os.environ["TOY_FILE"])
secret = file.with_name("secret.txt").exists() or "TOY_SECRET" in os.environ
factor = len(file.read_bytes()) + int(Path("parts/given.txt").read_text())
factor -= int(Path("mine/own.txt").read_text())

def double(x):
    return 0 if secret else factor * x
"""
MEASURER = """
import os
size = sum(len(open(name, "rb").read()) for name in ("first.bin", "second.bin"))
size += len(open(os.environ["TOY_FILE"], "rb").read())

def double(x):
    return x * size // 40_000_000
"""
NO_COURSE = f"""
from pathlib import Path
with open(os.environ["{LOG}"], "a") as log:
    print("course" if Path("COURSE").exists() else "nothing", file=log)
"""


@pytest.fixture
def data_module(tmp_path, monkeypatch) -> None:
    """A module that this process alone can import: no worker is told where it is."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "far_data.py").write_text(DATA)
    monkeypatch.syspath_prepend(folder)


def make(pristine: Path, root: Path, settings: str) -> Course:
    """A course with data, files beside the notebook and a class of three."""
    course = counted.copy_course(pristine, root, f"{WITH_DATA}{settings}")
    (root / "open.bin").write_bytes(b"xx")
    (root / "secret.txt").write_text("42")
    (root / "source" / "ps1" / "parts").mkdir()
    (root / "source" / "ps1" / "parts" / "given.txt").write_text("7")
    release(course, "ps1")
    counted.hand_in(course, {"anna": DOUBLE, "bob": WRONG, "cleo": READER})
    mine = root / "submitted" / "cleo" / "ps1" / "mine"
    mine.mkdir()
    (mine / "own.txt").write_text("7")
    return course


def what_counts(course: Course, student: str) -> tuple:
    found = counted.record(course, student)
    cells = [(cell.grade_id, cell.score, cell.message) for cell in found.cells]
    return found.status, found.inputs, cells, [run.execution for run in found.notebooks]


def mend(course: Course) -> None:
    """Release a test that says something else, and asks the same."""
    path = course.source / "ps1" / "toys.ipynb"
    made = toy.read(path)
    cell = toy.by_id(made, "test-double")
    cell["source"] = cell["source"].replace("'double(21) should be 42'", "'mended'")
    toy.write(path, made)
    release(course, "ps1")


def test_workers_that_cannot_see_the_course_grade_as_this_machine_does(
    dask, far_away, pristine, tmp_path, data_module
):
    log = dask.folder / "judged"
    for _ in range(2):
        dask.worker(command=far_away, environment={LOG: str(log)})
    far = make(pristine, tmp_path / "far", counted.on(dask.address))
    near = make(pristine, tmp_path / "near", "")
    assert counted.scores(counted.outcomes(far)) == {"anna": 5, "bob": 3, "cleo": 5}
    assert sorted(counted.judged(log)) == ["anna", "bob", "cleo", "reference"]
    counted.outcomes(near)
    for student in ("anna", "bob", "cleo"):
        assert what_counts(far, student) == what_counts(near, student)

    # What one has run the other judges again, without running it.
    tokens = {name: printed(far, name) for name in ("anna", "bob", "cleo")}
    swapped = {
        "near": counted.copy_course(far.root, tmp_path / "near-after", "c.Grading.cluster = ''"),
        "far": counted.copy_course(near.root, tmp_path / "far-after", counted.on(dask.address)),
    }
    tokens_of = {"near": tokens, "far": {name: printed(near, name) for name in tokens}}
    for place, course in swapped.items():
        mend(course)
        assert counted.scores(counted.outcomes(course)) == {"anna": 5, "bob": 3, "cleo": 5}
        assert {name: printed(course, name) for name in tokens} == tokens_of[place]
        (message,) = [c.message for c in counted.record(course, "bob").cells if c.message]
        assert message.startswith("AssertionError: mended")
        assert all(run.was_stored for run in counted.record(course, "bob").notebooks)


def test_a_worker_really_sees_nothing_of_the_course(dask, far_away, pristine, tmp_path):
    course = counted.copy_course(pristine, tmp_path / "course", counted.on(dask.address))
    path = course.source / "ps1" / "toys.ipynb"
    made = toy.read(path)
    cell = toy.by_id(made, "test-double")
    cell["source"] = cell["source"].replace(toy.HIDDEN, look := look_for(course) + toy.HIDDEN)
    assert look in cell["source"]
    toy.write(path, made)
    release(course, "ps1")
    counted.hand_in(course, {"anna": DOUBLE})
    log = dask.folder / "judged"
    dask.worker(command=far_away, environment={LOG: str(log)})
    assert counted.scores(counted.outcomes(course)) == {"anna": 5}
    assert set(counted.judged(log)) == {"reference", "anna", "nothing"}


def look_for(course: Course) -> str:
    """Python that notes whether the judge, which nothing confines, finds the course's folder."""
    return NO_COURSE.replace("COURSE", str(course.root))


def test_two_threads_of_one_worker_grade_two_notebooks_right(dask, far_away, pristine, tmp_path):
    course = counted.copy_course(pristine, tmp_path / "course", counted.on(dask.address))
    answers = {f"right{n}": f"X = {n}\n{counted.LONG}{DOUBLE}" for n in range(2)}
    counted.hand_in(course, answers | {f"wrong{n}": f"X = {n}\n{WRONG}" for n in range(2)})
    worker = dask.worker("--nthreads", "2", command=far_away)
    most = []
    found = counted.outcomes(course, watch=lambda running: most.append(len(worker.kernels())))
    assert counted.scores(found) == {"right0": 5, "right1": 5, "wrong0": 3, "wrong1": 3}
    assert max(most) == 2


def test_a_large_file_is_sent_once_to_each_worker(
    dask, far_away, pristine, tmp_path, data_module, monkeypatch
):
    course = make(pristine, tmp_path / "course", counted.on(dask.address))
    (course.root / "open.bin").write_bytes(os.urandom(60_000_000))
    counted.hand_in(course, dict.fromkeys(("anna", "bob", "cleo"), MEASURER))
    for student in ("anna", "bob", "cleo"):
        folder = course.submitted / student / "ps1"
        (folder / "first.bin").write_bytes(os.urandom(10_000_000))
        (folder / "second.bin").write_bytes(os.urandom(10_000_000))
    for _ in range(2):
        dask.worker(command=far_away)
    sizes, submit = [], Client.submit

    def measured(self: Client, *args: object, **kwargs: object) -> object:
        sizes.append(len(cloudpickle.dumps(args)))
        return submit(self, *args, **kwargs)

    monkeypatch.setattr(Client, "submit", measured)
    assert counted.scores(counted.outcomes(course)) == dict.fromkeys(("anna", "bob", "cleo"), 5)
    assert len([size for size in sizes if size > 60_000_000]) <= 2
