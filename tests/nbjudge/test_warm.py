"""The warm server: it forks when that is safe, says why when it is not, and leaves nothing."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import psutil
import pytest
import toy_course as toy
from nbjudge import wire
from nbjudge.admit.submissions import find_submissions
from nbjudge.cohort import grade
from nbjudge.course import load_course
from nbjudge.course.settings import Grading
from nbjudge.errors import IsolationError
from nbjudge.execute.live import LiveRun
from nbjudge.execute.provisioner import KernelOrder
from nbjudge.judge.client import Judge
from nbjudge.judge.messages import Reply, TestCell
from nbjudge.warm.client import WarmServer, WarmServerError, ask_for_judge


def judge_request(tmp_path: Path) -> dict:
    return {"environment": {}, "folder": str(tmp_path), "memory_megabytes": 4000}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts a module where the server, and nobody else, can import it."""

    def install(name: str, text: str) -> str:
        site = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
        file = site / f"{name}.py"
        file.write_text(text)
        files.append(file)
        return name

    files: list[Path] = []
    yield install
    for file in files:
        file.unlink()


def test_a_module_that_starts_a_thread_is_named_as_the_reason(installed, tmp_path):
    module = installed(
        "nbjudge_test_busy",
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n",
    )
    with WarmServer([module]) as server:
        grading = Grading()
        order = KernelOrder(server.address, grading.confinement(None))
        with (
            pytest.raises(IsolationError, match=r"has 2 threads.*c\.Grading\.preload"),
            LiveRun(grading, "ps1", order).kernel(),
        ):
            pass


def test_a_module_that_cannot_be_imported_stops_nothing(installed, tmp_path):
    module = installed("nbjudge_test_broken", "raise RuntimeError('not today')\n")
    with WarmServer([module, "no_such_module", "json"]) as server:
        server.wait_until_ready()
        assert server.failed_imports[module] == "RuntimeError: not today"
        assert set(server.failed_imports) == {module, "no_such_module"}
        ask_for_judge(server.address, judge_request(tmp_path)).close()


def test_where_nothing_is_to_be_done_nobody_waits_for_imports(
    installed, released_course, grades_here, monkeypatch
):
    course = released_course
    toy.submit(course.root, "anna")
    list(grade(course, find_submissions(course)))
    monkeypatch.undo()  # from here on with workers, and a server that never comes to its end
    endless = installed("nbjudge_test_endless", "import threading\nthreading.Event().wait()\n")
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Grading.preload = [{endless!r}]\n")
    (anna,) = grade(load_course(course.root), find_submissions(course))
    assert anna.reused
    assert not [c for c in psutil.Process().children() if endless in c.cmdline()]


def test_what_is_forked_collects_its_garbage(tmp_path):
    looks = "import gc\nassert gc.isenabled() and gc.get_freeze_count() > 10_000"
    with WarmServer() as server:
        connection = ask_for_judge(server.address, judge_request(tmp_path))
        with Judge(connection, seconds=60, limit=10_000_000) as judge:
            cell = TestCell("looks", looks, 1.0, (), ())
            assert judge.run(cell, {}, lambda *_: Reply("refused", b"", "")).failure == ""
        grading = Grading()
        live = LiveRun(grading, "ps1", KernelOrder(server.address, grading.confinement(None)))
        with live.kernel():
            assert live.run(0, looks) == []


def test_all_that_was_forked_ends_with_the_server(tmp_path):
    with WarmServer() as server:
        connections = [ask_for_judge(server.address, judge_request(tmp_path)) for _ in range(2)]
        grading = Grading()
        order = KernelOrder(server.address, grading.confinement(None))
        live = LiveRun(grading, "ps1", order)
        with live.kernel():
            family = psutil.Process(server.pid).children(recursive=True)
            assert len(family) == 4  # two judges, a guard and its kernel
            server.stop()
            _, alive = psutil.wait_procs(family, timeout=10)
            assert not alive
        for connection in connections:
            connection.close()
    assert not Path(server.address).parent.exists()
    with pytest.raises(WarmServerError, match="Grade again"):
        ask_for_judge(server.address, judge_request(tmp_path))


def test_what_is_no_request_forks_nothing():
    with WarmServer() as server:
        server.wait_until_ready()
        for message in (b"", b"X", b"\0" * 100):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(server.address)
                connection.sendall(message)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(10)
                with pytest.raises((wire.WireError, ConnectionError)):
                    wire.receive(connection, 0)
        assert psutil.Process(server.pid).children() == []


def test_the_server_holds_nothing_of_the_graders_environment(monkeypatch):
    monkeypatch.setenv("TOY_SECRET", "a password")
    with WarmServer() as server:
        assert "TOY_SECRET" not in psutil.Process(server.pid).environ()
