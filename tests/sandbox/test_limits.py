"""What a confined process can use up, and what is told of it."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import as_user, outcome, run_as, wait_forever
from nbjudge.sandbox.spec import SOCKET_BYTES

TIERS = ["full", "filters"]
MEGABYTE = 1 << 20


def hold(megabytes):
    block = bytearray(megabytes * MEGABYTE)
    block[::4096] = b"x" * len(block[::4096])
    return block


@pytest.mark.parametrize("tier", TIERS)
def test_a_memory_bomb_is_ended(user, tier):
    def bomb():
        kept = []
        while True:
            kept.append(hold(20))

    result = run_as(user, bomb, tier=tier, memory_megabytes=200)
    assert result.reason == "memory", result
    assert 200 < result.ended["peak_megabytes"] < 4300


def test_memory_shared_by_a_fork_counts_once(user):
    def share():
        kept = hold(400)
        children = [os.fork() for _ in range(3)]
        if 0 in children:
            wait_forever()
        signal.sigtimedwait([], 1.0)
        return len(kept)

    # A part of what this process holds, TensorFlow in a whole run, counts as theirs.
    result = run_as(user, share, memory_megabytes=1400)
    assert result.reason == "exit", result
    assert result.ended["peak_megabytes"] < 1200


def test_memory_hidden_in_children_is_found(user):
    def spread():
        for _ in range(8):
            if os.fork() == 0:
                kept = hold(60)
                os.fork()
                wait_forever()
                return len(kept)
        wait_forever()

    result = run_as(user, spread, memory_megabytes=300)
    assert result.reason == "memory", result


def test_files_in_memory_count_as_memory(user):
    def fill():
        Path("/dev/shm/a").write_bytes(bytes(20 * MEGABYTE))
        Path("/tmp/b").write_bytes(bytes(90 * MEGABYTE))
        wait_forever()

    result = run_as(user, fill, memory_megabytes=100, disk_megabytes=95)
    assert result.reason == "memory", result


def fill_pairs(most):
    """Connected pairs of sockets, each filled with what it takes; how much that is, in bytes."""
    import socket

    kept, total = [], 0
    with contextlib.suppress(OSError):
        while len(kept) < most:
            for one in (pair := socket.socketpair()):
                one.setblocking(False)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100 * MEGABYTE)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        total += one.send(bytes(65536))
            kept.append(pair)
    return kept, total


@pytest.mark.parametrize("tier", TIERS)
def test_what_sockets_hold_in_the_kernel_counts_as_memory(user, tier):
    def fill():
        kept = []
        for _ in range(5):
            if os.fork() == 0:
                kept.append(fill_pairs(400))
                wait_forever()
        wait_forever()

    result = run_as(user, fill, tier=tier, memory_megabytes=600)
    assert result.reason == "memory", result
    assert result.ended["sockets"] > 1000


def test_sockets_on_their_way_to_nobody_count_as_memory(user):
    def hide():
        import socket

        ours, theirs = socket.socketpair()
        kept = [ours, theirs]
        while True:
            pair = socket.socketpair()
            try:
                socket.send_fds(ours, [b"x"], [one.fileno() for one in pair])
            except OSError:
                wait_forever()
            finally:
                for one in pair:
                    one.close()
        return kept

    result = run_as(user, hide, memory_megabytes=100)
    assert result.reason == "memory", result


def test_connections_buffer_no_more_than_they_are_charged_with(user):
    def connect():
        import socket

        with socket.create_server(("127.0.0.1", 0)) as server:
            one = socket.create_connection(server.getsockname())
            other, _ = server.accept()
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100 * MEGABYTE)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100 * MEGABYTE)
        total = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                total += one.send(bytes(65536))
        return [total, fill_pairs(1)[1]]

    result = run_as(user, connect)
    sent, held = result.value
    assert 10_000 < sent < 4 * 2 * SOCKET_BYTES
    assert 10_000 < held < 2 * 2 * SOCKET_BYTES


def test_a_hundred_connections_are_nothing_unusual(user):
    def connect():
        import socket

        kept = [socket.socketpair() for _ in range(100)]
        wait_a_look()
        return len(kept)

    def wait_a_look():
        signal.sigtimedwait([], 1.0)

    result = run_as(user, connect, memory_megabytes=800)
    assert (result.reason, result.value) == ("exit", 100), result


def test_one_allocation_beyond_all_is_a_memory_error(user):
    result = run_as(user, lambda: outcome(bytearray, 20 << 30))
    assert (result.reason, result.value) == ("exit", "MemoryError")


@pytest.mark.parametrize("tier", TIERS)
def test_a_fork_bomb_is_ended(user, tier):
    def bomb():
        while True:
            with contextlib.suppress(OSError):
                os.fork()

    result = run_as(user, bomb, tier=tier, processes=60)
    assert result.reason == "processes", result
    assert not _left_over()


def test_a_bomb_of_threads_is_ended(user):
    def bomb():
        import threading

        while True:
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=wait_forever_in_thread, daemon=True).start()

    def wait_forever_in_thread():
        signal.sigwait([signal.SIGUSR1])

    assert run_as(user, bomb, processes=60).reason == "processes"


def test_the_kernel_holds_the_number_of_processes(user):
    def count():
        made = 0
        with contextlib.suppress(OSError):
            while made < 1000:
                if os.fork() == 0:
                    os._exit(0)
                made += 1
        return made

    # Those that have ended and are not waited for count, as the kernel does.
    result = run_as(user, count, processes=40)
    assert result.reason == "processes" or result.value < 60, result


def test_the_private_file_system_is_full_at_its_limit(user, folder):
    def fill():
        sizes = []
        for place in (Path.home(), Path("/tmp"), Path(".")):
            with open(place / "filler", "wb", buffering=0) as file:
                sizes.append(outcome(lambda f=file: [f.write(bytes(MEGABYTE)) for _ in range(50)]))
        files = outcome(lambda: [Path(f"/tmp/{n}").touch() for n in range(100_000)])
        return [sizes, files, outcome(Path("/dev/shm/filler").write_bytes, bytes(300 * MEGABYTE))]

    result = run_as(user, fill, disk_megabytes=20, memory_megabytes=600)
    assert result.value == [["ENOSPC"] * 3, "ENOSPC", "ENOSPC"]
    assert not {"filler", "0"} & set(os.listdir("/tmp"))


def test_what_is_copied_in_must_fit(user, folder):
    (folder / "large").write_bytes(bytes(6 * MEGABYTE))
    result = run_as(user, lambda: 1, files=folder, disk_megabytes=5)
    assert (result.reason, result.value) == ("failed", None)
    assert "disk" in result.ended["detail"]


def test_filling_the_disk_ends_it_where_the_folder_is_on_the_host(user):
    def fill():
        for number in range(30):
            Path(f"file{number}").write_bytes(bytes(MEGABYTE))
        wait_forever()

    result = run_as(user, fill, tier="filters", disk_megabytes=20)
    assert result.reason == "disk", result
    assert not _left_over()


@pytest.mark.parametrize("tier", TIERS)
def test_a_large_file_is_refused(user, tier):
    def write():
        with open("file", "wb", buffering=0) as file:
            return [outcome(lambda: [file.write(bytes(MEGABYTE)) for _ in range(5)])]

    assert run_as(user, write, tier=tier, file_megabytes=3).value == ["EFBIG"]


def test_open_files_are_limited(user):
    def open_many():
        kept = []
        return [outcome(lambda: [kept.append(os.dup(0)) for _ in range(200)]), len(kept) < 100]

    assert run_as(user, open_many, open_files=100).value == ["EMFILE", True]


def test_processor_time_is_limited(user):
    def work():
        while True:
            pass

    result = run_as(user, work, cpu_seconds=1)
    assert result.reason == "cpu"
    assert 0.9 < result.ended["cpu_seconds"] < 4


def test_processor_time_of_children_that_ended_counts(user):
    def work():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            if os.fork() == 0:
                for _ in range(30_000_000):
                    pass
                os._exit(0)
            with contextlib.suppress(ChildProcessError):
                os.wait()

    assert run_as(user, work, cpu_seconds=1, wall_seconds=15).reason == "cpu"


@pytest.mark.parametrize("tier", ["none", *TIERS])
def test_wall_time_is_limited(user, tier):
    result = run_as(user, wait_forever, tier=tier, wall_seconds=1)
    assert result.reason == "wall"
    assert result.ended["cpu_seconds"] < 1


def test_names_of_processes_do_not_confuse_the_watch(user):
    def rename():
        Path(f"/proc/{os.getpid()}/comm")
        import ctypes

        ctypes.CDLL(None).prctl(15, b") R 1 1 1\n 0 0", 0, 0, 0)
        while True:
            pass

    assert run_as(user, rename, cpu_seconds=1).reason == "cpu"


def test_the_watch_costs_little(user):
    """A guard waits, it does not spin: it uses a small part of the three seconds."""

    def measure():
        from harness import Run

        run = Run(wait_forever, wall_seconds=3)
        ended = run.finish().ended
        return [ended["ended"], run.guard_seconds - ended["cpu_seconds"]]

    reason, seconds = as_user(user, measure)
    assert reason == "wall"
    assert seconds < 1


def test_stopping_a_bomb_leaves_the_rest_alone(user):
    """A second sandbox of the same server still works after a bomb in the first."""
    test_a_fork_bomb_is_ended(user, "full")
    script = "print(1)"
    result = run_as(
        user,
        lambda: subprocess.run([sys.executable, "-c", script], capture_output=True).stdout.decode(),
    )
    assert result.value == "1\n"


def _left_over():
    return [name for name in os.listdir("/tmp") if name.startswith("nbjudge-confined-")]
