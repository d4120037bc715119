"""Workers and schedulers that end, that are not what they should be, or that are not there."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from cluster import counted_course as counted
from cluster.counted_course import DOUBLE, ENDLESS, LOG, LONG
from cluster.dask_processes import PATIENCE, Member, running, wait_until
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import cluster, grade
from nbjudge.cohort.cluster import ClusterError
from nbjudge.course import Course
from nbjudge.errors import NbjudgeError
from toy_token import printed

pytestmark = pytest.mark.slow

# A second of processor time: it is a student's code that runs, and not a kernel that starts.
AT_WORK = 1.0
HIDES_THE_ENGINE = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nbjudge":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
"""


@pytest.fixture
def course(dask, pristine, tmp_path) -> Course:
    return counted.copy_course(pristine, tmp_path / "course", counted.on(dask.address))


@pytest.fixture
def log(dask) -> Path:
    """What the workers' judges note."""
    return dask.folder / "judged"


def is_at_work(worker: Member) -> bool:
    with suppress(psutil.NoSuchProcess):
        return any(sum(kernel.cpu_times()[:2]) > AT_WORK for kernel in worker.kernels())
    return False


@contextmanager
def grading(course: Course) -> Iterator[Callable[[], dict[str, counted.GradingOutcome]]]:
    """Grade beside the test; what is given waits for the end, and raises what that raised."""
    found: dict[str, counted.GradingOutcome] = {}
    raised: list[BaseException] = []
    leaving = threading.Event()

    def run() -> None:
        try:
            for item in grade(course, find_submissions(course), stopping=leaving.is_set):
                found[item.student] = item
        except BaseException as error:
            raised.append(error)

    def end() -> dict[str, counted.GradingOutcome]:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "grading does not come to an end"
        if raised:
            raise raised[0]
        return found

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield end
    finally:
        leaving.set()


def test_a_killed_worker_costs_nothing_and_nothing_is_run_twice(dask, far_away, course, log):
    counted.hand_in(course, dict.fromkeys(("anna", "cleo"), DOUBLE) | {"bob": LONG + DOUBLE})
    environment = {LOG: str(log)}
    victim = dask.worker("--nanny", command=far_away, environment=environment)
    graded = grade(course, find_submissions(course))
    assert next(graded).student == "anna"
    token = printed(course, "anna")
    with ended_while_it_works(victim) as everybody:
        dask.worker(command=far_away, environment=environment)
        found = {item.student: item for item in graded}
    assert counted.scores(found) == {"bob": 5, "cleo": 5}
    assert printed(course, "anna") == token
    notes = counted.judged(log)
    assert (notes.count("anna"), notes.count("reference")) == (1, 1)
    with course.gradebook() as gradebook:
        scores = {s.student.id: s.score for s in gradebook.assignment_submissions("ps1")}
    assert scores == {"anna": 5, "bob": 5, "cleo": 5}
    assert not psutil.wait_procs(everybody, timeout=PATIENCE)[1]


@contextmanager
def ended_while_it_works(worker: Member) -> Iterator[list[psutil.Process]]:
    """Kill a worker as soon as a student's code runs; gives all its processes of that moment."""
    everybody: list[psutil.Process] = []

    def end() -> None:
        wait_until(lambda: is_at_work(worker), "nothing is run", worker)
        everybody.extend(worker.below())
        worker.kill()

    thread = threading.Thread(target=end)
    thread.start()
    yield everybody
    thread.join()


def test_without_a_worker_the_class_waits_for_a_new_one(dask, far_away, course):
    counted.hand_in(course, {"anna": LONG + DOUBLE, "bob": DOUBLE})
    with grading(course) as end:
        worker = dask.worker(command=far_away)
        wait_until(lambda: is_at_work(worker), "nothing is run", worker)
        worker.kill()
        told = "Remove worker"
        wait_until(lambda: told in dask.scheduler.log.read_text(), "still there", dask.scheduler)
        dask.worker(command=far_away)
        assert counted.scores(end()) == {"anna": 5, "bob": 5}


def test_a_notebook_that_ends_its_worker_twice_is_not_graded_and_the_others_are(
    far_away, pristine, tmp_path, monkeypatch
):
    # As its documentation says to start a scheduler that grades.
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with running() as dask:
        course = counted.copy_course(pristine, tmp_path / "course", counted.on(dask.address))
        right = {f"right{n}": f"X = {n}\n{DOUBLE}" for n in range(3)}
        counted.hand_in(course, right | {"hostile": ENDLESS})
        with grading(course) as end:
            for _ in range(2):
                worker = dask.worker(command=far_away)
                wait_until(lambda w=worker: is_at_work(w), "nothing is run", worker)
                worker.kill()
            dask.worker(command=far_away)
            found = end()
    assert counted.scores(found) == dict.fromkeys(right, 5)
    assert found["hostile"].status == "not graded"
    assert "was ended while it ran, twice" in found["hostile"].reason


