"""A cell is stopped for what it did itself, never for what the machine had to do beside it."""

from __future__ import annotations

import pytest
import toy_course as toy
from hypothesis import given
from hypothesis import strategies as st
from nbjudge.course import load_course
from nbjudge.execute.own_time import OwnTime, waits_of
from nbjudge.record.records import read_record

SLOW = "import time\ntime.sleep(4)\ndef double(x):\n    return 2 * x"


class Machine:
    """A clock and the waits of two threads, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits = {1: 50.0, 2: 7.0}

    def timer(self, limit: float) -> OwnTime:
        return OwnTime((1,), limit, clock=lambda: self.now, waits=lambda pid: dict(self.waits))


def test_time_without_a_processor_is_not_charged():
    machine = Machine()
    timer = machine.timer(10)
    machine.now, machine.waits[2] = 12, 7 + 5
    assert timer.left() == 3
    assert not timer.is_used_up()
    machine.now = 15
    assert timer.left() <= 0
    assert timer.is_used_up()


def test_what_two_processes_waited_adds_up():
    machine = Machine()
    timer = OwnTime((1, 2), 10, clock=lambda: machine.now, waits=lambda pid: {1: machine.now / 4})
    machine.now = 16
    assert timer.waited() == 8
    assert not timer.is_used_up()


def test_no_thread_can_wait_longer_than_the_clock_says():
    machine = Machine()
    timer = machine.timer(10)
    machine.now, machine.waits[1] = 4, 1000
    assert timer.waited() == 4


def test_waiting_comes_to_an_end_by_the_clock():
    machine = Machine()
    timer = machine.timer(10)
    machine.now, machine.waits[1] = 200, 50 + 195
    assert timer.left() <= 0
    assert not timer.is_used_up()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1)), max_size=20))
def test_own_time_and_waiting_make_up_the_clock(steps):
    machine = Machine()
    timer = machine.timer(10)
    own = 0.0
    for seconds, share in steps:
        machine.now += seconds
        machine.waits[1] += seconds * share
        own += seconds * (1 - share)
    assert timer.elapsed() - timer.waited() == pytest.approx(own, abs=1e-6)


def test_a_process_that_is_gone_waited_for_nothing():
    assert waits_of(2**22 + 1) == {}


@pytest.fixture
def slow(released_course):
    toy.submit(released_course.root, "anna", toy.RIGHT | {"double": SLOW})
    return load_course(released_course.root)


def graded(course):
    assert course.api().autograde("ps1", "anna")["success"]
    found = read_record(course.gradebook_folder, "ps1", "anna")
    return {cell.grade_id: cell.score for cell in found.cells}


def test_a_cell_beyond_its_limit_by_itself_is_stopped(slow):
    assert graded(slow)["test-double"] == 0


def test_a_cell_beyond_its_limit_since_the_machine_was_busy_goes_on(slow, monkeypatch):
    monkeypatch.setattr(OwnTime, "waited", lambda self: self.elapsed() - 0.1)
    assert graded(slow)["test-double"] == 2


def test_a_machine_that_is_too_busy_is_named_and_nobody_is_accused(slow, monkeypatch):
    monkeypatch.setattr(OwnTime, "waited", lambda self: self.elapsed() - 0.1)
    monkeypatch.setattr("nbjudge.execute.own_time._PATIENCE", 1.01)
    shown = slow.api().autograde("ps1", "anna")
    assert not shown["success"]
    assert "not the notebook's fault" in shown["log"]
    assert "Look for a loop" not in shown["log"]
    found = read_record(slow.gradebook_folder, "ps1", "anna")
    assert found.status == "not graded"
    assert not found.cells
