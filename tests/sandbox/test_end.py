"""How a confined process starts and ends, and that nothing stays."""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness import (
    Run,
    alive,
    as_user,
    confined,
    confinement,
    in_child,
    run_as,
    until,
    wait_forever,
)
from nbjudge import wire
from nbjudge.sandbox import run_confined

TIERS = ["none", "filters", "full"]
PR_SET_NAME = 15


def daemonise():
    """Leave a process behind that has no tie to this one."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 100)
            wait_forever()
        os._exit(0)
    os.wait()


def processes():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


@pytest.fixture(autouse=True)
def nothing_stays():
    mounts = Path("/proc/self/mountinfo").read_text()
    files, before = set(os.listdir("/tmp")), processes()
    yield
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert not {n for n in set(os.listdir("/tmp")) - files if n.startswith("nbjudge-confined-")}
    me = os.getpid()
    assert until(lambda: not [p for p in processes() - before if _is_child_of(p, me)])


def _is_child_of(pid, parent):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == parent
    except OSError:
        return False


@pytest.mark.parametrize("tier", TIERS)
def test_a_status_is_reported(user, tier):
    result = run_as(user, lambda: os._exit(3), tier=tier)
    assert (result.reason, result.ended["status"]) == ("exit", 3)
    assert result.started["tier"] == tier


def test_a_crash_is_reported(user):
    def crash():
        import ctypes

        ctypes.string_at(0)

    result = run_as(user, crash)
    assert (result.reason, result.ended["status"]) == ("signal", signal.SIGSEGV)


@pytest.mark.parametrize("tier", TIERS)
def test_a_daemon_ends_with_the_notebook(user, tier):
    def run():
        # Whatever is forked from here has this name, and nothing else on the machine.
        ctypes.CDLL(None).prctl(PR_SET_NAME, f"end-{os.getpid()}".encode(), 0, 0, 0)
        before = processes()
        result = confined(daemonise, tier=tier)
        own = [p for p in processes() - before if alive(p) and _belongs(p)]
        return [result.reason, own]

    def _belongs(pid):
        return Path(f"/proc/{pid}/comm").read_text() == Path("/proc/self/comm").read_text()

    assert as_user(user, run) == ["exit", []]


@pytest.mark.parametrize("tier", TIERS)
def test_an_interrupt_is_a_keyboard_interrupt(user, tier):
    def run():
        reader, writer = os.pipe()

        def wait():
            os.write(writer, b"x")
            try:
                wait_forever()
            except KeyboardInterrupt:
                return "interrupted"

        run = Run(wait, tier=tier, keep=(writer,))
        run.wait_start()
        os.read(reader, 1)
        run.tell({"signal": int(signal.SIGINT)})
        return run.finish().value

    assert as_user(user, run) == "interrupted"


@pytest.mark.parametrize("tier", TIERS)
def test_a_kill_is_reported(user, tier):
    def run():
        run = Run(wait_forever, tier=tier)
        run.wait_start()
        run.tell({"kill": True})
        return run.finish().ended

    ended = as_user(user, run)
    assert (ended["ended"], ended["status"]) == ("signal", signal.SIGKILL)


@pytest.mark.parametrize("tier", TIERS)
def test_all_ends_when_the_client_goes(user, tier):
    def run():
        run = Run(lambda: [daemonise(), wait_forever()], tier=tier)
        run.wait_start()
        inner = run.result.started["pid"]
        run.report.close()
        os.waitpid(run.guard, 0)
        return [alive(inner), os.path.exists(f"/proc/{inner}")]

    assert as_user(user, run) == [False, False]


@pytest.mark.parametrize("tier", TIERS)
def test_all_ends_when_the_server_is_killed(user, tier):
    """The connection stays open in another process, so that only the death counts."""

    def run():
        kept, theirs = socket.socketpair()
        reader, writer = os.pipe()
        server = os.fork()
        if server == 0:
            run = Run(wait_forever, tier=tier, keep=())
            run.wait_start()
            socket.send_fds(
                theirs,
                [json.dumps([run.guard, run.result.started]).encode()],
                [run.report.fileno()],
            )
            wait_forever()
        theirs.close()
        text, fds, _, _ = socket.recv_fds(kept, 4096, 1)
        guard, started = json.loads(text)
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
        ended = until(lambda: not alive(guard) and not alive(started["pid"]))
        folder = [n for n in os.listdir("/tmp") if n.startswith(f"nbjudge-confined-{guard}-")]
        for name in folder:
            subprocess.run(["rm", "-r", f"/tmp/{name}"], check=True)
        return ended

    assert as_user(user, run) is True


def test_the_process_ends_with_a_killed_guard(user):
    def run():
        run = Run(lambda: [daemonise(), wait_forever()])
        run.wait_start()
        os.kill(run.guard, signal.SIGKILL)
        os.waitpid(run.guard, 0)
        return until(lambda: not alive(run.result.started["pid"]))

    assert as_user(user, run) is True


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("wrong", ["readable", "files"])
def test_a_failed_set_up_never_calls_main(user, tier, wrong, folder):
    marker = folder / "called"
    options = {"readable": (folder / "missing",)} if wrong == "readable" else {}
    options |= {"files": folder / "missing"} if wrong == "files" else {}
    result = run_as(user, marker.touch, tier=tier, **options)
    if tier == "none" and wrong == "readable":
        assert result.reason == "exit"
        return
    assert (result.reason, result.started, result.value) == ("failed", None, None)
    assert not marker.exists()
    if wrong == "readable":
        assert "missing" in result.ended["detail"]


@pytest.mark.parametrize(
    "call", ["landlock.restrict", "seccomp.install", "privileges.become", "limits.apply"]
)
def test_a_layer_that_cannot_be_put_on_is_a_failure(user, call, monkeypatch):
    from nbjudge.sandbox import inside

    module, name = call.split(".")

    def fail(*arguments, **options):
        raise OSError(38, "not on this machine")

    monkeypatch.setattr(getattr(inside, module), name, fail)
    result = run_as(user, lambda: "called")
    assert (result.reason, result.started, result.value) == ("failed", None, None)
    assert "not on this machine" in result.ended["detail"]


def test_nothing_runs_before_the_guard_has_said_so(user):
    """A guard that cannot report does not let main begin."""

    def run():
        reader, writer = os.pipe()
        report, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            report.close()
            theirs.shutdown(socket.SHUT_WR)
            run_confined(confinement(), lambda: os.write(writer, b"called"), theirs, [writer])
        os.close(writer)
        os.waitpid(pid, 0)
        return os.read(reader, 10).decode()

    assert as_user(user, run) == ""


def test_descriptors_of_the_server_are_closed(user):
    def run():
        kept = [os.open("/", os.O_RDONLY), *os.pipe(), socket.socket().detach()]
        high = os.dup2(kept[0], 900)
        value = confined(lambda: sorted(int(n) for n in os.listdir("/proc/self/fd"))).value
        return [value, kept, high]

    value, kept, high = as_user(user, run)
    assert not set(value) & {*kept, high} - {3, 4, 5}
    # 0, 1, 2, the pipe of the answer and the listing itself.
    assert len(value) == 5


def test_streams_go_nowhere_and_signals_are_those_of_a_new_process(user):
    def run():
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGUSR1])

        def look():
            return [
                [os.readlink(f"/proc/self/fd/{n}") for n in range(3)],
                signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
                signal.getsignal(signal.SIGINT) is signal.default_int_handler,
                not signal.pthread_sigmask(signal.SIG_BLOCK, []),
            ]

        return confined(look).value

    assert as_user(user, run) == [["/dev/null"] * 3, True, True, True]


def test_an_ordinary_answer_of_the_wire_is_sent(user):
    def run():
        run = Run(lambda: 1)
        messages = []
        while True:
            try:
                messages.append(wire.receive(run.report, 0)[0])
            except wire.Closed:
                return messages

    started, ended = as_user(user, run)
    assert set(started) == {"started", "pid", "tier"}
    assert set(ended) == {
        *("ended", "status", "detail", "peak_megabytes", "sockets", "cpu_seconds")
    }


def test_a_deep_and_locked_folder_is_removed(user):
    def dig():
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        Path("file").touch()
        os.mkdir("locked", 0o000)
        return "dug"

    # Modes cannot be changed by a process without namespaces, but can be chosen.
    result = run_as(user, dig, tier="filters")
    assert (result.reason, result.value) == ("exit", "dug")


def test_the_server_may_have_a_closed_standard_input(user):
    def run():
        os.close(0)
        return confined(lambda: os.readlink("/proc/self/fd/0")).value

    assert as_user(user, run) == "/dev/null"


def test_finding_a_tier_is_fast_and_quiet():
    done = subprocess.run(
        [sys.executable, "-m", "nbjudge.sandbox"], capture_output=True, text=True, timeout=20
    )
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert found["tier"] in TIERS
    assert (found["tier"] == "full") == (found["missing"] == [])
    assert in_child(lambda: select.select([], [], [], 0)[0]) == []