def test_a_worker_with_other_packages_is_refused(dask, far_away, course):
    counted.hand_in(course, {"anna": DOUBLE})
    good = dask.worker(command=far_away)
    assert counted.scores(counted.outcomes(course)) == {"anna": 5}
    before = counted.record(course, "anna")
    good.kill()
    extra = dask.folder / "extra"
    (extra / "something-1.0.dist-info").mkdir(parents=True)
    text = "Metadata-Version: 2.1\nName: something\nVersion: 1.0\n"
    (extra / "something-1.0.dist-info" / "METADATA").write_text(text)
    dask.worker(command=far_away, environment={"PYTHONPATH": str(extra)})
    counted.hand_in(course, {"anna": f"X = 1\n{DOUBLE}", "bob": DOUBLE})
    with pytest.raises(NbjudgeError, match="(?s)worker on .*something 1.0, not missing"):
        counted.outcomes(course)
    assert counted.record(course, "anna") == before
    assert not (course.gradebook_folder / "records" / "ps1" / "bob.json").exists()
    with course.gradebook() as gradebook:
        assert [s.student.id for s in gradebook.assignment_submissions("ps1")] == ["anna"]


@pytest.mark.parametrize("late", [False, True], ids=["there at the start", "joins later"])
def test_a_worker_without_this_engine_is_refused(dask, course, late):
    counted.hand_in(course, {"anna": DOUBLE})
    hiding = dask.folder / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(HIDES_THE_ENGINE)
    environment = {"PYTHONPATH": str(hiding)}
    if not late:
        dask.worker(environment=environment)
    with grading(course) as end:
        if late:
            arrived = "Receive client connection"
            wait_until(
                lambda: arrived in dask.scheduler.log.read_text(), "no client", dask.scheduler
            )
            dask.worker(environment=environment)
        with pytest.raises(NbjudgeError, match="cannot import what grading needs"):
            end()
    assert not (course.gradebook_folder / "records" / "ps1" / "anna.json").exists()


COMMAND = (sys.executable, "-m", "dlcourse.cli", "grade", "--json", "--course")


def test_the_command_says_that_the_scheduler_died_and_goes_on_without_it(dask, far_away, course):
    counted.hand_in(course, {"anna": DOUBLE, "bob": LONG + DOUBLE, "cleo": DOUBLE})
    worker = dask.worker(command=far_away)
    process = subprocess.Popen(
        [*COMMAND, str(course.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: is_at_work(worker), "nothing is run", worker)
        dask.scheduler.kill()
        _, told = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode != 0
    # Whether a task or the count of the workers is missed first is a matter of chance.
    told = " ".join(told.split())
    assert "The workers are gone." in told or "scheduler does not answer any more" in told
    assert "not run again" in told
    token = printed(course, "anna")

    course.config.Grading.cluster = ""
    found = counted.outcomes(course)
    assert counted.scores(found) == {"anna": 5, "bob": 5, "cleo": 5}
    assert found["anna"].reused
    assert printed(course, "anna") == token


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Three seconds are enough for a scheduler that will not answer in thirty either."""
    monkeypatch.setattr(cluster, "_SECONDS_TO_ANSWER", 3)


def test_a_scheduler_that_dies_between_two_grades_is_told_as_that(
    dask, far_away, course, impatient
):
    counted.hand_in(course, {"anna": DOUBLE, "bob": LONG + DOUBLE})
    dask.worker(command=far_away)
    graded = grade(course, find_submissions(course))
    assert next(graded).student == "anna"
    dask.scheduler.kill()
    with pytest.raises(NbjudgeError, match="does not answer any more"):
        list(graded)
    assert counted.record(course, "anna").status == "graded"


UNUSABLE = {
    "nobody listens": ("tcp://127.0.0.1:9", {}, "does not answer"),
    "no such protocol": ("foo://127.0.0.1:9", {}, "does not answer"),
    "no certificates": ("tls://127.0.0.1:9", {}, "does not answer"),
    "no protocol": ("127.0.0.1:8786", {}, "a scheduler's address such as"),
    "no such module": ("nowhere.Cluster", {}, "No module named 'nowhere'"),
    "no such class": ("distributed.NoCluster", {}, "has no attribute 'NoCluster'"),
    "not a cluster": ("os.getcwd", {}, "cannot be made|address such as"),
    "too few options": ("dask_jobqueue.SLURMCluster", {}, "how much cores"),
    "a wrong option": (
        "dask_jobqueue.SLURMCluster",
        {"cores": 1, "memory": "1GB", "colour": "red"},
        "unexpected keyword argument 'colour'",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_cluster_that_cannot_be_used_is_told(pristine, tmp_path, case, impatient):
    name, options, says = UNUSABLE[case]
    settings = f"c.Grading.cluster = {name!r}\nc.Grading.cluster_options = {options!r}"
    course = counted.copy_course(pristine, tmp_path / "course", settings)
    counted.hand_in(course, {"anna": DOUBLE})
    with pytest.raises(ClusterError, match=says):
        counted.outcomes(course)
    assert not (course.gradebook_folder / "records" / "ps1" / "anna.json").exists()
