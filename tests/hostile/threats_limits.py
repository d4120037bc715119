"""Too much of everything: time, memory, processes, files, output. All of it is bounded."""

from textwrap import indent

from hostile_threat import Threat, attack, ended, harmless, right_but

MEGABYTE = 1_000_000


def until_stopped(source: str) -> str:
    """The cell, which prints a word when the system lets it go no further."""
    caught = "except OSError as error:\n    print('stopped', error.errno)\n"
    return f"try:\n{indent(source.strip(), '    ')}\n{caught}"


STUBBORN = """
while True:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        pass
"""
FORKS = """
import os, signal
for _ in range(400):
    try:
        if os.fork() == 0:
            signal.pause()
    except OSError:
        pass
import time
time.sleep(30)
"""
THREADS = """
import threading, time
for _ in range(400):
    try:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    except RuntimeError:
        break
time.sleep(30)
"""
SHARED = until_stopped("""
import mmap
kept = []
for _ in range(15):
    kept.append(mmap.mmap(-1, 100_000_000, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
    kept[-1].write(b"x" * 100_000_000)
""")
PRIVATE = """
import time
kept = [bytearray(b"x" * 10_000_000) for _ in range(150)]
time.sleep(10)
"""
IN_MEMORY_FILES = until_stopped("""
with open("/dev/shm/big", "wb") as file:
    for _ in range(60):
        file.write(b"x" * 10_000_000)
""") + until_stopped("""
import os, time
made = os.memfd_create("big")
for _ in range(150):
    os.write(made, b"x" * 10_000_000)
time.sleep(10)
""")
ONE_FILE = until_stopped("""
with open("big", "wb") as file:
    for _ in range(300):
        file.write(b"x" * 1_000_000)
""")
FILES = """
import os
for number in range(30_000):
    os.close(os.open(f"file{number}", os.O_CREAT | os.O_WRONLY))
"""
FOLDERS = """
for number in range(3_000):
    os.mkdir("deep")
    os.chdir("deep")
"""
MANY_FILES = until_stopped(FILES) + until_stopped(FOLDERS) + "os.chdir('/home/student/work')"
PRINTS = "for _ in range(100):\n    print('x' * 1_000_000)"
ONE_PRINT = "print('x' * 50_000_000)"
DISPLAYS = "for number in range(2_000):\n    display(number)"
KERNEL = """
kernel = get_ipython().kernel
parent = kernel.get_parent("shell")
"""
TINY = f"""{KERNEL}
content = dict(data=dict(), metadata=dict())
for _ in range(3_000):
    kernel.session.send(kernel.iopub_socket, "display_data", content, parent=parent)
"""
ERRORS_OUT = "import sys\nfor _ in range(100):\n    sys.stderr.write('x' * 1_000_000)"
HUGE_MESSAGES = f"""{KERNEL}
content = dict(name="stdout", text="x" * 9_000_000)
for _ in range(30):
    kernel.session.send(kernel.iopub_socket, "stream", content, parent=parent)
"""
UPDATES = """
handles = [display(0, display_id=str(number)) for number in range(20)]
for handle in handles:
    handle.update("y" * 1_500_000)
"""
THREADS_PRINT = """
import threading, time
def talk():
    while True:
        print("a line")
        time.sleep(0.001)
threading.Thread(target=talk, daemon=True).start()
"""


def outputs_are_small(graded) -> None:
    assert len(str(graded.outputs("own-last"))) < 2.2 * MEGABYTE


def output_is_limited(graded) -> None:
    outputs_are_small(graded)
    assert "the rest is left out" in str(graded.outputs("own-last"))


def none_is_lost(graded) -> None:
    assert len(graded.outputs("own-last")) == 2_000


def it_was_stopped(graded) -> None:
    assert "stopped" in graded.text("own-last")


THREATS = {
    "endless": Threat(
        "a cell without an end; the next one runs",
        7.0,
        right_but(even="while True: pass"),
        as_ordinary=True,
    ),
    "sleeps": Threat("sleeps", 7.0, right_but(even="import time\ntime.sleep(100)")),
    "ignores-interrupts": ended(
        "a cell that does not stop", "could not be stopped", STUBBORN, as_ordinary=True
    ),
    "blocks-interrupts": ended(
        "blocks SIGINT",
        "could not be stopped",
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(100)",
    ),
    "forks": ended("a fork bomb", "more than 64 processes", FORKS, as_ordinary=True),
    "threads": ended("a bomb of threads", "more than 64 processes", THREADS),
    "memory": ended("memory", "more than 600 MB of memory", PRIVATE, as_ordinary=True),
    "shared-memory": harmless("shared memory", last=SHARED, check=it_was_stopped),
    "memory-files": harmless("files in memory", last=IN_MEMORY_FILES, check=it_was_stopped),
    "disk": harmless("one large file", last=ONE_FILE, check=it_was_stopped, as_ordinary=True),
    "inodes": harmless("very many files, very deep folders", last=MANY_FILES, check=it_was_stopped),
    "prints": harmless("100 MB in lines", last=PRINTS, check=output_is_limited, as_ordinary=True),
    "prints-at-once": harmless("50 MB at once", last=ONE_PRINT, check=output_is_limited),
    "prints-errors": harmless("100 MB to stderr", last=ERRORS_OUT, check=output_is_limited),
    "displays": harmless("2,000 outputs", last=DISPLAYS, check=none_is_lost),
    "tiny-messages": harmless("3,000 empty outputs", last=TINY),
    "huge-messages": harmless("messages of 9 MB", last=HUGE_MESSAGES, check=output_is_limited),
    "updates": harmless("outputs that grow afterwards", last=UPDATES, check=outputs_are_small),
    "threads-print": harmless("a thread prints on and on", THREADS_PRINT),
    "recursion": Threat(
        "recursion without an end",
        6.0,
        right_but(square="def square(n):\n    return square(n)"),
    ),
    "clock": harmless(
        "a clock that stands still",
        "import time\ntime.time = time.monotonic = time.perf_counter = lambda: 0.0",
    ),
    "collects-nothing": attack(
        "no garbage collection, low recursion limit, other signals",
        "import gc, sys, faulthandler\ngc.disable()\nsys.setrecursionlimit(120)\n"
        "faulthandler.disable()",
    ),
}
