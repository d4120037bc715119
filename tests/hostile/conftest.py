"""The class of all threats, graded once for all tests."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.util import get_temp_dir
from pathlib import Path

import hostile_class
import hostile_course
import pytest
from hostile_class import Graded, Listener
from hostile_course import Secrets
from nbjudge.cohort import GradingOutcome
from nbjudge.course import Course, load_course
from nbjudge.release.release import release

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]


@dataclass(frozen=True)
class World:
    """What is outside of all sandboxes, at one time."""

    files: dict[str, str]
    temporary: list[str]
    mounts: str
    processes: list[str]

    @classmethod
    def now(cls, root: Path) -> World:
        kept = ("source", "release", "submitted", "labels.json", "given.txt", "nbgrader_config.py")
        files: dict[str, str] = {}
        for name in kept:
            path = root / name
            files |= hostile_class.digest_of(path) if path.is_dir() else {name: path.read_text()}
        return cls(
            files,
            sorted(os.listdir(tempfile.gettempdir())),
            Path("/proc/self/mountinfo").read_text(),
            processes_of(tempfile.gettempdir()),
        )


def processes_of(folder: str) -> list[str]:
    """The commands that name a folder: the warm server's, and so all that were forked from it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in command:
            found.append(command)
    return found


@pytest.fixture(scope="session")
def own_temporary_folder(monkeypatch_session):
    """All temporary files of the grading in a folder of its own; short, for sockets' sake."""
    get_temp_dir()  # what multiprocessing keeps as long as this process is not the grading's
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        os.chmod(folder, 0o711)  # it stays the temporary folder of all tests that come later
        monkeypatch_session.setenv("TMPDIR", folder)
        monkeypatch_session.setattr(tempfile, "tempdir", folder)
        yield folder


@dataclass(frozen=True)
class HostileClass:
    course: Course
    secrets: Secrets
    outcomes: dict[str, GradingOutcome]
    listener: Listener
    before: World
    after: World

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
def hostile(hidden, released, own_temporary_folder, tmp_path_factory, monkeypatch_session):
    """Every threat, graded two at a time. Tests only read it."""
    monkeypatch_session.setenv("HOSTILE_SECRET", hidden.environment)
    root = Path(shutil.copytree(released, tmp_path_factory.mktemp("all") / "course"))
    with hostile_class.listening(root.parent) as listener:
        only = os.environ.get("HOSTILE_ONLY", "")
        threats = {n: t for n, t in hostile_class.THREATS.items() if n.startswith(only)}
        hostile_class.hand_in_classmate(root, hidden)
        hostile_class.hand_in_all(root, threats, hostile_class.places_of(root, listener))
        before = World.now(root)
        outcomes = hostile_class.grade_all(load_course(root), jobs=2)
        after = World.now(root)
        yield HostileClass(load_course(root), hidden, outcomes, listener, before, after)
