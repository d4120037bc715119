"""The class of all threats, graded once for all tests."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import hostile_class
import hostile_course
from hostile_class import Graded, Listener
from hostile_course import Secrets

from nbjudge.course import Course, load_course
from nbjudge.grading import GradingOutcome
from nbjudge.release import release

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]


@dataclass(frozen=True)
class World:
    """What is outside of all sandboxes, at one time."""

    files: dict[str, str]
    temporary: set[str]
    mounts: str
    processes: set[int]

    @classmethod
    def now(cls, root: Path) -> World:
        kept = ("source", "release", "submitted", "labels.json", "given.txt", "nbgrader_config.py")
        files: dict[str, str] = {}
        for name in kept:
            path = root / name
            files |= (
                hostile_class.digest_of(path) if path.is_dir() else {name: path.read_text()}
            )
        return cls(
            files,
            {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("nbjudge")},
            Path("/proc/self/mountinfo").read_text(),
            descendants(os.getpid()),
        )


def descendants(root: int) -> set[int]:
    """The processes below one, and those of its session."""
    parents: dict[int, int] = {}
    session = os.getsid(0)
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(name)] = int(fields[1])
                found |= {int(name)} if int(fields[3]) == session else set()
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        below = {pid for pid, its in parents.items() if its == parent}
        found |= below
        waiting += below
    return found - {root}


@dataclass(frozen=True)
class HostileClass:
    course: Course
    secrets: Secrets
    outcomes: dict[str, GradingOutcome]
    listener: Listener
    before: World
    after: World
    seconds: float

    def __getitem__(self, name: str) -> Graded:
        student = hostile_class.student_of(name)
        return Graded(name, self.course, self.outcomes[student], self.listener.heard)


@pytest.fixture(scope="session")
def hidden() -> Secrets:
    return Secrets()


@pytest.fixture(scope="session")
def released(hidden, tmp_path_factory) -> Path:
    """A released course to copy."""
    root = hostile_course.make_course(tmp_path_factory.mktemp("hostile") / "course", hidden)
    course = load_course(root)
    release(course, "h1")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student("classmate", last_name=hidden.gradebook)
    return root


@pytest.fixture(scope="session")
def hostile(hidden, released, tmp_path_factory, monkeypatch_session):
    """Every threat, graded two at a time. Tests only read it."""
    import shutil
    import time

    monkeypatch_session.setenv("HOSTILE_SECRET", hidden.environment)
    root = Path(shutil.copytree(released, tmp_path_factory.mktemp("all") / "course"))
    with hostile_class.listening(root.parent) as listener:
        only = os.environ.get("HOSTILE_ONLY", "")
        threats = {n: t for n, t in hostile_class.THREATS.items() if n.startswith(only)}
        hostile_class.hand_in_classmate(root, hidden)
        hostile_class.hand_in_all(root, threats, hostile_class.places_of(root, listener))
        before = World.now(root)
        started = time.monotonic()
        outcomes = hostile_class.grade_all(load_course(root), jobs=2)
        seconds = time.monotonic() - started
        after = World.now(root)
        yield HostileClass(
            load_course(root), hidden, outcomes, listener, before, after, seconds
        )
